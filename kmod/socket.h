/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The connection behind a segment: the host's own TCP socket table, asked as
 * tcp_v4_rcv() and tcp_v6_rcv() ask it, listeners left out.
 */
#ifndef _MW_SOCKET_H
#define _MW_SOCKET_H

#include "compat.h"
#include <linux/ip.h>
#include <linux/ipv6.h>
#include <linux/skbuff.h>
#include <linux/tcp.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/ipv6.h>
#include <net/sock.h>
#include <net/tcp_states.h>

/* SYN-SENT through TIME-WAIT: all that are neither closed nor listening */
#define MW_CONNECTED_STATES (~(TCPF_CLOSE | TCPF_LISTEN))

/**
 * mw_socket_is_ipv4() - is this socket the connection that a segment belongs to?
 * @sk: full, request or timewait socket: they share struct sock_common
 * @iph: inbound segment
 * @th: its ports
 *
 * Early demux leaves the connection in skb->sk, but TPROXY and bpf_sk_assign()
 * may leave any other socket there. A dual-stack socket (AF_INET6) holds the
 * addresses of an IPv4 connection in the same place; those of an IPv6 one have
 * another form in skc_v6_daddr.
 */
static __always_inline bool mw_socket_is_ipv4(const struct sock *sk, const struct iphdr *iph,
					      const struct tcphdr *th)
{
#if BITS_PER_LONG == 64
	INET_ADDR_COOKIE(addresses, iph->saddr, iph->daddr);

	if (sk->sk_addrpair != addresses)
		return false;
#else
	if (sk->sk_daddr != iph->saddr || sk->sk_rcv_saddr != iph->daddr)
		return false;
#endif
	if (sk->sk_dport != th->source || sk->sk_num != ntohs(th->dest) ||
	    !((1 << sk->sk_state) & MW_CONNECTED_STATES))
		return false;
	if (likely(sk->sk_family == AF_INET))
		return true;
#if IS_ENABLED(CONFIG_IPV6)
	return sk->sk_family == AF_INET6 && ipv6_addr_v4mapped(&sk->sk_v6_daddr);
#else
	return false;
#endif
}

/**
 * mw_socket_is_ipv6() - the same for IPv6
 * @sk: socket
 * @ip6h: inbound segment
 * @th: its ports
 */
static __always_inline bool mw_socket_is_ipv6(const struct sock *sk, const struct ipv6hdr *ip6h,
					      const struct tcphdr *th)
{
#if IS_ENABLED(CONFIG_IPV6)
	return (1 << sk->sk_state) & MW_CONNECTED_STATES && sk->sk_family == AF_INET6 &&
	       sk->sk_dport == th->source && sk->sk_num == ntohs(th->dest) &&
	       ipv6_addr_equal(&sk->sk_v6_daddr, &ip6h->saddr) &&
	       ipv6_addr_equal(&sk->sk_v6_rcv_saddr, &ip6h->daddr);
#else
	return false;
#endif
}

/**
 * mw_socket_find_ipv4() - look for the connection of an inbound segment
 * @net: network namespace
 * @skb: segment, as LOCAL_IN sees it
 * @th: its TCP header
 *
 * Early demux leaves none in skb->sk when a sysctl switches it off, for later
 * packets of a receive batch, and for segments with IPv6 extension headers.
 *
 * Context: RCU read side, bottom halves on or off.
 *
 * Return: a full, request or timewait socket, with a reference; NULL if there is none.
 */
static __always_inline struct sock *mw_socket_find_ipv4(struct net *net, const struct sk_buff *skb,
							const struct tcphdr *th)
{
	const struct iphdr *iph = ip_hdr(skb);

	return mw_inet_lookup_established(net, iph->saddr, th->source, iph->daddr, ntohs(th->dest),
					  inet_iif(skb), mw_inet_sdif(skb));
}

/**
 * mw_socket_find_ipv6() - the same for IPv6
 * @net: network namespace
 * @skb: segment, as LOCAL_IN sees it
 * @th: its TCP header
 */
static __always_inline struct sock *mw_socket_find_ipv6(struct net *net, const struct sk_buff *skb,
							const struct tcphdr *th)
{
#if IS_ENABLED(CONFIG_IPV6)
	const struct ipv6hdr *ip6h = ipv6_hdr(skb);

	return mw_inet6_lookup_established(net, &ip6h->saddr, th->source, &ip6h->daddr,
					   ntohs(th->dest), inet6_iif(skb), inet6_sdif(skb));
#else
	return NULL;
#endif
}

/**
 * mw_socket_leave() - let TCP have the socket that was found
 * @skb: inbound segment, whole
 * @sk: from mw_socket_find_ipv4() or mw_socket_find_ipv6(); its reference is taken over
 *
 * As tcp_v4_early_demux() does, so that TCP need not look again: skb_steal_sock(). What
 * somebody else has put there is his to choose.
 */
static __always_inline void mw_socket_leave(struct sk_buff *skb, struct sock *sk)
{
	if (unlikely(skb->sk)) {
		sock_gen_put(sk);
		return;
	}
	skb->sk = sk;
	skb->destructor = sock_edemux;
}

/**
 * mw_socket_is_demuxed() - has early demux left the connection in skb->sk?
 * @skb: inbound segment
 * @th: its TCP header
 * @ipv6: its family
 */
static __always_inline bool mw_socket_is_demuxed(const struct sk_buff *skb, const struct tcphdr *th,
						 bool ipv6)
{
	const struct sock *sk = skb->sk;

	return sk && (ipv6 ? mw_socket_is_ipv6(sk, ipv6_hdr(skb), th) :
			     mw_socket_is_ipv4(sk, ip_hdr(skb), th));
}

/**
 * mw_socket_is_connected() - does this host hold the connection of an inbound segment?
 * @net: network namespace
 * @skb: segment, as LOCAL_IN sees it; the socket is left in it if it is @whole
 * @th: its TCP header
 * @ipv6: its family
 * @whole: no fragment: what is put together of those later is another packet
 *
 * Context: RCU read side, bottom halves on or off.
 */
static __always_inline bool mw_socket_is_connected(struct net *net, struct sk_buff *skb,
						   const struct tcphdr *th, bool ipv6, bool whole)
{
	struct sock *sk;

	if (mw_socket_is_demuxed(skb, th, ipv6))
		return true;
	sk = ipv6 ? mw_socket_find_ipv6(net, skb, th) : mw_socket_find_ipv4(net, skb, th);
	if (!sk)
		return false;
	if (whole)
		mw_socket_leave(skb, sk);
	else
		sock_gen_put(sk);
	return true;
}

/**
 * mw_socket_exists() - look for the connection of a segment that is only described
 * @net: network namespace
 * @family: AF_INET or AF_INET6
 * @peer: address of the other side, network order
 * @peer_port: network order
 * @own: address of this side
 * @own_port: host order
 * @ifindex: device that the segment arrives on; a socket bound to a device
 *           is found only with it
 *
 * Context: RCU read side.
 */
bool mw_socket_exists(struct net *net, u8 family, const void *peer, __be16 peer_port,
		      const void *own, u16 own_port, int ifindex);

#endif /* _MW_SOCKET_H */
