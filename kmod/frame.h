/* SPDX-License-Identifier: GPL-2.0 */
/* What lies below IP in a bridge: VLAN tags and PPPoE sessions. */
#ifndef _MW_FRAME_H
#define _MW_FRAME_H

#include <linux/skbuff.h>

/**
 * struct mw_frame - where IP is in a frame
 * @offset: of the IP header, from where the data begins
 * @ip: there is one
 * @ipv6: its family
 * @deep: it lies below more VLAN tags than are looked through
 */
struct mw_frame {
	unsigned int offset;
	bool ip;
	bool ipv6;
	bool deep;
};

/**
 * mw_frame_read() - find the IP header of a frame
 * @skb: as the bridge family's hooks see it: its data begins behind the Ethernet header, a
 *       VLAN tag may be in it or beside it
 *
 * Context: any; on the packet path.
 */
struct mw_frame mw_frame_read(const struct sk_buff *skb);

#endif /* _MW_FRAME_H */
