// SPDX-License-Identifier: GPL-2.0
/*
 * "explain --policy": by the policy in a file, on any computer, by the module's own code.
 * Of what a running host knows nothing is asked: devices are those that are named, routes lead
 * where they are needed, and there is no connection but one that is stated.
 */
#include "explain.h"
#include "answer.h"
#include "gateway.h"
#include <ctype.h>
#include <stdlib.h>

/* Index 1 is a loopback device. */
#define FIRST_INDEX 2

static const char *devices[8];

u32 offline_device(const char *name)
{
	u32 i = 0;

	if (!strcmp(name, "lo"))
		return LOOPBACK_IFINDEX;
	while (i + 1 < ARRAY_SIZE(devices) && devices[i] && strcmp(devices[i], name))
		i++;
	devices[i] = name;
	return FIRST_INDEX + i;
}

const char *offline_device_name(u32 ifindex)
{
	if (ifindex == LOOPBACK_IFINDEX && *devices)
		return "lo";
	return ifindex >= FIRST_INDEX && ifindex - FIRST_INDEX < ARRAY_SIZE(devices) ?
		       devices[ifindex - FIRST_INDEX] :
		       NULL;
}

static int resolved(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(devices) && devices[i]; i++)
		if (!strcmp(devices[i], name))
			return FIRST_INDEX + i;
	return 0;
}

/* The file */

static const struct parameter {
	const char *name;
	mw_edit_t edit; /* NULL for one that decides nothing */
} parameters[] = {
	{ "adm", mw_edit_adm },	  { "site", mw_edit_site }, { "gtw", mw_edit_gtw },
	{ "mode", mw_edit_mode }, { "log", mw_edit_log },   { "flows", NULL },
	{ "confirm", NULL },
};

/**
 * struct reading - a file while it is read
 * @file: its name
 * @line: number of the line, the last of several that continue one another
 * @given: parameters that were given, as bits
 * @policy: what they say so far
 */
struct reading {
	const char *file;
	unsigned int line;
	unsigned int given;
	struct mw_spec *policy;
};

static bool read_parameter(struct reading *reading, const char *word)
{
	const char *equals = strchr(word, '=');
	size_t length = equals ? (size_t)(equals - word) : strlen(word);
	char text[ESCAPED_TEXT];
	struct mw_complaint c;
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(parameters); i++)
		if (strlen(parameters[i].name) == length &&
		    !memcmp(parameters[i].name, word, length))
			break;
	if (i == ARRAY_SIZE(parameters) || !equals) {
		say("%s:%u: \"%s\": no parameter of mailwall: write adm=, site=, gtw=, mode=, log=, flows= or confirm=",
		    reading->file, reading->line, escape(word, strlen(word), text));
		return false;
	}
	if (reading->given & 1 << i) {
		say("%s:%u: \"%s\" is given twice: write all of it once, with commas between",
		    reading->file, reading->line, parameters[i].name);
		return false;
	}
	reading->given |= 1 << i;
	if (parameters[i].edit &&
	    parameters[i].edit(reading->policy, equals + 1, strlen(equals + 1), &c)) {
		say("%s:%u: %s \"%s\": %s", reading->file, reading->line, parameters[i].name,
		    escape(c.item, c.length, text), c.cure);
		return false;
	}
	return true;
}

/* Only what is for this module is looked at. */
static bool read_line(struct reading *reading, char *line)
{
	static const char space[] = " \t";
	char *rest, *word = strtok_r(line, space, &rest);

	if (!word || strcmp(word, "options"))
		return true;
	word = strtok_r(NULL, space, &rest);
	if (!word || strcmp(word, "mailwall"))
		return true;
	while ((word = strtok_r(NULL, space, &rest)))
		if (!read_parameter(reading, word))
			return false;
	return true;
}

