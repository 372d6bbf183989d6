/* SPDX-License-Identifier: GPL-2.0 */
/* By which device this host reaches an address. */
#ifndef _MW_ROUTE_H
#define _MW_ROUTE_H

#include <linux/netdevice.h>

/**
 * mw_route_leads() - does a route of this host lead to an address by a device?
 * @net: network namespace
 * @ipv6: family of @address
 * @address: network order
 * @dev: device
 *
 * Asked for an address that claims to be on that device, as nft's "fib saddr . iif oif" is
 * (nft_fib4_eval(), nft_fib6_eval()).
 *
 * Context: packet path; RCU read side.
 */
bool mw_route_leads(struct net *net, bool ipv6, const void *address, const struct net_device *dev);

/**
 * mw_may_note() - may a segment note its flow in a gateway's name?
 * @net: network namespace
 * @bridged: it is met in a bridge, where its port says who sent it
 * @ipv6: its family
 * @source: its source address, the gateway's
 * @in: device that it came in by
 *
 * So that nobody elsewhere does. Context: as mw_route_leads().
 */
static inline bool mw_may_note(struct net *net, bool bridged, bool ipv6, const void *source,
			       const struct net_device *in)
{
	return bridged || mw_route_leads(net, ipv6, source, in);
}

/**
 * mw_route_device() - the device by which this host reaches an address
 * @net: network namespace
 * @ipv6: family of @address
 * @address: network order
 *
 * Of a route with several next hops one of them. Context: RCU read side.
 *
 * Return: its index; 0 where no route leads to another host.
 */
int mw_route_device(struct net *net, bool ipv6, const void *address);

#endif /* _MW_ROUTE_H */
