// SPDX-License-Identifier: GPL-2.0
/*
 * Where packets of gateways behind this host enter, and most are judged and counted.
 *
 * Most are nobody's that is guarded. Of the others nearly all are plain segments by a plain
 * policy that need nothing but what is at hand: mw_through(), and for what a flow is asked
 * for mw_ask_noted() and mw_ask_fresh(). All else goes to mw_general(), before anything was
 * counted.
 */
#include "forward.h"
#include "flow.h"
#include "frame.h"
#include "general.h"
#include "stats.h"
#include <linux/if_ether.h>
#include <linux/netfilter_bridge.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/tcp.h>

/*
 * What differs from place to place and family to family, known at compile time. The flow is
 * asked for out of line, and so are those looked for that take more than a glance to find;
 * both are reached by tail calls, as in hook.c, so that the path of most segments saves no
 * registers.
 */
typedef unsigned int mw_ask_noted_t(struct mw_net *mn, struct sk_buff *skb,
				    const struct nf_hook_state *state, unsigned long row,
				    unsigned long gateway);
typedef unsigned int mw_ask_fresh_t(struct mw_net *mn, struct sk_buff *skb,
				    const struct nf_hook_state *state, unsigned long row);
typedef unsigned int mw_search_t(struct mw_net *mn, struct sk_buff *skb,
				 const struct nf_hook_state *state);
struct mw_way {
	bool bridged;
	bool ipv6;
	mw_ask_noted_t *noted;
	mw_ask_fresh_t *fresh;
};

static noinline unsigned int mw_search_frame(struct mw_net *mn, struct sk_buff *skb,
					     const struct nf_hook_state *state);

/* In a bridge the data begin with the header, and nobody may have noted that yet. */
static __always_inline const void *mw_ip_header(const struct sk_buff *skb, const struct mw_way *way)
{
	return way->bridged ? skb->data : skb_network_header(skb);
}

static __always_inline const void *mw_addresses(const void *header, bool ipv6)
{
	return header + (ipv6 ? offsetof(struct ipv6hdr, saddr) : offsetof(struct iphdr, saddr));
}

static __always_inline size_t mw_address_size(bool ipv6)
{
	return ipv6 ? sizeof(struct in6_addr) : sizeof(struct in_addr);
}

static __always_inline const struct tcphdr *mw_tcp_header(const void *header, bool ipv6)
{
	return header + (ipv6 ? sizeof(struct ipv6hdr) : sizeof(struct iphdr));
}

/* Of the IP packet: a frame may be padded. */
static __always_inline unsigned int mw_length(const struct sk_buff *skb, const void *header,
					      const struct mw_way *way)
{
	if (!way->bridged)
		return skb->len;
	return way->ipv6 ? sizeof(struct ipv6hdr) +
				   ntohs(((const struct ipv6hdr *)header)->payload_len) :
			   ntohs(((const struct iphdr *)header)->tot_len);
}

