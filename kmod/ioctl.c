// SPDX-License-Identifier: GPL-2.0
/*
 * The calls of /dev/mailwall, over config.c: structs and lists of any size, in and out.
 * The scheme is described in <linux/mailwall.h>.
 */
#include "ioctl.h"
#include "caller.h"
#include "config.h"
#include "explain.h"
#include "version.h"
#include <linux/slab.h>
#include <linux/uaccess.h>

/* In and out. @name is what the kernel log calls the struct. */

/* Is this the size of a struct that we know @known bytes of? */
static int mw_check_size(struct mw_net *mn, const char *name, const char *what, u32 size,
			 size_t known)
{
	if (size >= known && size <= MAILWALL_SIZE_MAX)
		return 0;
	mw_warn(mn, "%s refused: \"%s %u\": it is at least %zu and at most %d\n", name, what, size,
		known, MAILWALL_SIZE_MAX);
	return size < known ? -EINVAL : -E2BIG;
}

static int mw_take(struct mw_net *mn, const char *name, void *to, size_t known,
		   const void __user *from, u32 size)
{
	int error = copy_struct_from_user(to, known, from, size);

	if (error == -E2BIG)
		mw_warn(mn,
			"%s refused: the caller asks for what this release does not know, past byte %zu of %u: load a newer module\n",
			name, known, size);
	return error;
}

/* A struct that begins with its size, which is kept there, whatever becomes of it. */
static int mw_take_sized(struct mw_net *mn, const char *name, void *to, size_t known,
			 const void __user *from)
{
	u32 size;
	int error;

	if (get_user(size, (const u32 __user *)from))
		return -EFAULT;
	error = mw_check_size(mn, name, "size", size, known);
	if (!error)
		error = mw_take(mn, name, to, known, from, size);
	*(u32 *)to = size;
	return error;
}

static int mw_give(void __user *to, u32 size, const void *from, size_t known)
{
	if (copy_to_user(to, from, known) || clear_user(to + known, size - known))
		return -EFAULT;
	return 0;
}

/* Lists */

static void __user *mw_item(const struct mailwall_list *list, u32 i)
{
	return u64_to_user_ptr(list->items + (u64)i * list->stride);
}

static int mw_check_list(struct mw_net *mn, const char *name, const struct mailwall_list *list,
			 size_t known)
{
	if (!list->items && !list->count && !list->stride)
		return 0;
	return mw_check_size(mn, name, "stride", list->stride, known);
}

/* Take a list in; one that is too long is left to mw_spec_normalise() to refuse. */
static int mw_take_list(struct mw_net *mn, const char *name, void *to, u16 *count, u32 max,
			size_t known, const struct mailwall_list *list)
{
	int error = mw_check_list(mn, name, list, known);
	u32 i;

	*count = min_t(u32, list->count, U16_MAX);
	for (i = 0; !error && list->count <= max && i < list->count; i++)
		error = mw_take(mn, name, to + i * known, known, mw_item(list, i), list->stride);
	return error;
}

/* Tell the caller how many items there are. Return: whether he has room for them. */
static bool mw_count_list(struct mailwall_list *list, u32 count)
{
	bool room = count <= list->count || !list->stride;

	list->count = count;
	return room;
}

static int mw_give_item(const struct mailwall_list *list, u32 i, const void *item, size_t known)
{
	return list->stride ? mw_give(mw_item(list, i), list->stride, item, known) : 0;
}

static int mw_give_list(const struct mailwall_list *list, const void *items, size_t known)
{
	int error = 0;
	u32 i;

	for (i = 0; !error && i < list->count; i++)
		error = mw_give_item(list, i, items + i * known, known);
	return error;
}

/* Calls */

static int mw_get_version(struct mw_net *mn, void __user *arg)
{
	struct mailwall_version version;
	int error = mw_take_sized(mn, "version", &version, sizeof(version), arg);

	if (error)
		return error;
	version.abi = MAILWALL_ABI;
	memset(version.release, 0, sizeof(version.release));
	strscpy(version.release, MAILWALL_RELEASE, sizeof(version.release));
	return mw_give(arg, version.size, &version, sizeof(version));
}

