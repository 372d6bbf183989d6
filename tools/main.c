// SPDX-License-Identifier: GPL-2.0
/* mailwall: the command line. */
#include "persist.h"
#include <argp.h>
#include <stdlib.h>
#include <unistd.h>

/* Options, as bits of what a command takes. */
enum {
	TAKES_JSON = 1 << 0,
	TAKES_CONFIRM = 1 << 1,
	TAKES_FORCE = 1 << 2,
	TAKES_QUESTION = 1 << 3,
	TAKES_EXTEND = 1 << 4,
	TAKES_DEVICE = 1 << 5,
	TAKES_IN_OUT = 1 << 6,
	TAKES_WATCH = 1 << 7,
	TAKES_WAY = 1 << 8, /* --in and --out without a device */
	TAKES_SEGMENT = 1 << 9, /* what is of one segment */
	TAKES_WALK = 1 << 10, /* --connection without a value */
	TAKES_PROMETHEUS = 1 << 11,
	TAKES_CHECK = 1 << 12,
	TAKES_DIFF = 1 << 13,
	TAKES_ADD = 1 << 14,
	CHANGES = TAKES_CONFIRM | TAKES_FORCE,
	ASKS = TAKES_JSON | TAKES_QUESTION | TAKES_SEGMENT | TAKES_WALK,
};

#define MANY 1000000

static const struct command {
	const char *name;
	const char *verb; /* NULL where the command has none */
	const char *words; /* what follows, for messages */
	int min;
	int max;
	unsigned int takes;
	int (*run)(const struct arguments *args);
} commands[] = {
	{ "status", NULL, "", 0, 0, TAKES_JSON | TAKES_PROMETHEUS | TAKES_CHECK, status },
	{ "adm", "show", "", 0, 0, 0, adm_show },
	{ "adm", "set", " PREFIX...", 1, MANY, CHANGES, adm_set },
	{ "adm", "add", " PREFIX...", 1, MANY, CHANGES, adm_add },
	{ "adm", "remove", " PREFIX...", 1, MANY, CHANGES, adm_remove },
	{ "adm", "clear", "", 0, 0, CHANGES, adm_clear },
	{ "site", "show", "", 0, 0, 0, site_show },
	{ "site", "set", " PORT SOURCE TARGET...", 1, MANY, CHANGES, site_set },
	{ "site", "add", " PORT SOURCE TARGET...", 1, MANY, CHANGES, site_add },
	{ "site", "remove", " PORT SOURCE TARGET...", 1, MANY, CHANGES, site_remove },
	{ "site", "clear", "", 0, 0, CHANGES, site_clear },
	{ "gtw", "show", "", 0, 0, 0, gtw_show },
	{ "gtw", "set", " GATEWAY...", 1, MANY, CHANGES, gtw_set },
	{ "gtw", "add", " GATEWAY...", 1, MANY, CHANGES, gtw_add },
	{ "gtw", "remove", " GATEWAY...", 1, MANY, CHANGES, gtw_remove },
	{ "mode", NULL, " [enforce|audit|off]", 0, 1, CHANGES, mode },
	{ "log", NULL, " [off|kernel|nflog[:GROUP]]", 0, 1, CHANGES, logging },
	{ "confirm", NULL, "", 0, 0, TAKES_EXTEND, confirm },
	{ "revert", NULL, "", 0, 0, 0, revert },
	{ "check", NULL, " [FILE]", 0, 1, 0, check },
	{ "save", NULL, "", 0, 0, 0, save },
	{ "reload", NULL, "", 0, 0, TAKES_CONFIRM | TAKES_FORCE, reload },
	{ "diff", NULL, "", 0, 0, 0, diff },
	{ "apply", NULL, " FILE", 1, 1, TAKES_FORCE | TAKES_CHECK | TAKES_DIFF, apply },
	{ "enable", NULL, "", 0, 0, CHANGES | TAKES_ADD, enable },
	{ "disable", NULL, "", 0, 0, 0, disable },
	{ "explain", "in", " ADDRESS:PORT ADDRESS:PORT", 2, 2, ASKS | TAKES_DEVICE, explain_in },
	{ "explain", "out", " ADDRESS:PORT ADDRESS:PORT", 2, 2, ASKS | TAKES_DEVICE, explain_out },
	{ "explain", "forward", " ADDRESS:PORT ADDRESS:PORT", 2, 2, ASKS | TAKES_IN_OUT,
	  explain_forward },
	{ "watch", NULL, "", 0, 0, TAKES_JSON | TAKES_WATCH | TAKES_WAY, watch },
	{ "suggest", NULL, "", 0, 0, 0, suggest },
	{ "report", NULL, "", 0, 0, 0, bug_report },
	{ "version", NULL, "", 0, 0, TAKES_JSON, version },
};

