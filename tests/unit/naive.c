// SPDX-License-Identifier: GPL-2.0
/* POLICY.md, "The table" and "How a segment is judged", word by word. */
#include "naive.h"
#include <sys/socket.h>

#define FIN 1
#define SYN 2
#define RST 4
#define PSH 8
#define ACK 16
#define URG 32
#define ECE 64
#define CWR 128

static const struct mailwall_row table[] = {
	{ 25, MAILWALL_GTW, MAILWALL_ANY },   { 25, MAILWALL_ANY, MAILWALL_GTW },
	{ 110, MAILWALL_GTW, MAILWALL_ANY },  { 110, MAILWALL_ANY, MAILWALL_GTW },
	{ 8450, MAILWALL_ADM, MAILWALL_GTW }, { 465, MAILWALL_GTW, MAILWALL_ANY },
	{ 465, MAILWALL_ANY, MAILWALL_GTW },  { 587, MAILWALL_GTW, MAILWALL_ANY },
	{ 587, MAILWALL_ANY, MAILWALL_GTW },  { 995, MAILWALL_GTW, MAILWALL_ANY },
	{ 995, MAILWALL_ANY, MAILWALL_GTW },
};

#define TABLE_ROWS (sizeof(table) / sizeof(table[0]))

static const unsigned int valid_flags[] = {
	SYN, SYN + URG, SYN + ACK, RST, RST + ACK, FIN + ACK, FIN + ACK + URG, ACK, ACK + URG,
};

static bool holds(const struct mailwall_prefix *prefix, int family, const unsigned char *address)
{
	bool same = prefix->family == family;
	unsigned int bit;

	for (bit = 0; same && bit < prefix->length; bit++) {
		unsigned int mask = 128 >> bit % 8;

		same = (prefix->address[bit / 8] & mask) == (address[bit / 8] & mask);
	}
	return same;
}

bool naive_holds(const struct mw_spec *policy, int family, const unsigned char *address)
{
	unsigned int i;

	for (i = 0; i < policy->adm_count; i++)
		if (holds(&policy->adm[i], family, address))
			return true;
	return false;
}

/* Number of the row with this port that has GTW at this end, or -1. */
static int find_in(const struct mailwall_row *row, unsigned int rows, bool inbound,
		   unsigned int port)
{
	unsigned int i;

	for (i = 0; i < rows; i++)
		if (row[i].port == port &&
		    (inbound ? row[i].target : row[i].source) == MAILWALL_GTW)
			return i;
	return -1;
}

int naive_find(const struct mw_spec *policy, bool inbound, unsigned int port)
{
	int i = find_in(table, TABLE_ROWS, inbound, port);

	if (i >= 0)
		return i;
	i = find_in(policy->site, policy->site_count, inbound, port);
	return i >= 0 ? (int)TABLE_ROWS + i : -1;
}

/* Does the end of the row that is not GTW hold the peer? */
static bool row_holds(const struct mw_spec *policy, unsigned int i,
		      const struct naive_segment *segment, bool held)
{
	const struct mailwall_row *row = i < TABLE_ROWS ? &table[i] : &policy->site[i - TABLE_ROWS];
	unsigned int end = row->source == MAILWALL_GTW ? row->target : row->source;

	if (end == MAILWALL_ANY)
		return true;
	return !segment->routed && held;
}

static struct naive_answer allow(unsigned int row)
{
	struct naive_answer answer = { .allowed = true, .row = row };

	return answer;
}

static struct naive_answer deny(enum mailwall_reason reason)
{
	struct naive_answer answer = { .reason = reason };

	return answer;
}

/* Allowed by an outbound row alone. */
static struct naive_answer back(struct naive_answer answer, const struct naive_segment *segment)
{
	answer.asked_back = segment->behind;
	return answer;
}