static noinline unsigned int mw_frame_general(struct mw_net *mn, struct sk_buff *skb,
					      const struct nf_hook_state *state)
{
	struct mw_frame frame = mw_frame_read(skb);
	unsigned int fate;
	bool malformed;
	u16 header;

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

static __always_inline unsigned int mw_not_plain(struct mw_net *mn, struct sk_buff *skb,
						 const struct nf_hook_state *state,
						 const struct mw_way *way)
{
	if (way->bridged)
		return way->ipv6 ? mw_frame_general(mn, skb, state) :
				   mw_search_frame(mn, skb, state);
	return mw_general(mn, skb, state, MW_PLACE_ROUTED, way->ipv6, false);
}

static __always_inline void mw_see(struct mw_net *mn, u8 direction, unsigned long gateway)
{
	mw_count(mn->counted.seen->segments[direction][gateway], 1);
}

static __always_inline unsigned int mw_forward_allow(struct mw_net *mn, const struct sk_buff *skb,
						     const struct mw_way *way, u8 direction,
						     unsigned long row, u8 flags)
{
	struct mw_row_stats __percpu *stats = &mn->counted.behind->row[0][row];

	mw_count(MW_ROW(stats, direction)->segments, 1);
	/* Neither is kept in a register from before: there is none to spare. */
	OPTIMIZER_HIDE_VAR(skb);
	OPTIMIZER_HIDE_VAR(flags);
	mw_count(MW_ROW(stats, direction)->bytes, mw_length(skb, mw_ip_header(skb, way), way));
	if (unlikely(flags & MW_SYN) && mw_flags_opening(flags))
		mw_count(MW_ROW(stats, direction)->openings, 1);
	return NF_ACCEPT;
}

/* Inbound: outbound, somebody may have to be told. */
static __always_inline unsigned int mw_forward_deny(struct mw_net *mn, unsigned long reason)
{
	mw_count(mn->counted.behind->denied[MAILWALL_IN][reason], 1);
	return NF_DROP;
}

static __always_inline u64 mw_key_of(const struct mw_net *mn, const struct sk_buff *skb,
				     const struct mw_way *way, const struct net_device *dev,
				     bool from_gateway)
{
	const void *header = mw_ip_header(skb, way);

	return mw_flow_key(mn->flows, way->ipv6, mw_addresses(header, way->ipv6),
			   mw_tcp_header(header, way->ipv6), dev->ifindex, from_gateway);
}

/* Outbound, and what comes back will be asked for its flow: was it noted in this second? */
static __always_inline unsigned int mw_ask_noted(struct mw_net *mn, struct sk_buff *skb,
						 const struct nf_hook_state *state,
						 const struct mw_way *way, unsigned long row,
						 unsigned long gateway)
{
	u8 flags = tcp_flag_byte(mw_tcp_header(mw_ip_header(skb, way), way->ipv6));
	u64 key = mw_key_of(mn, skb, way, state->in, true);

	/* a RST notes nothing, and is rare */
	if (!mw_flow_is_noted(mn->flows, key, mw_now()))
		return mw_not_plain(mn, skb, state, way);
	mw_see(mn, MAILWALL_OUT, gateway);
	return mw_forward_allow(mn, skb, way, MAILWALL_OUT, row, flags);
}

/* Inbound, seen, and needs a connection. */
static __always_inline unsigned int mw_ask_fresh(struct mw_net *mn, struct sk_buff *skb,
						 const struct nf_hook_state *state,
						 const struct mw_way *way, unsigned long row)
{
	u64 key = mw_key_of(mn, skb, way, state->out, false);
	bool fresh = mw_flow_fresh(mn->flows, key, mw_now());
	struct mw_verdict verdict = { .row = row, .if_connected = true };

	/* a row asks */
	if (!verdict.row)
		__builtin_unreachable();
	if (!fresh)
		mw_count(mn->counted.behind->flows_missed, 1);
	verdict = mw_policy_settle_connection(verdict, fresh);
	if (!verdict.row)
		return mw_forward_deny(mn, verdict.reason);
	/* what needs a connection opens none */
	return mw_forward_allow(mn, skb, way, MAILWALL_IN, verdict.row, 0);
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

static __always_inline bool mw_is_plain(const struct sk_buff *skb, const struct mw_policy *policy,
					const struct mw_way *way)
{
	/* a tag beside the data is one at most, which is not too many */
	if (way->bridged)
		return policy->plain && (way->ipv6 ? skb->protocol == htons(ETH_P_IPV6) &&
							     mw_segment_is_plain_bridged_ipv6(skb) :
						     skb->protocol == htons(ETH_P_IP) &&
							     mw_segment_is_plain_bridged_ipv4(skb));
	return !mw_is_bridged(skb) &&
	       (way->ipv6 ? mw_segment_is_plain_ipv6(skb) : mw_segment_is_plain_ipv4(skb));
}

/* Judge and count a plain segment from or to one gateway, by a plain policy. */
static __always_inline unsigned int mw_through(struct mw_net *mn, struct sk_buff *skb,
					       const struct nf_hook_state *state,
					       const struct mw_policy *policy,
					       const struct mw_way *way, unsigned long gateway,
					       u8 direction)
{
	const struct tcphdr *th = mw_tcp_header(mw_ip_header(skb, way), way->ipv6);
	bool in = direction == MAILWALL_IN;
	const struct mw_segment seg = {
		.direction = direction,
		.ipv6 = way->ipv6,
		.behind = true,
		.flags = tcp_flag_byte(th),
		.local = in ? &th->dest : &th->source,
		.remote = in ? &th->source : &th->dest,
	};
	struct mw_verdict verdict = mw_policy_look(policy, &seg);

	if (unlikely(verdict.if_held))
		return mw_not_plain(mn, skb, state, way);
	if (verdict.if_connected) {
		mw_see(mn, direction, gateway);
		return way->fresh(mn, skb, state, verdict.row);
	}
	if (verdict.asked_back)
		return way->noted(mn, skb, state, verdict.row, gateway);
	if (!in && !verdict.row)
		return mw_not_plain(mn, skb, state, way);
	mw_see(mn, direction, gateway);
	if (!verdict.row)
		return mw_forward_deny(mn, verdict.reason);
	return mw_forward_allow(mn, skb, way, direction, verdict.row, seg.flags);
}

/* From a gateway. @to_other: to another one, and judged twice. */
static __always_inline unsigned int mw_from(struct mw_net *mn, struct sk_buff *skb,
					    const struct nf_hook_state *state,
					    const struct mw_policy *policy,
					    const struct mw_way *way, unsigned long gateway,
					    bool to_other)
{
	if (unlikely(to_other || !mw_is_plain(skb, policy, way)))
		return mw_not_plain(mn, skb, state, way);
	return mw_through(mn, skb, state, policy, way, gateway, MAILWALL_OUT);
}

/* To a gateway, from who is none. */
static __always_inline unsigned int mw_to(struct mw_net *mn, struct sk_buff *skb,
					  const struct nf_hook_state *state,
					  const struct mw_policy *policy, const struct mw_way *way,
					  unsigned long gateway)
{
	if (unlikely(!mw_is_plain(skb, policy, way)))
		return mw_not_plain(mn, skb, state, way);
	return mw_through(mn, skb, state, policy, way, gateway, MAILWALL_IN);
}

static __always_inline unsigned long mw_glance(const struct mw_gateways *g, const void *address,
					       bool ipv6)
{
	return ipv6 ? mw_gateway_glance_ipv6(g, address) : mw_gateway_of_ipv4(g, address);
}

/* By any list, whatever it takes to find who it is from or for. */
static __always_inline unsigned int mw_search(struct mw_net *mn, struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      const struct mw_way *way)
{
	const struct mw_policy *policy = rcu_dereference(mn->policy);
	const void *addresses = mw_addresses(mw_ip_header(skb, way), way->ipv6);
	const struct mw_gateways *g = policy->gateways;
	unsigned long from, to;
	const void *target;

	/* it may be another policy by now */
	if (unlikely(!g) || (way->ipv6 && mw_segment_passes_ipv6(skb)))
		return NF_ACCEPT;
	target = addresses + mw_address_size(way->ipv6);
	from = way->ipv6 ? mw_gateway_of_ipv6(g, addresses) : mw_gateway_of_ipv4(g, addresses);
	to = way->ipv6 ? mw_gateway_of_ipv6(g, target) : mw_gateway_of_ipv4(g, target);
	from = from ?: mw_gateway_of_port(g, state->in->ifindex);
	to = to ?: mw_gateway_of_port(g, state->out->ifindex);
	if (from | to && !policy->plain)
		return mw_not_plain(mn, skb, state, way);
	if (from)
		return mw_from(mn, skb, state, policy, way, from, to);
	return to ? mw_to(mn, skb, state, policy, way, to) : NF_ACCEPT;
}

/* @first before what is made of @then: both at once would take more registers. */
#define MW_THEN(first, then) __asm__("" : "=r"(then) : "0"(then), "r"(first))

static __always_inline unsigned int mw_forward(struct mw_net *mn, struct sk_buff *skb,
					       const struct nf_hook_state *state,
					       const struct mw_way *way, mw_search_t *search)
{
	const struct mw_policy *policy;
	const struct mw_gateways *g;
	const void *addresses;
	unsigned long from, to;

	/* with extension headers it takes a call to tell */
	if (way->ipv6 && unlikely(ipv6_hdr(skb)->nexthdr != IPPROTO_TCP))
		return search(mn, skb, state);
	if (!way->ipv6 && mw_segment_passes_ipv4(skb))
		return NF_ACCEPT;
	policy = rcu_dereference(mn->policy);
	g = policy->gateways;
	if (unlikely(!g))
		return NF_ACCEPT;
	if (g->only_ports) {
		from = mw_gateway_glance_port(g, state->in->ifindex);
		if (unlikely(from == MW_UNSURE))
			return search(mn, skb, state);
		MW_THEN(from, g);
		to = mw_gateway_glance_port(g, state->out->ifindex);
		if (unlikely(to == MW_UNSURE))
			return search(mn, skb, state);
		if (from) {
			from = g->port_slot[from];
			goto outbound;
		}
		if (!to)
			return NF_ACCEPT;
		to = g->port_slot[to];
		goto inbound;
	}
	if (unlikely(!g->only_prefixes))
		return search(mn, skb, state);
	addresses = mw_addresses(mw_ip_header(skb, way), way->ipv6);
	from = mw_glance(g, addresses, way->ipv6);
	if (unlikely(from == MW_UNSURE))
		return search(mn, skb, state);
	MW_THEN(from, g);
	to = mw_glance(g, addresses + mw_address_size(way->ipv6), way->ipv6);
	if (unlikely(to == MW_UNSURE))
		return search(mn, skb, state);
	if (from)
		goto outbound;
	if (!to)
		return NF_ACCEPT;
inbound:
	return mw_to(mn, skb, state, policy, way, to);
outbound:
	return mw_from(mn, skb, state, policy, way, from, to);
}

#define MW_WAY(name, is_bridged, is_ipv6)                                                          \
	static noinline unsigned int mw_ask_noted_##name(struct mw_net *mn, struct sk_buff *skb,   \
							 const struct nf_hook_state *state,        \
							 unsigned long row,                        \
							 unsigned long gateway);                   \
	static noinline unsigned int mw_ask_fresh_##name(struct mw_net *mn, struct sk_buff *skb,   \
							 const struct nf_hook_state *state,        \
							 unsigned long row);                       \
	static const struct mw_way mw_way_##name = {                                               \
		.bridged = is_bridged,                                                             \
		.ipv6 = is_ipv6,                                                                   \
		.noted = mw_ask_noted_##name,                                                      \
		.fresh = mw_ask_fresh_##name,                                                      \
	};                                                                                         \
	static noinline unsigned int mw_ask_noted_##name(struct mw_net *mn, struct sk_buff *skb,   \
							 const struct nf_hook_state *state,        \
							 unsigned long row, unsigned long gateway) \
	{                                                                                          \
		return mw_ask_noted(mn, skb, state, &mw_way_##name, row, gateway);                 \
	}                                                                                          \
	static noinline unsigned int mw_ask_fresh_##name(struct mw_net *mn, struct sk_buff *skb,   \
							 const struct nf_hook_state *state,        \
							 unsigned long row)                        \
	{                                                                                          \
		return mw_ask_fresh(mn, skb, state, &mw_way_##name, row);                          \
	}
#define MW_FORWARD(name)                                                                      \
	static noinline unsigned int mw_search_##name(struct mw_net *mn, struct sk_buff *skb, \
						      const struct nf_hook_state *state)      \
	{                                                                                     \
		return mw_search(mn, skb, state, &mw_way_##name);                             \
	}                                                                                     \
	unsigned int mw_forward_##name(void *priv, struct sk_buff *skb,                       \
				       const struct nf_hook_state *state)                     \
	{                                                                                     \
		return mw_forward(priv, skb, state, &mw_way_##name, mw_search_##name);        \
	}
MW_WAY(ipv4, false, false)
MW_WAY(ipv6, false, true)
MW_WAY(bridged_ipv4, true, false)
MW_WAY(bridged_ipv6, true, true)
MW_FORWARD(ipv4)
MW_FORWARD(ipv6)
#undef MW_FORWARD
#undef MW_WAY

/* A frame that is not plain IPv4, or takes more than a glance to find who it is from or for. */
static noinline unsigned int mw_search_frame(struct mw_net *mn, struct sk_buff *skb,
					     const struct nf_hook_state *state)
{
	const struct mw_policy *policy = rcu_dereference(mn->policy);
	const struct mw_gateways *g = policy->gateways;
	unsigned long from, to;

	/* it may be another policy by now */
	if (unlikely(!g))
		return NF_ACCEPT;
	from = mw_gateway_of_port(g, state->in->ifindex);
	to = mw_gateway_of_port(g, state->out->ifindex);
	/* these two see to it that all but plain IPv6 goes to mw_frame_general() */
	if (from)
		return mw_from(mn, skb, state, policy, &mw_way_bridged_ipv6, from, to);
	return to ? mw_to(mn, skb, state, policy, &mw_way_bridged_ipv6, to) : NF_ACCEPT;
}

unsigned int mw_forward_bridge(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	const struct mw_policy *policy;
	const struct mw_gateways *g;
	struct mw_net *mn = priv;
	unsigned long from, to;

	policy = rcu_dereference(mn->policy);
	g = policy->gateways;
	if (unlikely(!g))
		return NF_ACCEPT;
	from = mw_gateway_glance_port(g, state->in->ifindex);
	if (unlikely(from == MW_UNSURE))
		return mw_search_frame(mn, skb, state);
	MW_THEN(from, g);
	to = mw_gateway_glance_port(g, state->out->ifindex);
	if (unlikely(to == MW_UNSURE))
		return mw_search_frame(mn, skb, state);
	if (from)
		return mw_from(mn, skb, state, policy, &mw_way_bridged_ipv4, g->port_slot[from],
			       to);
	if (!to)
		return NF_ACCEPT;
	return mw_to(mn, skb, state, policy, &mw_way_bridged_ipv4, g->port_slot[to]);
}

unsigned int mw_bridge_host(void *priv, struct sk_buff *skb, const struct nf_hook_state *state)
{
	struct mw_net *mn = priv;
	const struct mw_gateways *g = rcu_dereference(mn->policy)->gateways;
	/* one of the two is the bridge's own, and has no port */
	const struct net_device *dev = state->in ?: state->out;

	if (unlikely(!g) || !mw_gateway_of_port(g, dev->ifindex))
		return NF_ACCEPT;
	return mw_frame_general(mn, skb, state);
}
