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
 * struct mw_stats - the counters of a network namespace on one processor
 * @row: by slot
 * @denied: by enum mailwall_direction and enum mailwall_reason
 * @would_deny: the same in audit mode
 * @log_held: denials that the kernel log's rate limit held back
 */
struct mw_stats {
	struct mw_row_stats row[MW_SLOTS];
	mw_counter denied[2][MAILWALL_REASONS];
	mw_counter would_deny[2][MAILWALL_REASONS];
	mw_counter log_held;
};

/**
 * struct mw_row_counters - what a row has allowed, on all processors
 * @row: the row
 * @openings: opening segments
 * @segments: segments
 * @bytes: bytes
 */
struct mw_row_counters {
	struct mailwall_row row;
	u64 openings;
	u64 segments;
	u64 bytes;
};

/**
 * struct mw_counters - the counters of a network namespace, added up
 * @generation: policy whose rows these are
 * @log_held: denials that the kernel log's rate limit held back
 * @denied: by enum mailwall_direction and enum mailwall_reason
 * @would_deny: the same in audit mode
 * @row_count: rows in @row
 * @row: the built-in rows, then site rows
 */
struct mw_counters {
	u64 generation;
	u64 log_held;
	u64 denied[2][MAILWALL_REASONS];
	u64 would_deny[2][MAILWALL_REASONS];
	u32 row_count;
	struct mw_row_counters row[MW_TABLE_ROWS + MAILWALL_SITE_MAX];
};

/**
 * mw_stats_clear_slot() - start a slot at zero
 * @stats: counters
 * @slot: slot that no published policy has had for a grace period
 */
void mw_stats_clear_slot(struct mw_stats __percpu *stats, u8 slot);

/**
 * mw_stats_read() - add the processors up
 * @stats: counters, NULL for none yet
 * @policy: policy whose rows are wanted
 * @counters: filled in; generation is the caller's
 *
 * Context: any; RCU read side for @policy.
 */
void mw_stats_read(const struct mw_stats __percpu *stats, const struct mw_policy *policy,
		   struct mw_counters *counters);

#endif /* _MW_STATS_H */
