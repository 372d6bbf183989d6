// SPDX-License-Identifier: GPL-2.0
/* Bounded reading of what lies below IP in a bridge. */
#include "frame.h"
#include <linux/if_ether.h>
#include <linux/if_vlan.h>
#include <linux/ppp_defs.h>

/* Whoever puts more tags around IP than this wants it not to be found. */
#define MW_TAGS_MAX 2
/* And whoever puts more than this is heard by nobody. */
#define MW_TAGS_WALKED 16

/* struct pppoe_hdr, whose own header sparse complains of */
#define MW_PPPOE_HEADER 6

/*
 * The protocol behind a PPPoE session header (RFC 2516), in one byte or two, since receivers
 * take the short form although it may not be sent (RFC 1661 section 6.5).
 */
static __be16 mw_pppoe_read(const struct sk_buff *skb, unsigned int *offset)
{
	u8 buffer[2];
	const u8 *protocol;
	unsigned int number, size = 1;

	*offset += MW_PPPOE_HEADER;
	protocol = skb_header_pointer(skb, *offset, sizeof(buffer), buffer);
	if (!protocol)
		return 0;
	number = protocol[0];
	if (!(number & 1)) {
		number = number << 8 | protocol[1];
		size = 2;
	}
	*offset += size;
	if (number == PPP_IP)
		return htons(ETH_P_IP);
	return number == PPP_IPV6 ? htons(ETH_P_IPV6) : 0;
}

/* 802.1Q and 802.1ad, and what others used for the outer tag before that. */
static bool mw_is_tag(__be16 protocol)
{
	return eth_type_vlan(protocol) || protocol == htons(ETH_P_QINQ1) ||
	       protocol == htons(ETH_P_QINQ2) || protocol == htons(ETH_P_QINQ3);
}

struct mw_frame mw_frame_read(const struct sk_buff *skb)
{
	unsigned int tags = skb_vlan_tag_present(skb) ? 1 : 0;
	struct mw_frame frame = { 0 };
	__be16 protocol = skb->protocol;

	while (mw_is_tag(protocol)) {
		struct vlan_hdr buffer;
		const struct vlan_hdr *tag;

		tag = skb_header_pointer(skb, frame.offset, sizeof(buffer), &buffer);
		if (!tag || ++tags > MW_TAGS_WALKED)
			return frame;
		frame.offset += sizeof(*tag);
		protocol = tag->h_vlan_encapsulated_proto;
	}
	if (protocol == htons(ETH_P_PPP_SES))
		protocol = mw_pppoe_read(skb, &frame.offset);
	frame.ip = protocol == htons(ETH_P_IP) || protocol == htons(ETH_P_IPV6);
	frame.ipv6 = protocol == htons(ETH_P_IPV6);
	frame.deep = tags > MW_TAGS_MAX;
	return frame;
}