static int mw_give_policy(struct mailwall_policy *policy, const struct mw_spec *spec,
			  void __user *arg)
{
	bool room = mw_count_list(&policy->adm, spec->adm_count);

	/* each of them, so that one more try is enough */
	room &= mw_count_list(&policy->site, spec->site_count);
	room &= mw_count_list(&policy->gtw, spec->gtw_count);
	if (!room)
		return mw_give(arg, policy->size, policy, sizeof(*policy)) ?: -ENOSPC;
	policy->mode = spec->mode;
	policy->generation = spec->generation;
	policy->confirm = spec->confirm;
	policy->log = spec->log;
	policy->log_group = spec->log_group;
	return mw_give(arg, policy->size, policy, sizeof(*policy))		    ?:
		       mw_give_list(&policy->adm, spec->adm, sizeof(*spec->adm))    ?:
		       mw_give_list(&policy->site, spec->site, sizeof(*spec->site)) ?:
		       mw_give_list(&policy->gtw, spec->gtw, sizeof(*spec->gtw));
}

static int mw_get_policy(struct mw_net *mn, void __user *arg)
{
	struct mailwall_policy policy;
	struct mw_spec *spec;
	int error;

	error = mw_take_sized(mn, "policy", &policy, sizeof(policy), arg)	     ?:
			mw_check_list(mn, "adm", &policy.adm, sizeof(*spec->adm))    ?:
			mw_check_list(mn, "site", &policy.site, sizeof(*spec->site)) ?:
			mw_check_list(mn, "gtw", &policy.gtw, sizeof(*spec->gtw));
	if (error)
		return error;
	spec = kmalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return -ENOMEM;
	mw_config_read(mn, spec);
	error = mw_give_policy(&policy, spec, arg);
	kfree(spec);
	return error;
}

static int mw_take_policy(struct mw_net *mn, struct mw_spec *spec, const void __user *arg)
{
	struct mailwall_policy policy;
	int error = mw_take_sized(mn, "policy", &policy, sizeof(policy), arg);

	if (error)
		return error;
	spec->generation = policy.generation;
	spec->mode = policy.mode;
	spec->confirm = policy.confirm;
	spec->log = policy.log;
	spec->log_group = policy.log_group;
	return mw_take_list(mn, "adm", spec->adm, &spec->adm_count, MAILWALL_ADM_MAX, sizeof(*spec->adm), &policy.adm) ?:
		       mw_take_list(mn, "site", spec->site, &spec->site_count, MAILWALL_SITE_MAX, sizeof(*spec->site), &policy.site) ?:
		       mw_take_list(mn, "gtw", spec->gtw, &spec->gtw_count, MAILWALL_GTW_MAX,
				    sizeof(*spec->gtw), &policy.gtw);
}

static int mw_set_policy(struct mw_net *mn, const void __user *arg)
{
	struct mw_spec *spec;
	int error;

	if (!mw_may_change())
		return -EPERM;
	spec = kzalloc(sizeof(*spec), GFP_KERNEL);
	if (!spec)
		return -ENOMEM;
	error = mw_take_policy(mn, spec, arg) ?: mw_config_set(mn, spec);
	kfree(spec);
	return error;
}

static int mw_confirm(struct mw_net *mn, const void __user *arg)
{
	struct mailwall_confirm confirm;

	if (!mw_may_change())
		return -EPERM;
	return mw_take_sized(mn, "confirm", &confirm, sizeof(confirm), arg) ?:
		       mw_config_confirm(mn, confirm.extend);
}

/* Of this host first, then of gateways behind, if there are any. */
static int mw_give_row(const struct mailwall_list *list, u32 i, const struct mw_counters *from)
{
	const struct mw_counts *of = &from->of[i / from->row_count];

	return mw_give_item(list, i, &of->row[i % from->row_count], sizeof(*of->row));
}

