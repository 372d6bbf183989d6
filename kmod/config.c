// SPDX-License-Identifier: GPL-2.0
/*
 * Policies published, replaced and taken back.
 *
 * One mutex for all namespaces: changes are rare, made by people, and wait for a
 * grace period anyway.
 */
#include "config.h"
#include "hook.h"
#include "log.h"
#include <linux/mutex.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>

static DEFINE_MUTEX(mw_mutex);

/* what every namespace starts with */
static struct mw_policy *mw_initial;

static struct mw_policy *mw_current(struct mw_net *mn)
{
	return rcu_dereference_protected(mn->policy, lockdep_is_held(&mw_mutex));
}

void mw_refuse(const char *name, const struct mw_complaint *c)
{
	/* more than anybody writes by hand, less than would flood the log */
	int length = min_t(size_t, c->length, 64);

	pr_warn("%s refused: \"%*pE\": %s\n", name, length, c->item, c->cure);
}

static void mw_policy_free(struct mw_policy *policy)
{
	if (!policy || policy == mw_initial)
		return;
	mw_log_put(policy->log);
	kvfree(policy);
}

/*
 * Give every site row a slot: the one it has in @like, so that its counters go
 * on, or one that no published policy uses, from zero.
 */
static void mw_assign_slots(struct mw_net *mn, const struct mw_spec *spec,
			    const struct mw_policy *like, u8 *slots)
{
	DECLARE_BITMAP(used, MW_SLOTS) = { 0 };
	int i, j;

	for (j = 0; j < like->spec.site_count; j++)
		__set_bit(like->site_slot[j], used);
	for (i = 0; i < spec->site_count; i++) {
		slots[i] = 0;
		for (j = 0; j < like->spec.site_count; j++)
			if (!memcmp(&spec->site[i], &like->spec.site[j], sizeof(spec->site[i])))
				slots[i] = like->site_slot[j];
		if (slots[i])
			continue;
		/* There are twice as many as a policy has rows: one is free. */
		slots[i] = find_next_zero_bit(used, MW_SLOTS, MW_SITE_SLOT);
		__set_bit(slots[i], used);
		mw_stats_clear_slot(mn->stats, slots[i]);
	}
}

/* Build a policy of a normalised spec. Its rows are counted as those of @like. */
static struct mw_policy *mw_policy_create(struct mw_net *mn, const struct mw_spec *spec,
					  const struct mw_policy *like)
{
	u8 slots[MAILWALL_SITE_MAX];
	struct mw_policy *policy;
	int error;

	error = mw_log_get(spec->log);
	if (error) {
		pr_warn("log refused: the kernel has no %s logger for both families: load %s\n",
			spec->log == MAILWALL_LOG_NFLOG ? "nflog" : "kernel",
			spec->log == MAILWALL_LOG_NFLOG ? "nfnetlink_log" : "nf_log_syslog");
		return ERR_PTR(error);
	}
	policy = kvzalloc(mw_policy_size(spec), GFP_KERNEL);
	if (!policy) {
		mw_log_put(spec->log);
		return ERR_PTR(-ENOMEM);
	}
	mw_assign_slots(mn, spec, like, slots);
	mw_policy_build(policy, spec, slots);
	if (policy->mode == MAILWALL_OFF)
		mw_policy_disarm(policy);
	return policy;
}

/* Make a policy the one that judges. When it returns, no other one does. */
static void mw_publish(struct mw_net *mn, struct mw_policy *policy)
{
	mn->generation++;
	/* nobody sees it yet, or any more; mw_initial is everybody's and stays at 0 */
	if (policy != mw_initial)
		policy->spec.generation = mn->generation;
	rcu_assign_pointer(mn->policy, policy);
	synchronize_rcu();
	/* With mode off the hooks go too, but not while the way back may need them. */
	if (policy->mode == MAILWALL_OFF && mn->hooked && !mn->fallback) {
		mw_hook_unregister(mn);
		mn->hooked = false;
	}
}

/*
 * Replace the policy by a normalised one. @fallback: the policy to go back to
 * unless confirmed, if it is another than the one in force; taken over.
 */
