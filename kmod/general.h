/* SPDX-License-Identifier: GPL-2.0 */
/* Any packet, by any policy, at any hook. */
#ifndef _MW_GENERAL_H
#define _MW_GENERAL_H

#include "net.h"
#include "segment.h"
#include <linux/netfilter.h>

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
