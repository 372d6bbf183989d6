// SPDX-License-Identifier: GPL-2.0
/*
 * The table of flows: its making, and the notes that write. All that a packet usually
 * needs is in flow.h.
 */
#include "flow.h"
#include <linux/log2.h>
#include <linux/mm.h>
#include <linux/overflow.h>
#include <linux/random.h>
#include <linux/slab.h>

struct mw_flow_table *mw_flow_create(u32 flows)
{
	u32 buckets = roundup_pow_of_two(flows) / MW_FLOWS_PER_BUCKET;
	struct mw_flow_table *table;

	table = kvzalloc(struct_size(table, bucket, buckets), GFP_KERNEL);
	if (!table)
		return NULL;
	table->mask = buckets - 1;
	get_random_bytes(&table->odd, sizeof(table->odd));
	table->odd |= 1;
	get_random_bytes(table->factor, sizeof(table->factor));
	return table;
}

void mw_flow_destroy(struct mw_flow_table *table)
{
	kvfree(table);
}

/* Fails if another processor has written there. */
static bool mw_flow_replace(atomic64_t *flow, u64 old, u64 new)
{
	return (u64)atomic64_cmpxchg_release(flow, old, new) == old;
}

/*
 * The tag of another flow is not known here, so how long it was idle is read from the 19
 * bits of time that no tag reaches into, and these come round in six days. For the order of
 * eviction to be right nevertheless, all that is not fresh any more is cleared:
 *
 * Let p be the second of the last note that came here, and let all flows that it left be
 * ones that were fresh then, idle for W seconds at most. If p is more than W seconds ago,
 * none of them is fresh now, and all are cleared, whatever their bits say. Else none is idle
 * for more than 2 W seconds, so the bits are exact, and those that are not fresh are
 * cleared. Either way the flows that this note leaves are fresh now. (mw_flow_fresh()
 * relies on none of this.)
 *
 * Another processor may be in here at the same moment. The flows are read before
 * bucket->last, and one is written after it: who sees that nothing was noted for long, and
 * then clears what he read before, cannot clear what the other one has just noted. Who sees
 * instead that one was noted just now, may have read before that what is cleared by now, and
 * take the way for occupied; so none makes room unless all are still there. Two that note a
 * new flow at once may take a way each; one of the two is not refreshed, and goes in time.
 *
 * Of flows that were idle equally long, for whole seconds, each makes room in its turn. Were the
 * one that was noted last the next to go, then two that wait for answers could take the room
 * from one another, and one that has nothing more to say would wait for ever.
 */
enum mw_flow_noted mw_flow_note_slowly(struct mw_flow_bucket *bucket, u64 entry, u64 now)
{
	u64 flow[MW_FLOW_WAYS], idle, longest, last, noted;
	int i, n, own, free, next, victim;

again: /* only after another processor has got on */
	for (i = 0; i < MW_FLOW_WAYS; i++)
		flow[i] = atomic64_read_acquire(&bucket->flow[i]);
	last = atomic64_read_acquire(&bucket->last);
	noted = last / MW_FLOW_TURNS;
	next = last % MW_FLOW_TURNS;

	own = -1;
	free = -1;
	victim = 0;
	longest = 0;
	i = next;
	for (n = 0; n < MW_FLOW_WAYS; n++) {
		/* whose turn it is comes last and is taken from its equals */
		i = i ? i - 1 : MW_FLOW_WAYS - 1;
		if (mw_flow_is_fresh(entry, flow[i])) {
			own = i;
			continue;
		}
		idle = (entry + MW_FLOW_SKEW - flow[i]) & ((1 << MW_FLOW_TIME_BITS) - 1);
		if (flow[i] &&
		    (idle > MW_FLOW_WINDOW + MW_FLOW_SKEW || noted + MW_FLOW_WINDOW < now)) {
			if (!mw_flow_replace(&bucket->flow[i], flow[i], 0))
				goto again;
			flow[i] = 0;
		}
		if (!flow[i]) {
			free = i;
		} else if (idle >= longest) {
			victim = i;
			longest = idle;
		}
	}

	if (own >= 0) {
		if (noted < now)
			atomic64_set_release(&bucket->last, now * MW_FLOW_TURNS + next);
		/* Never back to an earlier second, which a late processor may have. */
		if (flow[own] < entry && !mw_flow_replace(&bucket->flow[own], flow[own], entry))
			goto again;
		return MW_FLOW_REFRESHED;
	}
	if (free >= 0)
		victim = free;
	else
		for (i = 0; i < MW_FLOW_WAYS; i++)
			if ((u64)atomic64_read(&bucket->flow[i]) != flow[i])
				goto again;
	next = (victim + 1) % MW_FLOW_WAYS;
	atomic64_set_release(&bucket->last, (noted < now ? now : noted) * MW_FLOW_TURNS + next);
	if (!mw_flow_replace(&bucket->flow[victim], flow[victim], entry))
		goto again;
	return free >= 0 ? MW_FLOW_NOTED : MW_FLOW_EVICTED;
}