/* A line that ends in a backslash goes on in the next one. */
static bool read_lines(struct reading *reading, FILE *file)
{
	char *line = NULL, *whole = NULL;
	size_t room = 0, length = 0;
	bool good = true;
	ssize_t got;

	while (good && (got = getline(&line, &room, file)) >= 0) {
		bool more;

		reading->line++;
		got -= got && line[got - 1] == '\n';
		more = got && line[got - 1] == '\\';
		got -= more;
		whole = realloc(whole, length + got + 1);
		if (!whole) {
			say("out of memory");
			exit(EXIT_REFUSED);
		}
		memcpy(whole + length, line, got);
		length += got;
		whole[length] = '\0';
		if (more)
			continue;
		good = read_line(reading, whole);
		length = 0;
	}
	if (length)
		good = good && read_line(reading, whole);
	free(line);
	free(whole);
	return good;
}

static bool read_policy(const char *name, struct mw_spec *policy)
{
	struct reading reading = { .file = name, .policy = policy };
	struct mw_complaint c;
	char text[MW_PREFIX_TEXT], item[ESCAPED_TEXT];
	FILE *file = fopen(name, "re");
	bool good;

	*policy = (struct mw_spec){
		.generation = 1,
		.mode = MAILWALL_ENFORCE,
		.gtw_count = 1,
		.gtw = { { .kind = MAILWALL_GTW_THIS } },
	};
	if (!file) {
		say("%s: %s", name, strerror(errno));
		return false;
	}
	good = read_lines(&reading, file);
	if (good && ferror(file)) {
		say("%s: %s", name, strerror(errno));
		good = false;
	}
	fclose(file);
	if (good && !reading.given) {
		say("%s: no line \"options mailwall PARAMETER=VALUE...\" in it", name);
		return false;
	}
	if (good && mw_spec_normalise(policy, &c, text)) {
		say("%s: \"%s\": %s", name, escape(c.item, c.length, item), c.cure);
		good = false;
	}
	return good;
}

/* The question */

/* Routes lead where they are needed. */
static bool may_note(const void *context __attribute__((unused)),
		     bool bridged __attribute__((unused)), int ifindex __attribute__((unused)))
{
	return true;
}

/**
 * struct judge - a policy that is ready to judge
 * @policy: policy
 * @gateways: that it may point to
 */
struct judge {
	struct mw_policy policy;
	struct mw_gateways gateways;
};

static void build(struct judge *judge, const struct mw_spec *spec)
{
	struct mw_gateways *g = mw_spec_is_behind(spec) ? &judge->gateways : NULL;
	u8 site[MAILWALL_SITE_MAX], gtw[MAILWALL_GTW_MAX], i;

	for (i = 0; i < ARRAY_SIZE(site); i++)
		site[i] = MW_SITE_SLOT + i;
	for (i = 0; i < ARRAY_SIZE(gtw); i++)
		gtw[i] = MW_NOBODY + 1 + i;
	mw_policy_build(&judge->policy, spec, site);
	mw_policy_set_gateways(&judge->policy, g, gtw);
	for (i = 0; g && i < g->ports; i++)
		mw_gateways_resolve(g, i, resolved(judge->policy.spec.gtw[g->port_item[i]].device));
}

int offline_explain(const char *file, struct mailwall_explain *ex, struct mw_spec *policy)
{
	struct mw_asked asked = { .may_note = may_note };
	bool forward = ex->hook == MAILWALL_HOOK_FORWARD, in = ex->direction == MAILWALL_IN;
	bool loopback = ex->ifindex == LOOPBACK_IFINDEX || ex->out_ifindex == LOOPBACK_IFINDEX;
	struct judge *judge;

	if (!read_policy(file, policy))
		return EXIT_REFUSED;
	judge = allocate(sizeof(*judge));
	build(judge, policy);
	asked.in = forward || in ? ex->ifindex : 0;
	asked.out = forward ? ex->out_ifindex : in ? 0 : ex->ifindex;
	/* there is nobody to ask */
	if (ex->connection == MAILWALL_CONNECTION_ASK)
		ex->connection = MAILWALL_CONNECTION_NONE;
	ex->answer_mode = policy->mode;
	ex->generation = policy->generation;
	mw_answer(&judge->policy, loopback ? NULL : &asked, ex);
	free(judge);
	return EXIT_DONE;
}