/* What "help COMMAND" shows. */
static const struct {
	const char *name, *example;
} examples[] = {
	{ "status", "mailwall status --json" },
	{ "adm", "mailwall adm add 192.0.2.0/24 2001:db8::/32 --confirm=60" },
	{ "site", "mailwall site add 22 ADM GTW 443 GTW ANY" },
	{ "gtw", "mailwall gtw set this port:tap100i0" },
	{ "mode", "mailwall try mode enforce" },
	{ "log", "mailwall log nflog:5" },
	{ "confirm", "mailwall confirm --extend=300" },
	{ "revert", "mailwall revert" },
	{ "check", "mailwall check" },
	{ "save", "mailwall save" },
	{ "reload", "mailwall reload --confirm=60" },
	{ "diff", "mailwall diff" },
	{ "apply", "mailwall apply --check --diff mailwall.conf" },
	{ "enable", "mailwall enable --adm=192.0.2.0/24 --site=22:ADM:GTW" },
	{ "disable", "mailwall disable" },
	{ "explain", "mailwall explain in 198.51.100.9:40000 192.0.2.1:8450" },
	{ "watch", "mailwall watch --summary --for=600" },
	{ "suggest", "mailwall suggest" },
	{ "report", "mailwall report >report.txt" },
	{ "version", "mailwall version" },
};

/* Its options, by what a command takes. */
static const struct {
	unsigned int takes;
	const char *words;
} usages[] = {
	{ TAKES_JSON, "--json" },
	{ TAKES_PROMETHEUS, "--prometheus" },
	{ TAKES_CHECK, "--check" },
	{ TAKES_DIFF, "--diff" },
	{ TAKES_CONFIRM, "--confirm=SECONDS" },
	{ TAKES_FORCE, "--force" },
	{ TAKES_EXTEND, "--extend=SECONDS" },
	{ TAKES_ADD, "--adm=PREFIX,... --site=ROW,... --gtw=GATEWAY,..." },
	{ TAKES_SEGMENT, "--flags=FLAG,... --data-offset=WORDS --length=BYTES" },
	{ TAKES_WALK, "--connection[=ask|none|held] --policy=FILE" },
	{ TAKES_DEVICE, "--device=IFNAME" },
	{ TAKES_IN_OUT, "--in=IFNAME --out=IFNAME" },
	{ TAKES_WAY, "--in --out" },
	{ TAKES_WATCH, "--port=PORT --summary --for=SECONDS" },
};

enum {
	OPTION_CONFIRM = 0x100,
	OPTION_FORCE,
	OPTION_EXTEND,
	OPTION_JSON,
	OPTION_PROMETHEUS,
	OPTION_FLAGS,
	OPTION_CONNECTION,
	OPTION_POLICY,
	OPTION_DATA_OFFSET,
	OPTION_LENGTH,
	OPTION_DEVICE,
	OPTION_IN,
	OPTION_OUT,
	OPTION_PORT,
	OPTION_SUMMARY,
	OPTION_FOR,
	OPTION_CHECK,
	OPTION_DIFF,
	OPTION_ADM,
	OPTION_SITE,
	OPTION_GTW,
	OPTION_USAGE,
};

