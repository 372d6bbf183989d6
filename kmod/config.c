// SPDX-License-Identifier: GPL-2.0
/*
 * Policies published, replaced and taken back.
 *
 * A change waits for a grace period under the mutex of its namespace. What may take
 * longer comes before it: memory for the new policy, and the logger, whose module
 * takes pernet_ops_rwsem as it is loaded, which the end of a namespace holds while it
 * waits for this mutex.
 */
#include "config.h"
#include "compat.h"
#include "device.h"
#include "flow.h"
#include "hook.h"
#include "log.h"
#include "tell.h"
#include "trace.h"
#include <linux/bitmap.h>
#include <linux/ktime.h>
#include <linux/netdevice.h>
#include <linux/rcupdate.h>
#include <linux/slab.h>
#include <linux/timekeeping.h>

/* what every namespace starts with; none changes it */
static struct mw_policy *mw_initial;

u32 mw_config_flows = MW_FLOWS_DEFAULT;

/* of our own, with a thread in reserve: a way back that is due needs no memory */
static struct workqueue_struct *mw_queue;

static struct mw_policy *mw_current(const struct mw_net *mn)
{
	return rcu_dereference_protected(mn->policy, lockdep_is_held(&mn->mutex));
}

/* Complaints */

bool mw_complaint_allowed(struct mw_net *mn)
{
	/* says itself how many it held back */
	return ___ratelimit(&mn->complaints, KBUILD_MODNAME);
}

void mw_refuse(struct mw_net *mn, const char *name, const struct mw_complaint *c)
{
	mw_warn(mn, MW_REFUSED, name, MW_REFUSED_LENGTH(c), c->item, c->cure);
}

/* Policies */

static void mw_policy_free(struct mw_policy *policy)
{
	if (policy == mw_initial)
		return;
	mw_log_put(policy->spec.log);
	kvfree(policy->gateways);
	kvfree(policy);
}

/* Free one that was watched, or about to be. */
static void mw_policy_retire(struct mw_net *mn, struct mw_policy *policy)
{
	if (policy->gateways)
		mw_device_forget(mn, policy->gateways);
	mw_policy_free(policy);
}

/* The slot of a row in a policy, 0 if it has no such row. */
static u8 mw_slot_of_site(const struct mw_policy *policy, const void *row)
{
	int i;

	for (i = 0; i < policy->spec.site_count; i++)
		if (!memcmp(&policy->spec.site[i], row, sizeof(policy->spec.site[i])))
			return policy->site_slot[i];
	return 0;
}

/* The same for an item of the list of gateways. */
static u8 mw_slot_of_gateway(const struct mw_policy *policy, const void *item)
{
	int i;

	for (i = 0; i < policy->spec.gtw_count; i++)
		if (!memcmp(&policy->spec.gtw[i], item, sizeof(policy->spec.gtw[i])))
			return policy->gtw_slot[i];
	return 0;
}

static void mw_mark_slots(unsigned long *used, const u8 *slots, unsigned int count)
{
	while (count--)
		__set_bit(slots[count], used);
}

/*
 * Give every site row and gateway a slot: the one it has in the policy in force or in the
 * one to go back to, so that its counters go on; else one that neither of them uses, so
 * that no policy has had it for a grace period, from zero. There are three times as many
 * as a policy can have: one is free.
 */
static void mw_assign_slots(struct mw_net *mn, const struct mw_spec *spec, u8 *site, u8 *gtw)
{
	const struct mw_policy *in_force = mw_current(mn);
	const struct mw_policy *fallback = mn->fallback ?: in_force;
	DECLARE_BITMAP(site_used, MW_SLOTS) = { 0 };
	DECLARE_BITMAP(gtw_used, MW_GTW_SLOTS) = { 0 };
	int i;

	mw_mark_slots(site_used, in_force->site_slot, in_force->spec.site_count);
	mw_mark_slots(site_used, fallback->site_slot, fallback->spec.site_count);
	mw_mark_slots(gtw_used, in_force->gtw_slot, in_force->spec.gtw_count);
	mw_mark_slots(gtw_used, fallback->gtw_slot, fallback->spec.gtw_count);
	for (i = 0; i < spec->site_count; i++) {
		site[i] = mw_slot_of_site(in_force, &spec->site[i]) ?:
				  mw_slot_of_site(fallback, &spec->site[i]);
		if (site[i])
			continue;
		site[i] = find_next_zero_bit(site_used, MW_SLOTS, MW_SITE_SLOT);
		__set_bit(site[i], site_used);
		mw_stats_clear_row(&mn->counted, site[i]);
	}
	for (i = 0; i < spec->gtw_count; i++) {
		gtw[i] = mw_slot_of_gateway(in_force, &spec->gtw[i]) ?:
				 mw_slot_of_gateway(fallback, &spec->gtw[i]);
		if (gtw[i])
			continue;
		gtw[i] = find_next_zero_bit(gtw_used, MW_GTW_SLOTS, MW_NOBODY + 1);
		__set_bit(gtw[i], gtw_used);
		if (mn->counted.seen)
			mw_stats_clear_gateway(&mn->counted, gtw[i]);
	}
}

