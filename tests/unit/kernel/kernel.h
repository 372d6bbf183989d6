/* SPDX-License-Identifier: GPL-2.0 */
/*
 * As much of the kernel as the packet path asks for, so that kmod/hook.c and what it
 * calls are compiled and tried on any machine, every branch of it, in seconds. Each
 * header beside this one stands in for the kernel's of that name and leads here.
 *
 * Nothing in here is the kernel's code: it is what the packet path relies on, once
 * more, and the machine tests show that the real kernel does the same.
 */
#ifndef _MW_TEST_KERNEL_H
#define _MW_TEST_KERNEL_H

#include "portable.h"
#include <arpa/inet.h>
#include <assert.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <linux/netfilter.h>

typedef s64 ktime_t;

/* compiler, cache lines, annotations */
#define __percpu
#define __rcu
#define __cold
#define __read_mostly
#define ____cacheline_aligned_in_smp
#ifndef noinline
#define noinline __attribute__((__noinline__))
#endif
#ifndef __aligned
#define __aligned(n) __attribute__((__aligned__(n)))
#endif
#ifndef fallthrough
#define fallthrough __attribute__((__fallthrough__))
#endif
#define __packed __attribute__((__packed__))
#define IS_ENABLED(option) option
#define CONFIG_IPV6 1
#define CONFIG_BRIDGE_NETFILTER 1
#define CONFIG_NETFILTER_FAMILY_BRIDGE 1
#define BIT(n) (1U << (n))
#define BITS_PER_LONG 64
#define rcu_dereference(p) READ_ONCE(p)
#define this_cpu_add(counter, n) ((counter) += (n))
#define typeof_member(type, member) typeof(((type *)0)->member)
#define container_of(p, type, member) ((type *)((char *)(p)-offsetof(type, member)))

/* locks, timers and work: the packet path only lies beside them */
struct mutex {
	int unused;
};

enum hrtimer_mode { HRTIMER_MODE_ABS };
enum hrtimer_restart { HRTIMER_NORESTART };
struct hrtimer {
	enum hrtimer_restart (*function)(struct hrtimer *timer);
};

static inline void hrtimer_init(struct hrtimer *timer, clockid_t clock, enum hrtimer_mode mode)
{
	(void)timer, (void)clock, (void)mode;
}

typedef struct {
	int unused;
} spinlock_t;

struct work_struct {
	int unused;
};

struct ratelimit_state {
	int unused;
};

struct file;
struct kobject;
struct bin_attribute {
	ssize_t (*read)(struct file *file, struct kobject *kobj, const struct bin_attribute *attr,
			char *buf, loff_t pos, size_t size);
};

/* namespaces and devices */
struct inet_hashinfo;
struct inet_timewait_death_row {
	struct inet_hashinfo *hashinfo;
};

struct net {
	struct {
		struct inet_timewait_death_row tcp_death_row;
	} ipv4;
};

#define IFF_LOOPBACK 0x8
#define IFF_L3MDEV_MASTER 0x1

struct net_device {
	struct net *nd_net;
	unsigned int flags;
	unsigned int priv_flags;
	int ifindex;
};

static inline struct net *dev_net(const struct net_device *dev)
{
	return dev->nd_net;
}

static inline bool net_eq(const struct net *a, const struct net *b)
{
	return a == b;
}

struct net_device *dev_get_by_index_rcu(struct net *net, int ifindex);

static inline bool netif_is_l3_master(const struct net_device *dev)
{
	return dev->priv_flags & IFF_L3MDEV_MASTER;
}

/* netfilter */
#define NF_IP_PRI_FILTER 0
#define NF_BR_PRI_FILTER_BRIDGED (-200)
#define NF_BR_LOCAL_IN 1
#define NF_BR_FORWARD 2
#define NF_BR_LOCAL_OUT 3

struct sk_buff;
struct sock;

struct nf_hook_state {
	u8 hook;
	u8 pf;
	struct net_device *in;
	struct net_device *out;
	struct sock *sk;
	struct net *net;
};

typedef unsigned int nf_hookfn(void *priv, struct sk_buff *skb, const struct nf_hook_state *state);

struct nf_hook_ops {
	nf_hookfn *hook;
	void *priv;
	u8 pf;
	unsigned int hooknum;
	int priority;
};

int nf_register_net_hooks(struct net *net, const struct nf_hook_ops *reg, unsigned int n);
void nf_unregister_net_hooks(struct net *net, const struct nf_hook_ops *reg, unsigned int n);

