// SPDX-License-Identifier: GPL-2.0
/*
 * Sends prepared segments through the real hook chains and measures that.
 *
 * The packet is built once. It is sent again and again through nf_hook(), which is
 * what the IP layers call, with interrupts off, so that nothing else runs. A chain
 * that drops a packet frees it: so the packet's reference count is raised by the
 * number of rounds first, and a drop takes one back (kfree_skb() is called as
 * always, decrements and returns). What conntrack hangs on the packet is taken off
 * after each round, as freeing the packet would.
 *
 * For test machines only.
 */
#include "compat.h"
#include "mailwall_bench.h"
#include <linux/inetdevice.h>
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/ktime.h>
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/netfilter.h>
#include <linux/netfilter_bridge.h>
#include <linux/netfilter_ipv4.h>
#include <linux/netfilter_ipv6.h>
#include <linux/nsproxy.h>
#include <linux/tcp.h>
#include <linux/uaccess.h>
#include <net/ip6_route.h>
#include <net/route.h>
#include <net/tcp.h>

static unsigned int bench_empty_hook(void *priv, struct sk_buff *skb,
				     const struct nf_hook_state *state)
{
	return NF_ACCEPT;
}

static atomic64_t bench_shared_segments, bench_shared_bytes;

/* What mailwall must not do: all processors write the same cache line. */
static unsigned int bench_shared_hook(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	atomic64_inc(&bench_shared_segments);
	atomic64_add(skb->len, &bench_shared_bytes);
	return NF_ACCEPT;
}

/* The least that a look-up can cost: the kernel's own, and giving the reference back. */
static unsigned int bench_lookup_hook(void *priv, struct sk_buff *skb,
				      const struct nf_hook_state *state)
{
	const struct tcphdr *th;
	struct sock *sk;

	if (state->hook != NF_INET_LOCAL_IN)
		return NF_ACCEPT;
	if (state->pf == NFPROTO_IPV4) {
		const struct iphdr *iph = ip_hdr(skb);

		th = (const void *)(iph + 1);
		sk = mw_inet_lookup_established(state->net, iph->saddr, th->source, iph->daddr,
						ntohs(th->dest), state->in->ifindex, 0);
	} else {
		const struct ipv6hdr *ip6h = ipv6_hdr(skb);

		th = (const void *)(ip6h + 1);
		sk = mw_inet6_lookup_established(state->net, &ip6h->saddr, th->source, &ip6h->daddr,
						 ntohs(th->dest), state->in->ifindex, 0);
	}
	if (sk)
		sock_gen_put(sk);
	return NF_ACCEPT;
}

#define BENCH_OPS(function, family, number)                              \
	{                                                                \
		.hook = function, .pf = family, .hooknum = number,       \
		.priority = NF_IP_PRI_FILTER, /* as NF_IP6_PRI_FILTER */ \
	}
#define BENCH_ALL_OPS(function)                                               \
	{                                                                     \
		BENCH_OPS(function, NFPROTO_IPV4, NF_INET_LOCAL_IN),          \
			BENCH_OPS(function, NFPROTO_IPV4, NF_INET_LOCAL_OUT), \
			BENCH_OPS(function, NFPROTO_IPV6, NF_INET_LOCAL_IN),  \
			BENCH_OPS(function, NFPROTO_IPV6, NF_INET_LOCAL_OUT), \
			BENCH_OPS(function, NFPROTO_IPV4, NF_INET_FORWARD),   \
			BENCH_OPS(function, NFPROTO_IPV6, NF_INET_FORWARD),   \
			BENCH_OPS(function, NFPROTO_BRIDGE, NF_BR_FORWARD),   \
	}
#define BENCH_OPS_COUNT 7

/* by BENCH_EMPTY and so on */
static const struct nf_hook_ops bench_ops[][BENCH_OPS_COUNT] = {
	{},
	BENCH_ALL_OPS(bench_empty_hook),
	BENCH_ALL_OPS(bench_shared_hook),
	BENCH_ALL_OPS(bench_lookup_hook),
};

static struct net *bench_hooks_net; /* where some are registered */
static unsigned long bench_hooks_kind;
static DEFINE_MUTEX(bench_mutex);

/* A packet that is ready to be sent. */
struct bench {
	struct net *net;
	struct sk_buff *skb;
	struct sock *sk; /* of the sender, or NULL */
	struct sock *found; /* what a look-up may find and leave in the packet */
	struct net_device *dev;
	struct net_device *out; /* if it is forwarded */
	u32 rounds;
};

