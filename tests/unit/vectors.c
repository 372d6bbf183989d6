// SPDX-License-Identifier: GPL-2.0
#include "vectors.h"
#include <arpa/inet.h>
#include <err.h>
#include <stdlib.h>

#define FIELDS 13
#define FIELDS_BEHIND 16
#define FIELDS_MAX FIELDS_BEHIND

static unsigned int split(char *line, char *field[FIELDS_MAX])
{
	unsigned int n = 0;

	line[strcspn(line, "\n")] = '\0';
	while (line && n < FIELDS_MAX)
		field[n++] = strsep(&line, "\t");
	return line ? FIELDS_MAX + 1 : n;
}

static u8 parse_flags(char *names)
{
	static const char *const all[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };
	u8 flags = 0;
	char *name;
	unsigned int i;

	if (!strcmp(names, "none"))
		return 0;
	while ((name = strsep(&names, ","))) {
		for (i = 0; i < 8 && strcmp(name, all[i]); i++)
			;
		if (i == 8)
			errx(1, "no such flag: %s", name);
		flags |= 1 << i;
	}
	return flags;
}

static u8 parse_address(const char *text, u8 *address)
{
	u8 family = strchr(text, ':') ? AF_INET6 : AF_INET;

	memset(address, 0, 16);
	if (inet_pton(family, text, address) != 1)
		errx(1, "no address: %s", text);
	return family;
}

static bool next_line(FILE *file, char **line, size_t *size, char *field[FIELDS_MAX],
		      unsigned int *n)
{
	while (getline(line, size, file) >= 0) {
		if (**line == '#')
			continue;
		*n = split(*line, field);
		return true;
	}
	return false;
}

unsigned int vectors_read(const char *path, struct vector *v, unsigned int max)
{
	FILE *file = fopen(path, "r");
	char *line = NULL, *field[FIELDS_MAX];
	unsigned int n, count = 0;
	size_t size = 0;

	if (!file)
		err(1, "%s", path);
	for (; next_line(file, &line, &size, field, &n); v++) {
		if (!strcmp(field[0], "policy") || !strcmp(field[0], "behind")) {
			v--;
			continue;
		}
		if (n != FIELDS)
			errx(1, "%s: %u fields, not %d: %s", path, n, FIELDS, field[0]);
		if (count++ == max)
			errx(1, "%s: more than %u vectors", path, max);
		memset(v, 0, sizeof(*v));
		snprintf(v->name, sizeof(v->name), "%s", field[0]);
		v->direction = strcmp(field[1], "in") ? MAILWALL_OUT : MAILWALL_IN;
		v->family = parse_address(field[2], v->source);
		v->source_port = atoi(field[3]);
		parse_address(field[4], v->target);
		v->target_port = atoi(field[5]);
		v->flags = parse_flags(field[6]);
		v->offset = atoi(field[7]);
		v->length = atoi(field[8]);
		v->connected = !strcmp(field[9], "held");
		snprintf(v->policy, sizeof(v->policy), "%s", field[10]);
		snprintf(v->expected, sizeof(v->expected), "%s", field[11]);
	}
	free(line);
	fclose(file);
	return count;
}

int vectors_device(const char *role)
{
	static const char *const roles[] = { "-", "outside", "gateway", "gateway2" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcmp(role, roles[i]))
			return i;
	errx(1, "no such device: %s", role);
}

unsigned int vectors_read_behind(const char *path, struct behind *v, unsigned int max)
{
	FILE *file = fopen(path, "r");
	char *line = NULL, *field[FIELDS_MAX];
	unsigned int n, count = 0;
	size_t size = 0;

	if (!file)
		err(1, "%s", path);
	while (next_line(file, &line, &size, field, &n)) {
		if (strcmp(field[0], "behind"))
			continue;
		if (n != FIELDS_BEHIND)
			errx(1, "%s: %u fields, not %d: %s", path, n, FIELDS_BEHIND, field[1]);
		if (count++ == max)
			errx(1, "%s: more than %u vectors", path, max);
		memset(v, 0, sizeof(*v));
		snprintf(v->name, sizeof(v->name), "%s", field[1]);
		snprintf(v->hook, sizeof(v->hook), "%s", field[2]);
		v->in = vectors_device(field[3]);
		v->out = vectors_device(field[4]);
		v->family = parse_address(field[5], v->source);
		v->source_port = atoi(field[6]);
		parse_address(field[7], v->target);
		v->target_port = atoi(field[8]);
		v->flags = parse_flags(field[9]);
		v->offset = atoi(field[10]);
		v->length = atoi(field[11]);
		v->noted = !strcmp(field[12], "noted");
		snprintf(v->policy, sizeof(v->policy), "%s", field[13]);
		snprintf(v->expected, sizeof(v->expected), "%s", field[14]);
		v++;
	}
	free(line);
	fclose(file);
	return count;
}

struct mw_spec vectors_policy(const char *path, const char *name)
{
	struct mw_spec spec = { .mode = MAILWALL_ENFORCE };
	FILE *file = fopen(path, "r");
	char *line = NULL, *field[FIELDS_MAX];
	struct mw_complaint c;
	unsigned int n;
	size_t size = 0;
	bool found = false;
	const char *gtw;

	if (!file)
		err(1, "%s", path);
	while (!found && next_line(file, &line, &size, field, &n)) {
		found = !strcmp(field[0], "policy") && (n == 4 || n == 5) &&
			!strcmp(field[1], name);
		if (!found)
			continue;
		gtw = n == 5 ? field[4] : "this";
		if (mw_edit_adm(&spec, field[2], strlen(field[2]), &c) ||
		    mw_edit_site(&spec, field[3], strlen(field[3]), &c) ||
		    mw_edit_gtw(&spec, gtw, strlen(gtw), &c))
			errx(1, "%s: %.*s: %s", name, (int)c.length, c.item, c.cure);
	}
	if (!found)
		errx(1, "%s: no policy %s", path, name);
	free(line);
	fclose(file);
	return spec;
}
