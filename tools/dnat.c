// SPDX-License-Identifier: GPL-2.0
/*
 * Whether this host publishes the Management Console: a rule of nftables or iptables that
 * hands connections to its port on by DNAT. What nft shows of a rule of iptables is not all
 * of it (multiport, where DNAT leads), so that iptables itself is asked for those.
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

		dnat = dnat || to;
		console = console || matches_console(rule, json_object_get(statement, "match")) ||
			  has_console(rule, to);
	}
	return dnat && console;
}

static char *in_words(const char *whose, const char *family, const char *table, const char *chain)
{
	return formatted(
		"%s table %s %s, chain %s, has %u in DNAT: that publishes the Management Console, and ADM alone keeps others out; take it out there and reach the console by the gateway's own address",
		whose, family, table, chain, CONSOLE);
}

static char *in_nftables(void)
{
	static const char *const argv[] = { "nft", "-j", "-t", "list", "ruleset", NULL };
	json_t *ruleset, *entry;
	char *text = NULL;
	int status;
	size_t i;

	ruleset = program_ask_json(argv, &status);
	json_array_foreach(json_object_get(ruleset, "nftables"), i, entry)
	{
		const json_t *rule = json_object_get(entry, "rule");

		if (!text && publishes(rule))
			text = in_words("nft's", json_text(rule, "family"),
					json_text(rule, "table"), json_text(rule, "chain"));
	}
	json_decref(ruleset);
	return text;
}

/* Ports and ranges, "25,8000:9000", or "8000-9000" where DNAT leads. */
static bool ports_have_console(const char *ports)
{
	unsigned int first, last;
	int length;

	do {
		if (sscanf(ports, "%u%n", &first, &length) != 1)
			return false;
		ports += length;
		last = first;
		if (sscanf(ports, "%*[:-]%u%n", &last, &length) == 1)
			ports += length;
		if (first <= CONSOLE && CONSOLE <= last)
			return true;
	} while (*ports++ == ',');
	return false;
}

/* "ADDRESS:PORT", with an address of IPv6 in brackets; ":PORT" */
static bool target_has_console(const char *target)
{
	const char *port = strrchr(target, ':');

	return port && (port == strchr(target, ':') || port[-1] == ']') &&
	       ports_have_console(port + 1);
}

/* @rule: as iptables-save(8) writes one; it is cut into words */
static bool rule_publishes(char *rule)
{
	bool dnat = false, console = false, quoted = false;
	const char *word, *option = "", *before = "";

	while ((word = strsep(&rule, " "))) {
		size_t length = strlen(word);
		bool ends = length > (quoted ? 0 : 1) && word[length - 1] == '"' &&
			    (length < 2 || word[length - 2] != '\\');

		/* a comment is one word, whatever it says */
		if (quoted || *word == '"') {
			quoted = !ends;
			continue;
		}
		dnat = dnat || (!strcmp(option, "-j") && !strcmp(word, "DNAT"));
		if (!strcmp(option, "--to-destination"))
			console = console || target_has_console(word);
		else if (strcmp(before, "!") &&
			 (!strcmp(option, "--dport") || !strcmp(option, "--dports") ||
			  !strcmp(option, "--ports")))
			console = console || ports_have_console(word);
		before = option;
		option = word;
	}
	return dnat && console;
}

static char *in_iptables(const char *program, const char *family)
{
	const char *const argv[] = { program, NULL };
	char *text = NULL, *line, *rest, *rules, chain[32];
	bool nat = false;
	int status;

	rules = program_ask(argv, &status);
	rest = rules;
	while (!text && (line = strsep(&rest, "\n"))) {
		if (*line == '*')
			nat = !strcmp(line, "*nat");
		else if (nat && sscanf(line, "-A %31s", chain) == 1 && rule_publishes(line))
			text = in_words("iptables'", family, "nat", chain);
	}
	free(rules);
	return text;
}

char *dnat_of_console(const struct mw_spec *policy)
{
	char *text;

	if (!mw_spec_is_behind(policy))
		return NULL;
	text = in_nftables();
	if (!text)
		text = in_iptables("iptables-save", "ip");
	if (!text)
		text = in_iptables("ip6tables-save", "ip6");
	return text;
}