#define BENCH_HOOK(pf, hook) nf_hook(pf, hook, net, NULL, skb, dev, NULL, NULL)
#define BENCH_HOOK_OUT(pf, hook) nf_hook(pf, hook, net, sk, skb, NULL, dev, NULL)
#define BENCH_HOOK_FORWARD(pf, hook) nf_hook(pf, hook, net, NULL, skb, dev, out, NULL)
#define BENCH_HOOK_FORWARDED(pf, hook) nf_hook(pf, hook, net, NULL, skb, NULL, out, NULL)

/* One loop for each, so that family and hook are constants, as they are in the IP layers. */
#define BENCH_LOOP(name, pass)                                      \
	static noinline u32 name(const struct bench *bench)         \
	{                                                           \
		struct net *net = bench->net;                       \
		struct sk_buff *skb = bench->skb;                   \
		struct sock __maybe_unused *sk = bench->sk;         \
		struct net_device __maybe_unused *dev = bench->dev; \
		struct net_device __maybe_unused *out = bench->out; \
		struct sock *demuxed = skb->sk;                     \
		u32 i, rounds = bench->rounds, accepted = 0;        \
                                                                    \
		for (i = 0; i < rounds; i++) {                      \
			OPTIMIZER_HIDE_VAR(net);                    \
			if (pass)                                   \
				accepted++;                         \
			nf_reset_ct(skb);                           \
			/* what a look-up left there is TCP's */    \
			skb->sk = demuxed;                          \
		}                                                   \
		return accepted;                                    \
	}

static __always_inline int bench_one(void)
{
	int one = 1;

	OPTIMIZER_HIDE_VAR(one);
	return one;
}

BENCH_LOOP(bench_nothing, bench_one() == 1)
BENCH_LOOP(bench_ipv4_in, BENCH_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN) == 1)
BENCH_LOOP(bench_ipv6_in, BENCH_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN) == 1)
BENCH_LOOP(bench_ipv4_out, BENCH_HOOK_OUT(NFPROTO_IPV4, NF_INET_LOCAL_OUT) == 1)
BENCH_LOOP(bench_ipv6_out, BENCH_HOOK_OUT(NFPROTO_IPV6, NF_INET_LOCAL_OUT) == 1)
BENCH_LOOP(bench_ipv4_in_tracked, BENCH_HOOK(NFPROTO_IPV4, NF_INET_PRE_ROUTING) == 1 &&
					  BENCH_HOOK(NFPROTO_IPV4, NF_INET_LOCAL_IN) == 1)
BENCH_LOOP(bench_ipv6_in_tracked, BENCH_HOOK(NFPROTO_IPV6, NF_INET_PRE_ROUTING) == 1 &&
					  BENCH_HOOK(NFPROTO_IPV6, NF_INET_LOCAL_IN) == 1)
BENCH_LOOP(bench_ipv4_out_tracked, BENCH_HOOK_OUT(NFPROTO_IPV4, NF_INET_LOCAL_OUT) == 1 &&
					   BENCH_HOOK_OUT(NFPROTO_IPV4, NF_INET_POST_ROUTING) == 1)
BENCH_LOOP(bench_ipv6_out_tracked, BENCH_HOOK_OUT(NFPROTO_IPV6, NF_INET_LOCAL_OUT) == 1 &&
					   BENCH_HOOK_OUT(NFPROTO_IPV6, NF_INET_POST_ROUTING) == 1)

BENCH_LOOP(bench_ipv4_forward, BENCH_HOOK_FORWARD(NFPROTO_IPV4, NF_INET_FORWARD) == 1)
BENCH_LOOP(bench_ipv6_forward, BENCH_HOOK_FORWARD(NFPROTO_IPV6, NF_INET_FORWARD) == 1)
BENCH_LOOP(bench_bridge_forward, BENCH_HOOK_FORWARD(NFPROTO_BRIDGE, NF_BR_FORWARD) == 1)
BENCH_LOOP(bench_ipv4_forward_tracked,
	   BENCH_HOOK(NFPROTO_IPV4, NF_INET_PRE_ROUTING) == 1 &&
		   BENCH_HOOK_FORWARD(NFPROTO_IPV4, NF_INET_FORWARD) == 1 &&
		   BENCH_HOOK_FORWARDED(NFPROTO_IPV4, NF_INET_POST_ROUTING) == 1)
