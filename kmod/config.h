/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The policy of a network namespace: built whole, checked, swapped under the
 * namespace's mutex, freed after a grace period; and the way back.
 */
#ifndef _MW_CONFIG_H
#define _MW_CONFIG_H

#include "edit.h"
#include "net.h"
#include "stats.h"

/* Flows of gateways behind that a namespace has room for; set by a load parameter. */
extern u32 mw_config_flows;

/**
 * mw_config_setup() - make what all namespaces share
 *
 * The policy that each of them starts with: mode off, no ADM, no site row, generation
 * 1. And the queue on which changes are taken back.
 *
 * Return: 0, or -ENOMEM.
 */
int mw_config_setup(void);

/* Once there is no namespace any more. */
void mw_config_teardown(void);

/**
 * mw_config_init() - start a namespace
 * @mn: zeroed
 * @net: the namespace
 */
void mw_config_init(struct mw_net *mn, struct net *net);

/**
 * mw_config_stop() - take hooks, timer and work of a namespace away
 * @mn: a namespace that no control interface reaches any more
 *
 * A grace period must follow before mw_config_clean(). Context: may sleep.
 */
void mw_config_stop(struct mw_net *mn);

/**
 * mw_config_clean() - free what a namespace has
 * @mn: a namespace that is stopped, after a grace period
 */
void mw_config_clean(struct mw_net *mn);

/**
 * mw_config_set() - replace the policy
 * @mn: namespace
 * @spec: any bytes from outside; overwritten
 *
 * A change is told with who made it (tell.h).
 *
 * With a confirm member that is not 0 the change is taken back after so many seconds
 * of boot time, a suspend included, unless mw_config_confirm() comes first.
 *
 * Context: may sleep. When it returns, no segment is judged by the old policy.
 *
 * Return: 0, or an error as <linux/mailwall.h> lists them for
 * MAILWALL_SET_POLICY; a refused item is in the kernel log.
 */
int mw_config_set(struct mw_net *mn, struct mw_spec *spec);

/**
 * mw_config_load() - the first policy of the initial namespace
 * @mn: initial namespace, as mw_config_init() left it
 * @spec: as for mw_config_set(), whose errors it returns; with a confirm member the way
 *        back is its mode audit
 *
 * Context: may sleep. Tells nobody: mw_config_loaded() does, once nothing can fail.
 */
int mw_config_load(struct mw_net *mn, struct mw_spec *spec);

/**
 * mw_config_loaded() - tell who loaded the module
 * @mn: initial namespace
 * @confirm: seconds for which that waits to be confirmed, or 0
 *
 * Context: may sleep, under no lock.
 */
void mw_config_loaded(struct mw_net *mn, u32 confirm);

/* The same as it is about to be unloaded. */
void mw_config_unloads(struct mw_net *mn);

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
 * mw_config_confirm() - keep the change that waits, or let it wait longer
 * @mn: namespace
 * @extend: 0 to keep it for good, else seconds from now on
 *
 * Context: may sleep.
 *
 * Return: 0; -ENODATA if none waits, also if its time is over: then it is taken back;
 * -EINVAL if @extend is above MAILWALL_CONFIRM_MAX.
 */
int mw_config_confirm(struct mw_net *mn, u32 extend);

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
 * mw_config_read() - the policy in force, with its generation and the seconds left
 * @mn: namespace
 * @spec: filled in
 *
 * Context: may sleep.
 */
void mw_config_read(struct mw_net *mn, struct mw_spec *spec);

/**
 * mw_config_mode() - the mode in force
 * @mn: namespace
 *
 * Context: any. Waits for nothing: any user may ask, as often as he likes.
 */
unsigned int mw_config_mode(const struct mw_net *mn);

/**
 * mw_config_counters() - counters of the rows in force
 * @mn: namespace
 * @counters: filled in
 *
 * Context: may sleep.
 */
void mw_config_counters(struct mw_net *mn, struct mw_counters *counters);

/**
 * mw_refuse() - leave a line in the kernel log about refused input
 * @mn: namespace that it was meant for
 * @name: what was written to
 * @c: the complaint
 */
void mw_refuse(struct mw_net *mn, const char *name, const struct mw_complaint *c);

/**
 * mw_complaint_allowed() - may one more line about a caller's mistake be logged?
 * @mn: namespace of the caller, who may repeat the mistake as often as he likes
 */
bool mw_complaint_allowed(struct mw_net *mn);

/* How a refused item is told: name, MW_REFUSED_LENGTH(), item and cure. */
#define MW_REFUSED "%s refused: \"%*pE\": %s\n"

/* more than anybody writes by hand, less than would flood the log */
#define MW_REFUSED_LENGTH(complaint) min_t(int, (complaint)->length, 64)

/* A line in the kernel log that names the namespace, about something that a caller can repeat. */
#define mw_warn(mn, fmt, ...)                                                         \
	do {                                                                          \
		if (mw_complaint_allowed(mn))                                         \
			pr_warn("net:[%u]: " fmt, (mn)->net->ns.inum, ##__VA_ARGS__); \
	} while (0)

#endif /* _MW_CONFIG_H */
