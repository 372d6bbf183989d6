/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What mailwall keeps for a network namespace. Every other room has its part in here;
 * this one says where it lives and how long.
 */
#ifndef _MW_NET_H
#define _MW_NET_H

#include "policy.h"
#include "stats.h"
#include <linux/cache.h>
#include <linux/hrtimer.h>
#include <linux/list.h>
#include <linux/mutex.h>
#include <linux/netfilter.h>
#include <linux/ratelimit.h>
#include <linux/spinlock.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#define MW_HOOKS 9

struct mw_flow_table;

/* The policy in force, the one to go back to, and the one that is about to be. */
#define MW_WATCHED 3

/**
 * struct mw_watched - a list of gateways whose devices are looked for
 * @gateways: list, NULL for none
 * @spec: what it was built of
 */
struct mw_watched {
	struct mw_gateways *gateways;
	const struct mw_spec *spec;
};

/**
 * struct mw_net - what mailwall keeps for a network namespace
 * @policy: in force, never NULL; read under RCU
 * @counted: counters
 * @flows: what gateways behind have sent, allocated with the first of them that is set
 * @net: the namespace itself; no reference is held, this lives inside it
 * @ops: the hooks, never written once they are registered (hook.c)
 * @mutex: for all that follows, and for replacing @policy. Each namespace has its own,
 *         since it is held across a grace period: no container keeps the host waiting
 * @fallback: the policy to go back to while a change waits to be confirmed, else NULL
 * @deadline: boot time at which the waiting change reverts
 * @timer: rings at @deadline, also after a suspend
 * @revert: does that
 * @hooked: sets of hooks that are registered, MW_HOOK_*
 * @watched_lock: for @watched (device.c)
 * @watched: lists of gateways whose devices are looked for
 * @traced: in the list of trace.c
 * @complaints: rate limit of what a refused write leaves in the kernel log
 * @changes: rate limit of the lines about changes that were made
 * @log_limit: rate limit of logged denials; packets write it, so it lies in no cache
 *             line with what they read
 */
struct mw_net {
	struct mw_policy __rcu *policy;
	struct mw_counted counted;
	struct mw_flow_table *flows;
	struct net *net;
	struct nf_hook_ops ops[MW_HOOKS];
	struct mutex mutex;
	struct mw_policy *fallback;
	ktime_t deadline;
	struct hrtimer timer;
	struct work_struct revert;
	unsigned int hooked;
	spinlock_t watched_lock;
	struct mw_watched watched[MW_WATCHED];
	struct list_head traced;
	struct ratelimit_state complaints;
	struct ratelimit_state changes;
	struct ratelimit_state log_limit ____cacheline_aligned_in_smp;
};

/* where net_generic() finds it; for the pernet_operations in main.c */
extern unsigned int mw_net_id;

/**
 * mw_net_of() - what mailwall keeps for a namespace
 * @net: namespace
 */
struct mw_net *mw_net_of(const struct net *net);

#endif /* _MW_NET_H */
