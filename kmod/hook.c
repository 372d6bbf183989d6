// SPDX-License-Identifier: GPL-2.0
/*
 * Where a packet enters, is judged and is counted.
 *
 * This is the packet path: no lock, no allocation, no write that another
 * processor sees, nothing that grows with the number of rows. It is written to be
 * short in instructions; "make bench" counts them.
 *
 * A packet enters in mw_hook(). Nearly all are settled there, in mw_plain(): the segment
 * is plain, and mw_policy_look() leaves nothing open. What has a question left goes on to
 * mw_ask_peer() or mw_ask_connection(). To mw_general() goes a packet that is not plain, and by
 * a policy that is not, in audit mode or where denials are logged, what is denied, or may be
 * once the socket table is asked. All judge by the steps of policy.h.
 */
#include "hook.h"
#include "forward.h"
#include "general.h"
#include "socket.h"
#include "stats.h"
#include <linux/bits.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>

static __always_inline unsigned int mw_drop(u8 direction)
{
	/* connect(2) gives up at once on this error only: tcp_connect() */
	unsigned int verdict = direction == MAILWALL_IN ? NF_DROP : NF_DROP_ERR(-ECONNREFUSED);

	/*
	 * Else gcc keeps the zero that the test for a loopback device left in a register
	 * to return it here, and pays with two moves on every path.
	 */
	OPTIMIZER_HIDE_VAR(verdict);
	return verdict;
}

static __always_inline unsigned int mw_deny(struct mw_net *mn, const struct sk_buff *skb,
					    const struct nf_hook_state *state, u8 direction,
					    unsigned int reason)
{
	if (mw_is_others(skb, state, direction == MAILWALL_IN))
		return NF_ACCEPT;
	mw_count(mn->counted.here->denied[direction][reason], 1);
	return mw_drop(direction);
}

static __always_inline unsigned int mw_allow(struct mw_net *mn, const struct sk_buff *skb,
					     u8 direction, unsigned long slot, u8 flags)
{
	struct mw_row_stats __percpu *row = &mn->counted.here->row[0][slot];

	mw_count(MW_ROW(row, direction)->segments, 1);
	mw_count(MW_ROW(row, direction)->bytes, skb->len);
	/* Most segments have no SYN, and that takes no more than one instruction to see. */
	if (unlikely(flags & MW_SYN) && mw_flags_opening(flags))
		mw_count(MW_ROW(row, direction)->openings, 1);
	return NF_ACCEPT;
}

static __always_inline unsigned int mw_act(struct mw_net *mn, struct sk_buff *skb,
					   const struct nf_hook_state *state,
					   const struct mw_policy *policy, u8 direction, bool ipv6,
					   struct mw_verdict verdict, u8 flags)
{
	if (!verdict.row) {
		if (unlikely(!policy->plain))
			return mw_general(mn, skb, state, MW_PLACE_HOST, ipv6, false);
		return mw_deny(mn, skb, state, direction, verdict.reason);
	}
	return mw_allow(mn, skb, direction, verdict.row, flags);
}

static __always_inline struct mw_segment
mw_segment_of(const struct sk_buff *skb, const struct tcphdr *th, u8 direction, bool ipv6)
{
	bool in = direction == MAILWALL_IN;
	const void *peer;

	if (ipv6)
		peer = in ? &ipv6_hdr(skb)->saddr : &ipv6_hdr(skb)->daddr;
	else
		peer = in ? &ip_hdr(skb)->saddr : &ip_hdr(skb)->daddr;
	return (struct mw_segment){
		.direction = direction,
		.ipv6 = ipv6,
		.flags = tcp_flag_byte(th),
		.local = in ? &th->dest : &th->source,
		.remote = in ? &th->source : &th->dest,
		.peer = peer,
	};
}

static __always_inline const struct tcphdr *mw_plain_header(const struct sk_buff *skb, bool ipv6)
{
	return ipv6 ? (const void *)(ipv6_hdr(skb) + 1) : (const void *)(ip_hdr(skb) + 1);
}

/*
 * What is still open of a plain segment, by a plain policy. Out of line, and reached by
 * tail calls, so that the path of most segments makes no call that it comes back from and
 * saves no registers for one. They are told the row, with MW_IF_CONNECTED where a connection
 * is needed, in one register.
 */
#define MW_IF_CONNECTED 0x100

typedef unsigned int mw_ask_t(struct mw_net *mn, struct sk_buff *skb,
			      const struct nf_hook_state *state, const struct mw_policy *policy,
			      unsigned int row);

static __always_inline unsigned int mw_ask_connection(struct mw_net *mn, struct sk_buff *skb,
						      const struct nf_hook_state *state,
						      const struct mw_policy *policy,
						      unsigned int row, bool ipv6)
{
	const struct tcphdr *th = mw_plain_header(skb, ipv6);
	struct mw_verdict verdict = { .row = row, .if_connected = true };
	bool connected;

	/* asked before the look-up, so that nobody looks up twice and no register is saved for it */
	if (unlikely(!policy->plain))
		return mw_general(mn, skb, state, MW_PLACE_HOST, ipv6, false);
	connected = mw_socket_is_connected(state->net, skb, th, ipv6, true);
	verdict = mw_policy_settle_connection(verdict, connected);
	if (!verdict.row)
		return mw_deny(mn, skb, state, MAILWALL_IN, verdict.reason);
	/* what needs a connection opens none */
	return mw_allow(mn, skb, MAILWALL_IN, verdict.row, 0);
}