/* From its first change on a namespace has counters, and no policy that it shares. */
static int mw_begin(struct mw_net *mn)
{
	struct mw_policy *own;

	if (mw_current(mn) != mw_initial)
		return 0;
	if (!mn->counted.here)
		mn->counted.here = alloc_percpu(struct mw_stats);
	own = kvmalloc(sizeof(*own), GFP_KERNEL);
	if (!mn->counted.here || !own) {
		kvfree(own);
		return -ENOMEM;
	}
	*own = *mw_initial;
	mw_trace_assign(mn, own);
	return 0;
}

/* And from the first gateway behind on what those need. */
static int mw_begin_behind(struct mw_net *mn, const struct mw_spec *spec, struct mw_gateways **g)
{
	if (!mw_spec_is_behind(spec))
		return 0;
	if (!mn->counted.behind)
		mn->counted.behind = alloc_percpu(struct mw_stats);
	if (!mn->counted.seen)
		mn->counted.seen = alloc_percpu(struct mw_seen);
	if (!mn->flows)
		mn->flows = mw_flow_create(mw_config_flows);
	if (!mn->counted.behind || !mn->counted.seen || !mn->flows)
		return -ENOMEM;
	*g = kvzalloc(sizeof(**g), GFP_KERNEL);
	return *g ? 0 : -ENOMEM;
}

static bool mw_is_bridge_port(struct mw_net *mn, const char *name)
{
	const struct net_device *dev;
	bool is;

	rcu_read_lock();
	dev = dev_get_by_name_rcu(mn->net, name);
	is = dev && netif_is_bridge_port(dev);
	rcu_read_unlock();
	return is;
}

/*
 * What is set anew must have an effect: where the kernel has no hooks in bridges, nobody
 * would see what goes through a port.
 */
static int mw_check_ports(struct mw_net *mn, const struct mw_spec *spec)
{
	char text[MW_PREFIX_TEXT];
	struct mw_complaint c;
	int error, i;

	for (i = 0; i < spec->gtw_count && !MW_BRIDGE_FAMILY; i++) {
		const struct mailwall_gtw *item = &spec->gtw[i];

		if (item->kind != MAILWALL_GTW_PORT || mw_slot_of_gateway(mw_current(mn), item) ||
		    !mw_is_bridge_port(mn, item->device))
			continue;
		error = mw_complain(
			&c, text, mw_gtw_print(item, text), -EOPNOTSUPP,
			"a port of a bridge, in which this kernel has no hooks (CONFIG_NETFILTER_FAMILY_BRIDGE): boot one that has, or write the gateway's addresses and load br_netfilter");
		mw_refuse(mn, "gtw", &c);
		return error;
	}
	return 0;
}

/* Hooks */

/* Those that nothing needs go, but not while the way back may need them. */
static void mw_unhook(struct mw_net *mn)
{
	unsigned int needed = mw_hook_needed(mw_current(mn));

	if (mn->fallback)
		needed |= mw_hook_needed(mn->fallback);
	mw_hook_unregister(mn, ~needed);
}

/* Changes */

/* Make a policy the one that judges. When it returns, no other one does. */
static void mw_publish(struct mw_net *mn, struct mw_policy *policy)
{
	/* nobody sees it yet, or any more */
	policy->spec.generation = mw_current(mn)->spec.generation + 1;
	mw_trace_assign(mn, policy);
	synchronize_rcu();
	mw_unhook(mn);
}

/* Let the change that waits, or is about to, wait so many seconds from now on. */
static void mw_wait(struct mw_net *mn, u32 seconds)
{
	mn->deadline = ktime_add(ktime_get_boottime(), ktime_set(seconds, 0));
	hrtimer_start(&mn->timer, mn->deadline, HRTIMER_MODE_ABS);
}

