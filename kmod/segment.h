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
 * mw_segment_is_linear() - does the whole TCP header lie in the linear data?
 * @skb: packet; its data begins with the network header, as at LOCAL_IN and
 *       LOCAL_OUT
 * @th: where the header would be
 * @offset: the same, from the network header
 *
 * True for nearly all segments: early demux and TCP's own output see to that.
 * False says nothing: mw_segment_read_ipv4() and mw_segment_read_ipv6() find out.
 */
static __always_inline bool mw_segment_is_linear(const struct sk_buff *skb, const struct tcphdr *th,
						 unsigned int offset)
{
	unsigned int room = skb_headlen(skb), byte;

	if (room < offset + sizeof(*th))
		return false;
	/*
	 * mw_data_offset_valid() in fewer instructions: the offset, in words, is the
	 * high half of the byte. The low half, when it is not zero, makes some headers
	 * that end with the linear data look too long.
	 */
	byte = ((const u8 *)th)[12];
	return byte >= 5 << 4 && byte <= (room - offset) * 4;
}

/**
 * mw_segment_read_ipv4() - find the TCP header of any IPv4 packet
 * @skb: packet that LOCAL_IN or LOCAL_OUT sees
 * @buffer: room for a header that is not in one piece
 * @th: the header, if MW_READ_TCP
 */
enum mw_read mw_segment_read_ipv4(const struct sk_buff *skb, struct tcphdr *buffer,
				  const struct tcphdr **th);

/**
 * mw_segment_read_ipv6() - find the TCP header behind any IPv6 header chain
 * @skb: packet, not reassembled
 * @buffer: room for a header that is not in one piece
 * @th: the header, if MW_READ_TCP
 */
enum mw_read mw_segment_read_ipv6(const struct sk_buff *skb, struct tcphdr *buffer,
				  const struct tcphdr **th);

#endif /* _MW_SEGMENT_H */
