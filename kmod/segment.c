// SPDX-License-Identifier: GPL-2.0
/*
 * Bounded reading of the packets that are not plain: IPv4 options, fragments,
 * IPv6 extension headers, headers outside the linear data.
 */
#include "segment.h"

/*
 * Of those who put fragments together, some take a header that ends later than this
 * only from a second fragment, and let one that begins before it write over the first
 * (RFC 1858, RFC 3128).
 */
#define MW_FIRST_FRAGMENT 64 /* bytes */
#define MW_FRAGMENT_UNIT 8 /* bytes */

static bool mw_overwrites(enum mw_place place, unsigned int frag_offset)
{
	return place != MW_PLACE_HOST && frag_offset < MW_FIRST_FRAGMENT;
}

/* @offset: of the TCP header, from where the data begins; @end: of the packet */
static enum mw_read mw_read_tcp(const struct sk_buff *skb, unsigned int offset, unsigned int end,
				struct mw_reading *r)
{
	r->th = skb_header_pointer(skb, offset, sizeof(r->tcp), &r->tcp);
	/*
	 * A first fragment must hold the whole header, options included (RFC 7112,
	 * RFC 8200 section 4.5), so that what is judged is all that is delivered.
	 */
	if (!r->th || offset + sizeof(r->tcp) > end ||
	    !mw_data_offset_valid(mw_data_offset_byte(r->th), end - offset))
		return MW_READ_MALFORMED;
	return MW_READ_TCP;
}

/*
 * Does a source route (RFC 791) have hops left? Then the packet's destination is the
 * next one of them. Options that make no sense, which raw sockets may send, could hide
 * one.
 */
static bool mw_ipv4_routed(const struct sk_buff *skb, unsigned int size)
{
	unsigned int at = 0, length;
	u8 buffer[MAX_IPOPTLEN];
	const u8 *options;

	options = skb_header_pointer(skb, skb_network_offset(skb) + sizeof(struct iphdr), size,
				     buffer);
	if (!options)
		return true;
	while (at < size && options[at] != IPOPT_END) {
		if (options[at] == IPOPT_NOOP) {
			at++;
			continue;
		}
		length = at + 1 < size ? options[at + 1] : 0;
		if (length < 2 || length > size - at)
			return true;
		if (options[at] == IPOPT_LSRR || options[at] == IPOPT_SSRR)
			return length < 3 || options[at + 2] < length;
		at += length;
	}
	return false;
}

/*
 * What ip_rcv_core() would drop: RFC 1122 section 3.2.1. Out of line, so that others need not
 * clear its buffer (CONFIG_INIT_STACK_ALL_ZERO).
 */
static noinline bool mw_ipv4_valid(const struct sk_buff *skb, const struct iphdr *iph,
				   unsigned int room)
{
	unsigned int header = iph->ihl * 4, length = ntohs(iph->tot_len);
	u8 buffer[sizeof(*iph) + MAX_IPOPTLEN];
	const void *whole;

	if (iph->version != 4 || header < sizeof(*iph))
		return false;
	whole = skb_header_pointer(skb, skb_network_offset(skb), header, buffer);
	if (!whole || ip_fast_csum(whole, iph->ihl))
		return false;
	/* 0 is a segment that is yet to be cut up, and too large for the member */
	return (!length && skb_is_gso(skb)) || (length >= header && length <= room);
}

enum mw_read mw_segment_read_ipv4(const struct sk_buff *skb, enum mw_place place,
				  struct mw_reading *r)
{
	unsigned int start = skb_network_offset(skb), room = skb->len - start, header;
	const struct iphdr *iph = skb_header_pointer(skb, start, sizeof(r->ip), &r->ip);
	unsigned int frag_offset;

	/* without a header it is nobody's */
	if (!iph || iph->protocol != IPPROTO_TCP)
		return MW_READ_PASS;
	r->source = &iph->saddr;
	r->target = &iph->daddr;
	r->length = room;
	if (place == MW_PLACE_BRIDGED) {
		if (!mw_ipv4_valid(skb, iph, room))
			return MW_READ_MALFORMED;
		/* what comes after it is padding */
		r->length = ntohs(iph->tot_len) ?: room;
	}
	frag_offset = (ntohs(iph->frag_off) & IP_OFFSET) * MW_FRAGMENT_UNIT;
	/* At LOCAL_OUT only raw sockets send these (IP_NODEFRAG); LOCAL_IN sees none. */
	if (frag_offset)
		return mw_overwrites(place, frag_offset) ? MW_READ_MALFORMED : MW_READ_PASS;
	header = iph->ihl * 4;
	/* which not every raw_send_hdrinc() refuses */
	if (header < sizeof(*iph))
		return MW_READ_MALFORMED;
	r->whole = !(iph->frag_off & htons(IP_MF));
	r->routed = header > sizeof(*iph) && mw_ipv4_routed(skb, header - sizeof(*iph));
	return mw_read_tcp(skb, start + header, start + r->length, r);
}