static int mw_give_reason(const struct mailwall_list *list, u32 i, const struct mw_counters *from)
{
	u8 behind = i / (2 * MAILWALL_REASONS), direction = i / MAILWALL_REASONS % 2;
	u8 reason = i % MAILWALL_REASONS;
	const struct mailwall_reason_counters one = {
		.direction = direction,
		.reason = reason,
		.behind = behind,
		.denied = from->of[behind].denied[direction][reason],
		.would_deny = from->of[behind].would_deny[direction][reason],
	};

	return mw_give_item(list, i, &one, sizeof(one));
}

static int mw_give_gateway(const struct mailwall_list *list, u32 i, const struct mw_counters *from)
{
	const struct mailwall_gtw_counters one = {
		.gtw = from->gtw[i],
		.in = from->seen[i][MAILWALL_IN],
		.out = from->seen[i][MAILWALL_OUT],
	};

	return mw_give_item(list, i, &one, sizeof(one));
}

static int mw_give_counters(struct mailwall_counters *counters, const struct mw_counters *from,
			    void __user *arg)
{
	u32 kinds = from->behind ? 2 : 1, i;
	bool room = mw_count_list(&counters->row, kinds * from->row_count);
	int error;

	room &= mw_count_list(&counters->reason, kinds * 2 * MAILWALL_REASONS);
	room &= mw_count_list(&counters->gtw, from->gtw_count);
	if (!room)
		return mw_give(arg, counters->size, counters, sizeof(*counters)) ?: -ENOSPC;
	counters->generation = from->generation;
	counters->log_held = from->log_held;
	counters->flows_noted = from->flows_noted;
	counters->flows_evicted = from->flows_evicted;
	counters->flows_missed = from->flows_missed;
	error = mw_give(arg, counters->size, counters, sizeof(*counters));
	for (i = 0; !error && i < counters->row.count; i++)
		error = mw_give_row(&counters->row, i, from);
	for (i = 0; !error && i < counters->reason.count; i++)
		error = mw_give_reason(&counters->reason, i, from);
	for (i = 0; !error && i < counters->gtw.count; i++)
		error = mw_give_gateway(&counters->gtw, i, from);
	return error;
}

static int mw_get_counters(struct mw_net *mn, void __user *arg)
{
	struct mailwall_counters counters;
	struct mw_counters *from;
	int error;

	error = mw_take_sized(mn, "counters", &counters, sizeof(counters), arg) ?:
			mw_check_list(mn, "row", &counters.row, sizeof(struct mailwall_row_counters)) ?:
			mw_check_list(mn, "reason", &counters.reason, sizeof(struct mailwall_reason_counters)) ?:
			mw_check_list(mn, "gtw", &counters.gtw,
				      sizeof(struct mailwall_gtw_counters));
	if (error)
		return error;
	if (counters.reserved) {
		mw_warn(mn, "counters refused: \"reserved %u\": must be zero\n", counters.reserved);
		return -EINVAL;
	}
	from = kmalloc(sizeof(*from), GFP_KERNEL);
	if (!from)
		return -ENOMEM;
	mw_config_counters(mn, from);
	error = mw_give_counters(&counters, from, arg);
	kfree(from);
	return error;
}

static int mw_ask(struct mw_net *mn, void __user *arg)
{
	struct mailwall_explain question;

	return mw_take_sized(mn, "explain", &question, sizeof(question), arg) ?:
		       mw_explain(mn, &question)			      ?:
		       mw_give(arg, question.size, &question, sizeof(question));
}

long mw_ioctl(struct file *file, unsigned int call, unsigned long address)
{
	void __user *arg = (void __user *)address;
	struct mw_net *mn = mw_caller();

	switch (call) {
	case MAILWALL_GET_VERSION:
		return mw_get_version(mn, arg);
	case MAILWALL_GET_POLICY:
		return mw_get_policy(mn, arg);
	case MAILWALL_SET_POLICY:
		return mw_set_policy(mn, arg);
	case MAILWALL_CONFIRM:
		return mw_confirm(mn, arg);
	case MAILWALL_REVERT:
		return mw_may_change() ? mw_config_revert(mn) : -EPERM;
	case MAILWALL_GET_COUNTERS:
		return mw_get_counters(mn, arg);
	case MAILWALL_EXPLAIN:
		return mw_ask(mn, arg);
	default:
		return -ENOTTY;
	}
}
