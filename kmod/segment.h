/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Finding the TCP header in a packet, within bounds. docs/decision.md step 1, and
 * "Fragments and extension headers".
 */
#ifndef _MW_SEGMENT_H
#define _MW_SEGMENT_H

#include "policy.h"
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/ip.h>
#include <net/ipv6.h>

/**
 * enum mw_read - what a packet turned out to be
 * @MW_READ_TCP: a segment whose whole TCP header is there
 * @MW_READ_PASS: not TCP, or a fragment with an offset: not judged
 * @MW_READ_MALFORMED: to be denied
 */
enum mw_read {
	MW_READ_TCP,
	MW_READ_PASS,
	MW_READ_MALFORMED,
};

/**
 * struct mw_reading - what is read of a packet that need not be plain
 * @source: its source address
 * @target: its destination address
 * @th: its TCP header, if MW_READ_TCP
 * @length: bytes of the IP packet
 * @routed: as in struct mw_segment
 * @whole: neither a fragment nor put into one: the connection that is found for it is
 *         the one that TCP will find
 * @ip: room for an IPv4 header that is not in one piece
 * @ip6: room for an IPv6 header
 * @tcp: room for a TCP header
 *
 * @source and @target are there unless the packet passes.
 */
struct mw_reading {
	const void *source;
	const void *target;
	const struct tcphdr *th;
	unsigned int length;
	bool routed;
	bool whole;
	union {
		struct iphdr ip;
		struct ipv6hdr ip6;
	};
	struct tcphdr tcp;
};

/* Byte 12, as RFC 9768 has it: data offset, three bits reserved, AE. */
static __always_inline u8 mw_data_offset_byte(const struct tcphdr *th)
{
	return ((const u8 *)th)[12];
}

/*
 * Does the whole TCP header lie in the linear data, which begins with the network header
 * and holds the IP header? Early demux and TCP's own output see to that. Where it does
 * not, byte 12 may lie behind the data, but not behind the buffer, which struct
 * skb_shared_info ends; and whatever it holds, a length that fits holds it.
 */
static __always_inline bool mw_segment_is_linear(const struct sk_buff *skb, const struct tcphdr *th,
						 unsigned int offset)
{
	return mw_data_offset_valid(mw_data_offset_byte(th), skb_headlen(skb) - offset);
}

/**
 * mw_segment_passes_ipv4() - is this certainly no TCP segment?
 * @skb: packet; its data begins with the network header, as at LOCAL_IN and LOCAL_OUT
 */
static __always_inline bool mw_segment_passes_ipv4(const struct sk_buff *skb)
{
	return ip_hdr(skb)->protocol != IPPROTO_TCP;
}

/**
 * mw_segment_passes_ipv6() - the same for IPv6
 * @skb: packet, as for mw_segment_passes_ipv4()
 */
static __always_inline bool mw_segment_passes_ipv6(const struct sk_buff *skb)
{
	return unlikely(ipv6_hdr(skb)->nexthdr != IPPROTO_TCP) &&
	       !ipv6_ext_hdr(ipv6_hdr(skb)->nexthdr);
}

/**
 * mw_segment_is_plain_ipv4() - is this a plain segment?
 * @skb: packet that does not pass
 *
 * Plain, as nearly all are: version 4, no options, no fragment, the whole TCP header
 * behind the IP header in the linear data.
 */
static __always_inline bool mw_segment_is_plain_ipv4(const struct sk_buff *skb)
{
	const struct iphdr *iph = ip_hdr(skb);

	return *(const u8 *)iph == 0x45 && !(iph->frag_off & htons(IP_MF | IP_OFFSET)) &&
	       mw_segment_is_linear(skb, (const void *)(iph + 1), sizeof(*iph));
}

/**
 * mw_segment_is_plain_ipv6() - the same for IPv6, whose plain segments have no extension
 * header
 * @skb: packet that does not pass
 */
static __always_inline bool mw_segment_is_plain_ipv6(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return ip6h->nexthdr == IPPROTO_TCP &&
	       mw_segment_is_linear(skb, (const void *)(ip6h + 1), sizeof(*ip6h));
}

/**
 * mw_segment_is_plain_bridged_ipv4() - is this frame a plain segment?
 * @skb: packet in a bridge, said to be IPv4
 *
 * As mw_segment_is_plain_ipv4(), but no IP layer has been here: what begins where the data
 * begins need not be an IP header, nor whole, nor as long as it says. Whatever ip_rcv_core()
 * would drop is not plain.
 */
static __always_inline bool mw_segment_is_plain_bridged_ipv4(const struct sk_buff *skb)
{
	const struct iphdr *iph = (const void *)skb->data;
	unsigned int length = ntohs(iph->tot_len), room = skb->len, end;
	u64 first, second, sum;
	u32 last;

	if (*(const u8 *)iph != 0x45 || iph->protocol != IPPROTO_TCP ||
	    iph->frag_off & htons(IP_MF | IP_OFFSET))
		return false;
	end = mw_data_offset_bytes(mw_data_offset_byte((const void *)(iph + 1)));
	end += sizeof(*iph);
	if (end < sizeof(*iph) + sizeof(struct tcphdr) || end > length)
		return false;
	/* else gcc makes one answer of two comparisons, in more instructions */
	OPTIMIZER_HIDE_VAR(room);
	if (length > room)
		return false;
	/* what is left of it is linear */
	room -= skb->data_len;
	if (end > room)
		return false;
	/* Sums with carry are sums modulo 2^16 - 1, of words of any such size (RFC 1071). */
	memcpy(&first, iph, sizeof(first));
	memcpy(&second, (const u8 *)iph + 8, sizeof(second));
	memcpy(&last, (const u8 *)iph + 16, sizeof(last));
	sum = first + second;
	sum += sum < first;
	/* else gcc adds in another order, and has to calculate the carries */
	OPTIMIZER_HIDE_VAR(sum);
	sum += last;
	sum += sum < last;
	return sum % 0xffff == 0;
}

/**
 * mw_segment_is_plain_bridged_ipv6() - the same for IPv6
 * @skb: packet in a bridge, said to be IPv6
 */
static __always_inline bool mw_segment_is_plain_bridged_ipv6(const struct sk_buff *skb)
{
	const struct ipv6hdr *ip6h = (const void *)skb->data;
	unsigned int length = ntohs(ip6h->payload_len), room = skb->len, end;

	if (*(const u8 *)ip6h >> 4 != 6 || ip6h->nexthdr != IPPROTO_TCP)
		return false;
	length += sizeof(*ip6h);
	end = mw_data_offset_bytes(mw_data_offset_byte((const void *)(ip6h + 1)));
	end += sizeof(*ip6h);
	if (end < sizeof(*ip6h) + sizeof(struct tcphdr) || end > length)
		return false;
	OPTIMIZER_HIDE_VAR(room);
	if (length > room)
		return false;
	room -= skb->data_len;
	return end <= room;
}

/**
 * mw_segment_read_ipv4() - find the TCP header of any IPv4 packet
 * @skb: packet, whose network header is set
 * @place: where it is met
 * @r: filled in
 */
enum mw_read mw_segment_read_ipv4(const struct sk_buff *skb, enum mw_place place,
				  struct mw_reading *r);

/**
 * mw_segment_read_ipv6() - find the TCP header of any IPv6 packet
 * @skb: packet, whose network header is set
 * @place: where it is met
 * @r: filled in
 */
enum mw_read mw_segment_read_ipv6(const struct sk_buff *skb, enum mw_place place,
				  struct mw_reading *r);

#endif /* _MW_SEGMENT_H */
