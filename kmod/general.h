/* SPDX-License-Identifier: GPL-2.0 */
/* Any packet, by any policy, at any hook. */
#ifndef _MW_GENERAL_H
#define _MW_GENERAL_H

#include "net.h"
#include "segment.h"
#include <linux/jiffies.h>
#include <linux/math64.h>
#include <linux/netfilter.h>
#include <net/dst.h>
#include <net/l3mdev.h>

/*
 * Is a segment that would be denied somebody else's to deny?
 *
 * At LOCAL_IN, what ipvlan (L3S) has routed to another namespace is not ours. At LOCAL_OUT, a
 * segment that a VRF device passes on comes again, by the real device, and only what is
 * said then reaches connect(2): vrf_ip_out_direct() swallows errors.
 */
static __always_inline bool mw_is_others(const struct sk_buff *skb,
					 const struct nf_hook_state *state, bool at_local_in)
{
	/* Ask the packet again: the path that comes here rarely has no register to spare. */
	OPTIMIZER_HIDE_VAR(skb);
	if (at_local_in)
		return unlikely(!net_eq(dev_net(skb_dst(skb)->dev), state->net));
	return unlikely(netif_is_l3_master(state->out)) && skb_dst(skb)->dev != state->out;
}

/*
 * Seconds, for flows. As ktime_get_seconds() they neither go back nor count in a suspend;
 * and four instructions tell them, where a call would have registers saved for it.
 */
static __always_inline u64 mw_now(void)
{
	return div_u64(get_jiffies_64(), HZ);
}

/**
 * mw_general() - judge, count, log and act on a packet, from the start
 * @mn: namespace
 * @skb: packet, whose network header is set
 * @state: hook
 * @place: where it is met
 * @ipv6: family of the packet, which @state does not tell in a bridge
 * @malformed: whatever it turns out to be; only in a bridge
 *
 * By the same steps as the shorter ways for plain packets, which lead here.
 *
 * Context: packet path; RCU read side.
 *
 * Return: netfilter's verdict.
 */
unsigned int mw_general(struct mw_net *mn, struct sk_buff *skb, const struct nf_hook_state *state,
			enum mw_place place, bool ipv6, bool malformed);

#endif /* _MW_GENERAL_H */
