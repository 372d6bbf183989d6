// SPDX-License-Identifier: GPL-2.0
#include "world.h"
#include "general.h"
#include "memory.h"
#include "route.h"

struct net net, other_net;
struct net_device eth = { .nd_net = &net, .ifindex = 2 };
struct net_device lo = { .nd_net = &net, .flags = IFF_LOOPBACK, .ifindex = 1 };
struct net_device vrf = { .nd_net = &net, .priv_flags = IFF_L3MDEV_MASTER, .ifindex = 3 };
struct net_device foreign = { .nd_net = &other_net, .ifindex = 4 };
struct mw_net mn = { .net = &net };
struct mw_stats stats;
struct sock connection;
bool connection_exists;
unsigned int lookups, logged, log_reason, log_direction, told, told_what, routes_asked;
struct net_device *in_vrf;
bool route_leads = true, registered[MW_HOOKS];
unsigned int hook_fails = MW_HOOKS;
unsigned int generally;
s64 clock_seconds = 100000;

/* Linked with --wrap. */
__typeof__(mw_general) __real_mw_general, __wrap_mw_general;

unsigned int __wrap_mw_general(struct mw_net *m, struct sk_buff *skb,
			       const struct nf_hook_state *state, enum mw_place place, bool ipv6,
			       bool malformed)
{
	generally++;
	return __real_mw_general(m, skb, state, place, ipv6, malformed);
}

static struct sock *found(bool same)
{
	lookups++;
	if (!connection_exists)
		return NULL;
	assert(same);
	connection.references++;
	return &connection;
}

struct sock *__inet_lookup_established(const struct net *n, const __be32 saddr, const __be16 sport,
				       const __be32 daddr, const u16 hnum, const int dif,
				       const int sdif)
{
	return found(n == &net && saddr == connection.sk_daddr && dif == 2 && sdif == 5 &&
		     daddr == connection.sk_rcv_saddr && sport == connection.sk_dport &&
		     hnum == connection.sk_num);
}

struct sock *__inet6_lookup_established(const struct net *n, const struct in6_addr *saddr,
					const __be16 sport, const struct in6_addr *daddr,
					const u16 hnum, const int dif, const int sdif)
{
	return found(n == &net && ipv6_addr_equal(saddr, &connection.sk_v6_daddr) && dif == 2 &&
		     ipv6_addr_equal(daddr, &connection.sk_v6_rcv_saddr) && sdif == 5 &&
		     sport == connection.sk_dport && hnum == connection.sk_num);
}

void sock_gen_put(struct sock *sk)
{
	sk->references--;
}

void sock_edemux(struct sk_buff *skb)
{
	sock_gen_put(skb->sk);
}

void mw_log_denial(struct mw_net *m, const struct sk_buff *skb, const struct nf_hook_state *state,
		   bool ipv6, const struct mw_policy *policy, u8 direction, unsigned int reason)
{
	assert(m == &mn && skb && policy == mn.policy);
	/* in a bridge the hook does not tell the family */
	assert(state->pf == NFPROTO_BRIDGE || ipv6 == (state->pf == NFPROTO_IPV6));
	logged++;
	log_direction = direction;
	log_reason = reason;
}

void icmp_send(struct sk_buff *skb, int type, int code, __be32 info)
{
	assert(ip_hdr(skb)->version == 4 && !info);
	told++;
	told_what = type << 8 | code;
}

void icmpv6_send(struct sk_buff *skb, u8 type, u8 code, __u32 info)
{
	assert(ipv6_hdr(skb)->version == 6 && !info);
	told++;
	told_what = type << 8 | code;
}

bool mw_route_leads(struct net *n, bool ipv6, const void *address, const struct net_device *dev)
{
	(void)ipv6;
	assert(n == &net && address && dev);
	routes_asked++;
	return route_leads && (!in_vrf || dev == in_vrf);
}

struct net_device *dev_get_by_index_rcu(struct net *n, int ifindex)
{
	assert(n == &net && in_vrf && ifindex == in_vrf->ifindex);
	return in_vrf;
}

