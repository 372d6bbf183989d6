// SPDX-License-Identifier: GPL-2.0
/*
 * Whether this host publishes the Management Console: a rule of nftables (or of iptables on
 * top of it) that hands connections to its port on by DNAT.
 */
#include "command.h"
#include <jansson.h>
#include <stdlib.h>

#define CONSOLE 8450

static bool has_console(const json_t *rule, const json_t *value);

/* The elements of a named set or map, which a terse listing leaves out. */
static bool set_has_console(const json_t *rule, const char *name)
{
	static const char *const kinds[] = { "set", "map" };
	bool found = false;
	unsigned int i;

	for (i = 0; !found && i < ARRAY_SIZE(kinds); i++) {
		const char *const argv[] = { "nft",
					     "-j",
					     "list",
					     kinds[i],
					     json_text(rule, "family"),
					     json_text(rule, "table"),
					     name,
					     NULL };
		int status;
		json_t *answer = program_ask_json(argv, &status), *entry;
		size_t at;

		json_array_foreach(json_object_get(answer, "nftables"), at, entry) found =
			found || has_console(rule, json_object_get(json_object_get(entry, kinds[i]),
								   "elem"));
		json_decref(answer);
	}
	return found;
}

/* A port, a range, a set, a map or whatever holds one of them. */
static bool has_console(const json_t *rule, const json_t *value)
{
	const json_t *range = json_object_get(value, "range"), *one;
	const char *text = json_string_value(value), *key;
	size_t i;

	if (json_is_integer(value))
		return json_integer_value(value) == CONSOLE;
	if (text)
		return *text == '@' && set_has_console(rule, text + 1);
	if (range)
		return json_integer_value(json_array_get(range, 0)) <= CONSOLE &&
		       json_integer_value(json_array_get(range, 1)) >= CONSOLE;
	json_array_foreach(value, i, one) if (has_console(rule, one)) return true;
	json_object_foreach((json_t *)value, key, one) if (has_console(rule, one)) return true;
	return false;
}

/* Whether it is for connections to the port: source ports and marks are numbers, too. */
static bool matches_console(const json_t *rule, const json_t *match)
{
	const json_t *left = json_object_get(match, "left");

	return (json_object_get(left, "concat") ||
		!strcmp(json_text(json_object_get(left, "payload"), "field"), "dport")) &&
	       strcmp(json_text(match, "op"), "!=") &&
	       has_console(rule, json_object_get(match, "right"));
}

/* What it matches or hands on to has the port. */
static bool publishes(const json_t *rule)
{
	bool dnat = false, console = false;
	const json_t *statement;
	size_t i;

	json_array_foreach(json_object_get(rule, "expr"), i, statement)
	{
		const json_t *to = json_object_get(statement, "dnat");

		dnat = dnat || to ||
		       !strcmp(json_text(json_object_get(statement, "xt"), "name"), "DNAT");
		console = console || matches_console(rule, json_object_get(statement, "match")) ||
			  has_console(rule, to);
	}
	return dnat && console;
}

char *dnat_of_console(const struct mw_spec *policy)
{
	static const char *const argv[] = { "nft", "-j", "-t", "list", "ruleset", NULL };
	json_t *ruleset, *entry;
	char *text = NULL;
	int status;
	size_t i;

	if (!mw_spec_is_behind(policy))
		return NULL;
	ruleset = program_ask_json(argv, &status);
	json_array_foreach(json_object_get(ruleset, "nftables"), i, entry)
	{
		const json_t *rule = json_object_get(entry, "rule");

		if (text || !publishes(rule))
			continue;
		text = formatted(
			"nft's table %s %s, chain %s, has %u in DNAT: that publishes the Management Console, and ADM alone keeps others out; take it out there and reach the console by the gateway's own address",
			json_text(rule, "family"), json_text(rule, "table"),
			json_text(rule, "chain"), CONSOLE);
	}
	json_decref(ruleset);
	return text;
}
