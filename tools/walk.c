// SPDX-License-Identifier: GPL-2.0
/* "explain --connection": a whole connection, from SYN to FIN, both ways. */
#include "explain.h"
#include <jansson.h>

/* A connection's life, RFC 9293: opened, used both ways, closed by the client. */
static const struct step {
	u8 flags;
	bool back; /* from the server */
} steps[] = {
	{ MW_SYN, false },	    { MW_SYN | MW_ACK, true }, { MW_ACK, false },
	{ MW_PSH | MW_ACK, false }, { MW_PSH | MW_ACK, true }, { MW_FIN | MW_ACK, false },
	{ MW_FIN | MW_ACK, true },  { MW_ACK, false },
};

struct walk {
	struct mailwall_explain answer[ARRAY_SIZE(steps)];
	struct mw_spec policy;
	int denied; /* the first step that is denied, -1 if none is */
	bool judged; /* any of them */
	char words[WORDS];
};

static void turn_back(struct mailwall_explain *ex, const struct mailwall_explain *first)
{
	memcpy(ex->source, first->target, sizeof(ex->source));
	memcpy(ex->target, first->source, sizeof(ex->target));
	ex->source_port = first->target_port;
	ex->target_port = first->source_port;
	if (ex->hook == MAILWALL_HOOK_FORWARD) {
		ex->ifindex = first->out_ifindex;
		ex->out_ifindex = first->ifindex;
	} else {
		ex->direction = first->direction == MAILWALL_IN ? MAILWALL_OUT : MAILWALL_IN;
	}
}

/*
 * Ask for each step as if those before it had passed: a host has a socket from the first
 * segment on, a gateway behind it a flow from when it has sent one that notes it.
 */
static int ask_steps(const struct arguments *args, const struct mailwall_explain *first,
		     struct walk *walk)
{
	u8 connection = MAILWALL_CONNECTION_NONE;
	unsigned int i, j;
	int code;

	walk->denied = -1;
	walk->judged = false;
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		struct mailwall_explain *ex = &walk->answer[i];

		*ex = *first;
		if (steps[i].back)
			turn_back(ex, first);
		ex->flags = steps[i].flags;
		ex->connection = connection;
		code = explain_ask(args, ex, &walk->policy);
		if (code)
			return code;
		if (ex->hook == MAILWALL_HOOK_HOST)
			connection = MAILWALL_CONNECTION_HELD;
		for (j = 0; j < ex->judgements; j++)
			if (ex->judgement[j].notes)
				connection = MAILWALL_CONNECTION_HELD;
		if (ex->fate == MAILWALL_FATE_DENY && walk->denied < 0)
			walk->denied = i;
		walk->judged |= ex->fate != MAILWALL_FATE_UNJUDGED;
	}
	return EXIT_DONE;
}

static void choose_words(struct walk *walk, const struct endpoint *client,
			 const struct endpoint *server)
{
	int i = walk->denied < 0 ? 0 : walk->denied;
	bool back = steps[i].back;

	if (walk->judged && walk->denied < 0)
		snprintf(walk->words, WORDS, "each of its segments is allowed, both ways");
	else
		explain_words(&walk->answer[i], &walk->policy, back ? server : client,
			      back ? client : server, walk->words);
}

static void show(const struct walk *walk, const struct endpoint *client,
		 const struct endpoint *server)
{
	static const char *const outcome[] = {
		[MAILWALL_OFF] = "mode off: it passes, nothing is judged",
		[MAILWALL_AUDIT] =
			"mode audit: it passes, each \"denied\" above is counted as would-deny",
		[MAILWALL_ENFORCE] = "mode enforce: nothing behind the first \"denied\" ever comes",
	};
	char flags[MW_PREFIX_TEXT], row[MW_PREFIX_TEXT];
	unsigned int i, mode = walk->policy.mode;

	printf("%s: from %s port %u to %s port %u\n",
	       walk->denied >= 0 ? "denied" :
	       walk->judged	 ? "allowed" :
				   "not judged",
	       client->text, client->port, server->text, server->port);
	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct mailwall_explain *ex = &walk->answer[i];

		printf("  %s  %-8s  ", steps[i].back ? "<-" : "->",
		       flags_print(steps[i].flags, flags));
		if (ex->fate == MAILWALL_FATE_PASS)
			printf("allowed by the row \"%s\"\n", row_print(&ex->row, row));
		else if (ex->fate == MAILWALL_FATE_DENY)
			printf("denied: %s\n", mw_reason_name(ex->reason) ?: "?");
		else
			puts("not judged");
	}
	printf("  why  ");
	print_wrapped(walk->words, 7, output_width());
	if (walk->denied >= 0 && mode < ARRAY_SIZE(outcome))
		printf("  %s\n", outcome[mode]);
}

static int show_json(const struct walk *walk)
{
	char flags[MW_PREFIX_TEXT], row[MW_PREFIX_TEXT], mode[MW_PREFIX_TEXT];
	json_t *all = json_array();
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(steps); i++) {
		const struct mailwall_explain *ex = &walk->answer[i];

		json_array_append_new(
			all, json_pack("{s:s, s:s, s:s, s:s?, s:s?}", "from",
				       steps[i].back ? "server" : "client", "flags",
				       flags_print(steps[i].flags, flags), "verdict",
				       verdict_name(ex->fate), "reason",
				       ex->fate == MAILWALL_FATE_DENY ? mw_reason_name(ex->reason) :
									NULL,
				       "row",
				       ex->fate == MAILWALL_FATE_PASS ? row_print(&ex->row, row) :
									NULL));
	}
	return json_print(json_pack("{s:s, s:s, s:I, s:s, s:o}", "verdict",
				    verdict_name(walk->denied >= 0 ? MAILWALL_FATE_DENY :
						 walk->judged	   ? MAILWALL_FATE_PASS :
								     MAILWALL_FATE_UNJUDGED),
				    "mode", mode_print(walk->policy.mode, mode), "generation",
				    (json_int_t)walk->policy.generation, "explanation", walk->words,
				    "segments", all));
}

/* Have all steps been judged by one policy? */
static bool is_of_one(const struct walk *walk)
{
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(steps); i++)
		if (walk->answer[i].generation != walk->answer[0].generation)
			return false;
	return true;
}

int explain_walk(const struct arguments *args, const struct mailwall_explain *first,
		 const struct endpoint *client, const struct endpoint *server)
{
	struct walk walk = { 0 };
	int code, tries = 5;

	do {
		code = ask_steps(args, first, &walk);
		if (code)
			return code;
	} while (!is_of_one(&walk) && --tries);
	choose_words(&walk, client, server);
	if (args->json)
		return show_json(&walk);
	show(&walk, client, server);
	return EXIT_DONE;
}