void get_random_bytes(void *to, int length)
{
	static unsigned short seed[3] = { 1, 2, 3 };

	while (length--)
		((u8 *)to)[length] = nrand48(seed) >> 12;
}

u64 get_jiffies_64(void)
{
	/* the last of this second, so that it is told by no other division */
	return clock_seconds * HZ + HZ - 1;
}

int nf_register_net_hooks(struct net *n, const struct nf_hook_ops *reg, unsigned int count)
{
	unsigned int first = reg - mn.ops;

	assert(n == &net && first + count <= MW_HOOKS);
	if (first <= hook_fails && hook_fails < first + count)
		return -ENOMEM;
	while (count--) {
		assert(!registered[first + count]);
		registered[first + count] = true;
	}
	return 0;
}

void nf_unregister_net_hooks(struct net *n, const struct nf_hook_ops *reg, unsigned int count)
{
	unsigned int first = reg - mn.ops;

	assert(n == &net && first + count <= MW_HOOKS);
	while (count--) {
		assert(registered[first + count]);
		registered[first + count] = false;
	}
}

/* Walks a chain of extension headers as RFC 8200 describes it; @target -1: to its end. */
int ipv6_find_hdr(const struct sk_buff *skb, unsigned int *offset, int target,
		  unsigned short *fragoff, int *flags)
{
	unsigned int at = skb_network_offset(skb) + sizeof(struct ipv6hdr);
	u8 next = ipv6_hdr(skb)->nexthdr, buffer[8]; /* as the kernel's, from the linear data */

	if (fragoff)
		*fragoff = 0;
	for (;;) {
		bool wanted = next == target;
		unsigned int size;
		const u8 *header;

		if (!ipv6_ext_hdr(next) || next == NEXTHDR_NONE) {
			*offset = at;
			return wanted || target < 0 ? next : -ENOENT;
		}
		header = skb_header_pointer(skb, at, sizeof(buffer), buffer);
		if (!header)
			return -EBADMSG;
		if (wanted && next == NEXTHDR_ROUTING && *flags & IP6_FH_F_SKIP_RH && !header[3])
			wanted = false;
		if (next == NEXTHDR_FRAGMENT) {
			unsigned int from = (header[2] << 8 | header[3]) & ~7;

			bool last = !ipv6_ext_hdr(header[0]) || header[0] == NEXTHDR_NONE;

			if (flags)
				*flags |= IP6_FH_F_FRAG;
			/* what a fragment with an offset begins with is no header */
			if (from && !wanted && !(target < 0 && last))
				return -ENOENT;
			if (fragoff)
				*fragoff = from;
			if (from && !wanted)
				return header[0];
			size = 8;
		} else if (next == NEXTHDR_AUTH) {
			size = (header[1] + 2) * 4;
		} else {
			size = (header[1] + 1) * 8;
		}
		if (wanted) {
			*offset = at;
			return target;
		}
		if (skb->len - at < size)
			return -EBADMSG;
		next = header[0];
		at += size;
	}
}

/* TAP */

unsigned int points, failures;
u64 cases;
const char *only;

void point(bool good, const char *what)
{
	printf("%s %u - %s\n", good ? "ok" : "not ok", ++points, what);
	failures += !good;
}

int all_done(const char *of_what)
{
	printf("# %llu %s\n1..%u\n", (unsigned long long)cases, of_what, points);
	return failures ? 1 : 0;
}

u8 *lay_out(struct sk_buff *skb, const u8 *bytes, unsigned int length, unsigned int linear)
{
	u8 *head, *more;

	skb->len = length;
	skb->data_len = length > linear ? length - linear : 0;
	head = malloc(HEADROOM + length - skb->data_len + TAILROOM);
	more = malloc(skb->data_len + 1);
	memset(head, 0xff, HEADROOM + length - skb->data_len + TAILROOM);
	memcpy(head + HEADROOM, bytes, length - skb->data_len);
	memcpy(more, bytes + length - skb->data_len, skb->data_len);
	skb->head = head;
	skb->data = head + HEADROOM;
	skb->more = more;
	return more;
}
