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
 * mw_ask_peer() or mw_ask_connection(), and whatever is not plain, packet or policy, to
 * mw_general(). All judge by the steps of policy.h.
 */
#include "hook.h"
#include "log.h"
#include "segment.h"
#include "socket.h"
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <net/dst.h>
#include <net/l3mdev.h>

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

/*
 * Is a segment that would be denied somebody else's to deny?
 *
 * Inbound, what ipvlan (L3S) has routed to another namespace is not ours. Outbound, a
 * segment that a VRF device passes on comes again, by the real device, and only what is
 * said then reaches connect(2): vrf_ip_out_direct() swallows errors.
 */
static __always_inline bool mw_is_others(const struct sk_buff *skb,
					 const struct nf_hook_state *state, u8 direction)
{
	/* Ask the packet again: the path that comes here rarely has no register to spare. */
	OPTIMIZER_HIDE_VAR(skb);
	if (direction == MAILWALL_IN)
		return unlikely(!net_eq(dev_net(skb_dst(skb)->dev), state->net));
	return unlikely(netif_is_l3_master(state->out)) && skb_dst(skb)->dev != state->out;
}

static __always_inline unsigned int mw_deny(struct mw_net *mn, const struct sk_buff *skb,
					    const struct nf_hook_state *state, u8 direction,
					    unsigned int reason)
{
	if (mw_is_others(skb, state, direction))
		return NF_ACCEPT;
	mw_count(mn->stats->denied[direction][reason], 1);
	return mw_drop(direction);
}

static __always_inline unsigned int mw_allow(struct mw_net *mn, const struct sk_buff *skb,
					     unsigned long slot, u8 flags)
{
	struct mw_row_stats __percpu *row = &mn->stats->row[slot];

	mw_count(row->segments, 1);
	mw_count(row->bytes, skb->len);
	/* Most segments have no SYN, and that takes no more than one instruction to see. */
	if (unlikely(flags & MW_SYN) && mw_flags_opening(flags))
		mw_count(row->openings, 1);
	return NF_ACCEPT;
}

static __always_inline unsigned int mw_act(struct mw_net *mn, const struct sk_buff *skb,
					   const struct nf_hook_state *state, u8 direction,
					   struct mw_verdict verdict, u8 flags)
{
	if (!verdict.row)
		return mw_deny(mn, skb, state, direction, verdict.reason);
	return mw_allow(mn, skb, verdict.row, flags);
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

struct mw_question {
	struct sk_buff *skb;
	const struct tcphdr *th;
	struct net *net;
	bool ipv6;
	bool whole;
};

/* Has early demux left the connection of an inbound segment in skb->sk? */
static __always_inline bool mw_is_demuxed(const struct sk_buff *skb, const struct tcphdr *th,
					  bool ipv6)
{
	const struct sock *sk = skb->sk;

	return sk && (ipv6 ? mw_socket_is_ipv6(sk, ipv6_hdr(skb), th) :
			     mw_socket_is_ipv4(sk, ip_hdr(skb), th));
}

/*
 * Does the socket table have it? Then TCP need not look again, unless the segment is a
 * fragment: what is put together of those later is another packet.
 */
static __always_inline bool mw_is_found(struct sk_buff *skb, const struct tcphdr *th,
					struct net *net, bool ipv6, bool whole)
{
	struct sock *sk = ipv6 ? mw_socket_find_ipv6(net, skb, th) :
				 mw_socket_find_ipv4(net, skb, th);

