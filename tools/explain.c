// SPDX-License-Identifier: GPL-2.0
/* "explain": what happens to one segment, and why, in an administrator's words. */
#include "explain.h"
#include <net/if.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/* by bit, from the lowest */
static const char *const flag_name[] = { "FIN", "SYN", "RST", "PSH", "ACK", "URG", "ECE", "CWR" };

bool parse_flags(const char *s, u8 *flags)
{
	*flags = 0;
	if (!strcasecmp(s, "none"))
		return true;
	for (;;) {
		size_t length = strcspn(s, ",");
		unsigned int i = 0;

		while (i < ARRAY_SIZE(flag_name) &&
		       (length != strlen(flag_name[i]) || strncasecmp(s, flag_name[i], length)))
			i++;
		if (i == ARRAY_SIZE(flag_name))
			return false;
		*flags |= 1 << i;
		s += length;
		if (!*s++)
			return true;
	}
}

const char *flags_print(u8 flags, char text[MW_PREFIX_TEXT])
{
	unsigned int i;

	strcpy(text, flags ? "" : "no flags");
	for (i = 0; i < ARRAY_SIZE(flag_name); i++)
		if (flags & 1 << i)
			sprintf(text + strlen(text), "%s%s", *text ? "+" : "", flag_name[i]);
	return text;
}

static bool read_endpoint(const char *s, struct endpoint *end)
{
	const char *colon = strrchr(s, ':'), *address = s;
	char text[ESCAPED_TEXT];
	int family = -EINVAL;
	s64 port = -1;
	size_t length;

	if (colon) {
		bool bracket = *s == '[';

		port = mw_number(colon + 1, strlen(colon + 1), 65535);
		length = colon - s;
		if (bracket && length > 2 && colon[-1] == ']') {
			address = s + 1;
			length -= 2;
		}
		family = length ? mw_address_parse(address, length, end->address) : -EINVAL;
		if (family != (bracket ? AF_INET6 : AF_INET))
			family = -EINVAL;
	}
	if (family < 0 || port < 0) {
		say("\"%s\": write ADDRESS:PORT, such as 192.0.2.1:25 or [2001:db8::1]:25, with a port from 0 to 65535",
		    escape(s, strlen(s), text));
		return false;
	}
	end->family = family;
	end->port = port;
	mw_address_print(family, end->address, end->text);
	return true;
}

/* The row that has the port, inbound (a local port) or outbound (a remote one). */
static const struct mailwall_row *row_with(const struct mw_spec *policy, bool inbound, u16 port)
{
	unsigned int rows = MW_TABLE_ROWS + policy->site_count, i;

	for (i = 0; i < rows; i++) {
		const struct mailwall_row *row =
			i < MW_TABLE_ROWS ? &mw_table[i].row : &policy->site[i - MW_TABLE_ROWS];

		if (row->port == port && (row->target == MAILWALL_GTW) == inbound)
			return row;
	}
	return NULL;
}

/**
 * struct side - one judgement in words: whose it is, and which end is which
 * @judgement: judgement
 * @local: the end on GTW's side
 * @remote: the other one
 * @behind: GTW is a gateway behind this host
 * @who: GTW, for a sentence
 */
struct side {
	const struct mailwall_judgement *judgement;
	const struct endpoint *local;
	const struct endpoint *remote;
	bool behind;
	char who[MW_PREFIX_TEXT + 16];
};

static struct side side_of(const struct mailwall_judgement *j, const struct endpoint *source,
			   const struct endpoint *target)
{
	bool in = j->direction == MAILWALL_IN;
	struct side side = {
		.judgement = j,
		.local = in ? target : source,
		.remote = in ? source : target,
		.behind = j->gtw.kind != MAILWALL_GTW_THIS,
		.who = "this host",
	};
	char text[MW_PREFIX_TEXT];

	if (side.behind) {
		mw_gtw_print(&j->gtw, text);
		snprintf(side.who, sizeof(side.who), "the gateway %s", text);
	}
	return side;
}

/* The judgement that decides: the first that denies it, else the last. */
static const struct mailwall_judgement *decisive(const struct mailwall_explain *ex)
{
	unsigned int i;

	for (i = 0; i + 1 < ex->judgements; i++)
		if (ex->judgement[i].fate == MAILWALL_FATE_DENY)
			break;
	return &ex->judgement[i];
}

/* Why nothing is judged. */
static const char *unjudged_words(const struct mailwall_explain *ex)
{
	if (ex->answer_mode == MAILWALL_OFF)
		return "the mode is off";
	if (ex->ifindex == LOOPBACK_IFINDEX || ex->out_ifindex == LOOPBACK_IFINDEX)
		return "traffic over a loopback device is not judged";
	return "it neither comes from a gateway nor goes to one: for those there are, mailwall gtw show";
}

