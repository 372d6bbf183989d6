// SPDX-License-Identifier: GPL-2.0
/*
 * Counters, added up and cleared. They are counted in hook.c.
 */
#include "stats.h"

void mw_stats_clear_slot(struct mw_stats __percpu *stats, u8 slot)
{
	int cpu;

	for_each_possible_cpu(cpu)
		memset(&per_cpu_ptr(stats, cpu)->row[slot], 0, sizeof(struct mw_row_stats));
}

static void mw_add_reasons(u64 sum[2][MAILWALL_REASONS], const mw_counter part[2][MAILWALL_REASONS])
{
	int direction, reason;

	for (direction = 0; direction < 2; direction++)
		for (reason = 0; reason < MAILWALL_REASONS; reason++)
			sum[direction][reason] += mw_counter_read(part[direction][reason]);
}

static void mw_add_row(struct mw_row_counters *sum, const struct mw_row_stats *part)
{
	sum->openings += mw_counter_read(part->openings);
	sum->segments += mw_counter_read(part->segments);
	sum->bytes += mw_counter_read(part->bytes);
}

void mw_stats_read(const struct mw_stats __percpu *stats, const struct mw_policy *policy,
		   struct mw_counters *counters)
{
	struct mw_row_counters *site = &counters->row[MW_TABLE_ROWS];
	int cpu, i;

	memset(counters, 0, sizeof(*counters));
	counters->row_count = MW_TABLE_ROWS + policy->spec.site_count;
	for (i = 0; i < MW_TABLE_ROWS; i++)
		counters->row[i].row = mw_table[i].row;
	for (i = 0; i < policy->spec.site_count; i++)
		site[i].row = policy->spec.site[i];
	if (!stats)
		return;
	for_each_possible_cpu(cpu) {
		const struct mw_stats *part = per_cpu_ptr(stats, cpu);

		for (i = 0; i < MW_TABLE_ROWS; i++)
			mw_add_row(&counters->row[i], &part->row[1 + i]);
		for (i = 0; i < policy->spec.site_count; i++)
			mw_add_row(&site[i], &part->row[policy->site_slot[i]]);
		mw_add_reasons(counters->denied, part->denied);
		mw_add_reasons(counters->would_deny, part->would_deny);
		counters->log_held += mw_counter_read(part->log_held);
	}
}
