/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Address prefixes: text, order, sets, membership. Pure: no lock, no allocation,
 * any context. Compiled into the module, the command and the tests.
 */
#ifndef _MW_PREFIX_H
#define _MW_PREFIX_H

#include "portable.h"
#include <linux/mailwall.h>

/* Longest canonical text with its NUL: eight groups of four, "/128". */
#define MW_PREFIX_TEXT 44

/**
 * struct mw_complaint - why input was refused, and what to write instead
 * @item: the refused piece of the input, not terminated, may hold any byte;
 *        points into the input
 * @length: bytes of @item
 * @cure: what is wrong with it and the cure, terminated, printable
 */
struct mw_complaint {
	const char *item;
	size_t length;
	char cure[192];
};

/**
 * mw_complain() - fill in a complaint
 * @c: complaint
 * @item: refused piece
 * @length: its bytes
 * @error: what to return
 * @fmt: cure, as for printf()
 *
 * Return: @error, so that a caller can return the complaint in one statement.
 */
__printf(5, 6) int mw_complain(struct mw_complaint *c, const char *item, size_t length, int error,
			       const char *fmt, ...);

/**
 * mw_number() - read a whole decimal number
 * @s: digits, not terminated; no sign, no leading zero, nothing else
 * @length: bytes of @s
 * @max: largest number taken, below 2^32
 *
 * Return: the number, or -1.
 */
s64 mw_number(const char *s, size_t length, u32 max);

/**
 * mw_address_parse() - read an address
 * @s: text, not terminated: IPv4 dotted quad without leading zeros, or any
 *     form of RFC 4291 section 2.2 (a dotted quad at the end included)
 * @length: bytes of @s
 * @address: filled in network order; IPv4 in the first four bytes, the rest zero
 *
 * Return: AF_INET, AF_INET6, or -EINVAL (@address is then undefined).
 */
int mw_address_parse(const char *s, size_t length, u8 address[16]);

/**
 * mw_address_print() - write an address in canonical form
 * @family: AF_INET or AF_INET6
 * @address: network order
 * @text: RFC 5952 text, terminated
 *
 * Return: length of the text without its NUL.
 */
int mw_address_print(u8 family, const u8 address[16], char text[MW_PREFIX_TEXT]);

/**
 * mw_prefix_parse() - read ADDRESS or ADDRESS/LENGTH
 * @s: text, not terminated
 * @length: bytes of @s
 * @prefix: filled in; a bare address has the full length of its family
 * @c: filled in on error
 *
 * Return: 0, or -EINVAL.
 */
int mw_prefix_parse(const char *s, size_t length, struct mailwall_prefix *prefix,
		    struct mw_complaint *c);

/**
 * mw_prefix_check() - check a prefix that did not come as text
 * @prefix: any bytes
 * @c: filled in on error; its item is @text
 * @text: room for the item
 *
 * Return: 0, or -EINVAL.
 */
int mw_prefix_check(const struct mailwall_prefix *prefix, struct mw_complaint *c,
		    char text[MW_PREFIX_TEXT]);

/**
 * mw_prefix_print() - write a prefix in canonical form
 * @prefix: valid prefix
 * @text: "192.0.2.0/24", "2001:db8::1"; no length where it is the full one
 *
 * Return: length of the text without its NUL.
 */
int mw_prefix_print(const struct mailwall_prefix *prefix, char text[MW_PREFIX_TEXT]);

/**
 * mw_prefix_compare() - the order in which prefixes are shown
 * @a: valid prefix
 * @b: valid prefix
 *
 * Return: below, equal to or above 0: IPv4 before IPv6, by address, then length.
 */
int mw_prefix_compare(const struct mailwall_prefix *a, const struct mailwall_prefix *b);

/**
 * mw_prefix_add() - add a prefix to an ordered list
 * @list: room for MAILWALL_ADM_MAX
 * @count: prefixes in it
 * @prefix: valid prefix
 *
 * Return: 0, also if it was there; -E2BIG if the list is full.
 */
int mw_prefix_add(struct mailwall_prefix *list, u16 *count, const struct mailwall_prefix *prefix);

