// SPDX-License-Identifier: GPL-2.0
/*
 * Look-ups in the host's own TCP socket table.
 */
#include "socket.h"
#include <linux/string.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>

static bool mw_socket_found(struct sock *sk)
{
	if (!sk)
		return false;
	sock_gen_put(sk);
	return true;
}

bool mw_socket_exists(struct net *net, u8 family, const void *peer, __be16 peer_port,
		      const void *own, u16 own_port, int ifindex)
{
	/* as for a segment that passed a VRF device: the VRF, then the real device */
	int master = l3mdev_master_ifindex_by_index(net, ifindex);
	int dif = master ? master : ifindex, sdif = master ? ifindex : 0;
	__be32 peer4, own4;

	if (family == AF_INET6) {
#if IS_ENABLED(CONFIG_IPV6)
		return mw_socket_found(mw_inet6_lookup_established(net, peer, peer_port, own,
								   own_port, dif, sdif));
#else
		return false;
#endif
	}
	memcpy(&peer4, peer, sizeof(peer4));
	memcpy(&own4, own, sizeof(own4));
	return mw_socket_found(
		mw_inet_lookup_established(net, peer4, peer_port, own4, own_port, dif, sdif));
}
