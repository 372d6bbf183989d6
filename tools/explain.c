// SPDX-License-Identifier: GPL-2.0
/* "explain": what happens to one segment, and why, in an administrator's words. */
#include "command.h"
#include <net/if.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

/**
 * struct endpoint - ADDRESS:PORT
 * @family: AF_INET or AF_INET6
 * @address: network order
 * @port: host order
 * @text: address in canonical form
 */
struct endpoint {
	u8 family;
	u8 address[16];
	u16 port;
	char text[MW_PREFIX_TEXT];
};

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

static const char *flags_print(u8 flags, char text[MW_PREFIX_TEXT])
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

#define WORDS 640

/* Why it is allowed or denied. */
static void explain_words(const struct mailwall_explain *ex, const struct mw_spec *policy,
			  const struct endpoint *source, const struct endpoint *target,
			  char words[WORDS])
{
	bool in = ex->direction == MAILWALL_IN, opening = mw_flags_opening(ex->flags);
	const struct endpoint *local = in ? target : source, *remote = in ? source : target;
	const struct mailwall_row *row;
	char text[MW_PREFIX_TEXT];

	if (ex->fate == MAILWALL_FATE_UNJUDGED) {
		snprintf(words, WORDS,
			 ex->answer_mode == MAILWALL_OFF ?
				 "the mode is off" :
				 "traffic over a loopback device is not judged");
		return;
	}
	if (ex->fate == MAILWALL_FATE_PASS) {
		snprintf(words, WORDS, "%s row: %s",
			 row_description(&ex->row) ? "built-in" : "site",
			 row_description(&ex->row) ?: "the administrator's own");
		return;
	}
	switch (ex->reason) {
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
			"the row \"%s\" lets replies from port %u in, but this host has no connection from its port %u to %s port %u that this could be a reply to",
			row ? row_print(row, text) : "PORT GTW ANY", remote->port, local->port,
			remote->text, remote->port);
		break;
	case MAILWALL_CLOSED:
		if (in && opening)
			snprintf(
				words, WORDS,
				"no row opens port %u of this host: to open it, mailwall site add %u ANY GTW (or ADM GTW for ADM only)",
				local->port, local->port);
		else if (opening)
			snprintf(
				words, WORDS,
				"no row lets this host connect to port %u elsewhere: to let it, mailwall site add %u GTW ANY",
				remote->port, remote->port);
		else
			snprintf(
				words, WORDS,
				"no row opens port %u of this host, and none lets it connect to port %u elsewhere",
				local->port, remote->port);
		break;
	default:
		snprintf(words, WORDS, "for reason %u, which this release does not know",
			 ex->reason);
	}
}

/* What that means in the mode in force. */
static const char *explain_outcome(const struct mailwall_explain *ex)
{
	bool denied = ex->fate == MAILWALL_FATE_DENY;

	if (ex->answer_mode == MAILWALL_OFF)
		return "mode off: it passes, nothing is judged";
	if (ex->fate == MAILWALL_FATE_UNJUDGED)
		return "it passes";
	if (!denied)
		return "it passes to the next hook; another firewall on this host may still drop it";
	if (ex->answer_mode == MAILWALL_AUDIT)
		return "mode audit: it passes, counted and logged as would-deny";
	if (ex->answer_mode != MAILWALL_ENFORCE)
		return "it is denied";
	return ex->direction == MAILWALL_IN ?
		       "mode enforce: it is dropped silently, the sender waits in vain" :
		       "mode enforce: it is dropped, and connect() fails at once with \"Connection refused\"";
}

static void show(const struct mailwall_explain *ex, const struct endpoint *source,
		 const struct endpoint *target, const char *words)
{
	bool in = ex->direction == MAILWALL_IN;
	const struct endpoint *local = in ? target : source, *remote = in ? source : target;
	char text[MW_PREFIX_TEXT];

	switch (ex->fate) {
	case MAILWALL_FATE_PASS:
		printf("allowed by the row \"%s\"\n", row_print(&ex->row, text));
		break;
	case MAILWALL_FATE_DENY:
		printf("denied: %s\n", mw_reason_name(ex->reason) ?: "?");
		break;
	default:
		puts("not judged");
	}
	printf("  %-11s", "why");
	print_wrapped(words, 13, output_width());
	printf("  %-11s%s\n", "outcome", explain_outcome(ex));
	printf("  %-11s%s %s port %u -> %s port %u\n", ex->direction == MAILWALL_IN ? "in" : "out",
	       flags_print(ex->flags, text), source->text, source->port, target->text,
	       target->port);
	printf("  %-11sport %u, on this host (%s)\n", "local", local->port, local->text);
	printf("  %-11sport %u, on the other side\n", "remote", remote->port);
	printf("  %-11s%s\n", "peer", remote->text);
	if (ex->connection_found <= 1)
		printf("  %-11s%s\n", "connection",
		       ex->connection == MAILWALL_CONNECTION_ASK ?
			       (ex->connection_found ? "this host holds it" :
						       "this host has none") :
			       (ex->connection_found ? "held, as stated" : "none, as stated"));
}

static int ask(struct mailwall_explain *ex, struct mw_spec *policy)
{
	struct device device;
	int error, tries = 5; /* the policy that judged is the one that the words are about */

	if (!device_need(&device))
		return EXIT_REFUSED;
	if (!device_abi_knows(&device, "explain")) {
		device_close(&device);
		return EXIT_REFUSED;
	}
	do {
		error = device_get(&device, policy) ?: device_explain(&device, ex);
	} while (!error && ex->generation != policy->generation && --tries);
	device_close(&device);
	if (error == -EINVAL)
		say("explain: the module does not take this question: an older release may not know all of it");
	else if (error == -ENODEV)
		say("explain: the device is gone: see \"ip link\"");
	else if (error)
		device_failed(error, "explain");
	return error ? EXIT_REFUSED : EXIT_DONE;
}

static int explain(const struct arguments *args, u8 direction)
{
	const struct question *q = &args->question;
	struct mailwall_explain ex = {
		.direction = direction,
		.flags = q->flags,
		.connection = q->connection,
		.data_offset = q->data_offset,
		.segment_length = q->length < 0 ? q->data_offset * 4 : q->length,
	};
	struct endpoint source, target;
	struct mw_spec policy;
	char words[WORDS], text[ESCAPED_TEXT];

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
	if (q->device) {
		ex.ifindex = if_nametoindex(q->device);
		if (!ex.ifindex) {
			say("device \"%s\": there is none of this name: see \"ip link\"",
			    escape(q->device, strlen(q->device), text));
			return EXIT_REFUSED;
		}
	}
	if (ask(&ex, &policy))
		return EXIT_REFUSED;
	explain_words(&ex, &policy, &source, &target, words);
	if (args->json)
		return json_explain(&ex, words, explain_outcome(&ex));
	show(&ex, &source, &target, words);
	return EXIT_DONE;
}

int explain_in(const struct arguments *args)
{
	return explain(args, MAILWALL_IN);
}

int explain_out(const struct arguments *args)
{
	return explain(args, MAILWALL_OUT);
}