BENCH_LOOP(bench_ipv6_forward_tracked,
	   BENCH_HOOK(NFPROTO_IPV6, NF_INET_PRE_ROUTING) == 1 &&
		   BENCH_HOOK_FORWARD(NFPROTO_IPV6, NF_INET_FORWARD) == 1 &&
		   BENCH_HOOK_FORWARDED(NFPROTO_IPV6, NF_INET_POST_ROUTING) == 1)

/* by IPv6, BENCH_OUT, BENCH_TRACKED */
static u32 (*const bench_loops[2][2][2])(const struct bench *bench) = {
	{ { bench_ipv4_in, bench_ipv4_in_tracked }, { bench_ipv4_out, bench_ipv4_out_tracked } },
	{ { bench_ipv6_in, bench_ipv6_in_tracked }, { bench_ipv6_out, bench_ipv6_out_tracked } },
};

/* by IPv6, BENCH_TRACKED */
static u32 (*const bench_forward_loops[2][2])(const struct bench *bench) = {
	{ bench_ipv4_forward, bench_ipv4_forward_tracked },
	{ bench_ipv6_forward, bench_ipv6_forward_tracked },
};

static u32 (*bench_loop(u32 flags, bool ipv6))(const struct bench *bench)
{
	bool tracked = flags & BENCH_TRACKED;

	if (flags & BENCH_BRIDGE)
		return bench_bridge_forward;
	if (flags & BENCH_FORWARD)
		return bench_forward_loops[ipv6][tracked];
	return bench_loops[ipv6][!!(flags & BENCH_OUT)][tracked];
}

/* The local socket of a segment that arrives or leaves; with a reference. */
static struct sock *bench_find_socket(const struct bench *bench, bool ipv6, bool out)
{
	const struct tcphdr *th = tcp_hdr(bench->skb);
	__be16 peer_port = out ? th->dest : th->source;
	u16 own_port = ntohs(out ? th->source : th->dest);
	struct sock *sk;

	if (ipv6) {
		const struct ipv6hdr *ip6h = ipv6_hdr(bench->skb);

		sk = mw_inet6_lookup_established(bench->net, out ? &ip6h->daddr : &ip6h->saddr,
						 peer_port, out ? &ip6h->saddr : &ip6h->daddr,
						 own_port, bench->dev->ifindex, 0);
	} else {
		const struct iphdr *iph = ip_hdr(bench->skb);

		sk = mw_inet_lookup_established(bench->net, out ? iph->daddr : iph->saddr,
						peer_port, out ? iph->saddr : iph->daddr, own_port,
						bench->dev->ifindex, 0);
	}
	if (sk && !sk_fullsock(sk)) {
		sock_gen_put(sk);
		sk = NULL;
	}
	return sk;
}

static struct sk_buff *bench_build(const struct bench_run *run, struct net_device *dev)
{
	struct sk_buff *skb = alloc_skb(LL_MAX_HEADER + run->length, GFP_KERNEL);
	const struct iphdr *iph;

	if (!skb)
		return NULL;
	skb_reserve(skb, LL_MAX_HEADER);
	skb_put_data(skb, run->packet, run->length);
	skb_reset_mac_header(skb);
	skb_reset_network_header(skb);
	skb->dev = dev;
	skb->pkt_type = PACKET_HOST;
	/* checksums are the hardware's matter: conntrack would otherwise check them */
	skb->ip_summed = run->flags & BENCH_OUT ? CHECKSUM_PARTIAL : CHECKSUM_UNNECESSARY;
	iph = ip_hdr(skb);
	if (iph->version == 6) {
		skb->protocol = htons(ETH_P_IPV6);
		skb_set_transport_header(skb, sizeof(struct ipv6hdr));
	} else {
		skb->protocol = htons(ETH_P_IP);
		skb_set_transport_header(skb, iph->ihl * 4);
	}
	memset(skb->cb, 0, sizeof(skb->cb));
	if (!(run->flags & BENCH_OUT)) {
		skb->skb_iif = dev->ifindex;
		if (iph->version == 6)
			IP6CB(skb)->iif = dev->ifindex;
		else
			IPCB(skb)->iif = dev->ifindex;
	}
	return skb;
}