/* IP and TCP headers, as the wire has them: this machine has the least byte first */
#define IP_MF 0x2000
#define IP_OFFSET 0x1fff
#define MAX_IPOPTLEN 40
#define IPOPT_END 0
#define IPOPT_NOOP 1
#define IPOPT_LSRR 131
#define IPOPT_SSRR 137

struct iphdr {
	u8 ihl : 4, version : 4;
	u8 tos;
	__be16 tot_len, id, frag_off;
	u8 ttl, protocol;
	u16 check;
	__be32 saddr, daddr;
};

struct ipv6hdr {
	u8 priority : 4, version : 4;
	u8 flow_lbl[3];
	__be16 payload_len;
	u8 nexthdr, hop_limit;
	struct in6_addr saddr, daddr;
};

#define IP6_MF 1

struct frag_hdr {
	u8 nexthdr, reserved;
	__be16 frag_off;
	__be32 identification;
};

struct tcphdr {
	__be16 source, dest;
	__be32 seq, ack_seq;
	u8 offset, flags;
	__be16 window;
	u16 check;
	__be16 urg_ptr;
};

#define tcp_flag_byte(th) ((th)->flags)

#define NEXTHDR_HOP 0
#define NEXTHDR_ROUTING 43
#define NEXTHDR_FRAGMENT 44
#define NEXTHDR_AUTH 51
#define NEXTHDR_NONE 59
#define NEXTHDR_DEST 60
#define IP6_FH_F_FRAG 1
#define IP6_FH_F_SKIP_RH 4

static inline bool ipv6_ext_hdr(u8 nexthdr)
{
	return nexthdr == NEXTHDR_HOP || nexthdr == NEXTHDR_ROUTING ||
	       nexthdr == NEXTHDR_FRAGMENT || nexthdr == NEXTHDR_AUTH || nexthdr == NEXTHDR_NONE ||
	       nexthdr == NEXTHDR_DEST;
}

int ipv6_find_hdr(const struct sk_buff *skb, unsigned int *offset, int target,
		  unsigned short *fragoff, int *flags);

static inline bool ipv6_addr_equal(const struct in6_addr *a, const struct in6_addr *b)
{
	return !memcmp(a, b, sizeof(*a));
}

static inline bool ipv6_addr_v4mapped(const struct in6_addr *a)
{
	return IN6_IS_ADDR_V4MAPPED(a);
}

/* below IP */
struct vlan_hdr {
	__be16 h_vlan_TCI, h_vlan_encapsulated_proto;
};

static inline bool eth_type_vlan(__be16 type)
{
	return type == htons(0x8100) || type == htons(0x88a8);
}

struct pppoe_hdr {
	u8 version_and_type, code;
	__be16 sid, length;
};

/* ICMP */
#define ICMP_DEST_UNREACH 3
#define ICMP_PKT_FILTERED 13
#define ICMPV6_DEST_UNREACH 1
#define ICMPV6_ADM_PROHIBITED 1

void icmp_send(struct sk_buff *skb, int type, int code, __be32 info);
void icmpv6_send(struct sk_buff *skb, u8 type, u8 code, __u32 info);

/* seconds since boot */
#define HZ 250
u64 get_jiffies_64(void);

static inline u64 div_u64(u64 dividend, u32 divisor)
{
	return dividend / divisor;
}

/*
 * Packets. What lies behind the linear data is in more[], which a test fills so that
 * reading it by a pointer into the linear data is an error under AddressSanitizer.
 */
struct dst_entry {
	struct net_device *dev;
};

struct sk_buff {
	u8 *head, *data; /* of malloc(); data lies in it */
	u16 network_header; /* from head */
	unsigned int len, data_len;
	const u8 *more;
	struct dst_entry *dst;
	struct sock *sk;
	void (*destructor)(struct sk_buff *skb);
	int iif, sdif;
	__be16 protocol;
	bool vlan_present; /* a tag beside the packet */
	bool gso;
	bool nf_bridge; /* of br_netfilter: the ports, 0 for none */
	int physin, physout;
};

static inline struct dst_entry *skb_dst(const struct sk_buff *skb)
{
	return skb->dst;
}

static inline bool skb_vlan_tag_present(const struct sk_buff *skb)
{
	return skb->vlan_present;
}

static inline bool skb_is_gso(const struct sk_buff *skb)
{
	return skb->gso;
}

static inline bool nf_bridge_info_exists(const struct sk_buff *skb)
{
	return skb->nf_bridge;
}

static inline int nf_bridge_get_physinif(const struct sk_buff *skb)
{
	return skb->nf_bridge ? skb->physin : 0;
}

