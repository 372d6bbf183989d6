// SPDX-License-Identifier: GPL-2.0
/*
 * Any packet, by any policy, at any hook: which GTW it comes from and goes to, what it is,
 * and what becomes of it.
 */
#include "general.h"
#include "flow.h"
#include "gateway.h"
#include "log.h"
#include "route.h"
#include "socket.h"
#include "stats.h"
#include "trace.h"
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <net/icmp.h>
#include <net/tcp.h>

/* A packet under judgement. */
struct mw_packet {
	struct mw_net *mn;
	struct sk_buff *skb;
	const struct nf_hook_state *state;
	const struct mw_policy *policy;
	const struct net_device *in;
	const struct net_device *out;
	enum mw_place place;
	bool ipv6;
	bool bridged;
	struct mw_reading r;
};

static struct mw_ends mw_ends_of(struct mw_packet *p)
{
	/* the bridge family's hooks have the same numbers */
	struct mw_path path = {
		.place = p->place,
		.ipv6 = p->ipv6,
		.from_host = p->state->hook == NF_INET_LOCAL_OUT,
		.to_host = p->state->hook == NF_INET_LOCAL_IN,
		.source = p->r.source,
		.target = p->r.target,
		.in = p->in ? p->in->ifindex : 0,
		.out = p->out ? p->out->ifindex : 0,
	};

#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	if (p->place == MW_PLACE_ROUTED && nf_bridge_get_physoutif(p->skb)) {
		p->bridged = true;
		path.bridge_in = nf_bridge_get_physinif(p->skb);
		path.bridge_out = nf_bridge_get_physoutif(p->skb);
	}
#endif
	return mw_gateways_ends(p->policy->gateways, &path);
}

/* Connections */

static u64 mw_flow_key_of(const struct mw_packet *p, const struct net_device *dev, bool from)
{
	return mw_flow_key(p->mn->flows, p->ipv6, p->r.source, p->r.th, dev->ifindex, from);
}

static bool mw_connected_this(const void *context)
{
	const struct mw_packet *p = context;

	return mw_socket_is_connected(p->state->net, p->skb, p->r.th, p->ipv6, p->r.whole);
}

static bool mw_connected_behind(const void *context)
{
	const struct mw_packet *p = context;

	if (mw_flow_fresh(p->mn->flows, mw_flow_key_of(p, p->out, false), mw_now()))
		return true;
	mw_count(p->mn->counted.behind->flows_missed, 1);
	return false;
}

/* FORWARD has the VRF for the device that a segment came in by, but the device that it leaves by. */
static const struct net_device *mw_came_in_by(const struct mw_packet *p)
{
	const struct net_device *device = NULL;
	int index = 0;

	if (p->place == MW_PLACE_ROUTED)
		index = p->ipv6 ? inet6_sdif(p->skb) : inet_sdif(p->skb);
	if (index)
		device = dev_get_by_index_rcu(p->state->net, index);
	return device ?: p->in;
}

static void mw_note(const struct mw_packet *p)
{
	const struct net_device *in = mw_came_in_by(p);
	u64 key = mw_flow_key_of(p, in, true), now = mw_now();

	if (mw_flow_is_noted(p->mn->flows, key, now))
		return;
	if (!mw_may_note(p->state->net, p->place == MW_PLACE_BRIDGED || p->bridged, p->ipv6,
			 p->r.source, in))
		return;
	switch (mw_flow_note(p->mn->flows, key, now)) {
	case MW_FLOW_REFRESHED:
		return;
	case MW_FLOW_EVICTED:
		mw_count(p->mn->counted.behind->flows_evicted, 1);
		fallthrough;
	case MW_FLOW_NOTED:
		mw_count(p->mn->counted.behind->flows_noted, 1);
	}
}

/* A gateway's own connect() gives up at once if it is told. */
static void mw_unreachable(const struct mw_packet *p)
{
	if (p->place != MW_PLACE_ROUTED || p->bridged)
		return;
	if (p->ipv6)
		icmpv6_send(p->skb, ICMPV6_DEST_UNREACH, ICMPV6_ADM_PROHIBITED, 0);
	else
		icmp_send(p->skb, ICMP_DEST_UNREACH, ICMP_PKT_FILTERED, 0);
}

/* Tracing */

static struct sockaddr_in6 mw_end_of(const struct mw_packet *p, const void *address, __be16 port)
{
	struct sockaddr_in6 end = { 0 };
	struct sockaddr_in *ipv4 = (struct sockaddr_in *)&end;

	if (!address)
		return end;
	if (p->ipv6) {
		end.sin6_family = AF_INET6;
		end.sin6_port = port;
		memcpy(&end.sin6_addr, address, sizeof(end.sin6_addr));
	} else {
		ipv4->sin_family = AF_INET;
		ipv4->sin_port = port;
		memcpy(&ipv4->sin_addr, address, sizeof(ipv4->sin_addr));
	}
	return end;
}

/* Out of line: nobody is told, nearly always. */
static noinline void mw_trace(const struct mw_packet *p, u8 direction, bool behind,
			      unsigned int verdict)
{
	bool denied = verdict & MW_DENY;
	bool readable = verdict != (MW_DENY | MAILWALL_MALFORMED);
	const struct mw_judged judged = {
		.denied = denied,
		.audit = p->policy->spec.mode != MAILWALL_ENFORCE,
		.direction = direction,
		.reason = verdict & ~MW_DENY,
		.behind = behind,
		.flags = readable ? tcp_flag_byte(p->r.th) : 0,
		.port = denied ? 0 : mw_row_of_slot(p->policy, verdict & MW_SLOT).port,
		.in = p->in ? p->in->ifindex : 0,
		.out = p->out ? p->out->ifindex : 0,
		.source = mw_end_of(p, p->r.source, readable ? p->r.th->source : 0),
		.target = mw_end_of(p, p->r.target, readable ? p->r.th->dest : 0),
	};

	mw_trace_verdict(p->skb, &judged);
}

