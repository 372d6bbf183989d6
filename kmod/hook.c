// SPDX-License-Identifier: GPL-2.0
/*
 * Where a packet enters, is judged and is counted.
 *
 * This is the packet path: no lock, no allocation, no write that another
 * processor sees, nothing that grows with the number of rows. It is written to be
 * short in instructions; "make bench" counts them.
 */
#include "hook.h"
#include "log.h"
#include "segment.h"
#include "socket.h"
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/ip.h>
#include <net/ipv6.h>

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

static noinline __cold unsigned int mw_deny_slow(struct mw_net *mn, const struct sk_buff *skb,
						 const struct nf_hook_state *state,
						 const struct mw_policy *policy,
						 unsigned int reason)
{
	u8 direction = state->hook == NF_INET_LOCAL_IN ? MAILWALL_IN : MAILWALL_OUT;

	/* a change to off that waits to be confirmed keeps its hooks */
	if (policy->mode == MAILWALL_OFF)
		return NF_ACCEPT;
	if (policy->mode == MAILWALL_ENFORCE)
		mw_count(mn->stats->denied[direction][reason], 1);
	else
		mw_count(mn->stats->would_deny[direction][reason], 1);
	if (policy->log != MAILWALL_LOG_OFF)
		mw_log_denial(mn, skb, state, policy, reason);
	return policy->mode == MAILWALL_ENFORCE ? mw_drop(direction) : NF_ACCEPT;
}

static __always_inline unsigned int mw_deny(struct mw_net *mn, const struct sk_buff *skb,
					    const struct nf_hook_state *state,
					    const struct mw_policy *policy, u8 direction,
					    unsigned int reason)
{
	if (unlikely(!policy->plain))
		return mw_deny_slow(mn, skb, state, policy, reason);
	mw_count(mn->stats->denied[direction][reason], 1);
	return mw_drop(direction);
}

static __always_inline unsigned int mw_allow(struct mw_net *mn, const struct sk_buff *skb,
					     unsigned long slot, bool opening)
{
	struct mw_row_stats __percpu *row = &mn->stats->row[slot];

	mw_count(row->segments, 1);
	mw_count(row->bytes, skb->len);
	if (unlikely(opening))
		mw_count(row->openings, 1);
	return NF_ACCEPT;
}

/* Most segments have no SYN, and that takes no more than one instruction to see. */
static __always_inline bool mw_counts_opening(u8 flags)
{
	return unlikely(flags & MW_SYN) && mw_flags_opening(flags);
}

static __always_inline bool mw_connected(const struct sk_buff *skb, const struct tcphdr *th,
					 bool ipv6)
{
	const struct sock *sk = skb->sk;

	return sk && (ipv6 ? mw_socket_is_ipv6(sk, ipv6_hdr(skb), th) :
			     mw_socket_is_ipv4(sk, ip_hdr(skb), th));
}

static __always_inline const void *mw_peer(const struct sk_buff *skb, bool in, bool ipv6)
{
	if (ipv6)
		return in ? &ipv6_hdr(skb)->saddr : &ipv6_hdr(skb)->daddr;
	return in ? &ip_hdr(skb)->saddr : &ip_hdr(skb)->daddr;
}

struct mw_flow {
	const struct sk_buff *skb;
	const struct tcphdr *th;
	const struct nf_hook_state *state;
};

static bool mw_slow_connected(const void *context)
{
	const struct mw_flow *flow = context;
	bool ipv6 = flow->state->pf == NFPROTO_IPV6;

	return mw_connected(flow->skb, flow->th, ipv6) ||
	       (ipv6 ? mw_socket_look_up_ipv6(flow->state->net, flow->skb, flow->th) :
		       mw_socket_look_up_ipv4(flow->state->net, flow->skb, flow->th));
}

/*
 * Judge, count and act on any packet, from the start: those that are not plain (see
 * segment.c), and the few verdicts for which no shorter way is worth its code.
 */
static noinline __cold unsigned int mw_slow(struct mw_net *mn, const struct sk_buff *skb,
					    const struct nf_hook_state *state)
{
	const struct mw_policy *policy = rcu_dereference(mn->policy);
	bool in = state->hook == NF_INET_LOCAL_IN, ipv6 = state->pf == NFPROTO_IPV6;
	u8 direction = in ? MAILWALL_IN : MAILWALL_OUT;
	const struct tcphdr *th;
	struct tcphdr buffer;
	enum mw_read read;
	unsigned int verdict;

	read = ipv6 ? mw_segment_read_ipv6(skb, &buffer, &th) :
		      mw_segment_read_ipv4(skb, &buffer, &th);
	if (read == MW_READ_PASS)
		return NF_ACCEPT;
	if (read == MW_READ_MALFORMED) {
		verdict = MW_DENY | MAILWALL_MALFORMED;
	} else {
		const struct mw_flow flow = { .skb = skb, .th = th, .state = state };
		const struct mw_segment seg = {
			.direction = direction,
			.ipv6 = ipv6,
			.flags = tcp_flag_byte(th),
			.local = in ? &th->dest : &th->source,
			.remote = in ? &th->source : &th->dest,
			.peer = mw_peer(skb, in, ipv6),
		};

		verdict = mw_policy_judge(policy, &seg, mw_slow_connected, &flow);
	}
	if (verdict & MW_DENY)
		return mw_deny(mn, skb, state, policy, direction, verdict & ~MW_DENY);
	return mw_allow(mn, skb, verdict, mw_flags_opening(tcp_flag_byte(th)));
}