static const struct argp_option options[] = {
	{ "help", 'h', NULL, 0, "Print this; after a command, what it takes, with an example", -1 },
	{ NULL, '?', NULL, OPTION_HIDDEN, NULL, -1 },
	{ "usage", OPTION_USAGE, NULL, 0, "Print a short usage message", -1 },
	{ "version", 'V', NULL, 0, "Print the release of the command", -1 },
	{ NULL, 0, NULL, 0, "Changing commands:", 1 },
	{ "confirm", OPTION_CONFIRM, "SECONDS", 0,
	  "Undo the change after 1 to 86400 seconds unless \"mailwall confirm\" comes first", 1 },
	{ "force", OPTION_FORCE, NULL, 0,
	  "Make the change though it cuts the SSH session that it is made from", 1 },
	{ NULL, 0, NULL, 0, "confirm:", 2 },
	{ "extend", OPTION_EXTEND, "SECONDS", 0,
	  "Do not keep the change yet: let it wait 1 to 86400 seconds from now", 2 },
	{ NULL, 0, NULL, 0, "enable:", 2 },
	{ "adm", OPTION_ADM, "PREFIX,...", 0, "Prefixes of the administration network", 2 },
	{ "site", OPTION_SITE, "ROW,...", 0, "Site rows, such as 22:ADM:GTW", 2 },
	{ "gtw", OPTION_GTW, "GATEWAY,...", 0, "Gateways, besides this host", 2 },
	{ NULL, 0, NULL, 0, "apply, and --check of status:", 2 },
	{ "check", OPTION_CHECK, NULL, 0,
	  "apply: change nothing, tell by the exit code what would be; status: one line, and an exit code as monitoring plugins have it",
	  2 },
	{ "diff", OPTION_DIFF, NULL, 0, "Print what differs from what runs", 2 },
	{ NULL, 0, NULL, 0, "status, explain, watch, version:", 3 },
	{ "json", OPTION_JSON, NULL, 0, "Print JSON", 3 },
	{ "prometheus", OPTION_PROMETHEUS, NULL, 0, "status: print metrics for Prometheus", 3 },
	{ NULL, 0, NULL, 0, "explain:", 4 },
	{ "flags", OPTION_FLAGS, "FLAG,...", 0,
	  "TCP flags: FIN SYN RST PSH ACK URG ECE CWR, or none (default: SYN)", 4 },
	{ "connection", OPTION_CONNECTION, "STATE", OPTION_ARG_OPTIONAL,
	  "Whether the connection is there: ask (default), or take it as none or held. "
	  "Without a value: all segments of a connection, from SYN to FIN, both ways",
	  4 },
	{ "policy", OPTION_POLICY, "FILE", 0,
	  "By the policy in a file like /etc/modprobe.d/mailwall.conf, without the module", 4 },
	{ "data-offset", OPTION_DATA_OFFSET, "WORDS", 0, "TCP data offset, 0 to 15 (default: 5)",
	  4 },
	{ "length", OPTION_LENGTH, "BYTES", 0,
	  "Bytes from the TCP header on (default: what the data offset says)", 4 },
	{ "device", OPTION_DEVICE, "IFNAME", 0, "in, out: network device that the segment passes",
	  4 },
	{ "in", OPTION_IN, "IFNAME", OPTION_ARG_OPTIONAL,
	  "forward: device that it comes in by (default: of the route to its source)", 4 },
	{ "out", OPTION_OUT, "IFNAME", OPTION_ARG_OPTIONAL,
	  "forward: device that it leaves by (default: of the route to its target)", 4 },
	{ NULL, 0, NULL, 0, "watch (--in, --out: only what is inbound, or outbound):", 5 },
	{ "port", OPTION_PORT, "PORT", 0, "Only what has this port, on either side", 5 },
	{ "summary", OPTION_SUMMARY, NULL, 0,
	  "At the end, how many by direction, port and peer, outbound first", 5 },
	{ "for", OPTION_FOR, "SECONDS", 0, "End after 1 to 604800 seconds (default: Ctrl-C)", 5 },
	{ 0 },
};