static __always_inline unsigned int mw_ask_peer(struct mw_net *mn, struct sk_buff *skb,
						const struct nf_hook_state *state,
						const struct mw_policy *policy, unsigned int row,
						u8 direction, bool ipv6, mw_ask_t *connection)
{
	const struct mw_segment seg =
		mw_segment_of(skb, mw_plain_header(skb, ipv6), direction, ipv6);
	struct mw_verdict verdict = {
		.row = row,
		.reason = MAILWALL_CLOSED,
		.if_held = true,
		.if_connected = row & MW_IF_CONNECTED,
	};

	verdict = mw_policy_settle_peer(policy, &seg, verdict);
	verdict.row &= MW_SLOT;
	if (connection && verdict.if_connected)
		return connection(mn, skb, state, policy, verdict.row);
	/* Look for the flags only now: there is no register to keep them in. */
	OPTIMIZER_HIDE_VAR(skb);
	return mw_act(mn, skb, state, policy, direction, ipv6, verdict,
		      tcp_flag_byte(mw_plain_header(skb, ipv6)));
}

/* Judge and act on a plain segment by a plain policy. */
static __always_inline unsigned int mw_plain(struct mw_net *mn, struct sk_buff *skb,
					     const struct nf_hook_state *state,
					     const struct mw_policy *policy, u8 direction,
					     bool ipv6, mw_ask_t *peer, mw_ask_t *connection)
{
	const struct tcphdr *th = mw_plain_header(skb, ipv6);
	const struct mw_segment seg = mw_segment_of(skb, th, direction, ipv6);
	struct mw_verdict verdict = mw_policy_look(policy, &seg);

	if (verdict.if_held)
		return peer(mn, skb, state, policy,
			    verdict.row | (verdict.if_connected ? MW_IF_CONNECTED : 0));
	if (connection && verdict.if_connected) {
		/* an answer that is at hand */
		if (!mw_socket_is_demuxed(skb, th, ipv6))
			return connection(mn, skb, state, policy, verdict.row);
		verdict = mw_policy_settle_connection(verdict, true);
	}
	return mw_act(mn, skb, state, policy, direction, ipv6, verdict, seg.flags);
}

static __always_inline bool mw_is_loopback(const struct sk_buff *skb,
					   const struct nf_hook_state *state, u8 direction)
{
	/* state->out is what it was before NAT or mangle: ip_route_me_harder() */
	const struct net_device *dev = direction == MAILWALL_IN ? state->in : skb_dst(skb)->dev;

	return unlikely(dev->flags & IFF_LOOPBACK);
}

/* IPv6 with extension headers, or no TCP. Out of line: to tell them apart takes a call. */
static noinline unsigned int mw_chained(struct mw_net *mn, struct sk_buff *skb,
					const struct nf_hook_state *state, u8 direction)
{
	if (mw_segment_passes_ipv6(skb) || mw_is_loopback(skb, state, direction))
		return NF_ACCEPT;
	return mw_general(mn, skb, state, MW_PLACE_HOST, true, false);
}

static __always_inline unsigned int mw_hook(struct mw_net *mn, struct sk_buff *skb,
					    const struct nf_hook_state *state, u8 direction,
					    bool ipv6, mw_ask_t *peer, mw_ask_t *connection)
{
	const struct mw_policy *policy;

	if (ipv6 && unlikely(ipv6_hdr(skb)->nexthdr != IPPROTO_TCP)) {
		/* most of it, told without a call */
		if (ipv6_hdr(skb)->nexthdr == IPPROTO_UDP)
			return NF_ACCEPT;
		return mw_chained(mn, skb, state, direction);
	}
	if (!ipv6 && mw_segment_passes_ipv4(skb))
		return NF_ACCEPT;
	if (mw_is_loopback(skb, state, direction))
		return NF_ACCEPT;
	if (unlikely(!(ipv6 ? mw_segment_is_plain_ipv6(skb) : mw_segment_is_plain_ipv4(skb))))
		return mw_general(mn, skb, state, MW_PLACE_HOST, ipv6, false);
	policy = rcu_dereference(mn->policy);
	if (unlikely(!policy->alone))
		return mw_general(mn, skb, state, MW_PLACE_HOST, ipv6, false);
	return mw_plain(mn, skb, state, policy, direction, ipv6, peer, connection);
}

/* A hook for each family and direction, so that both are known at compile time. */
#define MW_ASK_CONNECTION(name, ipv6)                                                      \
	static noinline unsigned int mw_ask_connection_##name(                             \
		struct mw_net *mn, struct sk_buff *skb, const struct nf_hook_state *state, \
		const struct mw_policy *policy, unsigned int row)                          \
	{                                                                                  \
		return mw_ask_connection(mn, skb, state, policy, row, ipv6);               \
	}
