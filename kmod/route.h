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

#endif /* _MW_ROUTE_H */