/* Acting */

static unsigned int mw_refuse_packet(const struct mw_packet *p, u8 direction, bool behind,
				     unsigned int reason)
{
	struct mw_stats __percpu *stats = behind ? p->mn->counted.behind : p->mn->counted.here;
	/* not by the direction: LOCAL_IN is where a gateway's own segments to this host are */
	bool at_local_in = p->state->hook == NF_INET_LOCAL_IN;
	const struct mw_policy *policy = p->policy;

	if (p->place == MW_PLACE_HOST && mw_is_others(p->skb, p->state, at_local_in))
		return NF_ACCEPT;
	if (mw_tracing())
		mw_trace(p, direction, behind, MW_DENY | reason);
	if (policy->spec.log != MAILWALL_LOG_OFF)
		mw_log_denial(p->mn, p->skb, p->state, p->ipv6, policy, direction, reason);
	if (policy->spec.mode != MAILWALL_ENFORCE) {
		mw_count(stats->would_deny[direction][reason], 1);
		return NF_ACCEPT;
	}
	mw_count(stats->denied[direction][reason], 1);
	if (behind && direction == MAILWALL_OUT && reason != MAILWALL_MALFORMED &&
	    mw_flags_opening(tcp_flag_byte(p->r.th)))
		mw_unreachable(p);
	/* connect(2) of this host gives up at once on this error only: tcp_connect() */
	if (p->place == MW_PLACE_HOST && p->state->hook == NF_INET_LOCAL_OUT)
		return NF_DROP_ERR(-ECONNREFUSED);
	return NF_DROP;
}

/* Judge, count and act for one GTW. */
static unsigned int mw_judge_for(const struct mw_packet *p, enum mw_read read, u8 direction,
				 u8 gateway)
{
	bool in = direction == MAILWALL_IN, behind = gateway != MW_NOBODY;
	struct mw_stats __percpu *stats = behind ? p->mn->counted.behind : p->mn->counted.here;
	struct mw_row_stats __percpu *row;
	unsigned int verdict;
	struct mw_segment seg;

	if (behind)
		mw_count(p->mn->counted.seen->segments[direction][gateway], 1);
	if (read == MW_READ_MALFORMED)
		return mw_refuse_packet(p, direction, behind, MAILWALL_MALFORMED);
	seg = (struct mw_segment){
		.direction = direction,
		.ipv6 = p->ipv6,
		.behind = behind,
		/* inbound, the peer is who sent it */
		.routed = p->r.routed && !in,
		.flags = tcp_flag_byte(p->r.th),
		.local = in ? &p->r.th->dest : &p->r.th->source,
		.remote = in ? &p->r.th->source : &p->r.th->dest,
		.peer = in ? p->r.source : p->r.target,
	};
	/* apart, so that neither is called by a pointer */
	verdict = behind ? mw_policy_judge(p->policy, &seg, mw_connected_behind, p) :
			   mw_policy_judge(p->policy, &seg, mw_connected_this, p);
	if (verdict & MW_DENY)
		return mw_refuse_packet(p, direction, behind, verdict & ~MW_DENY);
	if (mw_tracing())
		mw_trace(p, direction, behind, verdict);
	if (mw_verdict_notes(verdict, seg.flags))
		mw_note(p);
	row = &stats->row[direction][verdict & MW_SLOT];
	mw_count(row->segments, 1);
	mw_count(row->bytes, p->r.length);
	if (mw_flags_opening(seg.flags))
		mw_count(row->openings, 1);
	return NF_ACCEPT;
}

unsigned int mw_general(struct mw_net *mn, struct sk_buff *skb, const struct nf_hook_state *state,
			enum mw_place place, bool ipv6, bool malformed)
{
	unsigned int fate = NF_ACCEPT;
	struct mw_packet p;
	struct mw_ends ends;
	enum mw_read read;

	/* each by itself: an initializer would clear the room for headers in @r as well */
	p.mn = mn;
	p.skb = skb;
	p.state = state;
	p.policy = rcu_dereference(mn->policy);
	p.in = state->in;
	p.out = state->out;
	p.place = place;
	p.ipv6 = ipv6;
	p.bridged = false;
	p.r.source = NULL;
	p.r.target = NULL;
	/* a change to off that waits to be confirmed keeps its hooks */
	if (p.policy->spec.mode == MAILWALL_OFF)
		return NF_ACCEPT;
	if (malformed)
		read = MW_READ_MALFORMED;
	else
		read = ipv6 ? mw_segment_read_ipv6(skb, place, &p.r) :
			      mw_segment_read_ipv4(skb, place, &p.r);
	if (read == MW_READ_PASS)
		return NF_ACCEPT;
	/* state->out is what it was before NAT or mangle: ip_route_me_harder() */
	if (place == MW_PLACE_HOST && state->hook == NF_INET_LOCAL_OUT)
		p.out = skb_dst(skb)->dev;
	ends = mw_ends_of(&p);
	/* From one GTW to another: outbound first. */
	if (ends.from || ends.from_this)
		fate = mw_judge_for(&p, read, MAILWALL_OUT, ends.from);
	if (fate == NF_ACCEPT && (ends.to || ends.to_this))
		fate = mw_judge_for(&p, read, MAILWALL_IN, ends.to);
	return fate;
}
