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

int vectors_device(const char *role)
{
	static const char *const roles[] = { "-", "outside", "gateway", "gateway2" };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(roles); i++)
		if (!strcmp(role, roles[i]))
			return i;
	errx(1, "no such device: %s", role);
}

unsigned int vectors_read(const char *path, bool behind, struct vector *v, unsigned int max)
{
	FILE *file = fopen(path, "r");
	char *line = NULL, *fields[FIELDS_MAX], **field;
	unsigned int n, count = 0, want = behind ? FIELDS_BEHIND : FIELDS;
	size_t size = 0;

	if (!file)
		err(1, "%s", path);
	while (next_line(file, &line, &size, fields, &n)) {
		if (!strcmp(fields[0], "policy") || !strcmp(fields[0], "behind") != behind)
			continue;
		if (n != want)
			errx(1, "%s: %u fields, not %u: %s", path, n, want, fields[behind]);
		if (count++ == max)
			errx(1, "%s: more than %u vectors", path, max);
		field = fields + behind;
		memset(v, 0, sizeof(*v));
		snprintf(v->name, sizeof(v->name), "%s", *field++);
		if (behind) {
			snprintf(v->hook, sizeof(v->hook), "%s", *field++);
			v->in = vectors_device(*field++);
			v->out = vectors_device(*field++);
		} else {
			v->direction = strcmp(*field++, "in") ? MAILWALL_OUT : MAILWALL_IN;
		}
		v->family = parse_address(*field++, v->source);
		v->source_port = atoi(*field++);
		parse_address(*field++, v->target);
		v->target_port = atoi(*field++);
		v->flags = parse_flags(*field++);
		v->offset = atoi(*field++);
		v->length = atoi(*field++);
		v->held = !strcmp(*field++, behind ? "noted" : "held");
		snprintf(v->policy, sizeof(v->policy), "%s", *field++);
		snprintf(v->expected, sizeof(v->expected), "%s", *field);
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
