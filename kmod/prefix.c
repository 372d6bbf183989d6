// SPDX-License-Identifier: GPL-2.0
/*
 * Prefixes as text, as lists and as sets.
 *
 * The kernel's in4_pton() and in6_pton() do not exist in user space, and take
 * more than is safe to take from an administrator (leading zeros, which some
 * read as octal). One parser for all three users of this file means that what
 * the command accepts and what the module accepts cannot differ.
 */
#include "prefix.h"

int mw_complain(struct mw_complaint *c, const char *item, size_t length, int error, const char *fmt,
		...)
{
	va_list args;

	c->item = item;
	c->length = length;
	va_start(args, fmt);
	vsnprintf(c->cure, sizeof(c->cure), fmt, args);
	va_end(args);
	return error;
}

s64 mw_number(const char *s, size_t length, u32 max)
{
	u64 value = 0;
	size_t i;

	if (!length || (length > 1 && s[0] == '0'))
		return -1;
	for (i = 0; i < length; i++) {
		if (s[i] < '0' || s[i] > '9')
			return -1;
		value = value * 10 + (s[i] - '0');
		if (value > max)
			return -1;
	}
	return value;
}

static int mw_ipv4_parse(const char *s, size_t length, u8 *address)
{
	size_t start = 0, i;
	int part = 0;

	for (i = 0; i <= length; i++) {
		s64 value;

		if (i < length && s[i] != '.')
			continue;
		value = mw_number(s + start, i - start, 255);
		if (value < 0 || part == 4)
			return -EINVAL;
		address[part++] = value;
		start = i + 1;
	}
	return part == 4 ? 0 : -EINVAL;
}

static int mw_hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* RFC 4291 section 2.2: groups of one to four digits, one "::", a quad at the end */
static int mw_ipv6_parse(const char *s, size_t length, u8 *address)
{
	int filled = 0, gap = -1;
	size_t i = 0;

	memset(address, 0, 16);
	if (length >= 2 && s[0] == ':' && s[1] == ':') {
		gap = 0;
		i = 2;
	}
	while (i < length) {
		size_t start = i;
		u32 group = 0;

		while (i < length && mw_hex_digit(s[i]) >= 0)
			group = group << 4 | mw_hex_digit(s[i++]);
		if (i < length && s[i] == '.') {
			if (filled > 12 ||
			    mw_ipv4_parse(s + start, length - start, address + filled))
				return -EINVAL;
			filled += 4;
			break;
		}
		if (i == start || i - start > 4 || filled > 14)
			return -EINVAL;
		address[filled++] = group >> 8;
		address[filled++] = group & 0xff;
		if (i == length)
			break;
		if (s[i++] != ':' || i == length)
			return -EINVAL;
		if (s[i] == ':') {
			if (gap >= 0)
				return -EINVAL;
			gap = filled;
			i++;
		}
	}
	if (gap < 0)
		return filled == 16 ? 0 : -EINVAL;
	/* "::" stands for one group at least */
	if (filled > 14)
		return -EINVAL;
	memmove(address + 16 - (filled - gap), address + gap, filled - gap);
	memset(address + gap, 0, 16 - filled);
	return 0;
}

int mw_address_parse(const char *s, size_t length, u8 address[16])
{
	memset(address, 0, 16);
	if (memchr(s, ':', length))
		return mw_ipv6_parse(s, length, address) ?: AF_INET6;
	return mw_ipv4_parse(s, length, address) ?: AF_INET;
}

static int mw_ipv6_print(const u8 *address, char *text)
{
	int best = -1, best_length = 1, i, at = 0;
	u16 group[8];

	for (i = 0; i < 8; i++)
		group[i] = address[2 * i] << 8 | address[2 * i + 1];
	/* RFC 5952 section 4.2: the first of the longest runs of two and more zeros */
	for (i = 0; i < 8; i++) {
		int run = 0;

		while (i + run < 8 && !group[i + run])
			run++;
		if (run > best_length) {
			best = i;
			best_length = run;
		}
		i += run;
	}
	for (i = 0; i < 8; i++) {
		if (i == best) {
			at += snprintf(text + at, MW_PREFIX_TEXT - at, "::");
			i += best_length - 1;
			continue;
		}
		at += snprintf(text + at, MW_PREFIX_TEXT - at, "%s%x",
			       i && i != best + best_length ? ":" : "", group[i]);
	}
	return at;
}

