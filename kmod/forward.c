// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets of gateways behind this host enter, and most are judged and counted.
 *
 * Most are nobody's that is guarded. Of the others nearly all are plain segments by a plain
 * policy that need nothing but what is at hand: mw_through(). All else goes to mw_general(),
 * before anything was counted.
 */
#include "forward.h"
#include "flow.h"
#include "frame.h"
#include "general.h"
#include "stats.h"
#include <linux/netfilter_bridge.h>
#include <linux/timekeeping.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

/*
 * Judge and count a plain segment from or to one gateway. @addresses: source and
 * destination; @length: of the IP packet.
 *
 * Return: netfilter's verdict, or MW_NOT_PLAIN: nothing was done, mw_general() has to.
 */
#define MW_NOT_PLAIN UINT_MAX

static __always_inline unsigned int mw_through(struct mw_net *mn, const struct mw_policy *policy,
					       const struct nf_hook_state *state,
					       const void *addresses, const struct tcphdr *th,
					       unsigned int length, u8 gateway, u8 direction,
					       bool ipv6)
{
	bool in = direction == MAILWALL_IN;
	const struct mw_segment seg = {
		.direction = direction,
		.ipv6 = ipv6,
		.behind = true,
		.flags = tcp_flag_byte(th),
		.local = in ? &th->dest : &th->source,
		.remote = in ? &th->source : &th->dest,
	};
	struct mw_stats __percpu *stats = mn->counted.behind;
	struct mw_row_stats __percpu *row;
	struct mw_verdict verdict = mw_policy_look(policy, &seg);

	if (unlikely(verdict.if_held))
		return MW_NOT_PLAIN;
	if (verdict.if_connected) {
		u64 key = mw_flow_key(mn->flows, ipv6, addresses, th, state->out->ifindex,
				      false);
		bool fresh = mw_flow_fresh(mn->flows, key, ktime_get_seconds());

		if (!fresh)
			mw_count(stats->flows_missed, 1);
		verdict = mw_policy_settle_connection(verdict, fresh);
	} else if (verdict.asked_back) {
		u64 key = mw_flow_key(mn->flows, ipv6, addresses, th, state->in->ifindex,
				      true);

		/* a RST notes nothing, and is rare */
		if (!mw_flow_is_noted(mn->flows, key, ktime_get_seconds()))
			return MW_NOT_PLAIN;
	}
	/* what is denied outbound may have to be told */
	if (!in && !verdict.row)
		return MW_NOT_PLAIN;
	mw_count(mn->counted.seen->segments[direction][gateway], 1);
	if (!verdict.row) {
		mw_count(stats->denied[direction][verdict.reason], 1);
		return NF_DROP;
	}
	row = &stats->row[direction][verdict.row & MW_SLOT];
	mw_count(row->segments, 1);
	mw_count(row->bytes, length);
	if (unlikely(seg.flags & MW_SYN) && mw_flags_opening(seg.flags))
		mw_count(row->openings, 1);
	return NF_ACCEPT;
}

/* br_netfilter shows here what goes through a bridge, and may have been judged there. */
static __always_inline bool mw_is_bridged(const struct sk_buff *skb)
{
#if IS_ENABLED(CONFIG_BRIDGE_NETFILTER)
	return unlikely(nf_bridge_info_exists(skb));
#else
	return false;
#endif
}

static __always_inline unsigned int mw_forward(struct mw_net *mn, struct sk_buff *skb,
					       const struct nf_hook_state *state, bool ipv6)
{
	const struct mw_policy *policy;
	const struct mw_gateways *g;
	const struct tcphdr *th;
	const void *addresses;
	unsigned int fate;
	u8 from, to;

	if (ipv6 ? mw_segment_passes_ipv6(skb) : mw_segment_passes_ipv4(skb))
		return NF_ACCEPT;
	policy = rcu_dereference(mn->policy);
	g = policy->gateways;
	if (unlikely(!g))
		return NF_ACCEPT;
	if (ipv6) {
		addresses = &ipv6_hdr(skb)->saddr;
		th = (const void *)(ipv6_hdr(skb) + 1);
		from = mw_gateway_of_ipv6(g, &ipv6_hdr(skb)->saddr);
		to = mw_gateway_of_ipv6(g, &ipv6_hdr(skb)->daddr);
	} else {
		addresses = &ip_hdr(skb)->saddr;
		th = (const void *)(ip_hdr(skb) + 1);
		from = mw_gateway_of_ipv4(g, &ip_hdr(skb)->saddr);
		to = mw_gateway_of_ipv4(g, &ip_hdr(skb)->daddr);
	}
	if (g->ports) {
		from = from ?: mw_gateway_of_port(g, state->in->ifindex);
		to = to ?: mw_gateway_of_port(g, state->out->ifindex);
	}
	if (likely(!(from | to)))
		return NF_ACCEPT;
	if (unlikely(!policy->plain || mw_is_bridged(skb) ||
		     !(ipv6 ? mw_segment_is_plain_ipv6(skb) : mw_segment_is_plain_ipv4(skb))))
		return mw_general(mn, skb, state, MW_PLACE_ROUTED, ipv6, false);
	if (!from)
		fate = mw_through(mn, policy, state, addresses, th, skb->len, to, MAILWALL_IN,
				  ipv6);
	else if (!to)
		fate = mw_through(mn, policy, state, addresses, th, skb->len, from, MAILWALL_OUT,
				  ipv6);
	else
		fate = MW_NOT_PLAIN;
	if (unlikely(fate == MW_NOT_PLAIN))
		return mw_general(mn, skb, state, MW_PLACE_ROUTED, ipv6, false);
	return fate;
}

unsigned int mw_forward_ipv4(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return mw_forward(priv, skb, state, false);
}

unsigned int mw_forward_ipv6(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	return mw_forward(priv, skb, state, true);
}

unsigned int mw_forward_bridge(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct mw_net *mn = priv;
	const struct mw_gateways *g = rcu_dereference(mn->policy)->gateways;
	struct mw_frame frame;
	unsigned int fate;
	bool malformed;
	u16 header;

	if (unlikely(!g))
		return NF_ACCEPT;
	if (!(state->in && mw_gateway_of_port(g, state->in->ifindex)) &&
	    !(state->out && mw_gateway_of_port(g, state->out->ifindex)))
		return NF_ACCEPT;
	frame = mw_frame_read(skb);
	if (!frame.ip)
		return NF_ACCEPT;
	/* ipv6_find_hdr() begins at a header that it takes to be in the linear data. */
	malformed = frame.deep ||
		    (frame.ipv6 && !pskb_may_pull(skb, frame.offset + sizeof(struct ipv6hdr)));
	/* where the IP layer, when it comes to it, will have it too */
	header = skb->network_header;
	skb_set_network_header(skb, frame.offset);
	fate = mw_general(mn, skb, state, MW_PLACE_BRIDGED, frame.ipv6, malformed);
	skb->network_header = header;
	return fate;
}