/* Why it is denied. */
static void denial_words(const struct mailwall_explain *ex, const struct side *side,
			 const struct mw_spec *policy, char words[WORDS])
{
	const struct endpoint *local = side->local, *remote = side->remote;
	bool in = side->judgement->direction == MAILWALL_IN;
	bool opening = mw_flags_opening(ex->flags);
	const struct mailwall_row *row;
	char text[MW_PREFIX_TEXT];

	switch (side->judgement->reason) {
	case MAILWALL_MALFORMED:
		snprintf(
			words, WORDS,
			"the TCP header says that it is %u bytes long (20 are the least) in a segment of %u bytes",
			ex->data_offset * 4, ex->segment_length);
		break;
	case MAILWALL_FLAGS:
		snprintf(
			words, WORDS,
			"%s is no combination of flags that TCP sends: scanners do, to learn which ports are open",
			flags_print(ex->flags, text));
		break;
	case MAILWALL_PEER:
		row = row_with(policy, true, local->port);
		if (!row || row->source != MAILWALL_ADM)
			row = row_with(policy, false, remote->port);
		if (row)
			snprintf(
				words, WORDS,
				"the row \"%s\" is for ADM only, and ADM does not hold the peer %s: to put it there, mailwall adm add %s",
				row_print(row, text), remote->text, remote->text);
		else
			snprintf(words, WORDS, "ADM does not hold the peer %s", remote->text);
		break;
	case MAILWALL_NO_CONNECTION:
		row = row_with(policy, false, remote->port);
		snprintf(
			words, WORDS,
			"the row \"%s\" lets replies from port %u in, but %s has %s from its port %u to %s port %u that this could be a reply to",
			row ? row_print(row, text) : "PORT GTW ANY", remote->port, side->who,
			side->behind ? "sent nothing lately" : "no connection", local->port,
			remote->text, remote->port);
		break;
	case MAILWALL_CLOSED:
		if (in && opening)
			snprintf(
				words, WORDS,
				"no row opens port %u of %s: to open it, mailwall site add %u ANY GTW (or ADM GTW for ADM only)",
				local->port, side->who, local->port);
		else if (opening)
			snprintf(
				words, WORDS,
				"no row lets %s connect to port %u elsewhere: to let it, mailwall site add %u GTW ANY",
				side->who, remote->port, remote->port);
		else
			snprintf(
				words, WORDS,
				"no row opens port %u of %s, and none lets it connect to port %u elsewhere",
				local->port, side->who, remote->port);
		break;
	default:
		snprintf(words, WORDS, "for reason %u, which this release does not know",
			 side->judgement->reason);
	}
}

void explain_words(const struct mailwall_explain *ex, const struct mw_spec *policy,
		   const struct endpoint *source, const struct endpoint *target, char words[WORDS])
{
	struct side side;

	switch (ex->fate) {
	case MAILWALL_FATE_UNJUDGED:
		snprintf(words, WORDS, "%s", unjudged_words(ex));
		return;
	case MAILWALL_FATE_PASS:
		snprintf(words, WORDS, "%s row: %s",
			 row_description(&ex->row) ? "built-in" : "site",
			 row_description(&ex->row) ?: "the administrator's own");
		return;
	default:
		side = side_of(decisive(ex), source, target);
		denial_words(ex, &side, policy, words);
	}
}

/* What that means in the mode in force. */
static const char *explain_outcome(const struct mailwall_explain *ex)
{
	const struct mailwall_judgement *j;

	if (ex->answer_mode == MAILWALL_OFF)
		return "mode off: it passes, nothing is judged";
	if (ex->fate == MAILWALL_FATE_UNJUDGED)
		return "it passes";
	if (ex->fate != MAILWALL_FATE_DENY)
		return "it passes to the next hook; another firewall on this host may still drop it";
	if (ex->answer_mode == MAILWALL_AUDIT)
		return "mode audit: it passes, counted as would-deny";
	if (ex->answer_mode != MAILWALL_ENFORCE)
		return "it is denied";
	j = decisive(ex);
	if (ex->hook == MAILWALL_HOOK_HOST && ex->direction == MAILWALL_OUT)
		return "mode enforce: it is dropped, and connect() fails at once with \"Connection refused\"";
	if (j->place == MAILWALL_PLACE_FORWARD && j->direction == MAILWALL_OUT &&
	    j->reason != MAILWALL_MALFORMED && mw_flags_opening(ex->flags))
		return "mode enforce: it is dropped, and the gateway is told by ICMP, \"administratively prohibited\"";
	return "mode enforce: it is dropped silently, the sender waits in vain";
}