static const char documentation[] =
	"Control the mailwall firewall: see and change its policy, ask why.\v"
	"Commands:\n"
	"  status                     mode, ADM, the table, counters, denials\n"
	"  adm show                   the prefixes of the administration network\n"
	"  adm set|add|remove PREFIX...\n"
	"                             replace them, add some, remove some\n"
	"  adm clear                  empty it: rows with ADM are closed to all\n"
	"  site show                  the site rows, those besides the built-in table\n"
	"  site set|add|remove ROW... a ROW is 22 ADM GTW, or 22:ADM:GTW; to remove\n"
	"                             it its port is enough, if no other row has it\n"
	"  site clear                 remove them all\n"
	"  gtw show                   which computers are GTW, and what passes by\n"
	"  gtw set|add|remove GATEWAY...\n"
	"                             a GATEWAY is this (host), or one behind it:\n"
	"                             ADDRESS, PREFIX, or port:DEVICE\n"
	"  mode [enforce|audit|off]   show or set the mode\n"
	"  log [off|kernel|nflog[:GROUP]]\n"
	"                             show or set where denied segments are logged\n"
	"  try CHANGE...              make the change, count down: Enter keeps it,\n"
	"                             Ctrl-C undoes it; \"mailwall try mode enforce\"\n"
	"  confirm                    keep the change that waits to be confirmed\n"
	"  revert                     undo it now\n"
	"  enable                     the first start: load, show what would be cut,\n"
	"                             enforce, save; undone unless confirmed\n"
	"  disable                    undo it: unload, and forget what is saved\n"
	"  check [FILE]               what the next boot loads, and what is wrong;\n"
	"                             FILE in place of /etc/modprobe.d/mailwall.conf\n"
	"  save                       let the next boot load what runs\n"
	"  reload                     let run what the next boot loads\n"
	"  diff                       how the two differ: - saved, + running\n"
	"  apply FILE                 let run, and save, what FILE says\n"
	"  explain in|out|forward SOURCE TARGET\n"
	"                             what happens to a segment to, from, or through\n"
	"                             this host, and why\n"
	"                             (ADDRESS:PORT, IPv6 as [ADDRESS]:PORT)\n"
	"  watch                      denied segments as they come (nfnetlink_log)\n"
	"  suggest                    site rows for what this host does now\n"
	"  report                     what a bug report needs, no addresses or names\n"
	"  help [COMMAND]             this, or one command with an example\n"
	"  version                    release and ABI of command and module\n"
	"\n"
	"A port of a row is the gateway's own if TARGET is GTW, the one elsewhere if SOURCE is GTW. "
	"The other end is ANY or ADM.\n"
	"\n"
	"Open a second SSH session before you confirm a change: the one in use may go on where "
	"no new one is let in.\n"
	"\n"
	"Exit codes: 0 done, 1 refused or failed (diff: they differ), 2 usage, 3 apply changed something, 4 not permitted, 5 no module. Manual: mailwall(8).";

/**
 * struct line - the command line while it is read
 * @args: what the command gets
 * @takes: options given, TAKES_*
 * @command: found at its end
 * @tried: the command is a change after "try"
 */
struct line {
	struct arguments args;
	unsigned int takes;
	const struct command *command;
	bool tried;
};

static u32 option_number(struct argp_state *state, const char *name, const char *value, u32 min,
			 u32 max)
{
	s64 number = mw_number(value, strlen(value), max);
	char text[ESCAPED_TEXT];

	if (number < min)
		argp_error(state, "--%s=\"%s\": write a number from %u to %u", name,
			   escape(value, strlen(value), text), min, max);
	return number;
}

/* Return: MAILWALL_CONNECTION_*, or -1. */
static int connection_named(const char *value)
{
	static const char *const name[] = {
		[MAILWALL_CONNECTION_ASK] = "ask",
		[MAILWALL_CONNECTION_NONE] = "none",
		[MAILWALL_CONNECTION_HELD] = "held",
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(name); i++)
		if (!strcmp(value, name[i]))
			return i;
	return -1;
}

static u8 option_connection(struct argp_state *state, const char *value)
{
	int connection = connection_named(value);
	char text[ESCAPED_TEXT];

	if (connection >= 0)
		return connection;
	argp_error(state, "--connection=\"%s\": write ask, none or held",
		   escape(value, strlen(value), text));
	return 0;
}

/*
 * An option whose value getopt takes only behind "=": the next word is its value too, where
 * it @fits. Words come in order: ARGP_IN_ORDER.
 */
static char *option_value(struct argp_state *state, char *value, bool fits)
{
	return value || !fits ? value : state->argv[state->next++];
}

static const char *next_word(const struct argp_state *state)
{
	return state->next < state->argc ? state->argv[state->next] : "";
}

/* --in and --out: a device with "explain", a direction with "watch" */
static char *option_device(struct argp_state *state, struct line *line, char *value, u8 way)
{
	bool asks = line->args.count > 1 && !strcmp(line->args.words[0], "explain");

	value = option_value(state, value, asks && !strchr("-", *next_word(state)));
	line->takes |= value ? TAKES_IN_OUT : TAKES_WAY;
	if (!value)
		line->args.ways |= 1 << way;
	return value;
}