/*
 * Is this a fragment that somebody else might put together to something else? @begin: of
 * the fragmentable part of a first one, else 0.
 */
static enum mw_read mw_read_fragment(const struct sk_buff *skb, unsigned int *begin)
{
	const struct frag_hdr *fragment;
	unsigned short frag_offset = 0;
	unsigned int offset = 0;
	struct frag_hdr buffer;
	int flags = 0, found;

	*begin = 0;
	found = ipv6_find_hdr(skb, &offset, NEXTHDR_FRAGMENT, &frag_offset, &flags);
	if (found == -EBADMSG)
		return MW_READ_MALFORMED;
	if (found < 0)
		return MW_READ_TCP;
	if (frag_offset)
		return mw_overwrites(MW_PLACE_ROUTED, frag_offset) ? MW_READ_MALFORMED :
								     MW_READ_PASS;
	fragment = skb_header_pointer(skb, offset, sizeof(buffer), &buffer);
	/* one that no other follows is put together with none (RFC 6946) */
	if (fragment && fragment->frag_off & htons(IP6_MF))
		*begin = offset + sizeof(buffer);
	return MW_READ_TCP;
}

/*
 * The same of a fragment that lies within another one, where mw_read_fragment() sees the
 * outer one only. -ENOENT: more extension headers follow one with an offset, where none can.
 */
static bool mw_fragment_within(const struct sk_buff *skb)
{
	unsigned short frag_offset = 0;
	unsigned int offset = 0;

	return ipv6_find_hdr(skb, &offset, -1, &frag_offset, NULL) < 0 ||
	       (frag_offset && mw_overwrites(MW_PLACE_ROUTED, frag_offset));
}

enum mw_read mw_segment_read_ipv6(const struct sk_buff *skb, enum mw_place place,
				  struct mw_reading *r)
{
	unsigned int start = skb_network_offset(skb), room = skb->len - start;
	const struct ipv6hdr *ip6h = skb_header_pointer(skb, start, sizeof(r->ip6), &r->ip6);
	unsigned int offset = 0, route = 0, begin = 0, length;
	/* a routing header with no segment left is passed over */
	int flags = 0, left = IP6_FH_F_SKIP_RH, found;
	unsigned short frag_offset;
	enum mw_read read;

	if (!ip6h)
		return MW_READ_PASS;
	r->source = &ip6h->saddr;
	r->target = &ip6h->daddr;
	r->length = room;
	if (place == MW_PLACE_BRIDGED) {
		length = ntohs(ip6h->payload_len) + sizeof(*ip6h);
		/* What ip6_rcv_core() would drop. */
		if (ip6h->version != 6 || length > room)
			return MW_READ_MALFORMED;
		/* 0 as in IPv4, or before a jumbo option */
		if (ip6h->payload_len || (!skb_is_gso(skb) && ip6h->nexthdr != NEXTHDR_HOP))
			r->length = length;
	}
	if (place != MW_PLACE_HOST) {
		read = mw_read_fragment(skb, &begin);
		if (read != MW_READ_TCP)
			return read;
	}
	found = ipv6_find_hdr(skb, &offset, IPPROTO_TCP, &frag_offset, &flags);
	/*
	 * -ENOENT: the chain ends in something else, or in a fragment with an offset.
	 * -EBADMSG: it cannot be walked, whatever it would have carried.
	 */
	if (found == -ENOENT)
		return place != MW_PLACE_HOST && mw_fragment_within(skb) ? MW_READ_MALFORMED :
									   MW_READ_PASS;
	if (found < 0)
		return MW_READ_MALFORMED;
	r->whole = !(flags & IP6_FH_F_FRAG);
	r->routed = ipv6_find_hdr(skb, &route, NEXTHDR_ROUTING, NULL, &left) >= 0;
	read = mw_read_tcp(skb, offset, start + r->length, r);
	if (read == MW_READ_TCP && begin &&
	    offset + mw_data_offset_bytes(mw_data_offset_byte(r->th)) > begin + MW_FIRST_FRAGMENT)
		return MW_READ_MALFORMED;
	return read;
}
