// SPDX-License-Identifier: GPL-2.0
/* Who changed what: one line in the kernel's log, one record of its audit. */
#include "tell.h"
#include "edit.h"
#include <linux/audit.h>
#include <linux/cred.h>
#include <linux/ctype.h>
#include <linux/ratelimit.h>
#include <linux/sched.h>

/* What a list of items may fill; the rest is for what follows the last one. */
#define MW_TOLD_ITEMS (MW_TOLD_TEXT - 128)

/**
 * struct mw_told_list - a list of a policy, of whatever kind
 * @name: as sysfs calls it
 * @size: bytes of an item
 * @print: writes an item
 */
struct mw_told_list {
	const char *name;
	size_t size;
	int (*print)(const void *item, char text[MW_PREFIX_TEXT]);
};

/* Words of a change, as they are written. */
struct mw_words {
	char *text;
	size_t length;
};

static __printf(2, 3) void mw_words_add(struct mw_words *words, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	words->length +=
		vscnprintf(words->text + words->length, MW_TOLD_TEXT - words->length, fmt, args);
	va_end(args);
}

static void mw_words_begin(struct mw_words *words, const char *name)
{
	mw_words_add(words, "%s%s", words->length ? "; " : "", name);
}

static int mw_told_prefix(const void *item, char text[MW_PREFIX_TEXT])
{
	return mw_prefix_print(item, text);
}

static int mw_told_row(const void *item, char text[MW_PREFIX_TEXT])
{
	return mw_row_print(item, text);
}

static int mw_told_gtw(const void *item, char text[MW_PREFIX_TEXT])
{
	return mw_gtw_print(item, text);
}

static bool mw_told_has(const void *items, u16 count, const void *item, size_t size)
{
	for (; count; count--, items += size)
		if (!memcmp(items, item, size))
			return true;
	return false;
}

/* Items of one list that the other one does not have. Return: how many found no room. */
static unsigned int mw_told_missing(struct mw_words *words, const struct mw_told_list *list,
				    char sign, const void *items, u16 count, const void *others,
				    u16 other_count, bool *begun)
{
	unsigned int left = 0;
	char text[MW_PREFIX_TEXT];

	for (; count; count--, items += list->size) {
		if (mw_told_has(others, other_count, items, list->size))
			continue;
		if (!*begun)
			mw_words_begin(words, list->name);
		*begun = true;
		if (words->length > MW_TOLD_ITEMS - MW_PREFIX_TEXT) {
			left++;
			continue;
		}
		list->print(items, text);
		mw_words_add(words, " %c%s", sign, text);
	}
	return left;
}

static void mw_told_difference(struct mw_words *words, const struct mw_told_list *list,
			       const void *was, u16 was_count, const void *is, u16 is_count)
{
	bool begun = false;
	unsigned int left;

	left = mw_told_missing(words, list, '-', was, was_count, is, is_count, &begun);
	left += mw_told_missing(words, list, '+', is, is_count, was, was_count, &begun);
	if (left)
		mw_words_add(words, " and %u more", left);
}

void mw_told_note(struct mw_told *told, const char *how, const struct mw_spec *was,
		  const struct mw_spec *is, u32 waits)
{
	static const struct mw_told_list adm = { "adm", sizeof(*is->adm), mw_told_prefix };
	static const struct mw_told_list site = { "site", sizeof(*is->site), mw_told_row };
	static const struct mw_told_list gtw = { "gtw", sizeof(*is->gtw), mw_told_gtw };
	struct mw_words words = { .text = told->text };
	char before[MW_PREFIX_TEXT], after[MW_PREFIX_TEXT], *c;

	told->how = how;
	if (was->mode != is->mode)
		mw_words_add(&words, "mode %s -> %s", mw_mode_name(was->mode),
			     mw_mode_name(is->mode));
	else
		mw_words_add(&words, "mode %s", mw_mode_name(is->mode));
	mw_told_difference(&words, &gtw, was->gtw, was->gtw_count, is->gtw, is->gtw_count);
	mw_told_difference(&words, &adm, was->adm, was->adm_count, is->adm, is->adm_count);
	mw_told_difference(&words, &site, was->site, was->site_count, is->site, is->site_count);
	mw_spec_print_log(was, before);
	mw_spec_print_log(is, after);
	if (strcmp(before, after)) {
		mw_words_begin(&words, "log");
		mw_words_add(&words, " %s -> %s", before, after);
	}
	if (waits)
		mw_words_add(&words, "; waits %u seconds to be confirmed", waits);
	/* The name of a device may hold what would end a field of the audit, or a line. */
	for (c = told->text; *c; c++)
		if (!isascii(*c) || !isprint(*c) || *c == '"' || *c == '\\')
			*c = '?';
}

/* @by_task: whether the task that this runs in did it; else it does not wait, either */
static void mw_tell_audit(struct mw_net *mn, const struct mw_told *told, bool by_task)
{
	struct audit_buffer *record;

	if (!audit_enabled)
		return;
	record = audit_log_start(by_task ? audit_context() : NULL,
				 by_task ? GFP_KERNEL : GFP_NOWAIT, AUDIT_KERNEL_OTHER);
	audit_log_format(record, "op=mailwall-%s net=%u change=\"%s\"", told->how, mn->net->ns.inum,
			 told->text);
	if (by_task)
		audit_log_task_info(record);
	audit_log_format(record, " res=1");
	audit_log_end(record);
}

static void mw_tell_log(struct mw_net *mn, const struct mw_told *told)
{
	kuid_t login = audit_get_loginuid(current);
	char loginuid[12] = "unset", comm[TASK_COMM_LEN];

	if (!___ratelimit(&mn->changes, KBUILD_MODNAME " changes"))
		return;
	if (uid_valid(login))
		snprintf(loginuid, sizeof(loginuid), "%u", from_kuid(&init_user_ns, login));
	get_task_comm(comm, current);
	pr_info("net:[%u]: %s: %s; by uid %u loginuid %s pid %d comm \"%*pE\"\n", mn->net->ns.inum,
		told->how, told->text, from_kuid(&init_user_ns, current_uid()), loginuid,
		task_tgid_nr(current), (int)strlen(comm), comm);
}

void mw_tell(struct mw_net *mn, const struct mw_told *told)
{
	mw_tell_log(mn, told);
	mw_tell_audit(mn, told, true);
}

void mw_tell_expired(struct mw_net *mn, const struct mw_told *told)
{
	pr_warn("net:[%u]: change not confirmed in time: %s\n", mn->net->ns.inum, told->text);
	mw_tell_audit(mn, told, false);
}
