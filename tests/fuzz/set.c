// SPDX-License-Identifier: GPL-2.0
/*
 * Lists and sets of prefixes: the input makes a list, entry by entry, and then addresses.
 * Membership is compared at both edges of every prefix, on both sides of each edge, and
 * at the addresses.
 *
 * An entry is a byte that says what it is (below), a length and an address. The byte's
 * lowest bit is the family; the two bits above it: 0 the address as it stands, 1 inside
 * the entry before, 2 right after the entry before, 3 takes the entry out again.
 */
#include "reference.h"

#define ENTRIES 80 /* more than a list takes */

/* not mw_u128: prefix.h is also tried as machines without it see it */
typedef unsigned __int128 u128;

struct list {
	struct mailwall_prefix prefix[MAILWALL_ADM_MAX];
	u16 count;
};

static u32 bytes_of(int family)
{
	return family == AF_INET ? 4 : 16;
}

/* One above or below, with carry, around the ends. */
static void step(u8 *address, u32 bytes, int by)
{
	while (bytes--) {
		address[bytes] += by;
		if (address[bytes] != (by > 0 ? 0 : 255))
			break;
	}
}

static void edge(const struct mailwall_prefix *prefix, bool last, u8 address[16])
{
	u32 i;

	memcpy(address, prefix->address, 16);
	for (i = prefix->length; i < 8 * bytes_of(prefix->family); i++)
		if (last)
			address[i / 8] |= 128 >> i % 8;
		else
			address[i / 8] &= ~(128 >> i % 8);
}

static void compare(const struct mw_prefix_set *set, const struct list *list, const u8 *address)
{
	bool four = false, six = false;
	u16 i;

	for (i = 0; i < list->count; i++) {
		four |= reference_holds(&list->prefix[i], AF_INET, address);
		six |= reference_holds(&list->prefix[i], AF_INET6, address);
	}
	REQUIRE(mw_prefix_set_has_ipv4(set, address) == four);
	REQUIRE(mw_prefix_set_has_ipv6(set, address) == six);
}

static bool in_list(const struct list *list, const struct mailwall_prefix *prefix)
{
	u16 i;

	for (i = 0; i < list->count; i++)
		if (reference_prefix_equal(&list->prefix[i], prefix))
			return true;
	return false;
}

static void require_order(const struct list *list)
{
	u16 i;

	REQUIRE(list->count <= MAILWALL_ADM_MAX);
	for (i = 1; i < list->count; i++) {
		const struct mailwall_prefix *a = &list->prefix[i - 1], *b = &list->prefix[i];

		REQUIRE(reference_prefix_before(a, b) && !reference_prefix_before(b, a));
		REQUIRE(mw_prefix_compare(a, b) < 0 && mw_prefix_compare(b, a) > 0);
	}
}

/* The ranges ascend and do not touch, as prefix.h says of them. */
static void require_ranges(const struct mw_prefix_set *set)
{
	u32 i;

	for (i = 0; i < set->ipv4_count; i++) {
		REQUIRE(set->ipv4_first[i] <= set->ipv4_last[i]);
		REQUIRE(!i || (u64)set->ipv4_last[i - 1] + 1 < set->ipv4_first[i]);
	}
	for (i = 0; i < set->ipv6_count; i++) {
		const struct mw_ipv6 *first = &set->ipv6_first[i], *last = &set->ipv6_last[i];
		u128 from = (u128)first->high << 64 | first->low;

		REQUIRE(from <= ((u128)last->high << 64 | last->low));
		if (i) {
			u128 before = (u128)last[-1].high << 64 | last[-1].low;

			REQUIRE(before < from && before + 1 < from);
		}
	}
}

static const u8 *change(struct list *list, const u8 *data, const u8 *end,
			struct mailwall_prefix *previous)
{
	struct mailwall_prefix prefix = { .family = data[0] & 1 ? AF_INET6 : AF_INET };
	u8 kind = data[0] >> 1 & 3, address[16] = { 0 };
	u16 before = list->count;
	bool was;
	u32 i;

