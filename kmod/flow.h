/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What gateways behind this host have sent: a table of flows, each with the second in
 * which it was noted last. A segment to such a gateway belongs to a connection if its
 * flow is fresh, that is, noted within the window.
 *
 * No lock and no allocation after mw_flow_create(). Only what a gateway sends is noted,
 * so nothing from outside fills the table; where a bucket is full, the flow that was idle
 * longest in it makes room (of those of one second, each in its turn). Whatever is lost, by
 * eviction or in a race between processors, comes back with the gateway's next segment: a
 * loss delays a connection.
 *
 * A bucket is a line of 64 bytes: seven flows, and when it was last written. A flow is
 * one u64, the sum
 *
 *	tag (44 bits, 2^19 apart)  +  second of its last note  +  MW_FLOW_ORIGIN
 *
 * of which the second is the whole of it, not its low bits alone. So for the flow's own
 * tag, "now" minus the entry is its age in 64 bits, and:
 *
 * - It never becomes fresh again. Seconds since boot are below 2^62 and the tag is below
 *   2^63, so the sum never wraps and an age never comes round.
 * - It is never 0, which means empty, and an empty way is never fresh: the least that a
 *   look-up compares it with is MW_FLOW_ORIGIN + MW_FLOW_SKEW, one more than it takes.
 * - An entry, however old and whoever's, is at any one second fresh for one tag at most:
 *   tags lie 2^19 apart, and the ages that count as fresh are fewer. (The one is the
 *   entry's own tag, until the second has run out of its 19 bits; then the next one.)
 *
 * The last and the hash (below) make the bound: a segment made up without knowledge of
 * the key has in its bucket seven entries at most, and with each a chance of 2^-44 that
 * its tag is the one: less than 2^-41 in all.
 */
#ifndef _MW_FLOW_H
#define _MW_FLOW_H

#include "spec.h"
#include <linux/atomic.h>

/* Two hours and four minutes (RFC 5382, REQ-5), in seconds. */
#define MW_FLOW_WINDOW 7440
/*
 * A processor may still work with a "now" that another one, which noted the flow, has
 * left behind: it was interrupted, or its hypervisor had it wait. So many seconds of
 * future are no reason to take a flow for another one.
 */
#define MW_FLOW_SKEW 60

#define MW_FLOW_WAYS 7
/* Room for the number of a way, besides a second. */
#define MW_FLOW_TURNS 8
/* Room for 3.5 times as many: with N flows in it, a table for N loses less than 0.1 %. */
#define MW_FLOWS_PER_BUCKET 2

#define MW_FLOW_TAG_BITS 44
#define MW_FLOW_TIME_BITS 19
#define MW_FLOW_ORIGIN (MW_FLOW_WINDOW + 1)

/**
 * struct mw_flow_bucket - flows whose keys have the same index
 * @last: second in which a flow in here was last written, 0 if none was, times
 *	  MW_FLOW_TURNS, plus the way whose turn it is to make room
 * @flow: entries as above, 0 for none
 *
 * @last keeps the order of eviction right for ever: see mw_flow_note_slowly().
 */
struct mw_flow_bucket {
	atomic64_t last;
	atomic64_t flow[MW_FLOW_WAYS];
} __aligned(64);

/* A factor of 128 bits. */
struct mw_flow_factor {
	u64 low;
	u64 high;
};

/* Each word that may be part of a flow has a factor of its own. */
enum {
	MW_FLOW_CONSTANT,
	MW_FLOW_PORTS,
	MW_FLOW_IPV4,
	MW_FLOW_IPV6,
	MW_FLOW_FACTORS = MW_FLOW_IPV6 + 4,
};

/**
 * struct mw_flow_table - flows of the gateways behind
 * @mask: buckets - 1, buckets being a power of two
 * @odd: random, odd: see mw_flow_finish()
 * @factor: random: see mw_flow_add()
 * @bucket: the flows
 */
struct mw_flow_table {
	u64 mask;
	u64 odd;
	struct mw_flow_factor factor[MW_FLOW_FACTORS];
	struct mw_flow_bucket bucket[];
};

static_assert(sizeof(struct mw_flow_bucket) == 64);
static_assert(MW_FLOW_WAYS <= MW_FLOW_TURNS);
static_assert(sizeof(struct mw_flow_table) +
		      16384 / MW_FLOWS_PER_BUCKET * sizeof(struct mw_flow_bucket) <=
	      1 << 20);
/* an index has bits of its own in a key */
static_assert(MW_FLOWS_MAX / MW_FLOWS_PER_BUCKET <= 1ULL << (64 - MW_FLOW_TAG_BITS));
/* an entry has 64 bits, of which the uppermost is for sums not to wrap */
static_assert(MW_FLOW_TAG_BITS + MW_FLOW_TIME_BITS == 63);
/* one tag only is fresh; what is left in a bucket was noted within a round of the bits */
static_assert(2 * (MW_FLOW_WINDOW + MW_FLOW_SKEW) < 1 << MW_FLOW_TIME_BITS);

/**
 * enum mw_flow_noted - what a note did
 * @MW_FLOW_REFRESHED: the flow was fresh
 * @MW_FLOW_NOTED: the flow was not, and is now
 * @MW_FLOW_EVICTED: likewise, and a fresh one made room for it
 */
enum mw_flow_noted {
	MW_FLOW_REFRESHED,
	MW_FLOW_NOTED,
	MW_FLOW_EVICTED,
};

/**
 * mw_flow_create() - a table without flows
 * @flows: for how many, MW_FLOWS_MIN to MW_FLOWS_MAX; rounded up to a power of two
 *
 * The table has keys of its own: a key is of no use with another table.
 *
 * Context: may sleep.
 * Return: the table, for mw_flow_destroy(); NULL without memory for it.
 */
struct mw_flow_table *mw_flow_create(u32 flows);

/**
 * mw_flow_destroy() - give a table back
 * @table: table that no processor can have any more, or NULL
 *
 * Context: may sleep.
 */
void mw_flow_destroy(struct mw_flow_table *table);

/**
 * mw_flow_note_slowly() - note a flow that was not yet noted in this second
 * @bucket: its bucket
 * @entry: its entry, of this second
 * @now: this second
 *
 * Context: any.
 * Return: as mw_flow_note().
 */
enum mw_flow_noted mw_flow_note_slowly(struct mw_flow_bucket *bucket, u64 entry, u64 now);

/* The headers' fields, neither aligned nor of one type with what is read there. */
struct mw_flow_u64 {
	u64 value;
} __packed __attribute__((__may_alias__));

struct mw_flow_u32 {
	u32 value;
} __packed __attribute__((__may_alias__));

/*
 * The hash: multilinear hashing with words of 64 bits and sums of 128,
 *
 *	(factor[0] + word[1] * factor[1] + word[2] * factor[2] + ...) >> 64,
 *
 * which is strongly universal (D. Lemire, O. Kaser, "Strongly universal string hashing is
 * fast", The Computer Journal 57 (11), 2014): for any two different flows that were chosen
 * without knowledge of the factors, each pair of results of 64 bits is as likely as any
 * other. mw_flow_finish() is one to one and leaves that so. Hence tag and index, being
 * different bits of a result, are independent, and those of one flow of those of another.
 *
 * Instructions for a key, IPv4 and IPv6 (x86-64, GCC 12, a call to it): 26 and 49; with
 * words of 32 bits and two sums of 64: 28 and 80, without mw_flow_finish(); with
 * SipHash-1-3: 134 and 195; with SipHash-2-4: 208 and 334. Those would also stand against
 * someone who learns which flows share a bucket and solves for the factors. He would have
 * to be at the far end of thousands of a gateway's connections and tell which of them were
 * evicted by which; what he would gain is segments to a gateway that has no connection
 * for them.
 */
#ifdef __SIZEOF_INT128__
typedef mw_u128 mw_flow_sum;

static __always_inline mw_flow_sum mw_flow_wide(const struct mw_flow_factor *factor)
{
	return (mw_u128)factor->high << 64 | factor->low;
}

static __always_inline void mw_flow_add(mw_flow_sum *sum, const struct mw_flow_factor *factor,
					u64 word)
{
	*sum += mw_flow_wide(factor) * word;
}

static __always_inline u64 mw_flow_upper(mw_flow_sum sum)
{
	return sum >> 64;
}
#else
typedef struct mw_flow_factor mw_flow_sum;

static __always_inline mw_flow_sum mw_flow_wide(const struct mw_flow_factor *factor)
{
	return *factor;
}

static inline void mw_flow_add(mw_flow_sum *sum, const struct mw_flow_factor *factor, u64 word)
{
	u32 a = word, b = word >> 32, c = factor->low, d = factor->low >> 32;
	/* none of these can overflow */
	u64 middle = (u64)a * d + ((u64)a * c >> 32);
	u64 other = (u64)b * c + (u32)middle;
	u64 low = factor->low * word;

	sum->low += low;
	sum->high += (u64)b * d + (middle >> 32) + (other >> 32) + factor->high * word +
		     (sum->low < low);
}

static __always_inline u64 mw_flow_upper(mw_flow_sum sum)
{
	return sum.high;
}
#endif

/*
 * What differs by a constant has sums that differ by a constant. A Windows host takes its
 * ports one after the other, and with one table in a hundred their sums would crowd into
 * few buckets; so the lower half of the sum is crossed with the upper one before it is
 * spread again.
 */
static __always_inline u64 mw_flow_finish(const struct mw_flow_table *table, mw_flow_sum sum)
{
	u64 hash = mw_flow_upper(sum);

	return (hash ^ hash >> 32) * table->odd;
}

static __always_inline u64 mw_flow_word(const u8 *address)
{
	return ((const struct mw_flow_u64 *)address)->value;
}

/* gateway's side first: what comes and what goes has one key */
static __always_inline u64 mw_flow_ports(const void *ports, u32 ifindex, bool from_gateway)
{
	u32 pair = ((const struct mw_flow_u32 *)ports)->value;

	if (!from_gateway)
		pair = pair << 16 | pair >> 16;
	return (u64)ifindex << 32 | pair;
}

/**
 * mw_flow_key_ipv4() - the key of a segment's flow
 * @table: table in which it is looked for
 * @addresses: source and destination, as in the IPv4 header; need not be aligned
 * @ports: source and destination port, as in the TCP header; likewise
 * @ifindex: device that the gateway is on
 * @from_gateway: the source is the gateway, not the destination
 *
 * Context: any.
 * Return: the key, the same for both ways of a flow.
 */
static __always_inline u64 mw_flow_key_ipv4(const struct mw_flow_table *table,
					    const void *addresses, const void *ports, u32 ifindex,
					    bool from_gateway)
{
	mw_flow_sum sum = mw_flow_wide(&table->factor[MW_FLOW_CONSTANT]);
	u64 pair = mw_flow_word(addresses);

	if (!from_gateway)
		pair = pair << 32 | pair >> 32;
	mw_flow_add(&sum, &table->factor[MW_FLOW_PORTS],
		    mw_flow_ports(ports, ifindex, from_gateway));
	mw_flow_add(&sum, &table->factor[MW_FLOW_IPV4], pair);
	return mw_flow_finish(table, sum);
}

/**
 * mw_flow_key_ipv6() - the key of a segment's flow
 * @table: table in which it is looked for
 * @addresses: source and destination, as in the IPv6 header; need not be aligned
 * @ports: source and destination port, as in the TCP header; likewise
 * @ifindex: device that the gateway is on
 * @from_gateway: the source is the gateway, not the destination
 *
 * Context: any.
 * Return: the key, the same for both ways of a flow.
 */
static __always_inline u64 mw_flow_key_ipv6(const struct mw_flow_table *table,
					    const void *addresses, const void *ports, u32 ifindex,
					    bool from_gateway)
{
	const u8 *gateway = (const u8 *)addresses + (from_gateway ? 0 : 16);
	const u8 *peer = (const u8 *)addresses + (from_gateway ? 16 : 0);
	mw_flow_sum sum = mw_flow_wide(&table->factor[MW_FLOW_CONSTANT]);

	mw_flow_add(&sum, &table->factor[MW_FLOW_PORTS],
		    mw_flow_ports(ports, ifindex, from_gateway));
	mw_flow_add(&sum, &table->factor[MW_FLOW_IPV6], mw_flow_word(gateway));
	mw_flow_add(&sum, &table->factor[MW_FLOW_IPV6 + 1], mw_flow_word(gateway + 8));
	mw_flow_add(&sum, &table->factor[MW_FLOW_IPV6 + 2], mw_flow_word(peer));
	mw_flow_add(&sum, &table->factor[MW_FLOW_IPV6 + 3], mw_flow_word(peer + 8));
	return mw_flow_finish(table, sum);
}

/**
 * mw_flow_key() - the key of a segment's flow, of either family
 * @table: table in which it is looked for
 * @ipv6: family of @addresses
 * @addresses: source and destination, as in the IP header; need not be aligned
 * @ports: source and destination port, as in the TCP header; likewise
 * @ifindex: device that the gateway is on
 * @from_gateway: the source is the gateway, not the destination
 *
 * Context: any.
 * Return: the key, the same for both ways of a flow.
 */
static __always_inline u64 mw_flow_key(const struct mw_flow_table *table, bool ipv6,
				       const void *addresses, const void *ports, u32 ifindex,
				       bool from_gateway)
{
	return ipv6 ? mw_flow_key_ipv6(table, addresses, ports, ifindex, from_gateway) :
		      mw_flow_key_ipv4(table, addresses, ports, ifindex, from_gateway);
}

/* The uppermost bits of a key are its index. */
static __always_inline u64 mw_flow_index(const struct mw_flow_table *table, u64 key)
{
	return key >> MW_FLOW_TAG_BITS & table->mask;
}

static __always_inline const struct mw_flow_bucket *
mw_flow_bucket_of(const struct mw_flow_table *table, u64 key)
{
	size_t offset = mw_flow_index(table, key) * sizeof(table->bucket[0]);
	const void *bucket;

	/* else each look at a way would take an instruction more, to find it anew */
	OPTIMIZER_HIDE_VAR(offset);
	bucket = (const u8 *)table + offset;
	OPTIMIZER_HIDE_VAR(bucket);
	return bucket + offsetof(struct mw_flow_table, bucket);
}

/* The others are its tag. */
static __always_inline u64 mw_flow_entry(u64 key, u64 now)
{
	u64 tag = key << (64 - MW_FLOW_TAG_BITS) >> 1;

	return tag + now + MW_FLOW_ORIGIN;
}

/* @entry, of this second: is @flow the same flow's, and fresh? */
static __always_inline bool mw_flow_is_fresh(u64 entry, u64 flow)
{
	return entry + MW_FLOW_SKEW - flow <= MW_FLOW_WINDOW + MW_FLOW_SKEW;
}

/**
 * mw_flow_is_noted() - was this very second noted for a flow?
 * @table: table
 * @key: the flow's key
 * @now: mw_now()
 *
 * Then mw_flow_note() has nothing to do, and whoever did it has seen to whatever must be
 * seen to before.
 *
 * Context: any.
 */
static __always_inline bool mw_flow_is_noted(const struct mw_flow_table *table, u64 key, u64 now)
{
	const struct mw_flow_bucket *bucket = mw_flow_bucket_of(table, key);
	u64 entry = mw_flow_entry(key, now);
	int i;

#pragma GCC unroll 7
	for (i = 0; i < MW_FLOW_WAYS; i++)
		if ((u64)atomic64_read(&bucket->flow[i]) == entry)
			return true;
	return false;
}

/**
 * mw_flow_note() - note that a gateway sent on a flow
 * @table: table
 * @key: the flow's key
 * @now: mw_now()
 *
 * Writes nothing if the flow was noted in this second already.
 *
 * Context: any; any number of processors at once, with mw_flow_fresh() too.
 * Return: what it did.
 */
static __always_inline enum mw_flow_noted mw_flow_note(struct mw_flow_table *table, u64 key,
						       u64 now)
{
	if (mw_flow_is_noted(table, key, now))
		return MW_FLOW_REFRESHED;
	return mw_flow_note_slowly(&table->bucket[mw_flow_index(table, key)],
				   mw_flow_entry(key, now), now);
}

/**
 * mw_flow_fresh() - did a gateway send on a flow lately?
 * @table: table
 * @key: the flow's key
 * @now: mw_now()
 *
 * Context: any.
 * Return: whether the flow was noted within the last MW_FLOW_WINDOW seconds, that one
 *	   included, and not evicted.
 */
static __always_inline bool mw_flow_fresh(const struct mw_flow_table *table, u64 key, u64 now)
{
	const struct mw_flow_bucket *bucket = mw_flow_bucket_of(table, key);
	u64 entry = mw_flow_entry(key, now);
	int i;

#pragma GCC unroll 7
	for (i = 0; i < MW_FLOW_WAYS; i++)
		if (mw_flow_is_fresh(entry, atomic64_read(&bucket->flow[i])))
			return true;
	return false;
}

#endif /* _MW_FLOW_H */