#define MW_HOOK(name, direction, ipv6, connection)                                                 \
	static noinline unsigned int mw_ask_peer_##name(struct mw_net *mn, struct sk_buff *skb,    \
							const struct nf_hook_state *state,         \
							const struct mw_policy *policy,            \
							unsigned int row)                          \
	{                                                                                          \
		return mw_ask_peer(mn, skb, state, policy, row, direction, ipv6, connection);      \
	}                                                                                          \
	static unsigned int mw_hook_##name(void *priv, struct sk_buff *skb,                        \
					   const struct nf_hook_state *state)                      \
	{                                                                                          \
		return mw_hook(priv, skb, state, direction, ipv6, mw_ask_peer_##name, connection); \
	}
MW_ASK_CONNECTION(ipv4, false)
MW_ASK_CONNECTION(ipv6, true)
MW_HOOK(ipv4_in, MAILWALL_IN, false, mw_ask_connection_ipv4)
MW_HOOK(ipv4_out, MAILWALL_OUT, false, NULL)
MW_HOOK(ipv6_in, MAILWALL_IN, true, mw_ask_connection_ipv6)
MW_HOOK(ipv6_out, MAILWALL_OUT, true, NULL)
#undef MW_HOOK
#undef MW_ASK_CONNECTION

/* After every chain at FILTER, whichever was loaded first. */
#define MW_OPS(function, family, number)                           \
	{                                                          \
		.hook = function, .pf = family, .hooknum = number, \
		.priority = NF_IP_PRI_FILTER + 1,                  \
	}
/* Before br_netfilter, which steals the packet. */
#define MW_BRIDGE_OPS(function, number)                                    \
	{                                                                  \
		.hook = function, .pf = NFPROTO_BRIDGE, .hooknum = number, \
		.priority = NF_BR_PRI_FILTER_BRIDGED,                      \
	}
static const struct nf_hook_ops mw_hook_ops[MW_HOOKS] = {
	MW_OPS(mw_hook_ipv4_in, NFPROTO_IPV4, NF_INET_LOCAL_IN),
	MW_OPS(mw_hook_ipv4_out, NFPROTO_IPV4, NF_INET_LOCAL_OUT),
	MW_OPS(mw_hook_ipv6_in, NFPROTO_IPV6, NF_INET_LOCAL_IN),
	MW_OPS(mw_hook_ipv6_out, NFPROTO_IPV6, NF_INET_LOCAL_OUT),
	MW_OPS(mw_forward_ipv4, NFPROTO_IPV4, NF_INET_FORWARD),
	MW_OPS(mw_forward_ipv6, NFPROTO_IPV6, NF_INET_FORWARD),
	MW_BRIDGE_OPS(mw_forward_bridge, NF_BR_FORWARD),
	MW_BRIDGE_OPS(mw_bridge_host, NF_BR_LOCAL_IN),
	MW_BRIDGE_OPS(mw_bridge_host, NF_BR_LOCAL_OUT),
};
#undef MW_OPS
#undef MW_BRIDGE_OPS

/* Which of them make a set, by its bit. */
static const struct {
	u8 first;
	u8 count;
} mw_hook_sets[] = { { 0, 4 }, { 4, 2 }, { 6, 3 } };

void mw_hook_init(struct mw_net *mn)
{
	int i;

	/* A copy for each namespace: priv saves the packet path the look-up of mn. */
	for (i = 0; i < MW_HOOKS; i++) {
		mn->ops[i] = mw_hook_ops[i];
		mn->ops[i].priv = mn;
	}
}

unsigned int mw_hook_needed(const struct mw_policy *policy)
{
	const struct mw_gateways *g = policy->gateways;
	unsigned int sets = MW_HOOK_HOST;

	if (policy->spec.mode == MAILWALL_OFF)
		return 0;
	if (g)
		sets |= MW_HOOK_FORWARD;
	if (g && g->ports && MW_BRIDGE_FAMILY)
		sets |= MW_HOOK_BRIDGE;
	return sets;
}

int mw_hook_register(struct mw_net *mn, unsigned int sets)
{
	unsigned int i, before = mn->hooked;
	int error = 0;

	for (i = 0; i < ARRAY_SIZE(mw_hook_sets) && !error; i++) {
		if (!(sets & ~mn->hooked & BIT(i)))
			continue;
		error = nf_register_net_hooks(mn->net, &mn->ops[mw_hook_sets[i].first],
					      mw_hook_sets[i].count);
		if (!error)
			mn->hooked |= BIT(i);
	}
	if (error)
		mw_hook_unregister(mn, ~before);
	return error;
}

void mw_hook_unregister(struct mw_net *mn, unsigned int sets)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(mw_hook_sets); i++)
		if (sets & mn->hooked & BIT(i))
			nf_unregister_net_hooks(mn->net, &mn->ops[mw_hook_sets[i].first],
						mw_hook_sets[i].count);
	mn->hooked &= ~sets;
}