	if (kind && previous->family)
		prefix.family = previous->family;
	prefix.length = data[1] % (8 * bytes_of(prefix.family) + 1);
	data += 2;
	for (i = 0; i < bytes_of(prefix.family) && data < end; i++)
		address[i] = *data++;
	memcpy(prefix.address, address, 16);
	if (kind == 1 && previous->family) {
		edge(previous, false, prefix.address);
		for (i = previous->length; i < 8 * bytes_of(prefix.family); i++)
			prefix.address[i / 8] |= address[i / 8] & 128 >> i % 8;
	} else if (kind == 2 && previous->family) {
		prefix.length = previous->length;
		edge(previous, true, prefix.address);
		step(prefix.address, bytes_of(prefix.family), 1);
	} else if (kind == 3 && previous->family) {
		prefix = *previous;
	}
	edge(&prefix, false, prefix.address);
	*previous = prefix;

	was = in_list(list, &prefix);
	if (kind == 3) {
		REQUIRE(mw_prefix_remove(list->prefix, &list->count, &prefix) ==
			(was ? 0 : -ENOENT));
		REQUIRE(list->count == before - was && !in_list(list, &prefix));
	} else if (!was && before == MAILWALL_ADM_MAX) {
		REQUIRE(mw_prefix_add(list->prefix, &list->count, &prefix) == -E2BIG);
		REQUIRE(list->count == before && !in_list(list, &prefix));
	} else {
		REQUIRE(mw_prefix_add(list->prefix, &list->count, &prefix) == 0);
		REQUIRE(list->count == before + !was && in_list(list, &prefix));
	}
	require_order(list);
	return data;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	const u8 *end = data + size;
	struct mailwall_prefix previous = { 0 };
	struct mw_prefix_set *set;
	struct list list = { 0 };
	u8 address[16];
	u16 i, which;
	u8 entries;

	if (!size)
		return 0;
	entries = *data++ % ENTRIES;
	while (entries-- && end - data >= 2)
		data = change(&list, data, end, &previous);

	/* on the heap, so that ASan sees what lies past it */
	set = malloc(sizeof(*set));
	REQUIRE(set);
	mw_prefix_set_build(set, list.prefix, list.count);
	require_ranges(set);
	for (i = 0; i < list.count; i++) {
		u32 bytes = bytes_of(list.prefix[i].family);

		for (which = 0; which < 4; which++) {
			edge(&list.prefix[i], which & 1, address);
			if (which & 2)
				step(address, bytes, which & 1 ? 1 : -1);
			compare(set, &list, address);
		}
	}
	for (; end - data >= 16; data += 16)
		compare(set, &list, data);
	free(set);
	return 0;
}

#ifdef FUZZ_RANDOM

size_t fuzz_make(u8 *data, size_t size)
{
	u32 entries = random_below(ENTRIES), i, j;
	bool scattered = !random_below(4); /* so many that the list is full */
	size_t at = 0;

	if (scattered)
		entries = ENTRIES - 1 - random_below(10);

	data[at++] = entries;
	for (i = 0; i < entries && at + 18 <= size; i++) {
		u8 kind = random_below(8) | random_below(32) << 3;
		u32 bytes = kind & 1 ? 16 : 4;

		/* what goes out again is rarer than what comes in */
		if ((kind & 6) == 6 && random_below(3))
			kind &= ~2;
		if (scattered && random_below(20))
			kind &= ~6;
		data[at++] = kind;
		data[at++] = random_below(3) ? 8 * bytes - random_below(12) : random_below(256);
		for (j = 0; j < bytes; j++)
			data[at++] = !scattered && random_below(6) ? random_below(2) * 255 :
								     random_below(256);
	}
	for (; at + 16 <= size && random_below(16); at += 16)
		for (j = 0; j < 16; j++)
			data[at + j] = random_below(6) ? random_below(2) * 255 : random_below(256);
	return at;
}

#endif /* FUZZ_RANDOM */