/* A list that is given again grows. */
static void add(char **list, const char *value)
{
	char *more = formatted("%s%s%s", *list ?: "", *list ? "," : "", value);

	free(*list);
	*list = more;
}

/* How many letters differ, or changed places, between two words; for short ones alone. */
static unsigned int distance(const char *a, const char *b)
{
	unsigned int best, cost;

	if (!*a || !*b)
		return strlen(a) + strlen(b);
	if (*a == *b)
		return distance(a + 1, b + 1);
	best = 1 + distance(a + 1, b + 1);
	cost = 1 + distance(a + 1, b);
	best = cost < best ? cost : best;
	cost = 1 + distance(a, b + 1);
	best = cost < best ? cost : best;
	if (a[1] && a[0] == b[1] && a[1] == b[0]) {
		cost = 1 + distance(a + 2, b + 2);
		best = cost < best ? cost : best;
	}
	return best;
}

/* The command that may have been meant, with words around it; nothing where none is near. */
static const char *meant(const char *word, char text[ESCAPED_TEXT])
{
	unsigned int i, at, best = 3;

	*text = '\0';
	for (i = 0; strlen(word) <= 8 && i < ARRAY_SIZE(commands); i++) {
		at = distance(word, commands[i].name);
		if (at < best && at < strlen(word)) {
			best = at;
			snprintf(text, ESCAPED_TEXT, ": did you mean \"%s\"?", commands[i].name);
		}
	}
	return text;
}

/* Help on a command: each of its forms, and an example. Ends the program. */
static void help_command(const char *name)
{
	const struct command *command;
	bool found = false;
	unsigned int i;

	for (command = commands; command < commands + ARRAY_SIZE(commands); command++) {
		if (strcmp(command->name, name))
			continue;
		printf("%s mailwall %s%s%s%s\n", found ? "   or:" : "Usage:", command->name,
		       command->verb ? " " : "", command->verb ?: "", command->words);
		for (i = 0; i < ARRAY_SIZE(usages); i++)
			if (command->takes & usages[i].takes)
				printf("                %s\n", usages[i].words);
		found = true;
	}
	if (!found)
		return;
	for (i = 0; i < ARRAY_SIZE(examples); i++)
		if (!strcmp(examples[i].name, name))
			printf("\nExample: %s\n", examples[i].example);
	puts("\nWhat each option means: mailwall --help; the rest: mailwall(8).");
	exit(EXIT_DONE);
}

/* Help on the command that the words name, else on all of them. */
static void help(struct argp_state *state, const struct arguments *args, int first)
{
	if (first < args->count)
		help_command(args->words[first]);
	argp_state_help(state, stdout, ARGP_HELP_STD_HELP);
}

/* What to say of the first option that a command does not take. */
static const char *refused_option(unsigned int wrong, unsigned int takes)
{
	static const struct {
		unsigned int option;
		const char *words;
	} refusals[] = {
		{ TAKES_JSON, "--json" },
		{ TAKES_PROMETHEUS, "--prometheus" },
		{ TAKES_CONFIRM, "--confirm" },
		{ TAKES_FORCE, "--force" },
		{ TAKES_EXTEND, "--extend" },
		{ TAKES_CHECK, "--check" },
		{ TAKES_DIFF, "--diff" },
		{ TAKES_ADD, "--adm, --site and --gtw are for enable" },
		{ TAKES_WATCH, "--port, --summary and --for are for watch" },
		{ TAKES_WAY, "--in and --out without a device are for watch: write --in=IFNAME" },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(refusals); i++)
		if (wrong & refusals[i].option)
			return refusals[i].words;
	if (takes & TAKES_WATCH)
		return "--in and --out take no device with watch, and the rest is explain's";
	if (takes & TAKES_DEVICE)
		return "--in and --out are for forward";
	if (takes & TAKES_IN_OUT)
		return "--device is for in and out";
	return "one of explain's";
}