int mw_address_print(u8 family, const u8 address[16], char text[MW_PREFIX_TEXT])
{
	if (family == AF_INET6)
		return mw_ipv6_print(address, text);
	return snprintf(text, MW_PREFIX_TEXT, "%u.%u.%u.%u", address[0], address[1], address[2],
			address[3]);
}

static u8 mw_family_length(u8 family)
{
	return family == AF_INET6 ? 128 : 32;
}

int mw_prefix_print(const struct mailwall_prefix *prefix, char text[MW_PREFIX_TEXT])
{
	int at = mw_address_print(prefix->family, prefix->address, text);

	if (prefix->length != mw_family_length(prefix->family))
		at += snprintf(text + at, MW_PREFIX_TEXT - at, "/%u", prefix->length);
	return at;
}

/* the address without the bits past the length */
static void mw_prefix_network(const struct mailwall_prefix *prefix, u8 network[16])
{
	int i;

	for (i = 0; i < 16; i++) {
		int bits = prefix->length - 8 * i;

		if (bits >= 8)
			network[i] = prefix->address[i];
		else if (bits <= 0)
			network[i] = 0;
		else
			network[i] = prefix->address[i] & (0xff << (8 - bits));
	}
}

static bool mw_is_mapped(const u8 *address)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(address, mapped, sizeof(mapped));
}

/* What is wrong with a prefix of a valid family and length, if anything. */
static int mw_prefix_refuse(const struct mailwall_prefix *prefix, const char *item, size_t length,
			    struct mw_complaint *c)
{
	struct mailwall_prefix net = *prefix, host = *prefix;
	char a[MW_PREFIX_TEXT], b[MW_PREFIX_TEXT];

	if (prefix->family == AF_INET6 && prefix->length >= 96 && mw_is_mapped(prefix->address)) {
		memset(&net, 0, sizeof(net));
		net.family = AF_INET;
		net.length = prefix->length - 96;
		memcpy(net.address, prefix->address + 12, 4);
		mw_prefix_network(&net, net.address);
		mw_prefix_print(&net, a);
		return mw_complain(
			c, item, length, -EINVAL,
			"IPv4-mapped IPv6 address: such a peer arrives as IPv4, write %s", a);
	}
	mw_prefix_network(prefix, net.address);
	if (memcmp(net.address, prefix->address, sizeof(net.address))) {
		host.length = mw_family_length(host.family);
		mw_prefix_print(&net, a);
		mw_prefix_print(&host, b);
		return mw_complain(
			c, item, length, -EINVAL,
			"has bits set past its length: write %s for the network or %s/%u for the host",
			a, b, host.length);
	}
	return 0;
}

int mw_prefix_parse(const char *s, size_t length, struct mailwall_prefix *prefix,
		    struct mw_complaint *c)
{
	const char *slash = length ? memchr(s, '/', length) : NULL;
	size_t address_length = slash ? (size_t)(slash - s) : length;
	int family;
	u8 max;

	memset(prefix, 0, sizeof(*prefix));
	if (address_length && memchr(s, '%', address_length))
		return mw_complain(c, s, length, -EINVAL,
				   "a prefix has no zone: leave %% and what follows out");
	family = address_length ? mw_address_parse(s, address_length, prefix->address) : -EINVAL;
	if (family < 0)
		return mw_complain(
			c, s, length, -EINVAL,
			"no address: write ADDRESS or ADDRESS/LENGTH, such as 192.0.2.0/24 (no leading zeros) or 2001:db8::/32");
	max = mw_family_length(family);
	prefix->family = family;
	prefix->length = max;
	if (slash) {
		s64 value = mw_number(slash + 1, length - address_length - 1, max);

		if (value < 0)
			return mw_complain(
				c, s, length, -EINVAL,
				"no prefix length: write a number from 0 to %u without leading zeros after the slash",
				max);
		prefix->length = value;
	}
	return mw_prefix_refuse(prefix, s, length, c);
}

int mw_prefix_check(const struct mailwall_prefix *prefix, struct mw_complaint *c,
		    char text[MW_PREFIX_TEXT])
{
	static const u8 zero[12];
	int length;

	if (prefix->family != AF_INET && prefix->family != AF_INET6) {
		length = snprintf(text, MW_PREFIX_TEXT, "family %u", prefix->family);
		return mw_complain(c, text, length, -EINVAL, "a prefix is of family %d or %d",
				   AF_INET, AF_INET6);
	}
	length = mw_prefix_print(prefix, text);
	if (prefix->length > mw_family_length(prefix->family))
		return mw_complain(c, text, length, -EINVAL, "the length is at most %u",
				   mw_family_length(prefix->family));
	if (prefix->reserved[0] || prefix->reserved[1] ||
	    (prefix->family == AF_INET && memcmp(prefix->address + 4, zero, sizeof(zero))))
		return mw_complain(c, text, length, -EINVAL,
				   "reserved bytes of the prefix must be zero");
	return mw_prefix_refuse(prefix, text, length, c);
}

