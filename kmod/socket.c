// SPDX-License-Identifier: GPL-2.0
/*
 * Look-ups in the host's own TCP socket table.
 */
#include "socket.h"
#include "compat.h"
#include <linux/string.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/l3mdev.h>

/* Both look-ups return a socket of any of the three kinds, with a reference. */
static bool mw_found(struct sock *sk)
{
	if (!sk)
		return false;
	sock_gen_put(sk);
	return true;
}

bool mw_socket_look_up_ipv4(struct net *net, const struct sk_buff *skb, const struct tcphdr *th)
{
	const struct iphdr *iph = ip_hdr(skb);

	return mw_found(mw_inet_lookup_established(net, iph->saddr, th->source, iph->daddr,
						   ntohs(th->dest), inet_iif(skb),
						   mw_inet_sdif(skb)));
}

bool mw_socket_look_up_ipv6(struct net *net, const struct sk_buff *skb, const struct tcphdr *th)
{
#if IS_ENABLED(CONFIG_IPV6)
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return mw_found(mw_inet6_lookup_established(net, &ip6h->saddr, th->source, &ip6h->daddr,
						    ntohs(th->dest), inet6_iif(skb),
						    inet6_sdif(skb)));
#else
	return false;
#endif
}

bool mw_socket_exists(struct net *net, u8 family, const void *peer, __be16 peer_port,
		      const void *own, u16 own_port, int ifindex)
{
	/* as for a segment that passed a VRF device: the VRF, then the real device */
	int master = l3mdev_master_ifindex_by_index(net, ifindex);
	int dif = master ? master : ifindex, sdif = master ? ifindex : 0;
	__be32 peer4, own4;

#if IS_ENABLED(CONFIG_IPV6)
	if (family == AF_INET6)
		return mw_found(mw_inet6_lookup_established(net, peer, peer_port, own, own_port,
							    dif, sdif));
#endif
	memcpy(&peer4, peer, sizeof(peer4));
	memcpy(&own4, own, sizeof(own4));
	return mw_found(
		mw_inet_lookup_established(net, peer4, peer_port, own4, own_port, dif, sdif));
}