	if (!sk)
		return false;
	if (whole)
		mw_socket_leave(skb, sk);
	else
		sock_gen_put(sk);
	return true;
}

static bool mw_connected(const void *context)
{
	const struct mw_question *q = context;

	return mw_is_demuxed(q->skb, q->th, q->ipv6) ||
	       mw_is_found(q->skb, q->th, q->net, q->ipv6, q->whole);
}

/*
 * Judge, count, log and act on any packet, by any policy, from the start.
 */
static noinline unsigned int mw_general(struct mw_net *mn, struct sk_buff *skb,
					const struct nf_hook_state *state)
{
	bool in = state->hook == NF_INET_LOCAL_IN, ipv6 = state->pf == NFPROTO_IPV6;
	u8 direction = in ? MAILWALL_IN : MAILWALL_OUT;
	const struct mw_policy *policy = rcu_dereference(mn->policy);
	struct mw_reading r;
	enum mw_read read;
	unsigned int verdict;

	/* a change to off that waits to be confirmed keeps its hooks */
	if (policy->spec.mode == MAILWALL_OFF)
		return NF_ACCEPT;
	read = ipv6 ? mw_segment_read_ipv6(skb, &r) : mw_segment_read_ipv4(skb, &r);
	if (read == MW_READ_PASS)
		return NF_ACCEPT;
	if (read == MW_READ_MALFORMED) {
		verdict = MW_DENY | MAILWALL_MALFORMED;
	} else {
		const struct mw_question question = {
			.skb = skb,
			.th = r.th,
			.net = state->net,
			.ipv6 = ipv6,
			.whole = r.whole,
		};
		struct mw_segment seg = mw_segment_of(skb, r.th, direction, ipv6);

		/* inbound, the peer is who sent it */
		seg.routed = r.routed && !in;
		verdict = mw_policy_judge(policy, &seg, mw_connected, &question);
		if (!(verdict & MW_DENY))
			return mw_allow(mn, skb, verdict, seg.flags);
	}
	if (mw_is_others(skb, state, direction))
		return NF_ACCEPT;
	if (policy->spec.log != MAILWALL_LOG_OFF)
		mw_log_denial(mn, skb, state, policy, verdict & ~MW_DENY);
	if (policy->spec.mode == MAILWALL_ENFORCE)
		return mw_deny(mn, skb, state, direction, verdict & ~MW_DENY);
	mw_count(mn->stats->would_deny[direction][verdict & ~MW_DENY], 1);
	return NF_ACCEPT;
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
						      unsigned int row, bool ipv6)
{
	const struct tcphdr *th = mw_plain_header(skb, ipv6);
	struct mw_verdict verdict = { .row = row, .if_connected = true };
	bool connected = mw_is_demuxed(skb, th, ipv6) ||
			 mw_is_found(skb, th, state->net, ipv6, true);

	verdict = mw_policy_settle_connection(verdict, connected);
	/* what needs a connection opens none */
	return mw_act(mn, skb, state, MAILWALL_IN, verdict, 0);
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
	return mw_act(mn, skb, state, direction, verdict,
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
		if (!mw_is_demuxed(skb, th, ipv6))
			return connection(mn, skb, state, policy, verdict.row);
		verdict = mw_policy_settle_connection(verdict, true);
	}
	return mw_act(mn, skb, state, direction, verdict, seg.flags);
}

static __always_inline bool mw_is_loopback(const struct sk_buff *skb,
					   const struct nf_hook_state *state, u8 direction)
{
	/* state->out is what it was before NAT or mangle: ip_route_me_harder() */
	const struct net_device *dev = direction == MAILWALL_IN ? state->in : skb_dst(skb)->dev;

	return unlikely(dev->flags & IFF_LOOPBACK);
}

static __always_inline unsigned int mw_hook(struct mw_net *mn, struct sk_buff *skb,
					    const struct nf_hook_state *state, u8 direction,
					    bool ipv6, mw_ask_t *peer, mw_ask_t *connection)
{
	const struct mw_policy *policy;

	if (ipv6 ? mw_segment_passes_ipv6(skb) : mw_segment_passes_ipv4(skb))
		return NF_ACCEPT;
	if (mw_is_loopback(skb, state, direction))
		return NF_ACCEPT;
	if (unlikely(!(ipv6 ? mw_segment_is_plain_ipv6(skb) : mw_segment_is_plain_ipv4(skb))))
		return mw_general(mn, skb, state);
	policy = rcu_dereference(mn->policy);
	if (unlikely(!policy->plain))
		return mw_general(mn, skb, state);
	return mw_plain(mn, skb, state, policy, direction, ipv6, peer, connection);
}

/* A hook for each family and direction, so that both are known at compile time. */
#define MW_ASK_CONNECTION(name, ipv6)                                                      \
	static noinline unsigned int mw_ask_connection_##name(                             \
		struct mw_net *mn, struct sk_buff *skb, const struct nf_hook_state *state, \
		const struct mw_policy *policy, unsigned int row)                          \
	{                                                                                  \
		return mw_ask_connection(mn, skb, state, row, ipv6);                       \
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
#define MW_OPS(name, family, number)                                     \
	{                                                                \
		.hook = mw_hook_##name, .pf = family, .hooknum = number, \
		.priority = NF_IP_PRI_FILTER + 1,                        \
	}
static const struct nf_hook_ops mw_hook_ops[MW_HOOKS] = {
	MW_OPS(ipv4_in, NFPROTO_IPV4, NF_INET_LOCAL_IN),
	MW_OPS(ipv4_out, NFPROTO_IPV4, NF_INET_LOCAL_OUT),
	MW_OPS(ipv6_in, NFPROTO_IPV6, NF_INET_LOCAL_IN),
	MW_OPS(ipv6_out, NFPROTO_IPV6, NF_INET_LOCAL_OUT),
};
#undef MW_OPS

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