/**
 * mw_prefix_remove() - take a prefix out of an ordered list
 * @list: list
 * @count: prefixes in it
 * @prefix: valid prefix
 *
 * Return: 0, or -ENOENT if the list has no such prefix (a wider or narrower one
 * does not count).
 */
int mw_prefix_remove(struct mailwall_prefix *list, u16 *count,
		     const struct mailwall_prefix *prefix);

struct mw_ipv6 {
	u64 high, low; /* host order */
};

/**
 * struct mw_prefix_set - the addresses that a list of prefixes holds
 * @ipv4_count: ranges of IPv4 addresses; without any, the first one is empty
 * @ipv6_count: ranges of IPv6 addresses
 * @ipv4_first: first address of each range, ascending, host order; the ranges
 *              do not touch each other, nested prefixes are merged
 * @ipv4_last: last address of each range
 * @ipv6_first: the same for IPv6
 * @ipv6_last: the same for IPv6
 */
struct mw_prefix_set {
	u32 ipv4_count;
	u32 ipv6_count;
	u32 ipv4_first[MAILWALL_ADM_MAX];
	u32 ipv4_last[MAILWALL_ADM_MAX];
	struct mw_ipv6 ipv6_first[MAILWALL_ADM_MAX];
	struct mw_ipv6 ipv6_last[MAILWALL_ADM_MAX];
};

/**
 * mw_prefix_set_build() - make a set of a list
 * @set: filled in
 * @list: valid prefixes in the order of mw_prefix_compare()
 * @count: at most MAILWALL_ADM_MAX
 */
void mw_prefix_set_build(struct mw_prefix_set *set, const struct mailwall_prefix *list, u16 count);

static __always_inline u32 mw_load_be32(const void *p)
{
	__be32 v;

	memcpy(&v, p, sizeof(v));
	return be32_to_cpu(v);
}

static __always_inline u64 mw_load_be64(const void *p)
{
	__be64 v;

	memcpy(&v, p, sizeof(v));
	return be64_to_cpu(v);
}

static __always_inline bool mw_ipv6_le(u64 a_high, u64 a_low, u64 b_high, u64 b_low)
{
#ifdef __SIZEOF_INT128__
	/* two instructions and no branch, where the other takes six and two */
	return ((mw_u128)a_high << 64 | a_low) <= ((mw_u128)b_high << 64 | b_low);
#else
	return a_high < b_high || (a_high == b_high && a_low <= b_low);
#endif
}

/**
 * mw_prefix_set_has_ipv4() - membership, O(log n)
 * @set: set
 * @address: network order
 *
 * Context: any; on the packet path.
 */
static __always_inline bool mw_prefix_set_has_ipv4(const struct mw_prefix_set *set,
						   const void *address)
{
	u32 a = mw_load_be32(address), at = 0, n = set->ipv4_count;

	/* The last range that starts at or below a, if any does, by halves. */
	while (n > 1) {
		u32 half = n / 2;

		at += set->ipv4_first[at + half] <= a ? half : 0;
		n -= half;
	}
	return set->ipv4_first[at] <= a && a <= set->ipv4_last[at];
}

/**
 * mw_prefix_set_has_ipv6() - membership, O(log n)
 * @set: set
 * @address: network order
 *
 * Context: any; on the packet path.
 */
static __always_inline bool mw_prefix_set_has_ipv6(const struct mw_prefix_set *set,
						   const void *address)
{
	u64 high = mw_load_be64(address), low = mw_load_be64((const u8 *)address + 8);
	u32 at = 0, n = set->ipv6_count;

	while (n > 1) {
		u32 half = n / 2;
		const struct mw_ipv6 *f = &set->ipv6_first[at + half];

		at += mw_ipv6_le(f->high, f->low, high, low) ? half : 0;
		n -= half;
	}
	return mw_ipv6_le(set->ipv6_first[at].high, set->ipv6_first[at].low, high, low) &&
	       mw_ipv6_le(high, low, set->ipv6_last[at].high, set->ipv6_last[at].low);
}

#endif /* _MW_PREFIX_H */
