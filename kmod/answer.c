// SPDX-License-Identifier: GPL-2.0
/* The decision on a segment that is described, not sent: for each of its ends that is GTW. */
#include "answer.h"

#define MW_TCP_HEADER 20

/**
 * struct mw_met - one of the two ends, where a hook knows it as GTW
 * @asked: what a question is answered from
 * @q: question
 * @judgement: what is answered for it
 * @behind: it is a gateway behind this host
 * @ifindex: device that the gateway is on, as that hook sees it; 0 if none is known
 */
struct mw_met {
	const struct mw_asked *asked;
	const struct mailwall_explain *q;
	struct mailwall_judgement *judgement;
	bool behind;
	int ifindex;
};

static bool mw_met_connected(const void *context)
{
	const struct mw_met *met = context;
	bool found = met->q->connection == MAILWALL_CONNECTION_HELD;

	if (met->q->connection == MAILWALL_CONNECTION_ASK)
		found = met->asked->connected(met->asked->context, met->behind, met->ifindex);
	met->judgement->connection_found = found;
	return found;
}

static __be16 mw_port(u16 port)
{
	const u8 bytes[2] = { port >> 8, port & 0xff };
	__be16 value;

	memcpy(&value, bytes, sizeof(value));
	return value;
}

static unsigned int mw_met_judge(const struct mw_policy *policy, const struct mw_met *met)
{
	const struct mailwall_explain *q = met->q;
	const __be16 source = mw_port(q->source_port), target = mw_port(q->target_port);
	bool in = met->judgement->direction == MAILWALL_IN;
	const struct mw_segment seg = {
		.direction = met->judgement->direction,
		.ipv6 = q->family == AF_INET6,
		.behind = met->behind,
		.flags = q->flags,
		.local = in ? &target : &source,
		.remote = in ? &source : &target,
		.peer = in ? q->source : q->target,
	};

	if (q->segment_length < MW_TCP_HEADER ||
	    !mw_data_offset_valid(q->data_offset << 4, q->segment_length))
		return MW_DENY | MAILWALL_MALFORMED;
	return mw_policy_judge(policy, &seg, mw_met_connected, met);
}

/* Judge it for one of its ends. @gateway: its slot, MW_NOBODY for this host. */
static void mw_answer_for(const struct mw_policy *policy, const struct mw_asked *asked,
			  struct mailwall_explain *q, u8 direction, u8 gateway, u8 place,
			  int ifindex)
{
	struct mailwall_judgement *j = &q->judgement[q->judgements++];
	const struct mw_met met = {
		.asked = asked,
		.q = q,
		.judgement = j,
		.behind = gateway != MW_NOBODY,
		.ifindex = ifindex,
	};
	unsigned int verdict;

	j->direction = direction;
	j->connection_found = 255;
	j->place = place;
	if (met.behind)
		j->gtw = mw_gtw_of_slot(policy, gateway);
	else
		j->gtw.kind = MAILWALL_GTW_THIS;
	verdict = mw_met_judge(policy, &met);
	if (verdict & MW_DENY) {
		j->fate = MAILWALL_FATE_DENY;
		j->reason = verdict & ~MW_DENY;
		return;
	}
	j->fate = MAILWALL_FATE_PASS;
	j->row = mw_row_of_slot(policy, verdict & MW_SLOT);
	j->notes = mw_verdict_notes(verdict, q->flags) &&
		   asked->may_note(asked->context, place >= MAILWALL_PLACE_BRIDGE, ifindex);
}

/*
 * Who is met where: at a port of a bridge first, and then where IP has the packet, with the
 * bridge as its device.
 */
static void mw_answer_ends(const struct mw_policy *policy, const struct mw_asked *asked,
			   struct mailwall_explain *q)
{
	bool forward = q->hook == MAILWALL_HOOK_FORWARD;
	bool bridged = asked->in_port && asked->out_port && asked->in == asked->out;
	const struct mw_path port = {
		.place = MW_PLACE_BRIDGED,
		.ipv6 = q->family == AF_INET6,
		.source = q->source,
		.target = q->target,
		.in = asked->in_port,
		.out = asked->out_port,
	};
	const struct mw_path path = {
		.place = forward ? MW_PLACE_ROUTED : MW_PLACE_HOST,
		.ipv6 = q->family == AF_INET6,
		.from_host = !forward && q->direction == MAILWALL_OUT,
		.to_host = !forward && q->direction == MAILWALL_IN,
		.source = q->source,
		.target = q->target,
		.in = asked->in,
		.out = asked->out,
		.bridge_in = bridged ? asked->in_port : 0,
		.bridge_out = bridged ? asked->out_port : 0,
	};
	const struct mw_ends at_port = mw_gateways_ends(policy->gateways, &port);
	const struct mw_ends at_ip = mw_gateways_ends(policy->gateways, &path);
	u8 place = forward ? MAILWALL_PLACE_FORWARD : MAILWALL_PLACE_HOST;

	if (bridged)
		place = MAILWALL_PLACE_BRIDGED;
	if (at_port.from)
		mw_answer_for(policy, asked, q, MAILWALL_OUT, at_port.from, MAILWALL_PLACE_BRIDGE,
			      asked->in_port);
	else if (at_ip.from || at_ip.from_this)
		mw_answer_for(policy, asked, q, MAILWALL_OUT, at_ip.from, place, asked->in);
	if (at_port.to)
		mw_answer_for(policy, asked, q, MAILWALL_IN, at_port.to, MAILWALL_PLACE_BRIDGE,
			      asked->out_port);
	else if (at_ip.to || at_ip.to_this)
		mw_answer_for(policy, asked, q, MAILWALL_IN, at_ip.to, place, asked->out);
}

void mw_answer(const struct mw_policy *policy, const struct mw_asked *asked,
	       struct mailwall_explain *q)
{
	const struct mailwall_judgement *j = NULL;
	u8 i;

	q->fate = MAILWALL_FATE_UNJUDGED;
	q->reason = 0;
	q->connection_found = 255;
	memset(&q->row, 0, sizeof(q->row));
	q->judgements = 0;
	memset(q->reserved, 0, sizeof(q->reserved));
	memset(q->judgement, 0, sizeof(q->judgement));
	if (asked && policy->spec.mode != MAILWALL_OFF)
		mw_answer_ends(policy, asked, q);
	/* the first that denies it, else the last */
	for (i = 0; i < q->judgements && (!j || j->fate != MAILWALL_FATE_DENY); i++)
		j = &q->judgement[i];
	if (!j)
		return;
	q->fate = j->fate;
	q->reason = j->reason;
	q->connection_found = j->connection_found;
	q->row = j->row;
}
