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

bool naive_holds(const struct mw_spec *policy, int family, const unsigned char *address)
{
	unsigned int i, bit;

	for (i = 0; i < policy->adm_count; i++) {
		const struct mailwall_prefix *prefix = &policy->adm[i];
		bool same = prefix->family == family;

		for (bit = 0; same && bit < prefix->length; bit++) {
			unsigned int mask = 128 >> bit % 8;

			same = (prefix->address[bit / 8] & mask) == (address[bit / 8] & mask);
		}
		if (same)
			return true;
	}
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

static int find(const struct mw_spec *policy, bool inbound, unsigned int port)
{
	int i = find_in(table, TABLE_ROWS, inbound, port);

	if (i >= 0)
		return i;
	i = find_in(policy->site, policy->site_count, inbound, port);
	return i >= 0 ? (int)TABLE_ROWS + i : -1;
}

/* Does the end of the row that is not GTW hold the peer? */
static bool row_holds(const struct mw_spec *policy, unsigned int i,
		      const struct naive_segment *segment)
{
	const struct mailwall_row *row = i < TABLE_ROWS ? &table[i] : &policy->site[i - TABLE_ROWS];
	unsigned int end = row->source == MAILWALL_GTW ? row->target : row->source;

	return end == MAILWALL_ANY || naive_holds(policy, segment->family, segment->peer);
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

struct naive_answer naive_judge(const struct mw_spec *policy,
				const struct naive_segment *segment)
{
	bool in = segment->direction == MAILWALL_IN;
	bool valid = false;
	int inbound, outbound;
	unsigned int i;

	/* Step 2 */
	for (i = 0; i < sizeof(valid_flags) / sizeof(valid_flags[0]); i++)
		if ((segment->flags & (FIN | SYN | RST | ACK | URG)) == valid_flags[i])
			valid = true;
	if (!valid)
		return deny(MAILWALL_FLAGS);

	inbound = find(policy, true, segment->local);

	/* Step 3, inbound */
	if ((segment->flags & SYN) && !(segment->flags & ACK) && in) {
		if (inbound < 0)
			return deny(MAILWALL_CLOSED);
		if (!row_holds(policy, inbound, segment))
			return deny(MAILWALL_PEER);
		return allow(inbound);
	}

	outbound = find(policy, false, segment->remote);

	/* Step 3, outbound: both rows are looked at */
	if ((segment->flags & SYN) && !(segment->flags & ACK)) {
		if (outbound >= 0 && !row_holds(policy, outbound, segment))
			return deny(MAILWALL_PEER);
		if (inbound >= 0 && !row_holds(policy, inbound, segment))
			return deny(MAILWALL_PEER);
		if (outbound < 0)
			return deny(MAILWALL_CLOSED);
		return allow(outbound);
	}

	/* Step 4: where an inbound row has the port, only inbound rows decide */
	if (inbound >= 0) {
		if (!row_holds(policy, inbound, segment))
			return deny(MAILWALL_PEER);
		return allow(inbound);
	}
	if (outbound < 0)
		return deny(MAILWALL_CLOSED);
	if (!row_holds(policy, outbound, segment))
		return deny(MAILWALL_PEER);
	if (in) {
		struct naive_answer answer = segment->connection ? allow(outbound) :
								   deny(MAILWALL_NO_CONNECTION);

		answer.asked = true;
		return answer;
	}
	return allow(outbound);
}