const char *device_name(u32 ifindex, char name[MW_PREFIX_TEXT])
{
	const char *stated = offline_device_name(ifindex);

	if (stated)
		return stated;
	return ifindex && if_indextoname(ifindex, name) ? name : "?";
}

static void show_verdict(u8 fate, u8 reason, const struct mailwall_row *row)
{
	char text[MW_PREFIX_TEXT];

	switch (fate) {
	case MAILWALL_FATE_PASS:
		printf("allowed by the row \"%s\"\n", row_print(row, text));
		break;
	case MAILWALL_FATE_DENY:
		printf("denied: %s\n", mw_reason_name(reason) ?: "?");
		break;
	default:
		puts("not judged");
	}
}

/* @found: the connection */
static const char *connection_words(const struct mailwall_explain *ex, bool behind, bool found)
{
	if (ex->connection != MAILWALL_CONNECTION_ASK)
		return found ? "held, as stated" : "none, as stated";
	if (behind)
		return found ? "the gateway has sent on this flow" :
			       "the gateway has not sent on this flow lately";
	return found ? "this host holds it" : "this host has none";
}

/* Does what a gateway behind sends let its replies in? */
static const char *flow_words(const struct mailwall_explain *ex, const struct mw_spec *policy,
			      const struct side *side)
{
	if (side->judgement->notes)
		return "noted: replies from there are let in";
	if (row_with(policy, true, side->local->port))
		return "not needed: a row opens the local port";
	if (ex->flags & MW_RST)
		return "not noted: it is a RST";
	return "not noted, so that replies are denied: this host's route to the source does not lead to the device that it comes in by";
}

static void show_ends(const struct side *side)
{
	printf("  %-11sport %u, on %s (%s)\n", "local", side->local->port,
	       side->behind ? "that gateway" : "this host", side->local->text);
	printf("  %-11sport %u, on the other side\n", "remote", side->remote->port);
	printf("  %-11s%s\n", "peer", side->remote->text);
}

/* One judgement of those for gateways behind, and for whom. */
static void show_side(const struct mailwall_explain *ex, const struct mw_spec *policy,
		      const struct side *side)
{
	static const char *const place[] = {
		[MAILWALL_PLACE_HOST] = "this host's LOCAL_IN or LOCAL_OUT",
		[MAILWALL_PLACE_FORWARD] = "FORWARD",
		[MAILWALL_PLACE_BRIDGE] = "the bridge, where the gateway's port is seen",
		[MAILWALL_PLACE_BRIDGED] =
			"FORWARD, but only if br_netfilter shows bridged packets there (sysctl net.bridge.bridge-nf-call-iptables, -ip6tables)",
	};
	const struct mailwall_judgement *j = side->judgement;

	printf("  %-11sfor %s: ", j->direction == MAILWALL_IN ? "inbound" : "outbound", side->who);
	show_verdict(j->fate, j->reason, &j->row);
	show_ends(side);
	if (j->place < ARRAY_SIZE(place)) {
		printf("  %-11s", "judged at");
		print_wrapped(place[j->place], 13, output_width());
	}
	if (j->connection_found <= 1)
		printf("  %-11s%s\n", "connection",
		       connection_words(ex, side->behind, j->connection_found));
	if (side->behind && j->direction == MAILWALL_OUT && j->fate == MAILWALL_FATE_PASS) {
		printf("  %-11s", "flow");
		print_wrapped(flow_words(ex, policy, side), 13, output_width());
	}
}