static struct dst_entry *bench_route(struct net *net, const struct sk_buff *skb,
				     const struct net_device *dev, bool ipv6)
{
	struct flowi4 fl4 = { .flowi4_oif = dev->ifindex };
	struct flowi6 fl6 = { .flowi6_oif = dev->ifindex };
	struct dst_entry *dst;
	struct rtable *rt;

	if (ipv6) {
		fl6.daddr = ipv6_hdr(skb)->daddr;
		dst = ip6_route_output(net, NULL, &fl6);
		return dst->error ? ERR_PTR(dst->error) : dst;
	}
	fl4.daddr = ip_hdr(skb)->daddr;
	rt = ip_route_output_key(net, &fl4);
	return IS_ERR(rt) ? ERR_CAST(rt) : &rt->dst;
}

static int bench_route_in(const struct bench *bench, struct sk_buff *skb, bool ipv6)
{
	struct flowi6 fl6 = { .flowi6_iif = bench->dev->ifindex };
	struct dst_entry *dst;
	int error;

	/* has none for these addresses, and no hook here asks for one */
	if (bench->dev->flags & IFF_LOOPBACK)
		return 0;
	if (ipv6) {
		fl6.daddr = ipv6_hdr(skb)->daddr;
		fl6.saddr = ipv6_hdr(skb)->saddr;
		dst = ip6_route_input_lookup(bench->net, bench->dev, &fl6, skb, 0);
		skb_dst_set(skb, dst);
		return dst->error;
	}
	rcu_read_lock();
	error = ip_route_input_noref(skb, ip_hdr(skb)->daddr, ip_hdr(skb)->saddr, 0, bench->dev);
	if (!error)
		skb_dst_force(skb);
	rcu_read_unlock();
	return error;
}

static int bench_prepare(struct bench *bench, const struct bench_run *run, bool ipv6)
{
	struct sk_buff *skb = bench->skb;
	bool out = run->flags & BENCH_OUT;

	/* a bridge has no routes */
	if (run->flags & BENCH_BRIDGE)
		return 0;
	/* as the IP layers do before they come to these hooks */
	if (out) {
		struct dst_entry *dst = bench_route(bench->net, skb, bench->dev, ipv6);

		if (IS_ERR(dst))
			return PTR_ERR(dst);
		skb_dst_set(skb, dst);
	} else {
		int error = bench_route_in(bench, skb, ipv6);

		if (error)
			return error;
	}
	if (run->flags & (BENCH_FILL | BENCH_SOCKET)) {
		bench->sk = bench_find_socket(bench, ipv6, out);
		if (!bench->sk)
			return -ENOTCONN;
	}
	if (run->flags & BENCH_FILL) {
		const struct tcp_sock *tp = tcp_sk(bench->sk);
		struct tcphdr *th = tcp_hdr(skb);

		th->seq = htonl(out ? tp->snd_nxt : tp->rcv_nxt);
		th->ack_seq = htonl(out ? tp->rcv_nxt : tp->snd_nxt);
	}
	if (run->flags & BENCH_SOCKET) {
		skb->sk = bench->sk;
		skb->destructor = sock_edemux;
		sock_hold(bench->sk);
	}
	return 0;
}

/* Wait until so many processors are here; give up after a second. */
static void bench_meet(u32 together)
{
	static atomic_t arrived;
	u64 end = ktime_get_ns() + NSEC_PER_SEC;
	int last;

	if (!together)
		return;
	last = roundup(atomic_inc_return(&arrived), together);
	while (atomic_read(&arrived) - last < 0 && ktime_get_ns() < end)
		cpu_relax();
}

static void bench_measure(const struct bench *bench, struct bench_run *run, bool ipv6)
{
	u32 (*loop)(const struct bench *bench) = bench_loop(run->flags, ipv6);
	struct bench once = *bench;
	/* The references that TCP would give back, after a look-up of its own just so. */
	struct sock *found = run->together ? NULL : bench->found;
	unsigned int references = found ? refcount_read(&found->sk_refcnt) : 0;
	unsigned long flags;
	u64 start;

	once.rounds = 3;
	refcount_set(&bench->skb->users, bench->rounds + once.rounds + 1);
	/* LOCAL_IN runs so, and with interrupts off LOCAL_OUT has to */
	local_bh_disable();
	bench_meet(run->together);
	local_irq_save(flags);
	loop(&once); /* conntrack's first packet of a flow is another matter */
	start = ktime_get_ns();
	run->accepted = loop(bench);
	run->ns = ktime_get_ns() - start;
	run->start = start;
	start = ktime_get_ns();
	bench_nothing(bench);
	run->loop_ns = ktime_get_ns() - start;
	if (found) {
		refcount_set(&found->sk_refcnt, references);
		bench->skb->destructor = NULL;
	}
	local_irq_restore(flags);
	local_bh_enable();
	refcount_set(&bench->skb->users, 1);
}