/*
 * Out of line, and reached by tail calls, so that the path of most segments makes no
 * call that it comes back from, and saves no registers for one. All that can be
 * known at compile time is: hence the variants.
 */

/* A plain reply whose connection early demux did not leave in skb->sk. */
static __always_inline unsigned int mw_judge_reply(struct mw_net *mn, const struct sk_buff *skb,
						   const struct nf_hook_state *state,
						   const struct mw_policy *policy, u8 row,
						   bool ipv6)
{
	if (ipv6 ? mw_socket_look_up_ipv6(state->net, skb, (const void *)(ipv6_hdr(skb) + 1)) :
		   mw_socket_look_up_ipv4(state->net, skb, (const void *)(ip_hdr(skb) + 1)))
		return mw_allow(mn, skb, row, false);
	return mw_deny(mn, skb, state, policy, MAILWALL_IN, MAILWALL_NO_CONNECTION);
}

static noinline unsigned int mw_reply_ipv4(struct mw_net *mn, const struct sk_buff *skb,
					   const struct nf_hook_state *state,
					   const struct mw_policy *policy, u8 row)
{
	return mw_judge_reply(mn, skb, state, policy, row, false);
}

static noinline unsigned int mw_reply_ipv6(struct mw_net *mn, const struct sk_buff *skb,
					   const struct nf_hook_state *state,
					   const struct mw_policy *policy, u8 row)
{
	return mw_judge_reply(mn, skb, state, policy, row, true);
}

/* A plain segment that this row allows if ADM holds the peer. */
static __always_inline unsigned int mw_judge_peer(struct mw_net *mn, const struct sk_buff *skb,
						  const struct nf_hook_state *state,
						  const struct mw_policy *policy, u8 row,
						  u8 direction, bool ipv6)
{
	const struct mw_segment seg = {
		.ipv6 = ipv6,
		.peer = mw_peer(skb, direction == MAILWALL_IN, ipv6),
	};
	const struct tcphdr *th = ipv6 ? (const void *)(ipv6_hdr(skb) + 1) :
					 (const void *)(ip_hdr(skb) + 1);

	if (!mw_policy_holds(policy, &seg))
		return mw_deny(mn, skb, state, policy, direction, MAILWALL_PEER);
	return mw_allow(mn, skb, row & MW_SLOT, mw_counts_opening(tcp_flag_byte(th)));
}

static noinline unsigned int mw_peer_ipv4_in(struct mw_net *mn, const struct sk_buff *skb,
					     const struct nf_hook_state *state,
					     const struct mw_policy *policy, u8 row)
{
	return mw_judge_peer(mn, skb, state, policy, row, MAILWALL_IN, false);
}

static noinline unsigned int mw_peer_ipv4_out(struct mw_net *mn, const struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      const struct mw_policy *policy, u8 row)
{
	return mw_judge_peer(mn, skb, state, policy, row, MAILWALL_OUT, false);
}

static noinline unsigned int mw_peer_ipv6_in(struct mw_net *mn, const struct sk_buff *skb,
					     const struct nf_hook_state *state,
					     const struct mw_policy *policy, u8 row)
{
	return mw_judge_peer(mn, skb, state, policy, row, MAILWALL_IN, true);
}

static noinline unsigned int mw_peer_ipv6_out(struct mw_net *mn, const struct sk_buff *skb,
					      const struct nf_hook_state *state,
					      const struct mw_policy *policy, u8 row)
{
	return mw_judge_peer(mn, skb, state, policy, row, MAILWALL_OUT, true);
}