static inline int nf_bridge_get_physoutif(const struct sk_buff *skb)
{
	return skb->nf_bridge ? skb->physout : 0;
}

static inline unsigned int skb_headlen(const struct sk_buff *skb)
{
	return skb->len - skb->data_len;
}

static inline struct iphdr *ip_hdr(const struct sk_buff *skb)
{
	return (struct iphdr *)(skb->head + skb->network_header);
}

static inline struct ipv6hdr *ipv6_hdr(const struct sk_buff *skb)
{
	return (struct ipv6hdr *)(skb->head + skb->network_header);
}

static inline int skb_network_offset(const struct sk_buff *skb)
{
	return skb->head + skb->network_header - skb->data;
}

static inline void skb_set_network_header(struct sk_buff *skb, int offset)
{
	skb->network_header = skb->data - skb->head + offset;
}

static inline unsigned char *skb_network_header(const struct sk_buff *skb)
{
	return skb->head + skb->network_header;
}

static inline void *skb_header_pointer(const struct sk_buff *skb, int offset, int size, void *to)
{
	unsigned int linear = skb_headlen(skb), i;

	if (offset < 0 || size < 0 || (unsigned int)offset + size > skb->len)
		return NULL;
	if ((unsigned int)offset + size <= linear)
		return skb->data + offset;
	for (i = 0; i < (unsigned int)size; i++) {
		unsigned int at = offset + i;

		((u8 *)to)[i] = at < linear ? skb->data[at] : skb->more[at - linear];
	}
	return to;
}

/* Moves everything: what pointed into it does no more. */
static inline bool pskb_may_pull(struct sk_buff *skb, unsigned int length)
{
	unsigned int linear = skb_headlen(skb), room = skb->data - skb->head;
	u8 *head;

	if (length <= linear)
		return true;
	if (length > skb->len)
		return false;
	/* struct skb_shared_info follows */
	head = malloc(room + length + 64);
	memcpy(head, skb->head, room + linear);
	memcpy(head + room + linear, skb->more, length - linear);
	memset(head + room + length, 0xff, 64);
	skb->more += length - linear;
	skb->data_len -= length - linear;
	free(skb->head);
	skb->head = head;
	skb->data = head + room;
	return true;
}

/* The ones' complement of the sum: 0 of a header whose checksum is right. */
static inline u16 ip_fast_csum(const void *header, unsigned int words)
{
	u32 sum = 0;
	u16 half;
	unsigned int i;

	for (i = 0; i < 2 * words; i++) {
		memcpy(&half, (const u8 *)header + 2 * i, 2);
		sum += half;
	}
	sum = (sum & 0xffff) + (sum >> 16);
	return ~((sum & 0xffff) + (sum >> 16));
}

/* Sockets. */
#define TCP_ESTABLISHED 1
#define TCP_SYN_SENT 2
#define TCP_TIME_WAIT 6
#define TCP_CLOSE 7
#define TCP_LISTEN 10
#define TCP_NEW_SYN_RECV 12
#define TCPF_CLOSE (1 << TCP_CLOSE)
#define TCPF_LISTEN (1 << TCP_LISTEN)

struct sock {
	union {
		u64 sk_addrpair;
		struct {
			__be32 sk_daddr;
			__be32 sk_rcv_saddr;
		};
	};
	u16 sk_family;
	u8 sk_state;
	__be16 sk_dport;
	u16 sk_num;
	struct in6_addr sk_v6_daddr, sk_v6_rcv_saddr;
	int references;
};

#define INET_ADDR_COOKIE(name, saddr, daddr) const u64 name = (u64)(u32)(daddr) << 32 | (u32)(saddr)

struct sock *__inet_lookup_established(const struct net *net, const __be32 saddr,
				       const __be16 sport, const __be32 daddr, const u16 hnum,
				       const int dif, const int sdif);
struct sock *__inet6_lookup_established(const struct net *net, const struct in6_addr *saddr,
					const __be16 sport, const struct in6_addr *daddr,
					const u16 hnum, const int dif, const int sdif);
void sock_gen_put(struct sock *sk);
void sock_edemux(struct sk_buff *skb);

static inline int inet_iif(const struct sk_buff *skb)
{
	return skb->iif;
}

static inline int inet6_iif(const struct sk_buff *skb)
{
	return skb->iif;
}

static inline int inet_sdif(const struct sk_buff *skb)
{
	return skb->sdif;
}

static inline int inet6_sdif(const struct sk_buff *skb)
{
	return skb->sdif;
}

#endif /* _MW_TEST_KERNEL_H */