/* Find the command, take its name and verb off the words, check what is left. */
static void find_command(struct argp_state *state, struct line *line)
{
	struct arguments *args = &line->args;
	const struct command *command, *named = NULL, *end = commands + ARRAY_SIZE(commands);
	char text[ESCAPED_TEXT], usage[ESCAPED_TEXT];

	if (!args->count)
		argp_error(state, "no command: such as \"mailwall status\"");
	if (!strcmp(args->words[0], "help"))
		help(state, args, 1);
	line->tried = !strcmp(args->words[0], "try");
	if (line->tried) {
		args->words++;
		args->count--;
	}
	if (!args->count)
		argp_error(state,
			   "try: write a change after it, such as \"mailwall try mode enforce\"");
	for (command = commands; command < end; command++) {
		if (strcmp(command->name, args->words[0]))
			continue;
		named = command;
		if (!command->verb || (args->count > 1 && !strcmp(command->verb, args->words[1])))
			break;
	}
	if (!named)
		argp_error(state, "\"%s\": no such command%s",
			   escape(args->words[0], strlen(args->words[0]), text),
			   meant(args->words[0], usage));
	if (command == end) {
		size_t at = 0;

		for (command = commands; command < end; command++)
			if (!strcmp(command->name, named->name))
				at += snprintf(usage + at, sizeof(usage) - at, "%s%s",
					       at ? ", " : "", command->verb);
		if (args->count < 2)
			argp_error(state, "%s: write one of %s after it", named->name, usage);
		argp_error(state, "%s \"%s\": write one of %s", named->name,
			   escape(args->words[1], strlen(args->words[1]), text), usage);
	}
	args->words += command->verb ? 2 : 1;
	args->count -= command->verb ? 2 : 1;
	if (args->count < command->min || args->count > command->max) {
		snprintf(usage, sizeof(usage), "mailwall %s%s%s%s", command->name,
			 command->verb ? " " : "", command->verb ?: "", command->words);
		if (args->count > command->max)
			argp_error(state, "\"%s\" is too much: write \"%s\"",
				   escape(args->words[command->max],
					  strlen(args->words[command->max]), text),
				   usage);
		argp_error(state, "%s: too little: write \"%s\"", command->name, usage);
	}
	if (line->takes & ~command->takes)
		argp_error(state, "%s%s%s does not take this option: %s", command->name,
			   command->verb ? " " : "", command->verb ?: "",
			   refused_option(line->takes & ~command->takes, command->takes));
	if (args->json + args->prometheus + (args->check && !command->max) > 1)
		argp_error(state, "write one of --json, --prometheus and --check");
	if (line->takes & TAKES_SEGMENT && line->takes & TAKES_WALK)
		argp_error(
			state,
			"--connection alone is for all segments: leave out what is of one of them, or write --connection=ask");
	if (command->takes & CHANGES && command->max == 1 && !args->count && line->takes &&
	    !command->verb)
		argp_error(state,
			   "%s: --confirm and --force are for a change: write \"mailwall %s%s\"",
			   command->name, command->name, command->words);
	if (line->tried && (!(command->takes & TAKES_CONFIRM) || (command->max && !args->count)))
		argp_error(state, "try: \"%s%s%s\" changes nothing: leave \"try\" out",
			   command->name, command->verb ? " " : "", command->verb ?: "");
	if (line->tried && !args->confirm)
		args->confirm = TRY_SECONDS;
	line->command = command;
}

