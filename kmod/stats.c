// SPDX-License-Identifier: GPL-2.0
/*
 * Counters, added up and cleared. They are counted in hook.c, forward.c and general.c.
 */
#include "stats.h"

static u64 mw_clear_row(struct mw_stats __percpu *stats, u8 direction, u8 slot)
{
	u64 segments = 0;
	int cpu;

	for_each_possible_cpu(cpu) {
		struct mw_row_stats *row = &per_cpu_ptr(stats, cpu)->row[direction][slot];

		segments += mw_counter_read(row->segments);
		memset(row, 0, sizeof(*row));
	}
	return segments;
}

void mw_stats_clear_row(struct mw_counted *counted, u8 slot)
{
	u8 direction;

	for (direction = 0; direction < 2; direction++) {
		counted->past[direction] += mw_clear_row(counted->here, direction, slot);
		if (counted->behind)
			mw_clear_row(counted->behind, direction, slot);
	}
}

void mw_stats_clear_gateway(struct mw_counted *counted, u8 slot)
{
	int cpu;

	for_each_possible_cpu(cpu) {
		struct mw_seen *seen = per_cpu_ptr(counted->seen, cpu);

		memset(&seen->segments[MAILWALL_IN][slot], 0, sizeof(mw_counter));
		memset(&seen->segments[MAILWALL_OUT][slot], 0, sizeof(mw_counter));
	}
}

/* The slot of row number i of a policy: the built-in ones, then the site rows. */
static u8 mw_slot_of_row(const struct mw_policy *policy, unsigned int i)
{
	return i < MW_TABLE_ROWS ? 1 + i : policy->site_slot[i - MW_TABLE_ROWS];
}

static void mw_add_row(struct mailwall_row_counters *sum, const struct mw_row_stats *part)
{
	sum->openings += mw_counter_read(part->openings);
	sum->segments += mw_counter_read(part->segments);
	sum->bytes += mw_counter_read(part->bytes);
}

static void mw_add(struct mw_counters *counters, struct mw_counts *sum,
		   const struct mw_policy *policy, const struct mw_stats *part)
{
	unsigned int direction, reason, i;

	for (direction = 0; direction < 2; direction++) {
		for (i = 0; i < counters->row_count; i++)
			mw_add_row(&sum->row[i], &part->row[direction][mw_slot_of_row(policy, i)]);
		for (reason = 0; reason < MAILWALL_REASONS; reason++) {
			sum->denied[direction][reason] +=
				mw_counter_read(part->denied[direction][reason]);
			sum->would_deny[direction][reason] +=
				mw_counter_read(part->would_deny[direction][reason]);
		}
	}
	counters->log_held += mw_counter_read(part->log_held);
	counters->flows_noted += mw_counter_read(part->flows_noted);
	counters->flows_evicted += mw_counter_read(part->flows_evicted);
	counters->flows_missed += mw_counter_read(part->flows_missed);
}

/* All that was judged for this host: each segment was either counted on a row or denied. */
static u64 mw_seen_here(const struct mw_stats *part, u8 direction)
{
	unsigned int i;
	u64 sum = 0;

	for (i = 0; i < MW_SLOTS; i++)
		sum += mw_counter_read(part->row[direction][i].segments);
	for (i = 0; i < MAILWALL_REASONS; i++)
		sum += mw_counter_read(part->denied[direction][i]) +
		       mw_counter_read(part->would_deny[direction][i]);
	return sum;
}

static void mw_add_seen(u64 sum[2], const struct mw_counted *counted, u8 slot, bool here, int cpu)
{
	u8 direction;

	for (direction = 0; direction < 2; direction++)
		sum[direction] +=
			here ? mw_seen_here(per_cpu_ptr(counted->here, cpu), direction) :
			       mw_counter_read(
				       per_cpu_ptr(counted->seen, cpu)->segments[direction][slot]);
}

void mw_stats_read(const struct mw_counted *counted, const struct mw_policy *policy,
		   struct mw_counters *counters)
{
	const struct mw_spec *spec = &policy->spec;
	unsigned int i;
	int cpu;

	memset(counters, 0, sizeof(*counters));
	counters->generation = spec->generation;
	counters->row_count = MW_TABLE_ROWS + spec->site_count;
	counters->gtw_count = spec->gtw_count;
	counters->behind = counted->behind;
	memcpy(counters->gtw, spec->gtw, sizeof(counters->gtw));
	for (i = 0; i < counters->row_count; i++) {
		const struct mailwall_row *row = i < MW_TABLE_ROWS ? &mw_table[i].row :
								     &spec->site[i - MW_TABLE_ROWS];

		counters->of[0].row[i].row = *row;
		counters->of[1].row[i].row = *row;
		counters->of[1].row[i].behind = 1;
	}
	if (!counted->here)
		return;
	for_each_possible_cpu(cpu) {
		mw_add(counters, &counters->of[0], policy, per_cpu_ptr(counted->here, cpu));
		if (counted->behind)
			mw_add(counters, &counters->of[1], policy,
			       per_cpu_ptr(counted->behind, cpu));
		for (i = 0; i < spec->gtw_count; i++)
			mw_add_seen(counters->seen[i], counted, policy->gtw_slot[i],
				    spec->gtw[i].kind == MAILWALL_GTW_THIS, cpu);
	}
	for (i = 0; i < spec->gtw_count; i++)
		if (spec->gtw[i].kind == MAILWALL_GTW_THIS) {
			counters->seen[i][MAILWALL_IN] += counted->past[MAILWALL_IN];
			counters->seen[i][MAILWALL_OUT] += counted->past[MAILWALL_OUT];
		}
}