/* Judge, count and act on a plain segment, whose whole TCP header is at th. */
static __always_inline unsigned int mw_judge(struct mw_net *mn, const struct sk_buff *skb,
					     const struct nf_hook_state *state,
					     const struct tcphdr *th, u8 direction, bool ipv6)
{
	const struct mw_policy *policy = rcu_dereference(mn->policy);
	bool in = direction == MAILWALL_IN;
	const struct mw_segment seg = {
		.direction = direction,
		.flags = tcp_flag_byte(th),
		.local = in ? &th->dest : &th->source,
		.remote = in ? &th->source : &th->dest,
	};
	struct mw_verdict verdict = mw_policy_verdict(policy, &seg);

	if (verdict.if_held) {
		/* ADM and something more to ask, or to deny: rare */
		if (unlikely(verdict.if_connected || !verdict.row))
			return mw_slow(mn, skb, state);
		if (ipv6)
			return in ? mw_peer_ipv6_in(mn, skb, state, policy, verdict.row) :
				    mw_peer_ipv6_out(mn, skb, state, policy, verdict.row);
		return in ? mw_peer_ipv4_in(mn, skb, state, policy, verdict.row) :
			    mw_peer_ipv4_out(mn, skb, state, policy, verdict.row);
	}
	if (verdict.if_connected) {
		if (mw_connected(skb, th, ipv6))
			return mw_allow(mn, skb, verdict.row, false);
		return ipv6 ? mw_reply_ipv6(mn, skb, state, policy, verdict.row) :
			      mw_reply_ipv4(mn, skb, state, policy, verdict.row);
	}
	if (!verdict.row)
		return mw_deny(mn, skb, state, policy, direction, verdict.reason);
	return mw_allow(mn, skb, verdict.row, mw_counts_opening(seg.flags));
}

static __always_inline bool mw_is_loopback(const struct nf_hook_state *state, u8 direction)
{
	return unlikely((direction == MAILWALL_IN ? state->in : state->out)->flags & IFF_LOOPBACK);
}

static __always_inline unsigned int mw_hook_ipv4(struct mw_net *mn, const struct sk_buff *skb,
						 const struct nf_hook_state *state, u8 direction)
{
	const struct iphdr *iph = ip_hdr(skb);
	const struct tcphdr *th = (const void *)(iph + 1);

	if (iph->protocol != IPPROTO_TCP || mw_is_loopback(state, direction))
		return NF_ACCEPT;
	/* plain: version 4, no options, no fragment */
	if (unlikely(*(const u8 *)iph != 0x45 || iph->frag_off & htons(IP_MF | IP_OFFSET) ||
		     !mw_segment_is_linear(skb, th, sizeof(*iph))))
		return mw_slow(mn, skb, state);
	return mw_judge(mn, skb, state, th, direction, false);
}

static __always_inline unsigned int mw_hook_ipv6(struct mw_net *mn, const struct sk_buff *skb,
						 const struct nf_hook_state *state, u8 direction)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);
	const struct tcphdr *th = (const void *)(ip6h + 1);

	if (mw_is_loopback(state, direction))
		return NF_ACCEPT;
	if (unlikely(ip6h->nexthdr != IPPROTO_TCP)) {
		if (!ipv6_ext_hdr(ip6h->nexthdr))
			return NF_ACCEPT;
	} else if (likely(mw_segment_is_linear(skb, th, sizeof(*ip6h)))) {
		return mw_judge(mn, skb, state, th, direction, true);
	}
	return mw_slow(mn, skb, state);
}

static unsigned int mw_hook_ipv4_in(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	return mw_hook_ipv4(priv, skb, state, MAILWALL_IN);
}

static unsigned int mw_hook_ipv4_out(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return mw_hook_ipv4(priv, skb, state, MAILWALL_OUT);
}

static unsigned int mw_hook_ipv6_in(void *priv, struct sk_buff *skb,
				    const struct nf_hook_state *state)
{
	return mw_hook_ipv6(priv, skb, state, MAILWALL_IN);
}

static unsigned int mw_hook_ipv6_out(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return mw_hook_ipv6(priv, skb, state, MAILWALL_OUT);
}

static const struct nf_hook_ops mw_hook_ops[MW_HOOKS] = {
	{
		.hook = mw_hook_ipv4_in,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP_PRI_FILTER,
	},
	{
		.hook = mw_hook_ipv4_out,
		.pf = NFPROTO_IPV4,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP_PRI_FILTER,
	},
	{
		.hook = mw_hook_ipv6_in,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_IN,
		.priority = NF_IP6_PRI_FILTER,
	},
	{
		.hook = mw_hook_ipv6_out,
		.pf = NFPROTO_IPV6,
		.hooknum = NF_INET_LOCAL_OUT,
		.priority = NF_IP6_PRI_FILTER,
	},
};

void mw_hook_init(struct mw_net *mn)
{
	int i;

	/* A copy for each namespace: priv saves the packet path the look-up of mn. */
	for (i = 0; i < MW_HOOKS; i++) {
		mn->ops[i] = mw_hook_ops[i];
		mn->ops[i].priv = mn;
	}
}

int mw_hook_register(struct mw_net *mn)
{
	return nf_register_net_hooks(mn->net, mn->ops, MW_HOOKS);
}

void mw_hook_unregister(struct mw_net *mn)
{
	nf_unregister_net_hooks(mn->net, mn->ops, MW_HOOKS);
}
