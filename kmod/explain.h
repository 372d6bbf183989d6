/* SPDX-License-Identifier: GPL-2.0 */
/* What would be done with a segment that is only described. */
#ifndef _MW_EXPLAIN_H
#define _MW_EXPLAIN_H

#include "net.h"

/**
 * mw_explain() - ask for the verdict on one segment
 * @mn: namespace
 * @question: from outside; the answer is filled in
 *
 * By the same functions as packets meet, without counting, logging or acting.
 *
 * Context: any but the packet path; takes the RCU read side.
 *
 * Return: 0; -EINVAL, the item is in the kernel log; -ENODEV, no such device.
 */
int mw_explain(struct mw_net *mn, struct mailwall_explain *question);

#endif /* _MW_EXPLAIN_H */