static error_t parse(int key, char *value, struct argp_state *state)
{
	struct line *line = state->input;
	struct arguments *args = &line->args;
	struct question *question = &args->question;
	char text[ESCAPED_TEXT];

	switch (key) {
	case 'h':
	case '?':
		help(state, args, args->count && !strcmp(args->words[0], "try"));
		return 0;
	case 'V':
		puts("mailwall " MAILWALL_RELEASE);
		exit(EXIT_DONE);
	case OPTION_USAGE:
		argp_state_help(state, stdout, ARGP_HELP_USAGE | ARGP_HELP_EXIT_OK);
		return 0;
	case OPTION_CONFIRM:
		line->takes |= TAKES_CONFIRM;
		args->confirm = option_number(state, "confirm", value, 1, MAILWALL_CONFIRM_MAX);
		return 0;
	case OPTION_FORCE:
		line->takes |= TAKES_FORCE;
		args->force = true;
		return 0;
	case OPTION_EXTEND:
		line->takes |= TAKES_EXTEND;
		args->extend = option_number(state, "extend", value, 1, MAILWALL_CONFIRM_MAX);
		return 0;
	case OPTION_CHECK:
		line->takes |= TAKES_CHECK;
		args->check = true;
		return 0;
	case OPTION_DIFF:
		line->takes |= TAKES_DIFF;
		args->diff = true;
		return 0;
	case OPTION_ADM:
	case OPTION_SITE:
	case OPTION_GTW:
		line->takes |= TAKES_ADD;
		add(&args->add[key - OPTION_ADM], value);
		return 0;
	case OPTION_JSON:
		line->takes |= TAKES_JSON;
		args->json = true;
		return 0;
	case OPTION_PROMETHEUS:
		line->takes |= TAKES_PROMETHEUS;
		args->prometheus = true;
		return 0;
	case OPTION_FLAGS:
		line->takes |= TAKES_QUESTION | TAKES_SEGMENT;
		if (!parse_flags(value, &question->flags))
			argp_error(
				state,
				"--flags=\"%s\": write names of flags with commas between, such as SYN,ACK, or none",
				escape(value, strlen(value), text));
		return 0;
	case OPTION_CONNECTION:
		value = option_value(state, value, connection_named(next_word(state)) >= 0);
		line->takes |= TAKES_QUESTION | (value ? 0 : TAKES_WALK);
		question->walk = !value;
		if (value)
			question->connection = option_connection(state, value);
		return 0;
	case OPTION_POLICY:
		line->takes |= TAKES_QUESTION;
		question->policy = value;
		return 0;
	case OPTION_DATA_OFFSET:
		line->takes |= TAKES_QUESTION | TAKES_SEGMENT;
		question->data_offset = option_number(state, "data-offset", value, 0, 15);
		return 0;
	case OPTION_LENGTH:
		line->takes |= TAKES_QUESTION | TAKES_SEGMENT;
		question->length = option_number(state, "length", value, 0, 65535);
		return 0;
	case OPTION_DEVICE:
		line->takes |= TAKES_DEVICE;
		question->device = value;
		return 0;
	case OPTION_IN:
		value = option_device(state, line, value, MAILWALL_IN);
		question->in = value ?: question->in;
		return 0;
	case OPTION_OUT:
		value = option_device(state, line, value, MAILWALL_OUT);
		question->out = value ?: question->out;
		return 0;
	case OPTION_PORT:
		line->takes |= TAKES_WATCH;
		args->port = option_number(state, "port", value, 1, 65535);
		return 0;
	case OPTION_SUMMARY:
		line->takes |= TAKES_WATCH;
		args->summary = true;
		return 0;
	case OPTION_FOR:
		line->takes |= TAKES_WATCH;
		args->seconds = option_number(state, "for", value, 1, 7 * 86400);
		return 0;
	case ARGP_KEY_ARG:
		args->words[args->count++] = value;
		return 0;
	case ARGP_KEY_END:
		find_command(state, line);
		return 0;
	default:
		return ARGP_ERR_UNKNOWN;
	}
}

/* A full disk must not look like success, whoever ends the command. */
static void check_output(void)
{
	if (!fflush(stdout) && !ferror(stdout))
		return;
	say("cannot write to standard output: %s", strerror(errno));
	_exit(EXIT_REFUSED);
}

int main(int argc, char **argv)
{
	static char name[] = "mailwall";

	static const struct argp argp = {
		.options = options,
		.parser = parse,
		.args_doc = "COMMAND [WORD...]",
		.doc = documentation,
	};
	struct line line = {
		.args.question = { .flags = MW_SYN, .data_offset = 5, .length = -1 },
	};
	char **words = allocate((argc + 1) * sizeof(*words));
	unsigned int i;
	int code;

	line.args.words = words;
	atexit(check_output);
	/* messages of getopt() and argp begin with it */
	if (argc)
		argv[0] = name;
	argp_err_exit_status = EXIT_USAGE;
	if (argp_parse(&argp, argc, argv, ARGP_IN_ORDER | ARGP_NO_HELP, NULL, &line)) {
		say("cannot read the command line");
		return EXIT_USAGE;
	}
	if (line.tried && !try_possible())
		code = EXIT_USAGE;
	else
		code = line.command->run(&line.args);
	if (line.tried && code == EXIT_DONE)
		code = try_wait();
	for (i = 0; i < ARRAY_SIZE(line.args.add); i++)
		free(line.args.add[i]);
	free(words);
	return code;
}
