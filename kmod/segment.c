// SPDX-License-Identifier: GPL-2.0
/*
 * Bounded reading of the packets that are not plain: IPv4 options, fragments,
 * IPv6 extension headers, headers outside the linear data.
 */
#include "segment.h"

static enum mw_read mw_read_tcp(const struct sk_buff *skb, unsigned int offset,
				struct mw_reading *r)
{
	r->th = skb_header_pointer(skb, offset, sizeof(r->buffer), &r->buffer);
	/*
	 * A first fragment must hold the whole header, options included (RFC 7112,
	 * RFC 8200 section 4.5), so that what is judged is all that is delivered.
	 */
	if (!r->th || !mw_data_offset_valid(mw_data_offset_byte(r->th), skb->len - offset))
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

enum mw_read mw_segment_read_ipv4(const struct sk_buff *skb, struct mw_reading *r)
{
	const struct iphdr *iph = ip_hdr(skb);
	unsigned int header = iph->ihl * 4;

	/* Only raw sockets send these here (IP_NODEFRAG); LOCAL_IN sees none. */
	if (iph->frag_off & htons(IP_OFFSET))
		return MW_READ_PASS;
	/* which not every raw_send_hdrinc() refuses */
	if (header < sizeof(*iph))
		return MW_READ_MALFORMED;
	r->whole = !(iph->frag_off & htons(IP_MF));
	r->routed = header > sizeof(*iph) && mw_ipv4_routed(skb, header - sizeof(*iph));
	return mw_read_tcp(skb, skb_network_offset(skb) + header, r);
}

enum mw_read mw_segment_read_ipv6(const struct sk_buff *skb, struct mw_reading *r)
{
	unsigned int offset = 0, route = 0;
	/* a routing header with no segment left is passed over */
	int flags = 0, left = IP6_FH_F_SKIP_RH;
	unsigned short frag_offset;
	int found = ipv6_find_hdr(skb, &offset, IPPROTO_TCP, &frag_offset, &flags);

	/*
	 * -ENOENT: the chain ends in something else, or in a fragment with an offset.
	 * -EBADMSG: it cannot be walked, whatever it would have carried.
	 */
	if (found == -ENOENT)
		return MW_READ_PASS;
	if (found < 0)
		return MW_READ_MALFORMED;
	r->whole = !(flags & IP6_FH_F_FRAG);
	r->routed = ipv6_find_hdr(skb, &route, NEXTHDR_ROUTING, NULL, &left) >= 0;
	return mw_read_tcp(skb, offset, r);
}
