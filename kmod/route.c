// SPDX-License-Identifier: GPL-2.0
/* The host's routes, asked for where an address is. */
#include "route.h"
#include <linux/string.h>
#include <net/ip6_fib.h>
#include <net/ip6_route.h>
#include <net/ip_fib.h>
#include <net/l3mdev.h>
#include <net/route.h>

static bool mw_route_leads_ipv4(struct net *net, const void *address, const struct net_device *dev)
{
	struct flowi4 fl4 = {
		.flowi4_scope = RT_SCOPE_UNIVERSE,
		.flowi4_iif = LOOPBACK_IFINDEX,
		.flowi4_l3mdev = l3mdev_master_ifindex_rcu(dev),
	};
	struct fib_result res;

	memcpy(&fl4.daddr, address, sizeof(fl4.daddr));
	return !fib_lookup(net, &fl4, &res, FIB_LOOKUP_IGNORE_LINKSTATE) &&
	       res.type == RTN_UNICAST && fib_info_nh_uses_dev(res.fi, dev);
}

#if IS_ENABLED(CONFIG_IPV6)
static bool mw_route_leads_ipv6(struct net *net, const void *address, const struct net_device *dev)
{
	struct flowi6 fl6 = {
		.flowi6_iif = LOOPBACK_IFINDEX,
		.flowi6_l3mdev = l3mdev_master_ifindex_rcu(dev),
	};
	const struct rt6_info *rt;
	bool leads;

	memcpy(&fl6.daddr, address, sizeof(fl6.daddr));
	/* a link-local address is on every link */
	if (ipv6_addr_type(&fl6.daddr) & IPV6_ADDR_LINKLOCAL)
		fl6.flowi6_oif = dev->ifindex;
	rt = (const void *)ip6_route_lookup(net, &fl6, NULL, RT6_LOOKUP_F_IFACE);
	leads = !rt->dst.error && !(rt->rt6i_flags & (RTF_REJECT | RTF_ANYCAST | RTF_LOCAL)) &&
		rt->rt6i_idev->dev == dev;
	dst_release((struct dst_entry *)&rt->dst);
	return leads;
}
#endif

bool mw_route_leads(struct net *net, bool ipv6, const void *address, const struct net_device *dev)
{
#if IS_ENABLED(CONFIG_IPV6)
	if (ipv6)
		return mw_route_leads_ipv6(net, address, dev);
#endif
	return mw_route_leads_ipv4(net, address, dev);
}