static void bench_count_hooks(struct net *net, struct bench_run *run, bool ipv6)
{
	struct nf_hook_entries __rcu **hooks = ipv6 ? net->nf.hooks_ipv6 : net->nf.hooks_ipv4;
	int i;

	if (run->flags & BENCH_BRIDGE)
		hooks = net->nf.hooks_bridge;
	rcu_read_lock();
	for (i = 0; i < NF_INET_NUMHOOKS; i++) {
		const struct nf_hook_entries *entries = rcu_dereference(hooks[i]);

		run->hooks[i] = entries ? entries->num_hook_entries : 0;
	}
	rcu_read_unlock();
}

static int bench_run(struct net *net, struct bench_run *run)
{
	struct bench bench = { .net = net, .rounds = run->rounds };
	bool ipv6 = run->packet[0] >> 4 == 6;
	int error;

	if (run->length < sizeof(struct ipv6hdr) || run->length > BENCH_PACKET ||
	    run->rounds > 1000000)
		return -EINVAL;
	bench.dev = dev_get_by_index(net, run->ifindex);
	if (!bench.dev)
		return -ENODEV;
	error = -ENODEV;
	bench.out = dev_get_by_index(net, run->out_ifindex);
	if (run->flags & BENCH_FORWARD && !bench.out)
		goto out;
	error = -ENOMEM;
	bench.skb = bench_build(run, bench.dev);
	if (!bench.skb)
		goto out;
	error = bench_prepare(&bench, run, ipv6);
	if (!error) {
		bench_count_hooks(net, run, ipv6);
		/* not LOCAL_OUT's business who sent it, if the script wants no socket */
		if (!(run->flags & BENCH_SOCKET))
			swap(bench.sk, bench.found);
		bench_measure(&bench, run, ipv6);
	}
	if (bench.sk)
		sock_put(bench.sk);
	if (bench.found)
		sock_put(bench.found);
	kfree_skb(bench.skb);
out:
	dev_put(bench.out); /* may be NULL */
	dev_put(bench.dev);
	return error;
}

static int bench_hooks(struct net *net, unsigned long kind)
{
	int error = 0;

	if (kind >= ARRAY_SIZE(bench_ops))
		return -EINVAL;
	if (bench_hooks_kind) {
		nf_unregister_net_hooks(bench_hooks_net, bench_ops[bench_hooks_kind],
					BENCH_OPS_COUNT);
		put_net(bench_hooks_net);
		bench_hooks_kind = BENCH_NONE;
	}
	if (kind) {
		error = nf_register_net_hooks(net, bench_ops[kind], BENCH_OPS_COUNT);
		if (!error) {
			bench_hooks_net = get_net(net);
			bench_hooks_kind = kind;
		}
	}
	return error;
}

static long bench_ioctl(struct file *file, unsigned int command, unsigned long arg)
{
	struct net *net = current->nsproxy->net_ns;
	struct bench_run *run;
	long error;

	if (command == BENCH_HOOKS) {
		mutex_lock(&bench_mutex);
		error = bench_hooks(net, arg);
		mutex_unlock(&bench_mutex);
		return error;
	}
	if (command != BENCH_RUN)
		return -ENOTTY;
	run = memdup_user((void __user *)arg, sizeof(*run));
	if (IS_ERR(run))
		return PTR_ERR(run);
	error = bench_run(net, run);
	if (!error && copy_to_user((void __user *)arg, run, sizeof(*run)))
		error = -EFAULT;
	kfree(run);
	return error;
}

static const struct file_operations bench_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = bench_ioctl,
};

static struct miscdevice bench_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "mailwall_bench",
	.fops = &bench_fops,
	.mode = 0600,
};

static int __init bench_init(void)
{
	return misc_register(&bench_device);
}

static void __exit bench_exit(void)
{
	misc_deregister(&bench_device);
	bench_hooks(NULL, BENCH_NONE);
}

module_init(bench_init);
module_exit(bench_exit);
MODULE_DESCRIPTION("Counts what packets cost in netfilter's hooks; for test machines");
MODULE_LICENSE("GPL");