/*
 * Put a normalised spec into force, and note it. @policy is zeroed, and the caller's to free
 * if this fails. The caller holds the logger, unless it is the one in force.
 */
static int mw_apply(struct mw_net *mn, const struct mw_spec *spec, struct mw_policy *policy,
		    struct mw_told *told)
{
	u8 site[MAILWALL_SITE_MAX], gtw[MAILWALL_GTW_MAX];
	struct mw_gateways *g = NULL;
	char text[MW_PREFIX_TEXT];
	struct mw_policy *old;
	int error;

	error = mw_check_ports(mn, spec);
	if (!error)
		error = mw_begin(mn);
	if (!error)
		error = mw_log_get(spec->log);
	if (error)
		return error;
	/* from here on the policy has what it is to give back */
	policy->spec.log = spec->log;
	error = mw_begin_behind(mn, spec, &g);
	if (error)
		return error;
	mw_assign_slots(mn, spec, site, gtw);
	mw_policy_build(policy, spec, site);
	mw_policy_set_gateways(policy, g, gtw);
	policy->spec.confirm = 0;
	if (g)
		mw_device_watch(mn, policy->gateways, &policy->spec);
	/* They go by the old policy until the new one is published below. */
	error = mw_hook_register(mn, mw_hook_needed(policy));
	if (error)
		return error;

	old = mw_current(mn);
	if (spec->confirm) {
		/* one that replaces another that waits keeps the first one's way back */
		mn->fallback = mn->fallback ?: old;
		mw_wait(mn, spec->confirm);
	}
	mw_told_note(told, "changed", &old->spec, spec, spec->confirm);
	mw_publish(mn, policy);
	if (mn->fallback != old)
		mw_policy_retire(mn, old);
	if (mw_spec_has_any(spec, text))
		mw_warn(mn, "adm: %s opens the Management Console to every address of its family\n",
			text);
	return 0;
}

static void mw_take_back(struct mw_net *mn)
{
	struct mw_policy *gone = mw_current(mn), *fallback = mn->fallback;

	/* Work that is queued already waits for the mutex and then finds nothing to do. */
	hrtimer_cancel(&mn->timer);
	mn->fallback = NULL;
	mw_publish(mn, fallback);
	mw_policy_retire(mn, gone);
}

/*
 * Take the mutex, with no change waiting whose time is over: that is taken back, whoever
 * comes by first, and told under no lock.
 */
static void mw_lock(struct mw_net *mn)
{
	struct mw_told told;

	for (;;) {
		mutex_lock(&mn->mutex);
		if (!mn->fallback || ktime_before(ktime_get_boottime(), mn->deadline))
			return;
		mw_told_note(&told, "expired", &mw_current(mn)->spec, &mn->fallback->spec, 0);
		mw_take_back(mn);
		mutex_unlock(&mn->mutex);
		mw_tell_expired(mn, &told);
	}
}

static int mw_check_waiting(struct mw_net *mn, u32 confirm)
{
	if (!mn->fallback || confirm)
		return 0;
	mw_warn(mn,
		"change refused: another one waits to be confirmed: confirm or revert it first\n");
	return -EBUSY;
}

static int mw_check_generation(struct mw_net *mn, u64 generation)
{
	u64 current_generation = mw_current(mn)->spec.generation;

	if (generation == current_generation)
		return 0;
	mw_warn(mn,
		"policy refused: made from generation %llu, but %llu is in force: read it again\n",
		generation, current_generation);
	return -ESTALE;
}

static int mw_find_log(struct mw_net *mn, u16 log)
{
	int error = mw_log_get(log);

	if (error)
		mw_warn(mn, "log refused: the kernel has no %s logger for both families: load %s\n",
			log == MAILWALL_LOG_NFLOG ? "nflog" : "kernel",
			log == MAILWALL_LOG_NFLOG ? "nfnetlink_log" : "nf_log_syslog");
	return error;
}

static int mw_set(struct mw_net *mn, struct mw_spec *spec, struct mw_told *told)
{
	char text[MW_PREFIX_TEXT];
	struct mw_policy *policy;
	struct mw_complaint c;
	int error;

	error = mw_spec_normalise(spec, &c, text);
	if (error) {
		mw_refuse(mn, "policy", &c);
		return error;
	}
	error = mw_find_log(mn, spec->log);
	if (error)
		return error;
	policy = kvzalloc(sizeof(*policy), GFP_KERNEL);
	if (!policy) {
		error = -ENOMEM;
		goto put;
	}
	mw_lock(mn);
	error = mw_check_waiting(mn, spec->confirm);
	if (!error)
		error = mw_check_generation(mn, spec->generation);
	if (!error)
		error = mw_apply(mn, spec, policy, told);
	mutex_unlock(&mn->mutex);
	if (error)
		mw_policy_retire(mn, policy);
put:
	mw_log_put(spec->log);
	return error;
}

