// SPDX-License-Identifier: GPL-2.0
/* The tracepoint mailwall:verdict as it is switched on and off. */
#include "trace.h"
#include "policy.h"
#include <linux/list.h>
#include <linux/rcupdate.h>
#include <linux/spinlock.h>

#define CREATE_TRACE_POINTS
#include "events.h"

/*
 * Not a namespace's mutex, which is held across a grace period: whoever switches it holds
 * locks that others wait for. So what is in force is replaced under this lock too.
 */
static DEFINE_SPINLOCK(mw_trace_lock);
static LIST_HEAD(mw_trace_nets);
static bool mw_trace_on;

void mw_trace_verdict(const struct sk_buff *skb, const struct mw_judged *judged)
{
	trace_verdict(skb, judged);
}

static void mw_trace_switch(bool on)
{
	struct mw_net *mn;

	spin_lock_bh(&mw_trace_lock);
	mw_trace_on = on;
	list_for_each_entry(mn, &mw_trace_nets, traced)
		mw_policy_set_traced(
			rcu_dereference_protected(mn->policy, lockdep_is_held(&mw_trace_lock)), on);
	spin_unlock_bh(&mw_trace_lock);
}

int mw_trace_start(void)
{
	mw_trace_switch(true);
	return 0;
}

void mw_trace_stop(void)
{
	mw_trace_switch(false);
}

void mw_trace_add(struct mw_net *mn)
{
	spin_lock_bh(&mw_trace_lock);
	list_add(&mn->traced, &mw_trace_nets);
	spin_unlock_bh(&mw_trace_lock);
}

void mw_trace_remove(struct mw_net *mn)
{
	spin_lock_bh(&mw_trace_lock);
	list_del(&mn->traced);
	spin_unlock_bh(&mw_trace_lock);
}

void mw_trace_assign(struct mw_net *mn, struct mw_policy *policy)
{
	spin_lock_bh(&mw_trace_lock);
	mw_policy_set_traced(policy, mw_trace_on);
	rcu_assign_pointer(mn->policy, policy);
	spin_unlock_bh(&mw_trace_lock);
}
