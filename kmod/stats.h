/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Counters: one set for each processor, so that the packet path writes no cache
 * line that another processor writes.
 */
#ifndef _MW_STATS_H
#define _MW_STATS_H

#include "policy.h"
#include <linux/percpu.h>

/*
 * A counter never goes backwards and is never read half-written. Where a long has
 * 64 bits this_cpu_add() is one instruction, safe against interrupts and against
 * being moved to another processor (process-context sends run with both enabled);
 * elsewhere an atomic does the same at more cost.
 */
#if BITS_PER_LONG == 64
typedef u64 mw_counter;
#define mw_count(counter, n) this_cpu_add(counter, n)
#define mw_counter_read(counter) READ_ONCE(counter)
#else
typedef atomic64_t mw_counter;
#define mw_count(counter, n) atomic64_add(n, raw_cpu_ptr(&(counter)))
#define mw_counter_read(counter) atomic64_read(&(counter))
#endif

/**
 * struct mw_row_stats - what a row has allowed
 * @segments: segments
 * @bytes: bytes
 * @openings: opening segments
 *
 * Half a cache line: found by a shift, and in one line.
 */
struct mw_row_stats {
	mw_counter segments;
	mw_counter bytes;
	mw_counter openings;
} __aligned(32);

/**
 * struct mw_stats - the counters of a network namespace on one processor: one of these for
 * this host and one for all gateways behind it
 * @row: by enum mailwall_direction and slot
 * @denied: by enum mailwall_direction and enum mailwall_reason
 * @would_deny: the same in audit mode
 * @log_held: denials that the kernel log's rate limit held back
 * @flows_noted: flows of gateways behind that were not there before
 * @flows_evicted: flows that made room for another
 * @flows_missed: segments to gateways behind whose flow was asked for and not there
 */
struct mw_stats {
	struct mw_row_stats row[2][MW_SLOTS];
	mw_counter denied[2][MAILWALL_REASONS];
	mw_counter would_deny[2][MAILWALL_REASONS];
	mw_counter log_held;
	mw_counter flows_noted;
	mw_counter flows_evicted;
	mw_counter flows_missed;
};

/*
 * The counters of a row, from those of its slot inbound. Where the direction is known it is a
 * displacement in each access then, and takes no instruction; gcc would calculate it once.
 */
#define MW_ROW(slot, direction)                                                                 \
	({                                                                                      \
		OPTIMIZER_HIDE_VAR(slot);                                                       \
		(struct mw_row_stats __percpu *)((void __percpu *)(slot) +                      \
						 (direction) * sizeof(((struct mw_stats *)NULL) \
									      ->row[0]));       \
	})

/**
 * struct mw_seen - the segments of each gateway behind, on one processor
 * @segments: by enum mailwall_direction and slot of the item
 */
struct mw_seen {
	mw_counter segments[2][MW_GTW_SLOTS];
};

/**
 * struct mw_counts - the counters of this host, or of all gateways behind it, added up
 * @row: the built-in rows, then site rows; struct mailwall_row_counters' @row is set
 * @denied: by enum mailwall_direction and enum mailwall_reason
 * @would_deny: the same in audit mode
 */
struct mw_counts {
	struct mailwall_row_counters row[MW_TABLE_ROWS + MAILWALL_SITE_MAX];
	u64 denied[2][MAILWALL_REASONS];
	u64 would_deny[2][MAILWALL_REASONS];
};

/**
 * struct mw_counters - the counters of a network namespace
 * @generation: policy whose rows and gateways these are
 * @log_held: as in struct mw_stats
 * @flows_noted: as in struct mw_stats
 * @flows_evicted: as in struct mw_stats
 * @flows_missed: as in struct mw_stats
 * @row_count: rows in each of @of
 * @gtw_count: items in @gtw and @seen
 * @behind: there are, or were, gateways behind
 * @of: of this host, of all gateways behind
 * @gtw: the list of gateways
 * @seen: what each item saw, by enum mailwall_direction
 */
struct mw_counters {
	u64 generation;
	u64 log_held;
	u64 flows_noted;
	u64 flows_evicted;
	u64 flows_missed;
	u16 row_count;
	u16 gtw_count;
	bool behind;
	struct mw_counts of[2];
	struct mailwall_gtw gtw[MAILWALL_GTW_MAX];
	u64 seen[MAILWALL_GTW_MAX][2];
};

/**
 * struct mw_counted - where a namespace's packets are counted
 * @here: of this host, allocated with the first policy that is set, before hooks
 * @behind: of all gateways behind, allocated with the first one that is set
 * @seen: of each of them, likewise
 * @past: what this host counted by direction in slots that another row has now
 */
struct mw_counted {
	struct mw_stats __percpu *here;
	struct mw_stats __percpu *behind;
	struct mw_seen __percpu *seen;
	u64 past[2];
};

/**
 * mw_stats_clear_row() - start a row's slot at zero
 * @counted: counters
 * @slot: slot that no published policy has had for a grace period
 */
void mw_stats_clear_row(struct mw_counted *counted, u8 slot);

/**
 * mw_stats_clear_gateway() - start a gateway's slot at zero
 * @counted: counters
 * @slot: slot that no published policy has had for a grace period
 */
void mw_stats_clear_gateway(struct mw_counted *counted, u8 slot);

/**
 * mw_stats_read() - add the processors up
 * @counted: counters; what is not allocated yet counts as zero
 * @policy: policy whose rows and gateways are wanted
 * @counters: filled in
 *
 * Context: any; RCU read side for @policy.
 */
void mw_stats_read(const struct mw_counted *counted, const struct mw_policy *policy,
		   struct mw_counters *counters);

#endif /* _MW_STATS_H */