static int mw_replace(struct mw_net *mn, struct mw_policy *policy, u32 confirm,
		      struct mw_policy *fallback)
{
	struct mw_policy *old = mw_current(mn);
	int error;

	if (policy->mode != MAILWALL_OFF && !mn->hooked) {
		/* They pass everything until the new policy is published below. */
		error = mw_hook_register(mn);
		if (error)
			return error;
		mn->hooked = true;
	}
	if (confirm) {
		mn->fallback = fallback ? fallback : old;
		mn->deadline = jiffies + confirm * HZ;
		schedule_delayed_work(&mn->revert, confirm * HZ);
	}
	mw_publish(mn, policy);
	if (mn->fallback != old)
		mw_policy_free(old);
	return 0;
}

static int mw_apply(struct mw_net *mn, struct mw_spec *spec, bool first)
{
	struct mw_policy *policy, *fallback = NULL;
	char text[MW_PREFIX_TEXT];
	int error = 0;

	/* The counters come with the first policy and stay as long as the namespace. */
	if (!mn->stats)
		mn->stats = alloc_percpu(struct mw_stats);
	if (!mn->stats)
		return -ENOMEM;
	policy = mw_policy_create(mn, spec, mw_current(mn));
	if (IS_ERR(policy))
		return PTR_ERR(policy);
	if (first && spec->confirm) {
		spec->mode = MAILWALL_AUDIT;
		fallback = mw_policy_create(mn, spec, policy);
		error = PTR_ERR_OR_ZERO(fallback);
	}
	if (!error)
		error = mw_replace(mn, policy, spec->confirm, fallback);
	if (error) {
		mw_policy_free(policy);
		if (!IS_ERR(fallback))
			mw_policy_free(fallback);
		return error;
	}
	if (mw_spec_has_any(spec, text))
		pr_warn("adm: %s opens the Management Console to every address of its family\n",
			text);
	return 0;
}

static int mw_check_waiting(const struct mw_net *mn)
{
	if (!mn->fallback)
		return 0;
	pr_warn("change refused: another one waits to be confirmed: confirm or revert it first\n");
	return -EBUSY;
}

static int mw_set(struct mw_net *mn, struct mw_spec *spec)
{
	char text[MW_PREFIX_TEXT];
	struct mw_complaint c;
	int error;

	error = mw_spec_normalise(spec, &c, text);
	if (error) {
		mw_refuse("policy", &c);
		return error;
	}
	return mw_apply(mn, spec, false);
}

int mw_config_set(struct mw_net *mn, struct mw_spec *spec)
{
	int error;

	mw_log_load(spec->log);
	mutex_lock(&mw_mutex);
	error = mw_check_waiting(mn);
	if (!error && spec->generation != mn->generation) {
		pr_warn("policy refused: made from generation %llu, but %llu is in force: read it again\n",
			spec->generation, mn->generation);
		error = -ESTALE;
	}
	if (!error)
		error = mw_set(mn, spec);
	mutex_unlock(&mw_mutex);
	return error;
}

int mw_config_edit(struct mw_net *mn, const char *name, mw_edit_t edit, const char *s,
		   size_t length)
{
	struct mw_spec *spec;
	struct mw_complaint c;
	int error;

	spec = kmalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return -ENOMEM;
	if (edit == mw_edit_log && !edit(spec, s, length, &c))
		mw_log_load(spec->log);
	mutex_lock(&mw_mutex);
	error = mw_check_waiting(mn);
	if (!error) {
		*spec = mw_current(mn)->spec;
		error = edit(spec, s, length, &c);
		if (error)
			mw_refuse(name, &c);
		else
			error = mw_apply(mn, spec, false);
	}
	mutex_unlock(&mw_mutex);
	kfree(spec);
	return error;
}

int mw_config_load(struct mw_net *mn, struct mw_spec *spec)
{
	int error;

	mw_log_load(spec->log);
	mutex_lock(&mw_mutex);
	error = mw_apply(mn, spec, true);
	mutex_unlock(&mw_mutex);
	return error;
}

