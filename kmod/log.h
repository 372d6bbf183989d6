/* SPDX-License-Identifier: GPL-2.0 */
/* Denied segments in the kernel's own packet log. */
#ifndef _MW_LOG_H
#define _MW_LOG_H

#include "net.h"
#include "stats.h"

/**
 * mw_log_get() - keep a logger there
 * @log: enum mailwall_log
 *
 * Context: may sleep. Loads the logger's module if it is not there, whose init takes
 * pernet_ops_rwsem, which the end of a namespace holds while it waits for the mutex in
 * struct mw_net: so under no lock, but for a logger that is kept there already.
 *
 * Return: 0, or -ENOENT if it is not there for both families.
 */
int mw_log_get(u16 log);

/**
 * mw_log_put() - let the logger go
 * @log: as for mw_log_get()
 */
void mw_log_put(u16 log);

/**
 * mw_log_denial() - log a denied segment
 * @mn: namespace
 * @skb: packet
 * @state: hook
 * @ipv6: family of the packet, which @state does not tell in a bridge
 * @policy: policy that denied it; its log is not off
 * @direction: enum mailwall_direction
 * @reason: enum mailwall_reason
 *
 * Context: packet path; RCU read side. The kernel log is rate limited (10 lines
 * in 5 seconds), nflog is not: its reader chooses what it can take.
 */
void mw_log_denial(struct mw_net *mn, const struct sk_buff *skb, const struct nf_hook_state *state,
		   bool ipv6, const struct mw_policy *policy, u8 direction, unsigned int reason);

#endif /* _MW_LOG_H */
