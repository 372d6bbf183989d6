// SPDX-License-Identifier: GPL-2.0
/* The host's routes, asked for where an address is. */
#include "route.h"
#include <linux/string.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/l3mdev.h>
#include <net/route.h>

/*
 * A VRF's routes are asked by its device as the one that the packet comes in by, as packets
 * from its ports have it: l3mdev_update_flow() takes that in every kernel, where
 * flowi_l3mdev is missing in the older ones of 5.10.
 */

/* @l3mdev: the VRF whose routes are asked, 0 for none */
static bool mw_route_find_ipv4(struct net *net, const void *address, int l3mdev,
			       struct fib_result *res)
{
	struct flowi4 fl4 = {
		.flowi4_scope = RT_SCOPE_UNIVERSE,
		.flowi4_iif = l3mdev ?: LOOPBACK_IFINDEX,
	};

	memcpy(&fl4.daddr, address, sizeof(fl4.daddr));
	return !fib_lookup(net, &fl4, res, FIB_LOOKUP_IGNORE_LINKSTATE) && res->type == RTN_UNICAST;
}

#if IS_ENABLED(CONFIG_IPV6)
/* @dev: a device whose VRF is asked, and whose link a link-local address is on, or NULL */
static struct net_device *mw_route_find_ipv6(struct net *net, const void *address,
					     const struct net_device *dev)
{
	struct flowi6 fl6 = {
		.flowi6_iif = l3mdev_master_ifindex_rcu(dev) ?: LOOPBACK_IFINDEX,
	};
	const struct rt6_info *rt;
	struct net_device *found = NULL;

	memcpy(&fl6.daddr, address, sizeof(fl6.daddr));
	/* a link-local address is on every link */
	if (ipv6_addr_type(&fl6.daddr) & IPV6_ADDR_LINKLOCAL) {
		if (!dev)
			return NULL;
		fl6.flowi6_oif = dev->ifindex;
	}
	rt = (const void *)ip6_route_lookup(net, &fl6, NULL, dev ? RT6_LOOKUP_F_IFACE : 0);
	if (!rt->dst.error && !(rt->rt6i_flags & (RTF_REJECT | RTF_ANYCAST | RTF_LOCAL)))
		found = rt->rt6i_idev->dev;
	dst_release((struct dst_entry *)&rt->dst);
	return found;
}
#endif

bool mw_route_leads(struct net *net, bool ipv6, const void *address, const struct net_device *dev)
{
	struct fib_result res;

#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6)
		return mw_route_find_ipv6(net, address, dev) == dev;
#endif
	return mw_route_find_ipv4(net, address, l3mdev_master_ifindex_rcu(dev), &res) &&
	       fib_info_nh_uses_dev(res.fi, dev);
}

int mw_route_device(struct net *net, bool ipv6, const void *address)
{
	struct fib_result res;

#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6) {
		const struct net_device *dev = mw_route_find_ipv6(net, address, NULL);

		return dev ? dev->ifindex : 0;
	}
#endif
	return mw_route_find_ipv4(net, address, 0, &res) ? FIB_RES_DEV(res)->ifindex : 0;
}
