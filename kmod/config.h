/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The policy of a network namespace: built whole, checked, swapped under one
 * mutex, freed after a grace period; and the way back.
 */
#ifndef _MW_CONFIG_H
#define _MW_CONFIG_H

#include "policy.h"
#include "stats.h"
#include <linux/cache.h>
#include <linux/netfilter.h>
#include <linux/ratelimit.h>
#include <linux/workqueue.h>
#include <net/net_namespace.h>

#define MW_HOOKS 4

/**
 * struct mw_net - what mailwall keeps for a network namespace
 * @policy: in force, never NULL; read under RCU
 * @stats: counters, allocated with the first policy that is set, before hooks
 * @net: the namespace itself; no reference is held, this lives inside it
 * @ops: the hooks, never written once they are registered
 * @fallback: the policy to go back to while a change waits to be confirmed, else
 *            NULL (this and what follows: under the mutex of config.c)
 * @deadline: jiffies at which the waiting change reverts
 * @revert: does that
 * @generation: counts the policies of this namespace
 * @hooked: hooks are registered
 * @log_limit: rate limit of the kernel log; packets write it, so it lies in no cache
 *             line with what they read
 */
struct mw_net {
	struct mw_policy __rcu *policy;
	struct mw_stats __percpu *stats;
	struct net *net;
	struct nf_hook_ops ops[MW_HOOKS];
	struct mw_policy *fallback;
	unsigned long deadline;
	struct delayed_work revert;
	u64 generation;
	bool hooked;
	struct ratelimit_state log_limit ____cacheline_aligned_in_smp;
};

/**
 * mw_config_setup() - make the policy that every namespace starts with
 *
 * Mode off, no ADM, no site row; one object for all of them, never freed before
 * mw_config_teardown().
 *
 * Return: 0, or -ENOMEM.
 */
int mw_config_setup(void);
void mw_config_teardown(void);

/**
 * mw_config_init() - start a namespace
 * @mn: zeroed
 * @net: the namespace
 */
void mw_config_init(struct mw_net *mn, struct net *net);

/**
 * mw_config_stop() - take hooks and delayed work of a namespace away
 * @mn: a namespace that no control interface reaches any more
 *
 * A grace period must follow before mw_config_clean(). May sleep.
 */
void mw_config_stop(struct mw_net *mn);
void mw_config_clean(struct mw_net *mn);

/**
 * mw_config_load() - the first policy of the initial namespace
 * @mn: namespace
 * @spec: from the load parameters; its confirm member makes the mode audit
 *        unless confirmed in time
 *
 * Errors and context as mw_config_set().
 */
int mw_config_load(struct mw_net *mn, struct mailwall_policy *spec);

/**
 * mw_config_set() - replace the policy
 * @mn: namespace
 * @spec: any bytes from outside; overwritten
 *
 * Context: may sleep. When it returns, no segment is judged by the old policy.
 *
 * Return: 0, or an error as <linux/mailwall.h> lists them for
 * MAILWALL_SET_POLICY; a refused item is in the kernel log.
 */
int mw_config_set(struct mw_net *mn, struct mailwall_policy *spec);

/* one of the mw_policy_*_edit() */
typedef int (*mw_edit_t)(struct mailwall_policy *spec, const char *s, size_t length,
			 struct mw_complaint *c);

/**
 * mw_config_edit() - change one part of the policy in force
 * @mn: namespace
 * @name: what is changed, for the log
 * @edit: how
 * @s: written text
 * @length: its bytes
 *
 * Errors and context as mw_config_set(), but never -ESTALE.
 */
int mw_config_edit(struct mw_net *mn, const char *name, mw_edit_t edit, const char *s,
		   size_t length);

/**
 * mw_config_confirm() - keep the change that waits
 * @mn: namespace
 *
 * Return: 0, or -ENODATA if none waits.
 */
int mw_config_confirm(struct mw_net *mn);

/**
 * mw_config_revert() - undo the change that waits
 * @mn: namespace
 *
 * Context: may sleep. Allocates and registers nothing.
 *
 * Return: 0, or -ENODATA if none waits.
 */
int mw_config_revert(struct mw_net *mn);

/**
 * mw_config_get() - the policy in force, with its generation and the seconds left
 * @mn: namespace
 * @spec: filled in
 */
void mw_config_get(struct mw_net *mn, struct mailwall_policy *spec);

/**
 * mw_config_counters() - counters of the rows in force
 * @mn: namespace
 * @counters: filled in
 */
void mw_config_counters(struct mw_net *mn, struct mailwall_counters *counters);

/**
 * mw_refuse() - leave a line in the kernel log about refused input
 * @name: what was written to
 * @c: the complaint
 */
void mw_refuse(const char *name, const struct mw_complaint *c);

#endif /* _MW_CONFIG_H */