int mw_config_set(struct mw_net *mn, struct mw_spec *spec)
{
	struct mw_told told;
	int error = mw_set(mn, spec, &told);

	if (!error)
		mw_tell(mn, &told);
	return error;
}

int mw_config_load(struct mw_net *mn, struct mw_spec *spec)
{
	u32 mode = spec->mode, confirm = spec->confirm;
	struct mw_told told;
	int error;

	spec->generation = mw_initial->spec.generation;
	if (confirm) {
		spec->mode = MAILWALL_AUDIT;
		spec->confirm = 0;
		error = mw_set(mn, spec, &told);
		if (error)
			return error;
		spec->generation++;
		spec->mode = mode;
		spec->confirm = confirm;
	}
	return mw_set(mn, spec, &told);
}

void mw_config_loaded(struct mw_net *mn, u32 confirm)
{
	struct mw_told told;

	mutex_lock(&mn->mutex);
	mw_told_note(&told, "loaded", &mw_initial->spec, &mw_current(mn)->spec, confirm);
	mutex_unlock(&mn->mutex);
	mw_tell(mn, &told);
}

void mw_config_unloads(struct mw_net *mn)
{
	struct mw_told told;

	mutex_lock(&mn->mutex);
	mw_told_note(&told, "unloaded", &mw_current(mn)->spec, &mw_initial->spec, 0);
	mutex_unlock(&mn->mutex);
	mw_tell(mn, &told);
}

int mw_config_edit(struct mw_net *mn, const char *name, mw_edit_t edit, const char *s,
		   size_t length)
{
	struct mw_spec *spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	struct mw_policy *policy = kvzalloc(sizeof(*policy), GFP_KERNEL);
	u16 log = MAILWALL_LOG_OFF;
	struct mw_complaint c;
	struct mw_told told;
	int error = -ENOMEM;

	if (!spec || !policy)
		goto free;
	/* Other edits leave the logger that is in force. */
	if (edit == mw_edit_log && !edit(spec, s, length, &c))
		log = spec->log;
	error = mw_find_log(mn, log);
	if (error)
		goto free;
	mw_lock(mn);
	error = mw_check_waiting(mn, 0);
	if (!error) {
		*spec = mw_current(mn)->spec;
		error = edit(spec, s, length, &c);
		if (error)
			mw_refuse(mn, name, &c);
		else
			error = mw_apply(mn, spec, policy, &told);
	}
	mutex_unlock(&mn->mutex);
	mw_log_put(log);
	if (!error)
		mw_tell(mn, &told);
free:
	if (error && policy)
		mw_policy_retire(mn, policy);
	kfree(spec);
	return error;
}

int mw_config_confirm(struct mw_net *mn, u32 extend)
{
	struct mw_policy *fallback;
	struct mw_told told;
	int error = 0;

	if (extend > MAILWALL_CONFIRM_MAX) {
		mw_warn(mn, "confirm refused: \"%u\": at most %d seconds\n", extend,
			MAILWALL_CONFIRM_MAX);
		return -EINVAL;
	}
	mw_lock(mn);
	fallback = mn->fallback;
	if (!fallback) {
		error = -ENODATA;
	} else if (extend) {
		mw_told_note(&told, "extended", &fallback->spec, &mw_current(mn)->spec, extend);
		mw_wait(mn, extend);
	} else {
		mw_told_note(&told, "confirmed", &fallback->spec, &mw_current(mn)->spec, 0);
		hrtimer_cancel(&mn->timer);
		mn->fallback = NULL;
		mw_unhook(mn);
		mw_policy_retire(mn, fallback);
	}
	mutex_unlock(&mn->mutex);
	if (!error)
		mw_tell(mn, &told);
	return error;
}

int mw_config_revert(struct mw_net *mn)
{
	struct mw_told told;
	int error = -ENODATA;

	mutex_lock(&mn->mutex);
	if (mn->fallback) {
		mw_told_note(&told, "reverted", &mw_current(mn)->spec, &mn->fallback->spec, 0);
		mw_take_back(mn);
		error = 0;
	}
	mutex_unlock(&mn->mutex);
	if (!error)
		mw_tell(mn, &told);
	return error;
}

