/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The built-in table: the one place that says which ports are open. Pure.
 */
#ifndef _MW_TABLE_H
#define _MW_TABLE_H

#include "portable.h"
#include <linux/mailwall.h>

/*
 * "Firewall Configuration", MailStore Gateway Help, revision of 10 April 2019.
 * ROW(port, source, target, the makers' description). Nothing else in the module,
 * the command or the ABI knows how many rows there are.
 */
/* clang-format off */
#define MW_TABLE(ROW) \
	ROW(25, GTW, ANY, \
	    "Access to email servers via SMTP needed by the SMTP proxy functionality.") \
	ROW(25, ANY, GTW, \
	    "Access from email servers to send emails to MailStore Gateway mailboxes. Access from email clients via SMTP needed by the SMTP proxy functionality.") \
	ROW(110, GTW, ANY, \
	    "Access to email servers via POP3 needed by the POP3 proxy functionality.") \
	ROW(110, ANY, GTW, \
	    "Access from email clients via POP3 needed by the POP3 proxy functionality. Access from MailStore Server or MailStore Service Provider Edition to retrieve emails from MailStore Gateway mailboxes.") \
	ROW(8450, ADM, GTW, \
	    "Access to the Management Console by administrators.") \
	ROW(465, GTW, ANY, \
	    "Access to email servers via SMTPS needed by the SMTP proxy functionality.") \
	ROW(465, ANY, GTW, \
	    "Access from email clients via SMTPS needed by the SMTP proxy functionality.") \
	ROW(587, GTW, ANY, \
	    "Access to email servers via SMTP needed by the SMTP proxy functionality.") \
	ROW(587, ANY, GTW, \
	    "Access from email clients via SMTP needed by the SMTP proxy functionality.") \
	ROW(995, GTW, ANY, \
	    "Access to email servers via POP3S needed by the POP3 proxy functionality.") \
	ROW(995, ANY, GTW, \
	    "Access from email clients via POP3S needed by the POP3 proxy functionality.")
#define MW_TABLE_COUNT(port, source, target, description) + 1
/* clang-format on */
#define MW_TABLE_ROWS (0 MW_TABLE(MW_TABLE_COUNT))

/**
 * struct mw_table_row - a row of the built-in table
 * @row: the row
 * @description: the makers' words
 */
struct mw_table_row {
	struct mailwall_row row;
	const char *description;
};

extern const struct mw_table_row mw_table[MW_TABLE_ROWS];

/**
 * mw_row_inbound() - does the row open a local port (or a remote one)?
 * @row: valid row
 */
static inline bool mw_row_inbound(const struct mailwall_row *row)
{
	return row->target == MAILWALL_GTW;
}

static inline bool mw_row_equal(const struct mailwall_row *a, const struct mailwall_row *b)
{
	return a->port == b->port && a->source == b->source && a->target == b->target;
}

/**
 * mw_row_clash() - do two rows open the same port in the same direction?
 * @a: valid row
 * @b: valid row
 */
static inline bool mw_row_clash(const struct mailwall_row *a, const struct mailwall_row *b)
{
	return a->port == b->port && mw_row_inbound(a) == mw_row_inbound(b);
}

/* The name of an end as docs/decision.md and sysfs write it; NULL where there is none. */
const char *mw_end_name(unsigned int end);

#endif /* _MW_TABLE_H */
