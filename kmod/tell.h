/* SPDX-License-Identifier: GPL-2.0 */
/* Who changed what, for the kernel's log and its audit. */
#ifndef _MW_TELL_H
#define _MW_TELL_H

#include "net.h"

/* Far below what one line of the kernel's log takes; who it was comes after it. */
#define MW_TOLD_TEXT 512

/**
 * struct mw_told - a change, in words
 * @how: "changed", "confirmed", ...
 * @text: what was and what is, printable and without quotes
 */
struct mw_told {
	const char *how;
	char text[MW_TOLD_TEXT];
};

/**
 * mw_told_note() - put a change into words
 * @told: filled in
 * @how: one word
 * @was: normalised
 * @is: normalised
 * @waits: seconds for which it waits to be confirmed, 0 if it does not
 *
 * Context: any; the caller keeps both policies. What was added to a list is told with a
 * plus, what was removed with a minus; what finds no room is counted.
 */
void mw_told_note(struct mw_told *told, const char *how, const struct mw_spec *was,
		  const struct mw_spec *is, u32 waits);

/**
 * mw_tell() - tell the kernel's log, and its audit where that is enabled, who did it
 * @mn: namespace
 * @told: change
 *
 * Context: of the process that asked for the change; may sleep. Under no lock: the audit
 * waits for its daemon where its queue is full, by default up to a minute.
 *
 * The line is rate limited, apart from refused writes: who repeats mistakes hides no
 * change. The audit has limits of its own.
 */
void mw_tell(struct mw_net *mn, const struct mw_told *told);

/**
 * mw_tell_expired() - tell them that a change was taken back since nobody confirmed it
 * @mn: namespace
 * @told: from the change to what was before it
 *
 * Context: any process, of which nothing is told; under no lock. It does not wait, since
 * others' time may be over meanwhile: a record that finds the queue of the audit full is
 * counted as lost there.
 *
 * Not limited: it comes once for a change, and somebody may be waiting for it.
 */
void mw_tell_expired(struct mw_net *mn, const struct mw_told *told);

#endif /* _MW_TELL_H */