static enum hrtimer_restart mw_deadline(struct hrtimer *timer)
{
	queue_work(mw_queue, &container_of(timer, struct mw_net, timer)->revert);
	return HRTIMER_NORESTART;
}

static void mw_revert_work(struct work_struct *work)
{
	struct mw_net *mn = container_of(work, struct mw_net, revert);

	/* The change this was queued for may be gone, and another one may wait. */
	mw_lock(mn);
	mutex_unlock(&mn->mutex);
}

/* Reading */

void mw_config_read(struct mw_net *mn, struct mw_spec *spec)
{
	mutex_lock(&mn->mutex);
	*spec = mw_current(mn)->spec;
	if (mn->fallback) {
		s64 left = ktime_to_ns(ktime_sub(mn->deadline, ktime_get_boottime()));

		/* it still waits, so say so even at the last moment */
		spec->confirm = left > 0 ? DIV_ROUND_UP_ULL(left, NSEC_PER_SEC) : 1;
	}
	mutex_unlock(&mn->mutex);
}

unsigned int mw_config_mode(const struct mw_net *mn)
{
	unsigned int mode;

	rcu_read_lock();
	mode = rcu_dereference(mn->policy)->spec.mode;
	rcu_read_unlock();
	return mode;
}

void mw_config_counters(struct mw_net *mn, struct mw_counters *counters)
{
	mutex_lock(&mn->mutex);
	mw_stats_read(&mn->counted, mw_current(mn), counters);
	mutex_unlock(&mn->mutex);
}

/* Beginning and end */

void mw_config_init(struct mw_net *mn, struct net *net)
{
	mn->net = net;
	RCU_INIT_POINTER(mn->policy, mw_initial);
	mutex_init(&mn->mutex);
	spin_lock_init(&mn->watched_lock);
	ratelimit_state_init(&mn->complaints, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	ratelimit_state_init(&mn->changes, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	ratelimit_state_init(&mn->log_limit, DEFAULT_RATELIMIT_INTERVAL, DEFAULT_RATELIMIT_BURST);
	/* what is held back is counted instead of printed */
	ratelimit_set_flags(&mn->log_limit, RATELIMIT_MSG_ON_RELEASE);
	mw_hrtimer_setup(&mn->timer, mw_deadline, CLOCK_BOOTTIME, HRTIMER_MODE_ABS);
	INIT_WORK(&mn->revert, mw_revert_work);
	mw_hook_init(mn);
	mw_trace_add(mn);
}

void mw_config_stop(struct mw_net *mn)
{
	mutex_lock(&mn->mutex);
	mw_hook_unregister(mn, ~0U);
	mutex_unlock(&mn->mutex);
	/* without the mutex, which the work takes; nobody starts the timer any more */
	hrtimer_cancel(&mn->timer);
	cancel_work_sync(&mn->revert);
}

void mw_config_clean(struct mw_net *mn)
{
	mw_trace_remove(mn);
	if (mn->fallback)
		mw_policy_retire(mn, mn->fallback);
	mw_policy_retire(mn, rcu_dereference_protected(mn->policy, true));
	mw_flow_destroy(mn->flows);
	free_percpu(mn->counted.seen);
	free_percpu(mn->counted.behind);
	free_percpu(mn->counted.here);
	mutex_destroy(&mn->mutex);
}

int mw_config_setup(void)
{
	static const struct mw_spec spec = {
		.generation = 1,
		.mode = MAILWALL_OFF,
		.gtw_count = 1,
		.gtw = { { .kind = MAILWALL_GTW_THIS } },
	};
	static const u8 gtw_slot[] = { MW_NOBODY + 1 };

	mw_initial = kvzalloc(sizeof(*mw_initial), GFP_KERNEL);
	mw_queue = alloc_workqueue(KBUILD_MODNAME, WQ_MEM_RECLAIM | WQ_UNBOUND, 0);
	if (!mw_initial || !mw_queue) {
		mw_config_teardown();
		return -ENOMEM;
	}
	mw_policy_build(mw_initial, &spec, NULL);
	mw_policy_set_gateways(mw_initial, NULL, gtw_slot);
	return 0;
}

void mw_config_teardown(void)
{
	if (mw_queue)
		destroy_workqueue(mw_queue);
	kvfree(mw_initial);
}
