// SPDX-License-Identifier: GPL-2.0
/*
 * The decision on a segment that is described, not sent: answer.c, over this host's devices,
 * routes, sockets and flows.
 */
#include "explain.h"
#include "answer.h"
#include "config.h"
#include "flow.h"
#include "general.h"
#include "route.h"
#include "socket.h"
#include <linux/netdevice.h>
#include <linux/rcupdate.h>

struct mw_question {
	struct mw_net *mn;
	const struct mailwall_explain *q;
};

static bool mw_explain_connected(const void *context, bool behind, int ifindex)
{
	const struct mw_question *question = context;
	const struct mailwall_explain *q = question->q;
	const struct mw_flow_table *flows = question->mn->flows;
	bool ipv6 = q->family == AF_INET6;
	size_t size = ipv6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
	__be16 ports[2] = { htons(q->source_port), htons(q->target_port) };
	u8 addresses[2 * sizeof(struct in6_addr)];

	if (!behind)
		return mw_socket_exists(question->mn->net, q->family, q->source, ports[0],
					q->target, q->target_port, q->ifindex);
	/* as they stand in the headers */
	memcpy(addresses, q->source, size);
	memcpy(addresses + size, q->target, size);
	return mw_flow_fresh(flows, mw_flow_key(flows, ipv6, addresses, ports, ifindex, false),
			     mw_now());
}

static bool mw_explain_may_note(const void *context, bool bridged, int ifindex)
{
	const struct mw_question *question = context;
	const struct mailwall_explain *q = question->q;
	struct net *net = question->mn->net;
	const struct net_device *dev = dev_get_by_index_rcu(net, ifindex);

	return dev && mw_may_note(net, bridged, q->family == AF_INET6, q->source, dev);
}

static int mw_explain_check(struct mw_net *mn, const struct mailwall_explain *q)
{
	bool forward = q->hook == MAILWALL_HOOK_FORWARD;
	static const u8 zero[12];
	const char *item, *cure;

	if (q->hook > MAILWALL_HOOK_FORWARD)
		item = "hook", cure = "is 0 for this host's own, 1 for what it forwards";
	else if (q->out_ifindex && !forward)
		item = "out_ifindex", cure = "is 0 with this hook";
	else if (q->direction && forward)
		item = "direction", cure = "is 0 with this hook";
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
	else if (q->out_ifindex > INT_MAX)
		item = "out_ifindex", cure = "is the index of a device";
	else if (q->family == AF_INET && (memcmp(q->source + 4, zero, sizeof(zero)) ||
					  memcmp(q->target + 4, zero, sizeof(zero))))
		item = "address", cure = "of IPv4 has zeros after its four bytes";
	else
		return 0;
	mw_warn(mn, "explain refused: \"%s\": %s\n", item, cure);
	return -EINVAL;
}

/**
 * mw_explain_device() - a device that a segment passes
 * @mn: namespace
 * @q: question
 * @address: of the end that is on this side
 * @look: take the device of the route to it where none is named
 * @ifindex: of the question; filled in where it is looked for
 * @at_ip: filled in with the device that IP has, which for a port of a bridge is the bridge
 * @port: filled in with the port of a bridge
 *
 * Return: 0; 1 for a loopback device; -ENODEV if there is no such device.
 */
static int mw_explain_device(struct mw_net *mn, const struct mailwall_explain *q, const u8 *address,
			     bool look, u32 *ifindex, int *at_ip, int *port)
{
	struct net_device *dev, *bridge;

	if (!*ifindex && look)
		*ifindex = mw_route_device(mn->net, q->family == AF_INET6, address);
	if (!*ifindex)
		return 0;
	dev = dev_get_by_index_rcu(mn->net, *ifindex);
	if (!dev)
		return -ENODEV;
	*at_ip = dev->ifindex;
	bridge = netif_is_bridge_port(dev) ? netdev_master_upper_dev_get_rcu(dev) : NULL;
	if (bridge) {
		*at_ip = bridge->ifindex;
		*port = dev->ifindex;
	}
	return !!(dev->flags & IFF_LOOPBACK);
}

/* Return: 0; above 0 if it passes a loopback device; -ENODEV. */
static int mw_explain_devices(struct mw_net *mn, const struct mw_policy *policy,
			      struct mailwall_explain *q, struct mw_asked *asked)
{
	bool forward = q->hook == MAILWALL_HOOK_FORWARD, look = forward || policy->gateways;
	u32 *out = forward ? &q->out_ifindex : &q->ifindex;
	int came = 0, goes = 0;

	if (forward || q->direction == MAILWALL_IN)
		came = mw_explain_device(mn, q, q->source, look, &q->ifindex, &asked->in,
					 &asked->in_port);
	if (forward || q->direction == MAILWALL_OUT)
		goes = mw_explain_device(mn, q, q->target, look, out, &asked->out,
					 &asked->out_port);
	return came < 0 ? came : goes < 0 ? goes : came + goes;
}

int mw_explain(struct mw_net *mn, struct mailwall_explain *q)
{
	const struct mw_question question = { .mn = mn, .q = q };
	struct mw_asked asked = {
		.connected = mw_explain_connected,
		.may_note = mw_explain_may_note,
		.context = &question,
	};
	const struct mw_policy *policy;
	int loopback, error;

	error = mw_explain_check(mn, q);
	if (error)
		return error;
	rcu_read_lock();
	policy = rcu_dereference(mn->policy);
	q->answer_mode = policy->spec.mode;
	q->generation = policy->spec.generation;
	loopback = mw_explain_devices(mn, policy, q, &asked);
	mw_answer(policy, loopback ? NULL : &asked, q);
	rcu_read_unlock();
	return loopback < 0 ? loopback : 0;
}
