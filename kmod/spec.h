/* SPDX-License-Identifier: GPL-2.0 */
/* What an administrator sets, as one object. */
#ifndef _MW_SPEC_H
#define _MW_SPEC_H

#include "portable.h"
#include <linux/mailwall.h>

/* Flows of gateways behind that there is room for, in each network namespace. */
#define MW_FLOWS_MIN 1024
#define MW_FLOWS_MAX 1048576
#define MW_FLOWS_DEFAULT 16384

/**
 * struct mw_spec - what the administrator sets
 * @generation: counts the policies of a namespace, from 1
 * @mode: enum mailwall_mode
 * @confirm: seconds after which the change to this reverts unless confirmed, 0 for
 *           never; of one in force: seconds left, rounded up
 * @log: enum mailwall_log
 * @log_group: nfnetlink_log group, 0 for other kinds of log
 * @adm_count: prefixes in @adm
 * @site_count: rows in @site
 * @gtw_count: items in @gtw
 * @adm: prefixes of the administration network
 * @site: the administrator's own rows
 * @gtw: which computers are GTW
 *
 * Normalised (mw_spec_normalise()): lists are in order and without duplicates, what
 * is unused is zero.
 */
struct mw_spec {
	u64 generation;
	u32 mode;
	u32 confirm;
	u16 log;
	u16 log_group;
	u16 adm_count;
	u16 site_count;
	u16 gtw_count;
	struct mailwall_prefix adm[MAILWALL_ADM_MAX];
	struct mailwall_row site[MAILWALL_SITE_MAX];
	struct mailwall_gtw gtw[MAILWALL_GTW_MAX];
};

/**
 * mw_spec_is_behind() - are there gateways behind this host?
 * @spec: normalised
 */
static inline bool mw_spec_is_behind(const struct mw_spec *spec)
{
	return spec->gtw_count != 1 || spec->gtw[0].kind != MAILWALL_GTW_THIS;
}

#endif /* _MW_SPEC_H */
