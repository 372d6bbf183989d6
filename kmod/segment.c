// SPDX-License-Identifier: GPL-2.0
/*
 * Bounded reading of the packets that are not plain: IPv4 options, fragments,
 * IPv6 extension headers, headers outside the linear data.
 */
#include "segment.h"
#include <net/ip.h>
#include <net/ipv6.h>

static enum mw_read mw_read_tcp(const struct sk_buff *skb, unsigned int offset,
				struct tcphdr *buffer, const struct tcphdr **th)
{
	*th = skb_header_pointer(skb, offset, sizeof(*buffer), buffer);
	/*
	 * A first fragment must hold the whole header, options included (RFC 7112,
	 * RFC 8200 section 4.5), so that what is judged is all that is delivered.
	 */
	if (!*th || !mw_data_offset_valid((*th)->doff, skb->len - offset))
		return MW_READ_MALFORMED;
	return MW_READ_TCP;
}

enum mw_read mw_segment_read_ipv4(const struct sk_buff *skb, struct tcphdr *buffer,
				  const struct tcphdr **th)
{
	const struct iphdr *iph = ip_hdr(skb);

	/* Only raw sockets send these here (IP_NODEFRAG); LOCAL_IN sees none. */
	if (iph->frag_off & htons(IP_OFFSET))
		return MW_READ_PASS;
	/* which not every raw_send_hdrinc() refuses */
	if (iph->ihl < 5)
		return MW_READ_MALFORMED;
	return mw_read_tcp(skb, skb_network_offset(skb) + iph->ihl * 4, buffer, th);
}

enum mw_read mw_segment_read_ipv6(const struct sk_buff *skb, struct tcphdr *buffer,
				  const struct tcphdr **th)
{
	unsigned int offset = 0;
	unsigned short frag_offset;
	int found = ipv6_find_hdr(skb, &offset, IPPROTO_TCP, &frag_offset, NULL);

	/*
	 * -ENOENT: the chain ends in something else, or in a fragment with an offset.
	 * -EBADMSG: it cannot be walked, whatever it would have carried.
	 */
	if (found == -ENOENT)
		return MW_READ_PASS;
	if (found < 0)
		return MW_READ_MALFORMED;
	return mw_read_tcp(skb, offset, buffer, th);
}
