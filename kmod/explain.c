// SPDX-License-Identifier: GPL-2.0
/*
 * The decision on a segment that is described, not sent.
 */
#include "explain.h"
#include "config.h"
#include "socket.h"
#include <linux/netdevice.h>
#include <linux/rcupdate.h>

struct mw_question {
	struct net *net;
	struct mailwall_explain *q;
};

static bool mw_explain_connected(const void *context)
{
	const struct mw_question *question = context;
	struct mailwall_explain *q = question->q;

	if (q->connection == MAILWALL_CONNECTION_ASK)
		q->connection_found = mw_socket_exists(question->net, q->family, q->source,
						       htons(q->source_port), q->target,
						       q->target_port, q->ifindex);
	else
		q->connection_found = q->connection == MAILWALL_CONNECTION_HELD;
	return q->connection_found;
}

static int mw_explain_check(struct mw_net *mn, const struct mailwall_explain *q)
{
	static const u8 zero[12];
	const char *item, *cure;

	if (q->hook != MAILWALL_HOOK_HOST)
		item = "hook", cure = "is 0: this release has no other";
	else if (q->out_ifindex)
		item = "out_ifindex", cure = "is 0 with this hook";
	else if (q->direction > MAILWALL_OUT)
		item = "direction", cure = "is 0 for in, 1 for out";
	else if (q->family != AF_INET && q->family != AF_INET6)
		item = "family", cure = "is AF_INET or AF_INET6";
	else if (q->connection > MAILWALL_CONNECTION_HELD)
		item = "connection", cure = "is 0 to ask, 1 for none, 2 for held";
	else if (q->data_offset > 15)
		item = "data_offset", cure = "is at most 15";
	else if (q->ifindex > INT_MAX)
		item = "ifindex", cure = "is the index of a device";
	else if (q->family == AF_INET && (memcmp(q->source + 4, zero, sizeof(zero)) ||
					  memcmp(q->target + 4, zero, sizeof(zero))))
		item = "address", cure = "of IPv4 has zeros after its four bytes";
	else
		return 0;
	mw_warn(mn, "explain refused: \"%s\": %s\n", item, cure);
	return -EINVAL;
}

/* Does it pass a loopback device? An error if there is no such device. */
static int mw_explain_loopback(struct net *net, int ifindex)
{
	const struct net_device *dev;

	if (!ifindex)
		return 0;
	dev = dev_get_by_index_rcu(net, ifindex);
	if (!dev)
		return -ENODEV;
	return !!(dev->flags & IFF_LOOPBACK);
}

static unsigned int mw_explain_judge(const struct mw_policy *policy, struct net *net,
				     struct mailwall_explain *q)
{
	bool in = q->direction == MAILWALL_IN;
	const struct mw_question question = { .net = net, .q = q };
	const __be16 source = htons(q->source_port), target = htons(q->target_port);
	const struct mw_segment seg = {
		.direction = q->direction,
		.ipv6 = q->family == AF_INET6,
		.flags = q->flags,
		.local = in ? &target : &source,
		.remote = in ? &source : &target,
		.peer = in ? q->source : q->target,
	};

	if (q->segment_length < sizeof(struct tcphdr) ||
	    !mw_data_offset_valid(q->data_offset << 4, q->segment_length))
		return MW_DENY | MAILWALL_MALFORMED;
	return mw_policy_judge(policy, &seg, mw_explain_connected, &question);
}

int mw_explain(struct mw_net *mn, struct mailwall_explain *q)
{
	const struct mw_policy *policy;
	unsigned int verdict;
	int loopback, error;

	error = mw_explain_check(mn, q);
	if (error)
		return error;
	q->fate = MAILWALL_FATE_UNJUDGED;
	q->reason = 0;
	q->connection_found = 255;
	memset(&q->row, 0, sizeof(q->row));
	rcu_read_lock();
	policy = rcu_dereference(mn->policy);
	q->answer_mode = policy->spec.mode;
	q->generation = policy->spec.generation;
	loopback = mw_explain_loopback(mn->net, q->ifindex);
	if (!loopback && policy->spec.mode != MAILWALL_OFF) {
		verdict = mw_explain_judge(policy, mn->net, q);
		q->fate = verdict & MW_DENY ? MAILWALL_FATE_DENY : MAILWALL_FATE_PASS;
		if (verdict & MW_DENY)
			q->reason = verdict & ~MW_DENY;
		else
			q->row = mw_row_of_slot(policy, verdict & MW_SLOT);
	}
	rcu_read_unlock();
	return loopback < 0 ? loopback : 0;
}