struct naive_answer naive_judge_found(const struct mw_spec *policy,
				      const struct naive_segment *segment, int inbound,
				      int outbound, bool held)
{
	bool in = segment->direction == MAILWALL_IN;
	bool valid = false;
	unsigned int i;

	/* Step 2 */
	for (i = 0; i < sizeof(valid_flags) / sizeof(valid_flags[0]); i++)
		if ((segment->flags & (FIN | SYN | RST | ACK | URG)) == valid_flags[i])
			valid = true;
	if (!valid)
		return deny(MAILWALL_FLAGS);

	/* Step 3, inbound */
	if ((segment->flags & SYN) && !(segment->flags & ACK) && in) {
		if (inbound < 0)
			return deny(MAILWALL_CLOSED);
		if (!row_holds(policy, inbound, segment, held))
			return deny(MAILWALL_PEER);
		return allow(inbound);
	}

	/* Step 3, outbound: both rows are looked at */
	if ((segment->flags & SYN) && !(segment->flags & ACK)) {
		if (outbound >= 0 && !row_holds(policy, outbound, segment, held))
			return deny(MAILWALL_PEER);
		if (inbound >= 0 && !row_holds(policy, inbound, segment, held))
			return deny(MAILWALL_PEER);
		if (outbound < 0)
			return deny(MAILWALL_CLOSED);
		/* "an outbound row alone allows": not where an inbound one was looked at too */
		return inbound < 0 ? back(allow(outbound), segment) : allow(outbound);
	}

	/* Step 4: where an inbound row has the port, only inbound rows decide */
	if (inbound >= 0) {
		if (!row_holds(policy, inbound, segment, held))
			return deny(MAILWALL_PEER);
		return allow(inbound);
	}
	if (outbound < 0)
		return deny(MAILWALL_CLOSED);
	if (!row_holds(policy, outbound, segment, held))
		return deny(MAILWALL_PEER);
	if (in) {
		struct naive_answer answer = segment->connection ? allow(outbound) :
								   deny(MAILWALL_NO_CONNECTION);

		answer.asked = true;
		return answer;
	}
	return back(allow(outbound), segment);
}

struct naive_answer naive_judge(const struct mw_spec *policy, const struct naive_segment *segment)
{
	return naive_judge_found(policy, segment, naive_find(policy, true, segment->local),
				 naive_find(policy, false, segment->remote),
				 naive_holds(policy, segment->family, segment->peer));
}

/* POLICY.md "Which computers are GTW" and "What is judged" */

/* "by source and destination address": the item that says most of the address */
static int by_address(const struct mw_spec *policy, int family, const unsigned char *address)
{
	int i, found = NAIVE_NOBODY, most = -1;

	for (i = 0; i < policy->gtw_count; i++) {
		const struct mailwall_gtw *item = &policy->gtw[i];

		if (item->kind == MAILWALL_GTW_PREFIX && item->prefix.length > most &&
		    holds(&item->prefix, family, address)) {
			found = i + 1;
			most = item->prefix.length;
		}
	}
	return found;
}

/* "whatever is behind that network device": no device has the number 0 */
static int by_device(const struct mw_spec *policy, const int *device, int number)
{
	int i;

	for (i = 0; i < policy->gtw_count; i++)
		if (policy->gtw[i].kind == MAILWALL_GTW_PORT && number && device[i] == number)
			return i + 1;
	return NAIVE_NOBODY;
}

static int behind(const struct mw_spec *policy, const int *device, const struct naive_path *path,
		  const unsigned char *address, int number, int port)
{
	int found;

	/* "for port:NAME: ... and the bridge family's", which nothing else is judged at */
	if (path->bridge)
		return by_device(policy, device, number);
	/* "not judged for it again where br_netfilter shows it to a second one" */
	if (port && by_device(policy, device, port))
		return NAIVE_NOBODY;
	found = by_address(policy, path->family, address);
	if (found)
		return found;
	/* what a bridge forwards from port to port is not behind the bridge's own device */
	return port ? NAIVE_NOBODY : by_device(policy, device, number);
}

/* "for this: LOCAL_IN and LOCAL_OUT" */
static int this_host(const struct mw_spec *policy, const struct naive_path *path)
{
	int i;

	for (i = 0; i < policy->gtw_count; i++)
		if (policy->gtw[i].kind == MAILWALL_GTW_THIS && !path->bridge)
			return NAIVE_THIS;
	return NAIVE_NOBODY;
}

int naive_sender(const struct mw_spec *policy, const int *device, const struct naive_path *path)
{
	if (path->hook == NAIVE_OUT)
		return this_host(policy, path);
	return behind(policy, device, path, path->source, path->in, path->bridge_in);
}

int naive_receiver(const struct mw_spec *policy, const int *device, const struct naive_path *path)
{
	if (path->hook == NAIVE_IN)
		return this_host(policy, path);
	return behind(policy, device, path, path->target, path->out, path->bridge_out);
}
