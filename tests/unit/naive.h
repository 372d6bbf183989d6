/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decision a second time, from POLICY.md's own words and as plainly as they
 * allow: what policy.c is compared with. Shares nothing with it but the
 * structs of the ABI and of what an administrator sets.
 */
#ifndef _MW_NAIVE_H
#define _MW_NAIVE_H

#include <stdbool.h>
#include "spec.h"

struct naive_segment {
	enum mailwall_direction direction;
	int family;
	unsigned int flags;
	unsigned int local; /* port on GTW's side */
	unsigned int remote;
	const unsigned char *peer;
	bool connection; /* this host holds it */
};

/**
 * struct naive_answer - the decision
 * @allowed: allowed, or denied for @reason
 * @row: number of the row that counts it: built-in ones from 0, then site rows
 * @reason: why it is denied
 * @asked: whether the socket table is needed to tell
 */
struct naive_answer {
	bool allowed;
	unsigned int row;
	enum mailwall_reason reason;
	bool asked;
};

/* Does one of the prefixes hold the address? */
bool naive_holds(const struct mw_spec *policy, int family, const unsigned char *address);

/* Steps 2 to 5 over a well-formed segment. */
struct naive_answer naive_judge(const struct mw_spec *policy,
				const struct naive_segment *segment);

#endif /* _MW_NAIVE_H */