int mw_prefix_compare(const struct mailwall_prefix *a, const struct mailwall_prefix *b)
{
	int order;

	if (a->family != b->family)
		return a->family == AF_INET ? -1 : 1;
	order = memcmp(a->address, b->address, sizeof(a->address));
	return order ? order : a->length - b->length;
}

/* index of the first that is not below the prefix */
static u16 mw_prefix_at(const struct mailwall_prefix *list, u16 count,
			const struct mailwall_prefix *prefix)
{
	u16 i = 0;

	while (i < count && mw_prefix_compare(&list[i], prefix) < 0)
		i++;
	return i;
}

int mw_prefix_add(struct mailwall_prefix *list, u16 *count, const struct mailwall_prefix *prefix)
{
	u16 at = mw_prefix_at(list, *count, prefix);

	if (at < *count && !mw_prefix_compare(&list[at], prefix))
		return 0;
	if (*count >= MAILWALL_ADM_MAX)
		return -E2BIG;
	memmove(&list[at + 1], &list[at], (*count - at) * sizeof(*list));
	list[at] = *prefix;
	++*count;
	return 0;
}

int mw_prefix_remove(struct mailwall_prefix *list, u16 *count, const struct mailwall_prefix *prefix)
{
	u16 at = mw_prefix_at(list, *count, prefix);

	if (at == *count || mw_prefix_compare(&list[at], prefix))
		return -ENOENT;
	--*count;
	memmove(&list[at], &list[at + 1], (*count - at) * sizeof(*list));
	memset(&list[*count], 0, sizeof(*list));
	return 0;
}

static void mw_set_add_ipv4(struct mw_prefix_set *set, const struct mailwall_prefix *prefix)
{
	u32 first = mw_load_be32(prefix->address);
	u32 last = first | (prefix->length ? (1ULL << (32 - prefix->length)) - 1 : 0xffffffff);
	u32 n = set->ipv4_count;

	/* In list order a prefix lies inside the one before, next to it, or past it. */
	if (n && first <= set->ipv4_last[n - 1]) {
		return;
	} else if (n && first - 1 == set->ipv4_last[n - 1]) {
		set->ipv4_last[n - 1] = last;
		return;
	}
	set->ipv4_first[n] = first;
	set->ipv4_last[n] = last;
	set->ipv4_count++;
}

static void mw_set_add_ipv6(struct mw_prefix_set *set, const struct mailwall_prefix *prefix)
{
	struct mw_ipv6 first = { mw_load_be64(prefix->address), mw_load_be64(prefix->address + 8) };
	struct mw_ipv6 last = first, *before;
	u32 n = set->ipv6_count;
	u8 length = prefix->length;

	if (length < 64) {
		last.high |= length ? (1ULL << (64 - length)) - 1 : ~0ULL;
		last.low = ~0ULL;
	} else if (length < 128) {
		last.low |= length > 64 ? (1ULL << (128 - length)) - 1 : ~0ULL;
	}
	before = n ? &set->ipv6_last[n - 1] : NULL;
	if (before && mw_ipv6_le(first.high, first.low, before->high, before->low))
		return;
	if (before && first.low - 1 == before->low &&
	    first.high - (first.low ? 0 : 1) == before->high) {
		*before = last;
		return;
	}
	set->ipv6_first[n] = first;
	set->ipv6_last[n] = last;
	set->ipv6_count++;
}

void mw_prefix_set_build(struct mw_prefix_set *set, const struct mailwall_prefix *list, u16 count)
{
	u16 i;

	memset(set, 0, sizeof(*set));
	/* A range that holds nothing: where there is no prefix, the look-up ends here. */
	set->ipv4_first[0] = 1;
	set->ipv6_first[0].low = 1;
	for (i = 0; i < count; i++) {
		if (list[i].family == AF_INET)
			mw_set_add_ipv4(set, &list[i]);
		else
			mw_set_add_ipv6(set, &list[i]);
	}
}