static void show(const struct mailwall_explain *ex, const struct mw_spec *policy,
		 const struct question *q, const struct endpoint *source,
		 const struct endpoint *target, const char *words)
{
	bool in = ex->direction == MAILWALL_IN, forward = ex->hook == MAILWALL_HOOK_FORWARD;
	/* of this host's own */
	const struct side own = {
		.local = in ? target : source,
		.remote = in ? source : target,
	};
	char text[MW_PREFIX_TEXT], name[2][MW_PREFIX_TEXT];
	bool behind = false;
	unsigned int i;

	for (i = 0; i < ex->judgements; i++)
		behind |= ex->judgement[i].gtw.kind != MAILWALL_GTW_THIS;
	show_verdict(ex->fate, ex->reason, &ex->row);
	printf("  %-11s", "why");
	print_wrapped(words, 13, output_width());
	printf("  %-11s%s\n", "outcome", explain_outcome(ex));
	printf("  %-11s%s %s port %u -> %s port %u\n",
	       forward ? "forward" :
	       in      ? "in" :
			 "out",
	       flags_print(ex->flags, text), source->text, source->port, target->text,
	       target->port);
	if (forward)
		printf("  %-11s%s%s -> %s%s\n", "devices", device_name(ex->ifindex, name[0]),
		       q->in ? "" : " (by this host's route)",
		       device_name(ex->out_ifindex, name[1]),
		       q->out ? "" : " (by this host's route)");
	else if (behind)
		printf("  %-11s%s%s\n", "device", device_name(ex->ifindex, name[0]),
		       q->device ? "" : " (by this host's route)");
	for (i = 0; behind && i < ex->judgements; i++) {
		const struct side side = side_of(&ex->judgement[i], source, target);

		show_side(ex, policy, &side);
	}
	if (behind || forward)
		return;
	show_ends(&own);
	if (ex->connection_found <= 1)
		printf("  %-11s%s\n", "connection",
		       connection_words(ex, false, ex->connection_found));
}

int explain_ask(const struct arguments *args, struct mailwall_explain *ex, struct mw_spec *policy)
{
	struct device device;
	int error, tries = 5; /* the policy that judged is the one that the words are about */

	if (args->question.policy)
		return offline_explain(args->question.policy, ex, policy);
	error = device_ready(&device);
	if (error)
		return error;
	if (!device_abi_knows(&device, "explain")) {
		device_close(&device);
		return EXIT_REFUSED;
	}
	do {
		error = device_get(&device, policy) ?: device_explain(&device, ex);
	} while (!error && ex->generation != policy->generation && --tries);
	device_close(&device);
	if (!error && ex->judgements > ARRAY_SIZE(ex->judgement))
		error = -EPROTO;
	if (error == -EINVAL)
		say("explain: the module does not take this question: an older release may not know all of it");
	else if (error == -ENODEV)
		say("explain: the device is gone: see \"ip link\"");
	else if (error)
		return device_failed(error, "explain");
	return error ? EXIT_REFUSED : EXIT_DONE;
}

/* Return: false after it has said that there is no such device. */
static bool read_device(const struct question *q, const char *name, u32 *ifindex)
{
	char text[ESCAPED_TEXT];

	if (!name)
		return true;
	if (q->policy) {
		*ifindex = offline_device(name);
		return true;
	}
	*ifindex = if_nametoindex(name);
	if (!*ifindex)
		say("device \"%s\": there is none of this name: see \"ip link\"",
		    escape(name, strlen(name), text));
	return *ifindex;
}

static int explain(const struct arguments *args, u8 hook, u8 direction)
{
	const struct question *q = &args->question;
	struct mailwall_explain ex = {
		.hook = hook,
		.direction = direction,
		.flags = q->flags,
		.connection = q->connection,
		.data_offset = q->data_offset,
		.segment_length = q->length < 0 ? q->data_offset * 4 : q->length,
	};
	struct endpoint source = { 0 }, target = { 0 };
	struct mw_spec policy;
	int code;
	char words[WORDS];

	if (!read_endpoint(args->words[0], &source) || !read_endpoint(args->words[1], &target))
		return EXIT_USAGE;
	if (source.family != target.family) {
		say("\"%s\" and \"%s\": write two addresses of one family", args->words[0],
		    args->words[1]);
		return EXIT_USAGE;
	}
	ex.family = source.family;
	memcpy(ex.source, source.address, sizeof(ex.source));
	memcpy(ex.target, target.address, sizeof(ex.target));
	ex.source_port = source.port;
	ex.target_port = target.port;
	if (!read_device(q, q->device, &ex.ifindex) || !read_device(q, q->in, &ex.ifindex) ||
	    !read_device(q, q->out, &ex.out_ifindex))
		return EXIT_REFUSED;
	if (q->walk)
		return explain_walk(args, &ex, &source, &target);
	code = explain_ask(args, &ex, &policy);
	if (code)
		return code;
	explain_words(&ex, &policy, &source, &target, words);
	if (args->json)
		return json_explain(&ex, words, explain_outcome(&ex));
	show(&ex, &policy, q, &source, &target, words);
	return EXIT_DONE;
}

int explain_in(const struct arguments *args)
{
	return explain(args, MAILWALL_HOOK_HOST, MAILWALL_IN);
}

int explain_out(const struct arguments *args)
{
	return explain(args, MAILWALL_HOOK_HOST, MAILWALL_OUT);
}

int explain_forward(const struct arguments *args)
{
	return explain(args, MAILWALL_HOOK_FORWARD, MAILWALL_IN);
}