int mw_config_confirm(struct mw_net *mn)
{
	struct mw_policy *fallback;
	int error = -ENODATA;

	mutex_lock(&mw_mutex);
	fallback = mn->fallback;
	if (fallback) {
		/* Work that runs already waits for the mutex and then finds nothing to do. */
		cancel_delayed_work(&mn->revert);
		mn->fallback = NULL;
		if (mw_current(mn)->mode == MAILWALL_OFF && mn->hooked) {
			mw_hook_unregister(mn);
			mn->hooked = false;
		}
		mw_policy_free(fallback);
		error = 0;
	}
	mutex_unlock(&mw_mutex);
	return error;
}

static void mw_take_back(struct mw_net *mn, const char *why)
{
	struct mw_policy *gone = mw_current(mn), *fallback = mn->fallback;

	mn->fallback = NULL;
	mw_publish(mn, fallback);
	pr_warn("%s: the mode is %s now\n", why, mw_mode_name(fallback->mode));
	mw_policy_free(gone);
}

int mw_config_revert(struct mw_net *mn)
{
	int error = -ENODATA;

	mutex_lock(&mw_mutex);
	if (mn->fallback) {
		cancel_delayed_work(&mn->revert);
		mw_take_back(mn, "change reverted");
		error = 0;
	}
	mutex_unlock(&mw_mutex);
	return error;
}

static void mw_revert_work(struct work_struct *work)
{
	struct mw_net *mn = container_of(to_delayed_work(work), struct mw_net, revert);

	mutex_lock(&mw_mutex);
	/* The change this was queued for may be gone, and another one may wait. */
	if (mn->fallback && time_after_eq(jiffies, mn->deadline))
		mw_take_back(mn, "change not confirmed in time");
	mutex_unlock(&mw_mutex);
}

void mw_config_get(struct mw_net *mn, struct mw_spec *spec)
{
	mutex_lock(&mw_mutex);
	*spec = mw_current(mn)->spec;
	spec->generation = mn->generation;
	if (mn->fallback) {
		long left = mn->deadline - jiffies;

		/* it still waits, so say so even at the last moment */
		spec->confirm = left > 0 ? DIV_ROUND_UP(left, HZ) : 1;
	}
	mutex_unlock(&mw_mutex);
}

void mw_config_counters(struct mw_net *mn, struct mailwall_counters *counters)
{
	mutex_lock(&mw_mutex);
	mw_stats_read(mn->stats, mw_current(mn), counters);
	counters->generation = mn->generation;
	mutex_unlock(&mw_mutex);
}

void mw_config_init(struct mw_net *mn, struct net *net)
{
	mn->net = net;
	mn->generation = 1;
	RCU_INIT_POINTER(mn->policy, mw_initial);
	ratelimit_state_init(&mn->log_limit, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	/* what is held back is counted instead of printed */
	ratelimit_set_flags(&mn->log_limit, RATELIMIT_MSG_ON_RELEASE);
	INIT_DELAYED_WORK(&mn->revert, mw_revert_work);
	mw_hook_init(mn);
}

void mw_config_stop(struct mw_net *mn)
{
	mutex_lock(&mw_mutex);
	if (mn->hooked)
		mw_hook_unregister(mn);
	mn->hooked = false;
	mutex_unlock(&mw_mutex);
	/* without the mutex, which the work takes */
	cancel_delayed_work_sync(&mn->revert);
}

void mw_config_clean(struct mw_net *mn)
{
	mw_policy_free(mn->fallback);
	mw_policy_free(rcu_dereference_protected(mn->policy, true));
	free_percpu(mn->stats);
}

int mw_config_setup(void)
{
	static const struct mw_spec spec = { .mode = MAILWALL_OFF };

	mw_initial = kvzalloc(mw_policy_size(&spec), GFP_KERNEL);
	if (!mw_initial)
		return -ENOMEM;
	mw_policy_build(mw_initial, &spec, NULL);
	mw_policy_disarm(mw_initial);
	return 0;
}

void mw_config_teardown(void)
{
	kvfree(mw_initial);
}
