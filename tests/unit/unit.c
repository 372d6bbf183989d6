// SPDX-License-Identifier: GPL-2.0
/*
 * Unit tests of edit, policy, prefix and table, compiled from the module's own source:
 * unit VECTORS [POINT]
 */
#include "vectors.h"
#include <arpa/inet.h>
#include <setjmp.h>
#include <stdlib.h>
#include <cmocka.h>

static const char *vectors_path;

static struct mw_policy *build(const struct mw_spec *spec)
{
	struct mw_policy *policy = calloc(1, sizeof(*policy));
	u8 slot[MAILWALL_SITE_MAX];
	unsigned int i;

	assert_non_null(policy);
	for (i = 0; i < ARRAY_SIZE(slot); i++)
		slot[i] = MW_SITE_SLOT + i;
	mw_policy_build(policy, spec, slot);
	return policy;
}

/* The row that counts a segment, or the reason why it is denied. */
static void print_verdict(const struct mw_policy *policy, unsigned int result, char *text,
			  size_t size)
{
	struct mailwall_row row = mw_row_of_slot(policy, result & MW_SLOT);

	if (result & MW_DENY)
		snprintf(text, size, "%s", mw_reason_name(result & ~MW_DENY));
	else
		snprintf(text, size, "%u %s %s", row.port, mw_end_name(row.source),
			 mw_end_name(row.target));
}

/* Prefixes */

static void prefix_accepts(const char *text, const char *canonical)
{
	struct mailwall_prefix prefix;
	struct mw_complaint c;
	char printed[MW_PREFIX_TEXT], checked[MW_PREFIX_TEXT];

	if (mw_prefix_parse(text, strlen(text), &prefix, &c))
		fail_msg("%s refused: %s", text, c.cure);
	assert_int_equal(mw_prefix_print(&prefix, printed), strlen(canonical));
	assert_string_equal(printed, canonical);
	assert_int_equal(mw_prefix_check(&prefix, &c, checked), 0);
}

static void prefix_refuses(const char *text, const char *cure)
{
	struct mailwall_prefix prefix;
	struct mw_complaint c;

	assert_int_equal(mw_prefix_parse(text, strlen(text), &prefix, &c), -EINVAL);
	assert_ptr_equal(c.item, text);
	assert_int_equal(c.length, strlen(text));
	if (!strstr(c.cure, cure))
		fail_msg("%s: \"%s\" does not say \"%s\"", text, c.cure, cure);
}

static void test_prefix_accepted(void **state)
{
	(void)state;
	prefix_accepts("192.0.2.1", "192.0.2.1");
	prefix_accepts("192.0.2.1/32", "192.0.2.1");
	prefix_accepts("192.0.2.0/24", "192.0.2.0/24");
	prefix_accepts("0.0.0.0/0", "0.0.0.0/0");
	prefix_accepts("255.255.255.254/31", "255.255.255.254/31");
	prefix_accepts("2001:DB8::1", "2001:db8::1");
	prefix_accepts("2001:0db8:0000::/32", "2001:db8::/32");
	prefix_accepts("2001:db8:0:0:1:0:0:1", "2001:db8::1:0:0:1");
	prefix_accepts("2001:0:0:1:0:0:0:1", "2001:0:0:1::1");
	prefix_accepts("2001:db8:0:1:1:1:1:1", "2001:db8:0:1:1:1:1:1");
	prefix_accepts("1:2:3:4:5:6:7::", "1:2:3:4:5:6:7:0");
	prefix_accepts("::2:3:4:5:6:7:8", "0:2:3:4:5:6:7:8");
	prefix_accepts("::", "::");
	prefix_accepts("::/0", "::/0");
	prefix_accepts("::1/128", "::1");
	prefix_accepts("1::", "1::");
	prefix_accepts("64:ff9b::192.0.2.33", "64:ff9b::c000:221");
	prefix_accepts("1:2:3:4:5:6:1.2.3.4", "1:2:3:4:5:6:102:304");
	prefix_accepts("fe80::/10", "fe80::/10");
	prefix_accepts("ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127",
		       "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe/127");
}

static void test_prefix_refused(void **state)
{
	static const char *const none[] = {
		"",
		"192.0.2",
		"192.0.2.1.1",
		"192.0.2.256",
		"192.0.02.1",
		"1.2.3.4.",
		".1.2.3.4",
		"1..2.3",
		"a.b.c.d",
		"+1.2.3.4",
		"1.2.3.4 ",
		":",
		":::",
		"1:2",
		"1::2::3",
		"1:2:3:4:5:6:7:8:9",
		"::12345",
		"1:2:3:4:5:6:7:8::",
		"::1:2:3:4:5:6:7:8",
		"1:",
		":1",
		"::g",
		"1:2:3:4:5:6:7:1.2.3.4",
		"::1.2.3",
		"::1.2.3.04",
		"1:2.3:4",
		"1:2x:3:4:5:6:7:8",
		"1.2.3.4::",
		"/24",
		"1:2:3:4:5:6:7:",
	};
	unsigned int i;

	(void)state;
	for (i = 0; i < ARRAY_SIZE(none); i++)
		prefix_refuses(none[i], "no address: write ADDRESS or ADDRESS/LENGTH");
	prefix_refuses("192.0.2.5/24", "write 192.0.2.0/24 for the network or 192.0.2.5/32");
	prefix_refuses("2001:db8::1/64", "write 2001:db8::/64 for the network or 2001:db8::1/128");
	prefix_refuses("128.0.0.0/0", "write 0.0.0.0/0 for the network");
	prefix_refuses("192.0.2.0/33", "a number from 0 to 32");
	prefix_refuses("192.0.2.0/", "a number from 0 to 32");
	prefix_refuses("192.0.2.0/024", "without leading zeros");
	prefix_refuses("192.0.2.0/24/1", "a number from 0 to 32");
	prefix_refuses("192.0.2.0/-1", "a number from 0 to 32");
	prefix_refuses("192.0.2.0/255.255.255.0", "a number from 0 to 32");
	prefix_refuses("192.0.2.0/4294967320", "a number from 0 to 32");
	prefix_refuses("::/129", "a number from 0 to 128");
	prefix_refuses("fe80::1%eth0", "has no zone");
	prefix_refuses("fe80::%eth0/64", "has no zone");
	prefix_refuses("::ffff:192.0.2.1", "write 192.0.2.1");
	prefix_refuses("::ffff:192.0.2.0/120", "write 192.0.2.0/24");
	prefix_refuses("::ffff:0:0/96", "write 0.0.0.0/0");
}

static void test_prefix_check(void **state)
{
	struct mailwall_prefix p = { .family = AF_INET, .length = 24, .address = { 192, 0, 2 } };
	struct mailwall_prefix bad;
	struct mw_complaint c;
	char text[MW_PREFIX_TEXT];

	(void)state;
	assert_int_equal(mw_prefix_check(&p, &c, text), 0);
#define BAD(change, cure_part)                                              \
	do {                                                                \
		bad = p;                                                    \
		change;                                                     \
		assert_int_equal(mw_prefix_check(&bad, &c, text), -EINVAL); \
		assert_ptr_equal(c.item, text);                             \
		assert_non_null(strstr(c.cure, cure_part));                 \
	} while (0)
	BAD(bad.family = 0, "family");
	BAD(bad.family = 255, "family");
	BAD(bad.length = 33, "at most 32");
	BAD(bad.reserved[0] = 1, "zero");
	BAD(bad.reserved[1] = 1, "zero");
	BAD(bad.address[4] = 1, "zero");
	BAD(bad.address[15] = 1, "zero");
	BAD(bad.address[3] = 1, "192.0.2.0/24");
	BAD((bad.family = AF_INET6, bad.length = 129), "at most 128");
}

static void test_address_print(void **state)
{
	u8 address[16];
	char text[MW_PREFIX_TEXT], libc[INET6_ADDRSTRLEN];
	unsigned int i, j;

	(void)state;
	srand(1);
	for (i = 0; i < 100000; i++) {
		u8 parsed[16];

		for (j = 0; j < 16; j++)
			address[j] = rand() % 3 ? 0 : rand();
		inet_ntop(AF_INET6, address, libc, sizeof(libc));
		mw_address_print(AF_INET6, address, text);
		/* the C library writes IPv4-compatible and -mapped ones with a quad */
		if (!strchr(libc, '.'))
			assert_string_equal(text, libc);
		assert_int_equal(mw_address_parse(text, strlen(text), parsed), AF_INET6);
		assert_memory_equal(parsed, address, 16);
	}
}

/* Bit by bit, to compare the look-up with. */
static bool holds(const struct mailwall_prefix *p, const u8 *address)
{
	int i;

	for (i = 0; i < p->length; i++)
		if ((p->address[i / 8] ^ address[i / 8]) & (0x80 >> i % 8))
			return false;
	return true;
}

static void test_prefix_set(void **state)
{
	struct mw_prefix_set set;
	unsigned int round, i, j, k;

	(void)state;
	srand(2);
	for (round = 0; round < 3000; round++) {
		struct mailwall_prefix list[MAILWALL_ADM_MAX] = { 0 };
		u16 count = 0, wanted = rand() % (MAILWALL_ADM_MAX + 1);

		for (i = 0; i < wanted; i++) {
			struct mailwall_prefix p = { .family = rand() % 2 ? AF_INET : AF_INET6 };
			u8 bytes = p.family == AF_INET ? 4 : 16;

			/* few values, so that prefixes nest and touch */
			p.length = rand() % 4 ? 8 * bytes - rand() % 12 : rand() % (8 * bytes + 1);
			for (j = 0; j < bytes; j++)
				p.address[j] = rand() % 8 ? (rand() % 2 ? 0 : 255) : rand();
			for (j = p.length; j < 8u * bytes; j++)
				p.address[j / 8] &= ~(0x80 >> j % 8);
			assert_int_equal(mw_prefix_add(list, &count, &p), 0);
		}
		for (i = 1; i < count; i++)
			assert_true(mw_prefix_compare(&list[i - 1], &list[i]) < 0);
		mw_prefix_set_build(&set, list, count);
		for (k = 0; k < 200; k++) {
			bool four = false, six = false;
			u8 address[16];
			u8 bytes;

			/* near an edge of one of them, or anywhere */
			for (j = 0; j < 16; j++)
				address[j] = rand() % 8 ? (rand() % 2 ? 0 : 255) : rand();
			if (count && rand() % 4) {
				const struct mailwall_prefix *p = &list[rand() % count];
				int borrow = rand() % 3 - 1;

				bytes = p->family == AF_INET ? 4 : 16;
				memcpy(address, p->address, bytes);
				if (rand() % 2)
					for (j = p->length; j < 8u * bytes; j++)
						address[j / 8] |= 0x80 >> j % 8;
				for (j = bytes; j-- > 0 && borrow;) {
					int value = address[j] + borrow;

					address[j] = value;
					borrow = value < 0 ? -1 : value > 255;
				}
			}
			for (i = 0; i < count; i++) {
				if (list[i].family == AF_INET)
					four |= holds(&list[i], address);
				else
					six |= holds(&list[i], address);
			}
			assert_int_equal(mw_prefix_set_has_ipv4(&set, address), four);
			assert_int_equal(mw_prefix_set_has_ipv6(&set, address), six);
		}
	}
}

/* Edits */

static void edit_accepts(mw_edit_t edit, struct mw_spec *spec, const char *text)
{
	struct mw_complaint c;

	if (edit(spec, text, strlen(text), &c))
		fail_msg("\"%s\" refused: \"%.*s\": %s", text, (int)c.length, c.item, c.cure);
}

static void edit_refuses(mw_edit_t edit, struct mw_spec *spec, const char *text, int error,
			 const char *item, const char *cure)
{
	struct mw_spec before = *spec;
	struct mw_complaint c;

	assert_int_equal(edit(spec, text, strlen(text), &c), error);
	assert_memory_equal(spec, &before, sizeof(before));
	if (c.length != strlen(item) || memcmp(c.item, item, c.length))
		fail_msg("\"%s\": the item is \"%.*s\", not \"%s\"", text, (int)c.length, c.item,
			 item);
	if (!strstr(c.cure, cure))
		fail_msg("\"%s\": \"%s\" does not say \"%s\"", text, c.cure, cure);
}

static void adm_is(const struct mw_spec *spec, const char *text)
{
	char all[MAILWALL_ADM_MAX * MW_PREFIX_TEXT] = "", one[MW_PREFIX_TEXT];
	u16 i;

	for (i = 0; i < spec->adm_count; i++) {
		mw_prefix_print(&spec->adm[i], one);
		sprintf(all + strlen(all), "%s%s", i ? " " : "", one);
	}
	assert_string_equal(all, text);
}

static void test_adm_edit(void **state)
{
	struct mw_spec spec = { 0 };
	char many[4096] = "";
	int i;

	(void)state;
	edit_accepts(mw_edit_adm, &spec, "2001:db8::/32, 192.0.2.0/24\n198.51.100.7\n");
	adm_is(&spec, "192.0.2.0/24 198.51.100.7 2001:db8::/32");
	edit_accepts(mw_edit_adm, &spec, "+192.0.2.0/25 192.0.2.0/24");
	adm_is(&spec, "192.0.2.0/24 192.0.2.0/25 198.51.100.7 2001:db8::/32");
	edit_accepts(mw_edit_adm, &spec, "-192.0.2.0/24,198.51.100.7/32");
	adm_is(&spec, "192.0.2.0/25 2001:db8::/32");
	edit_refuses(mw_edit_adm, &spec, "-192.0.2.0/24", -ENOENT, "192.0.2.0/24", "not in ADM");
	edit_refuses(mw_edit_adm, &spec, "-192.0.2.0/25 192.0.2.0/26", -ENOENT, "192.0.2.0/26",
		     "not in ADM");
	edit_refuses(mw_edit_adm, &spec, "+192.0.2.1 -192.0.2.0/25", -EINVAL, "-192.0.2.0/25",
		     "one sign");
	edit_refuses(mw_edit_adm, &spec, "192.0.2.1 +192.0.2.2", -EINVAL, "+192.0.2.2", "one sign");
	edit_refuses(mw_edit_adm, &spec, " + ", -EINVAL, "", "nothing follows");
	edit_refuses(mw_edit_adm, &spec, "192.0.2.0/24 bogus 1.2.3.4", -EINVAL, "bogus",
		     "no address");
	edit_refuses(mw_edit_adm, &spec, "192.0.2.9/24", -EINVAL, "192.0.2.9/24", "192.0.2.0/24");
	edit_refuses(mw_edit_adm, &spec, " , ,\n", -EINVAL, ", ,", "no prefix");
	edit_refuses(mw_edit_adm, &spec, "+ ,", -EINVAL, "", "nothing follows");
	edit_refuses(mw_edit_adm, &spec, "-ffff::/16", -ENOENT, "ffff::/16", "not in ADM");
	edit_accepts(mw_edit_adm, &spec, "\v192.0.2.0/25\f2001:db8::/32\r");
	adm_is(&spec, "192.0.2.0/25 2001:db8::/32");
	edit_accepts(mw_edit_adm, &spec, " \n");
	adm_is(&spec, "");
	for (i = 0; i < MAILWALL_ADM_MAX; i++)
		sprintf(many + strlen(many), "10.0.%d.0/24 ", i);
	edit_accepts(mw_edit_adm, &spec, many);
	assert_int_equal(spec.adm_count, MAILWALL_ADM_MAX);
	edit_refuses(mw_edit_adm, &spec, "+10.1.0.0/16", -E2BIG, "10.1.0.0/16", "more than 64");
	edit_accepts(mw_edit_adm, &spec, "+10.0.63.0/24");
	edit_accepts(mw_edit_adm, &spec, "0.0.0.0/0 10.0.0.0/8");
	assert_true(mw_spec_has_any(&spec, many));
	assert_string_equal(many, "0.0.0.0/0");
	edit_accepts(mw_edit_adm, &spec, "10.0.0.0/8");
	assert_false(mw_spec_has_any(&spec, many));
}

static void test_site_edit(void **state)
{
	struct mw_spec spec = { 0 };
	char many[4096] = "";
	int i;

	(void)state;
	edit_accepts(mw_edit_site, &spec, "22 ADM GTW\n443\tGTW  ANY\n");
	assert_int_equal(spec.site_count, 2);
	assert_int_equal(spec.site[0].port, 22);
	assert_int_equal(spec.site[0].source, MAILWALL_ADM);
	assert_int_equal(spec.site[1].target, MAILWALL_ANY);
	edit_accepts(mw_edit_site, &spec, "+80:ANY:GTW,22:ADM:GTW");
	assert_int_equal(spec.site_count, 3);
	edit_refuses(mw_edit_site, &spec, "+22 ANY GTW", -EEXIST, "22 ANY GTW",
		     "\"22 ADM GTW\": set all rows at once");
	edit_accepts(mw_edit_site, &spec, "+22 GTW ANY");
	edit_accepts(mw_edit_site, &spec, "-443 GTW ANY");
	assert_int_equal(spec.site_count, 3);
	assert_int_equal(spec.site[1].port, 80);
	edit_refuses(mw_edit_site, &spec, "-443 GTW ANY", -ENOENT, "443 GTW ANY",
		     "no such site row");
	edit_refuses(mw_edit_site, &spec, "8450 ANY GTW", -EEXIST, "8450 ANY GTW", "built-in");
	edit_refuses(mw_edit_site, &spec, "25 GTW ADM", -EEXIST, "25 GTW ADM", "built-in");
	edit_accepts(mw_edit_site, &spec, "8450 GTW ANY");
	edit_refuses(mw_edit_site, &spec, "-8450 GTW ADM", -ENOENT, "8450 GTW ADM",
		     "no such site row");
	edit_refuses(mw_edit_site, &spec, "0 ANY GTW", -EINVAL, "0 ANY GTW", "1 to 65535");
	edit_refuses(mw_edit_site, &spec, "65536 ANY GTW", -EINVAL, "65536 ANY GTW", "1 to 65535");
	edit_refuses(mw_edit_site, &spec, "022 ANY GTW", -EINVAL, "022 ANY GTW", "leading zeros");
	edit_refuses(mw_edit_site, &spec, "22 ANY ADM", -EINVAL, "22 ANY ADM",
		     "exactly one of source and target is GTW");
	edit_refuses(mw_edit_site, &spec, "22 GTW GTW", -EINVAL, "22 GTW GTW", "exactly one");
	edit_refuses(mw_edit_site, &spec, "22 adm GTW", -EINVAL, "adm",
		     "SOURCE is one of ANY, ADM and GTW, in capitals");
	edit_refuses(mw_edit_site, &spec, "22 GTW any", -EINVAL, "any",
		     "TARGET is one of ANY, ADM and GTW, in capitals");
	edit_refuses(mw_edit_site, &spec, "22 ADMIN GTW", -EINVAL, "ADMIN", "in capitals");
	edit_refuses(mw_edit_site, &spec, "22::GTW", -EINVAL, "22::GTW", "SOURCE is one of");
	edit_refuses(mw_edit_site, &spec, "22:ADM:", -EINVAL, "22:ADM:", "TARGET is one of");
	edit_refuses(mw_edit_site, &spec, "22 ADM", -EINVAL, "22 ADM", "PORT SOURCE TARGET");
	edit_refuses(mw_edit_site, &spec, "22 ADM GTW tcp", -EINVAL, "22 ADM GTW tcp", "no more");
	edit_refuses(mw_edit_site, &spec, "22 ADM GTW\n+80 ANY GTW", -EINVAL, "+80 ANY GTW",
		     "one sign");
	edit_refuses(mw_edit_site, &spec, ":22::ADM:GTW", -EINVAL, ":22::ADM:GTW", "no more");
	edit_refuses(mw_edit_site, &spec, "22:ADM:GTW:", -EINVAL, "22:ADM:GTW:", "no more");
	edit_refuses(mw_edit_site, &spec, "22 ADM: GTW", -EINVAL, "22 ADM: GTW",
		     "PORT SOURCE TARGET");
	edit_refuses(mw_edit_site, &spec, ",\n,", -EINVAL, ",\n,", "no row");
	edit_refuses(mw_edit_site, &spec, "-,", -EINVAL, "", "nothing follows");
	edit_accepts(mw_edit_site, &spec, "\n");
	assert_int_equal(spec.site_count, 0);
	for (i = 0; i < MAILWALL_SITE_MAX; i++)
		sprintf(many + strlen(many), "%d ANY GTW\n", 1000 + i);
	edit_accepts(mw_edit_site, &spec, many);
	edit_refuses(mw_edit_site, &spec, "+80 ANY GTW", -E2BIG, "80 ANY GTW", "more than 32");
}

static void gtw_is(const struct mw_spec *spec, const char *text)
{
	char all[MAILWALL_GTW_MAX * MW_PREFIX_TEXT] = "", one[MW_PREFIX_TEXT];
	u16 i;

	for (i = 0; i < spec->gtw_count; i++) {
		mw_gtw_print(&spec->gtw[i], one);
		sprintf(all + strlen(all), "%s%s", i ? " " : "", one);
	}
	assert_string_equal(all, text);
	assert_int_equal(mw_spec_is_behind(spec), strcmp(text, "this") != 0);
}

static void test_gtw_edit(void **state)
{
	struct mw_spec spec = { 0 };
	struct mw_complaint c;
	char many[4096] = "";
	int i;

	(void)state;
	edit_accepts(mw_edit_gtw, &spec, " this,this\n");
	gtw_is(&spec, "this");
	edit_accepts(mw_edit_gtw, &spec, "+this");
	gtw_is(&spec, "this");
	edit_refuses(mw_edit_gtw, &spec, "", -EINVAL, "", "no gateway would be left");
	edit_refuses(mw_edit_gtw, &spec, "\n ", -EINVAL, "", "set the mode off");
	edit_refuses(mw_edit_gtw, &spec, ",", -EINVAL, ",", "no gateway would be left");
	edit_refuses(mw_edit_gtw, &spec, "-this", -EINVAL, "this", "no gateway would be left");
	edit_refuses(mw_edit_gtw, &spec, "-this this", -ENOENT, "this", "not among");
	edit_refuses(mw_edit_gtw, &spec, "+,", -EINVAL, "", "nothing follows");
	edit_refuses(mw_edit_gtw, &spec, "this +this", -EINVAL, "+this", "one sign");
	/* in the order in which they are written, nested ones and duplicates too */
	edit_accepts(mw_edit_gtw, &spec,
		     "port:tap100i0 2001:DB8::/32,192.0.2.0/24\nthis 192.0.2.1");
	gtw_is(&spec, "port:tap100i0 2001:db8::/32 192.0.2.0/24 this 192.0.2.1");
	edit_accepts(mw_edit_gtw, &spec, "+192.0.2.1/32 port:tap100i0 2001:db8:0::/32 10.0.0.0/8");
	gtw_is(&spec, "port:tap100i0 2001:db8::/32 192.0.2.0/24 this 192.0.2.1 10.0.0.0/8");
	edit_accepts(mw_edit_gtw, &spec, "-this,192.0.2.1 2001:db8::/32");
	gtw_is(&spec, "port:tap100i0 192.0.2.0/24 10.0.0.0/8");
	edit_refuses(mw_edit_gtw, &spec, "-10.0.0.0/8 192.0.2.1", -ENOENT, "192.0.2.1",
		     "not among the gateways: read gtw");
	edit_refuses(mw_edit_gtw, &spec, "-port:tap100i1", -ENOENT, "port:tap100i1", "not among");
	edit_refuses(mw_edit_gtw, &spec, "-10.0.0.0/8 port:tap100i0 192.0.2.0/24", -EINVAL,
		     "10.0.0.0/8 port:tap100i0 192.0.2.0/24", "no gateway would be left");
	edit_refuses(mw_edit_gtw, &spec, "+this -10.0.0.0/8", -EINVAL, "-10.0.0.0/8", "one sign");
	edit_accepts(mw_edit_gtw, &spec, "0.0.0.0/0 ::/0 224.0.0.0/3 126.0.0.0/7 0.0.0.0/31");
	edit_accepts(mw_edit_gtw, &spec, "fe00::/7 ::/126 ::2 fe80::1");
	gtw_is(&spec, "fe00::/7 ::/126 ::2 fe80::1");

	/* no item */
#define NO_ITEM(text) \
	edit_refuses(mw_edit_gtw, &spec, text, -EINVAL, text, "a gateway is this, an address")
	NO_ITEM("This");
	NO_ITEM("thisthis");
	NO_ITEM("thi");
	NO_ITEM("port");
	NO_ITEM("eth0");
	NO_ITEM("/24");
#undef NO_ITEM
	edit_refuses(mw_edit_gtw, &spec, "PORT:eth0", -EINVAL, "PORT:eth0", "no address");
	edit_refuses(mw_edit_gtw, &spec, "this, 192.0.2.300", -EINVAL, "192.0.2.300", "no address");
	edit_refuses(mw_edit_gtw, &spec, "gtw.example", -EINVAL, "gtw.example", "no address");
	edit_refuses(mw_edit_gtw, &spec, "192.0.2.5/24", -EINVAL, "192.0.2.5/24",
		     "192.0.2.0/24 for the network or 192.0.2.5/32");
	edit_refuses(mw_edit_gtw, &spec, "2001:db8::1/64", -EINVAL, "2001:db8::1/64",
		     "2001:db8::/64 for the network");
	edit_refuses(mw_edit_gtw, &spec, "::ffff:192.0.2.1", -EINVAL, "::ffff:192.0.2.1",
		     "write 192.0.2.1");
	edit_refuses(mw_edit_gtw, &spec, "fe80::1%eth0", -EINVAL, "fe80::1%eth0", "no zone");
	edit_refuses(mw_edit_gtw, &spec, "192.0.2.0/33", -EINVAL, "192.0.2.0/33", "0 to 32");

	/* nobody's addresses */
#define NOBODYS(text, kind)                                   \
	edit_refuses(mw_edit_gtw, &spec, text, -EINVAL, text, \
		     "no gateway has " kind " address: write the gateway's own")
	NOBODYS("224.0.0.1", "a multicast");
	NOBODYS("224.0.0.0/4", "a multicast");
	NOBODYS("239.255.255.255", "a multicast");
	NOBODYS("ff02::1", "a multicast");
	NOBODYS("ff00::/8", "a multicast");
	NOBODYS("127.0.0.1", "a loopback");
	NOBODYS("127.0.0.0/8", "a loopback");
	NOBODYS("::1", "a loopback");
	NOBODYS("0.0.0.0", "an unspecified");
	NOBODYS("::", "an unspecified");
	NOBODYS("::/127", "an unspecified");
#undef NOBODYS

	/* devices */
	edit_accepts(mw_edit_gtw, &spec, "port:t0");
	gtw_is(&spec, "port:t0");
	edit_accepts(mw_edit_gtw, &spec, "port:a port:fifteen-letters port:... port:veth@0.1");
	gtw_is(&spec, "port:a port:fifteen-letters port:... port:veth@0.1");
	edit_refuses(mw_edit_gtw, &spec, "port:sixteen-letters!", -EINVAL, "port:sixteen-letters!",
		     "at most 15 characters");
#define NO_NAME(text)                                    \
	edit_refuses(                                    \
		mw_edit_gtw, &spec, text, -EINVAL, text, \
		"no device can have that name: write port: and the name that \"ip link\" shows")
	NO_NAME("port:");
	NO_NAME("port:.");
	NO_NAME("port:..");
	NO_NAME("port:a/b");
	NO_NAME("port:eth0:1");
#undef NO_NAME
	assert_int_equal(mw_edit_gtw(&spec, "port:a\0b", 8, &c), -EINVAL);
	assert_int_equal(c.length, 8);
	assert_non_null(strstr(c.cure, "must be zero"));

	/* 32, and not one more, but one that is there already */
	for (i = 0; i < MAILWALL_GTW_MAX; i++)
		sprintf(many + strlen(many), i & 1 ? "port:tap%d " : "10.0.0.%d ", i);
	edit_accepts(mw_edit_gtw, &spec, many);
	assert_int_equal(spec.gtw_count, MAILWALL_GTW_MAX);
	edit_refuses(mw_edit_gtw, &spec, "+this", -E2BIG, "this", "more than 32 gateways");
	edit_accepts(mw_edit_gtw, &spec, "+port:tap31 10.0.0.0");
	edit_accepts(mw_edit_gtw, &spec, "-10.0.0.30");
	edit_accepts(mw_edit_gtw, &spec, "+this");
	strcat(many, "this");
	edit_refuses(mw_edit_gtw, &spec, many, -E2BIG, "this", "more than 32 gateways");
}

static void test_mode_and_log_edit(void **state)
{
	struct mw_spec spec = { 0 };
	char text[MW_PREFIX_TEXT];

	(void)state;
	edit_accepts(mw_edit_mode, &spec, "enforce\n");
	assert_int_equal(spec.mode, MAILWALL_ENFORCE);
	edit_accepts(mw_edit_mode, &spec, "audit");
	assert_int_equal(spec.mode, MAILWALL_AUDIT);
	edit_accepts(mw_edit_mode, &spec, " off ");
	assert_int_equal(spec.mode, MAILWALL_OFF);
	edit_refuses(mw_edit_mode, &spec, "on", -EINVAL, "on", "enforce, audit or off");
	edit_refuses(mw_edit_mode, &spec, "", -EINVAL, "", "enforce, audit or off");
	edit_refuses(mw_edit_mode, &spec, "enforced", -EINVAL, "enforced", "enforce");
	edit_refuses(mw_edit_mode, &spec, "Audit", -EINVAL, "Audit", "enforce");
	edit_accepts(mw_edit_log, &spec, "kernel\n");
	mw_spec_print_log(&spec, text);
	assert_string_equal(text, "kernel");
	edit_accepts(mw_edit_log, &spec, "nflog:5");
	mw_spec_print_log(&spec, text);
	assert_string_equal(text, "nflog:5");
	edit_accepts(mw_edit_log, &spec, "nflog");
	assert_int_equal(spec.log_group, 0);
	edit_accepts(mw_edit_log, &spec, "nflog:65535");
	edit_accepts(mw_edit_log, &spec, "off");
	assert_int_equal(spec.log_group, 0);
	mw_spec_print_log(&spec, text);
	assert_string_equal(text, "off");
	edit_refuses(mw_edit_log, &spec, "nflog:65536", -EINVAL, "nflog:65536", "0 to 65535");
	edit_refuses(mw_edit_log, &spec, "nflog:", -EINVAL, "nflog:", "0 to 65535");
	edit_refuses(mw_edit_log, &spec, "nflogs", -EINVAL, "nflogs", "off, kernel or");
	edit_refuses(mw_edit_log, &spec, "syslog", -EINVAL, "syslog", "off, kernel or");
	edit_refuses(mw_edit_log, &spec, "out", -EINVAL, "out", "off, kernel or");
	edit_refuses(mw_edit_log, &spec, "syslog:5", -EINVAL, "syslog:5", "off, kernel or");
}

/* Policies that do not come as text */

static void test_normalise(void **state)
{
	struct mw_spec good = { .mode = MAILWALL_ENFORCE, .gtw_count = 1 }, spec;
	struct mw_complaint c;
	char text[MW_PREFIX_TEXT];

	(void)state;
	edit_accepts(mw_edit_adm, &good, "192.0.2.0/24 2001:db8::/32");
	edit_accepts(mw_edit_site, &good, "22 ADM GTW");
	spec = good;
	assert_int_equal(mw_spec_normalise(&spec, &c, text), 0);
	assert_memory_equal(&spec, &good, sizeof(good));
	spec.log = MAILWALL_LOG_NFLOG;
	spec.log_group = 5;
	assert_int_equal(mw_spec_normalise(&spec, &c, text), 0);
	spec = good;
	/* out of order, twice, and rubbish past the counts */
	spec.adm[0] = good.adm[1];
	spec.adm[1] = good.adm[0];
	spec.adm[2] = good.adm[0];
	spec.adm_count = 3;
	memset(&spec.adm[3], 0xff, sizeof(spec.adm[3]));
	spec.site[1] = spec.site[0];
	spec.site_count = 2;
	spec.site[2].port = 99;
	spec.gtw_count = 2;
	memset(&spec.gtw[2], 0xff, sizeof(spec.gtw[2]));
	assert_int_equal(mw_spec_normalise(&spec, &c, text), 0);
	assert_memory_equal(&spec, &good, sizeof(good));
#define REFUSED(change, error, item_part, cure_part)                         \
	do {                                                                 \
		spec = good;                                                 \
		change;                                                      \
		assert_int_equal(mw_spec_normalise(&spec, &c, text), error); \
		assert_ptr_equal(c.item, text);                              \
		assert_int_equal(c.length, strlen(text));                    \
		if (!strstr(text, item_part) || !strstr(c.cure, cure_part))  \
			fail_msg("%s: %s", text, c.cure);                    \
	} while (0)
	REFUSED(spec.mode = 3, -EINVAL, "mode 3", "0 to 2");
	REFUSED(spec.confirm = 86401, -EINVAL, "confirm 86401", "86400");
	REFUSED(spec.log = 3, -EINVAL, "log 3", "0 to 2");
	REFUSED(spec.log_group = 1, -EINVAL, "log_group 1", "nflog");
	REFUSED(spec.adm_count = 65, -E2BIG, "adm count 65", "64");
	REFUSED(spec.site_count = 33, -E2BIG, "site count 33", "32");
	REFUSED(spec.gtw_count = 33, -E2BIG, "gtw count 33", "32");
	REFUSED(spec.gtw_count = 0, -EINVAL, "gtw count 0", "mode off");
	REFUSED(spec.gtw[0].kind = MAILWALL_GTW_PREFIX, -EINVAL, "0.0.0.0/0", "family");
	REFUSED(spec.gtw[0].kind = 3, -EINVAL, "kind 3", "0 to 2");
	REFUSED(spec.gtw[0].kind = 255, -EINVAL, "kind 255", "0 to 2");
	REFUSED(spec.gtw[0].reserved[2] = 1, -EINVAL, "this", "zero");
	REFUSED(spec.gtw[0].prefix.family = AF_INET, -EINVAL, "this", "zero");
	REFUSED(spec.gtw[0].device[15] = 1, -EINVAL, "this", "zero");
	REFUSED((spec.gtw_count = 2, spec.gtw[1].kind = MAILWALL_GTW_PORT), -EINVAL,
		"port:", "no device");
	spec = good;
	edit_accepts(mw_edit_gtw, &good, "192.0.2.1 port:tap0 this");
	REFUSED(spec.gtw[0].prefix.length = 24, -EINVAL, "192.0.2.1/24", "192.0.2.0/24");
	REFUSED(spec.gtw[0].prefix.length = 33, -EINVAL, "192.0.2.1/33", "at most 32");
	REFUSED(spec.gtw[0].prefix.reserved[1] = 1, -EINVAL, "192.0.2.1", "zero");
	REFUSED(spec.gtw[0].prefix.address[0] = 224, -EINVAL, "224.0.2.1", "multicast");
	REFUSED(spec.gtw[0].reserved[0] = 1, -EINVAL, "192.0.2.1", "zero");
	REFUSED(spec.gtw[0].device[0] = 'x', -EINVAL, "192.0.2.1", "zero");
	REFUSED(spec.gtw[1].prefix.length = 1, -EINVAL, "port:tap0", "zero");
	REFUSED(spec.gtw[1].device[5] = 'x', -EINVAL, "port:tap0", "zero");
	REFUSED(spec.gtw[1].device[0] = ' ', -EINVAL, "port: ap0", "no device");
	REFUSED(memset(spec.gtw[1].device, 'x', 16), -EINVAL, "port:xxxxxxxxxxxxxxx", "no device");
	/* duplicates collapse, in whatever order */
	spec = good;
	spec.gtw[3] = spec.gtw[0];
	spec.gtw[4] = spec.gtw[1];
	spec.gtw_count = 5;
	assert_int_equal(mw_spec_normalise(&spec, &c, text), 0);
	assert_memory_equal(&spec, &good, sizeof(good));
	REFUSED(spec.adm[0].address[3] = 1, -EINVAL, "192.0.2.1/24", "192.0.2.0/24");
	REFUSED(spec.site[0].port = 0, -EINVAL, "0 ADM GTW", "1 to 65535");
	REFUSED(spec.site[0].source = 3, -EINVAL, "22 ? GTW", "ANY, ADM and GTW");
	REFUSED(spec.site[0].target = 3, -EINVAL, "22 ADM ?", "ANY, ADM and GTW");
	REFUSED(spec.site[0].target = MAILWALL_ANY, -EINVAL, "22 ADM ANY", "exactly one");
	REFUSED(spec.site[0].port = 8450, -EEXIST, "8450 ADM GTW", "built-in");
	REFUSED((spec.site[1] = spec.site[0], spec.site[1].source = MAILWALL_ANY,
		 spec.site_count = 2),
		-EEXIST, "22 ANY GTW", "22 ADM GTW");
}

static void test_table(void **state)
{
	/* port, source, target as POLICY.md has them, in its order */
	static const struct mailwall_row table[] = {
		{ 25, MAILWALL_GTW, MAILWALL_ANY },   { 25, MAILWALL_ANY, MAILWALL_GTW },
		{ 110, MAILWALL_GTW, MAILWALL_ANY },  { 110, MAILWALL_ANY, MAILWALL_GTW },
		{ 8450, MAILWALL_ADM, MAILWALL_GTW }, { 465, MAILWALL_GTW, MAILWALL_ANY },
		{ 465, MAILWALL_ANY, MAILWALL_GTW },  { 587, MAILWALL_GTW, MAILWALL_ANY },
		{ 587, MAILWALL_ANY, MAILWALL_GTW },  { 995, MAILWALL_GTW, MAILWALL_ANY },
		{ 995, MAILWALL_ANY, MAILWALL_GTW },
	};
	struct mw_spec spec = { 0 };
	struct mw_policy *policy = build(&spec);
	unsigned int i;

	(void)state;
	assert_int_equal(ARRAY_SIZE(table), MW_TABLE_ROWS);
	for (i = 0; i < ARRAY_SIZE(table); i++) {
		struct mailwall_row row = mw_row_of_slot(policy, i + 1);

		assert_memory_equal(&mw_table[i].row, &table[i], sizeof(table[i]));
		assert_memory_equal(&row, &table[i], sizeof(table[i]));
		assert_true(strlen(mw_table[i].description) > 40);
	}
	free(policy);
}

static void test_names(void **state)
{
	struct mw_spec spec = { 0 };
	static const u8 slot[] = { 7, 4 };
	struct mw_policy *policy;
	struct mailwall_gtw none = { 0 }, gtw;

	(void)state;
	assert_string_equal(mw_reason_name(MAILWALL_CLOSED), "closed");
	assert_null(mw_reason_name(MAILWALL_CLOSED + 1));
	edit_accepts(mw_edit_gtw, &spec, "port:a port:b");
	policy = build(&spec);
	mw_policy_set_gateways(policy, NULL, slot);
	assert_null(policy->gateways);
	gtw = mw_gtw_of_slot(policy, 4);
	assert_memory_equal(&gtw, &spec.gtw[1], sizeof(gtw));
	gtw = mw_gtw_of_slot(policy, 5);
	assert_memory_equal(&gtw, &none, sizeof(gtw));
	free(policy);
}

/* What lets the packet path leave out the rest: enforced and not logged, of one kind alone. */
static void test_short_ways(void **state)
{
	static const char *const lists[] = { "this", "192.0.2.1", "port:a", "192.0.2.1 port:a" };
	static const u8 slot[] = { 1, 2 };
	unsigned int mode, log, i;

	(void)state;
	for (mode = MAILWALL_OFF; mode <= MAILWALL_ENFORCE; mode++)
		for (log = MAILWALL_LOG_OFF; log <= MAILWALL_LOG_NFLOG; log++)
			for (i = 0; i < ARRAY_SIZE(lists); i++) {
				bool plain = mode == MAILWALL_ENFORCE && log == MAILWALL_LOG_OFF;
				struct mw_gateways *g = i ? calloc(1, sizeof(*g)) : NULL;
				struct mw_spec spec = { .mode = mode, .log = log };
				struct mw_policy *policy;

				edit_accepts(mw_edit_gtw, &spec, lists[i]);
				policy = build(&spec);
				mw_policy_set_gateways(policy, g, slot);
				assert_int_equal(policy->plain, plain);
				assert_int_equal(policy->alone, mode != MAILWALL_OFF && !i);
				if (g) {
					assert_int_equal(g->only_prefixes, plain && i == 1);
					assert_int_equal(g->only_ports, plain && i == 2);
				}
				mw_policy_set_traced(policy, true);
				assert_false(policy->plain || policy->alone);
				assert_false(g && (g->only_prefixes || g->only_ports));
				mw_policy_set_traced(policy, false);
				assert_int_equal(policy->plain, plain);
				free(g);
				free(policy);
			}
}

/* Where the target is not the peer, ADM does not hold it, whatever ADM is. */
static void test_routed(void **state)
{
	struct mw_spec spec = { .mode = MAILWALL_ENFORCE };
	const __be16 local = htons(40000), remote = htons(22);
	const u8 peer[16] = { 192, 0, 2, 1 };
	struct mw_segment seg = {
		.direction = MAILWALL_OUT,
		.flags = MW_SYN,
		.local = &local,
		.remote = &remote,
		.peer = peer,
	};
	struct mw_policy *policy;

	(void)state;
	edit_accepts(mw_edit_adm, &spec, "0.0.0.0/0");
	edit_accepts(mw_edit_site, &spec, "22 GTW ADM");
	policy = build(&spec);
	assert_int_equal(mw_policy_judge(policy, &seg, NULL, NULL) & MW_SLOT, MW_SITE_SLOT);
	seg.routed = true;
	assert_int_equal(mw_policy_judge(policy, &seg, NULL, NULL), MW_DENY | MAILWALL_PEER);
	free(policy);
}

/* At INET FORWARD what went through a bridge shows both its ports and the bridge. */
static void test_bridge_ports(void **state)
{
	struct mw_spec spec = { 0 };
	static const u8 slot[] = { 1, 2, 3 }, nobody[16] = { 203, 0, 113, 1 };
	static const u8 listed[16] = { 192, 0, 2, 1 };
	struct mw_gateways *g = calloc(1, sizeof(*g));
	struct mw_path path = {
		.place = MW_PLACE_ROUTED,
		.source = nobody,
		.target = listed,
		.in = 10,
		.out = 10,
	};
	struct mw_ends ends;

	(void)state;
	edit_accepts(mw_edit_gtw, &spec, "192.0.2.1 port:tap1 port:br0");
	mw_gateways_build(g, &spec, slot);
	mw_gateways_resolve(g, 0, 5);
	mw_gateways_resolve(g, 1, 10);
	/* routed between two devices that are listed, or one address that is */
	ends = mw_gateways_ends(g, &path);
	assert_int_equal(ends.from, 3);
	assert_int_equal(ends.to, 1);
	/* bridged: by the address; the bridge is not looked for; the port had its judgement */
	path.bridge_in = 6;
	path.bridge_out = 6;
	ends = mw_gateways_ends(g, &path);
	assert_int_equal(ends.from, MW_NOBODY);
	assert_int_equal(ends.to, 1);
	path.bridge_out = 5;
	ends = mw_gateways_ends(g, &path);
	assert_int_equal(ends.to, MW_NOBODY);
	/* no device, as where this host sends: by the address alone */
	path.bridge_out = 0;
	path.out = 0;
	path.target = nobody;
	ends = mw_gateways_ends(g, &path);
	assert_int_equal(ends.to, MW_NOBODY);
	/* without gateways behind, this host is one */
	path.place = MW_PLACE_HOST;
	path.to_host = true;
	ends = mw_gateways_ends(NULL, &path);
	assert_true(ends.to_this && !ends.from_this && !ends.to && !ends.from);
	/* with some behind, not unless it is listed */
	ends = mw_gateways_ends(g, &path);
	assert_false(ends.to_this);
	free(g);
}

/* There are enough pages, however far apart the rows lie; past them ASan looks. */
static void test_pages(void **state)
{
	struct mw_spec spec = { .site_count = MAILWALL_SITE_MAX };
	struct mw_policy *policy;
	unsigned int i;

	(void)state;
	for (i = 0; i < MAILWALL_SITE_MAX; i++)
		spec.site[i] =
			(struct mailwall_row){ 10001 + 1000 * i, MAILWALL_ANY, MAILWALL_GTW };
	policy = build(&spec);
	for (i = 0; i < 65536; i++) {
		u8 slot = i > 10000 && i % 1000 == 1 && i < 10001 + 1000 * MAILWALL_SITE_MAX ?
				  MW_SITE_SLOT + (i - 10001) / 1000 :
				  0;
		__be16 port = htons(i);

		/* what the table has in these ports is its own test's */
		if (slot || i > 10000)
			assert_int_equal(mw_policy_entry(policy, policy->in_page, &port), slot);
	}
	free(policy);
}

/* The vectors */

static unsigned int asked;

static bool connected(const void *context)
{
	asked++;
	return *(const bool *)context;
}

/* The verdict on one way of a vector, as @verdict has it. Return: does it pass? */
static bool judge(const struct mw_policy *policy, const struct vector *v, bool in, bool behind,
		  char verdict[32])
{
	const __be16 source = htons(v->source_port), target = htons(v->target_port);
	const struct mw_segment seg = {
		.direction = in ? MAILWALL_IN : MAILWALL_OUT,
		.ipv6 = v->family == AF_INET6,
		.behind = behind,
		.flags = v->flags,
		.local = in ? &target : &source,
		.remote = in ? &source : &target,
		.peer = in ? v->source : v->target,
	};
	unsigned int result = MW_DENY | MAILWALL_MALFORMED;

	asked = 0;
	if (v->length >= 20 && mw_data_offset_valid(v->offset << 4, v->length))
		result = mw_policy_judge(policy, &seg, connected, &v->held);
	assert_true(asked <= 1);
	print_verdict(policy, result, verdict, 32);
	return !(result & MW_DENY);
}

static void judge_host(const struct vector *v, char said[256])
{
	struct mw_spec spec = vectors_policy(vectors_path, v->policy);
	struct mw_policy *policy = build(&spec);

	judge(policy, v, v->direction == MAILWALL_IN, false, said);
	free(policy);
}

/* What one GTW's judgement adds. Return: does it pass? */
static bool judge_for(const struct mw_policy *policy, const struct vector *v, bool in,
		      const struct mailwall_gtw *item, char *said)
{
	char name[MW_PREFIX_TEXT], verdict[32];
	bool pass = judge(policy, v, in, item->kind != MAILWALL_GTW_THIS, verdict);

	mw_gtw_print(item, name);
	sprintf(said + strlen(said), "%s%s %s %s", *said ? "; " : "", in ? "in" : "out", name,
		verdict);
	return pass;
}

static void judge_behind(const struct vector *v, char said[256])
{
	struct mw_spec spec = vectors_policy(vectors_path, v->policy);
	struct mw_policy *policy = build(&spec);
	struct mw_gateways *g = calloc(1, sizeof(*g));
	const struct mw_path path = {
		.place = !strcmp(v->hook, "forward") ? MW_PLACE_ROUTED :
			 !strcmp(v->hook, "bridge")  ? MW_PLACE_BRIDGED :
						       MW_PLACE_HOST,
		.ipv6 = v->family == AF_INET6,
		.from_host = !strcmp(v->hook, "from-host"),
		.to_host = !strcmp(v->hook, "to-host"),
		.source = v->source,
		.target = v->target,
		.in = v->in,
		.out = v->out,
	};
	u8 slot[MAILWALL_GTW_MAX], port = 0;
	const struct mailwall_gtw *of_slot[MW_GTW_SLOTS] = { NULL }, *this = NULL;
	struct mw_ends ends;
	bool pass = true;
	u16 i;

	for (i = 0; i < spec.gtw_count; i++) {
		slot[i] = 3 * i + 5;
		of_slot[slot[i]] = &spec.gtw[i];
		if (spec.gtw[i].kind == MAILWALL_GTW_THIS)
			this = &spec.gtw[i];
	}
	mw_policy_set_gateways(policy, g, slot);
	for (i = 0; i < spec.gtw_count; i++)
		if (spec.gtw[i].kind == MAILWALL_GTW_PORT)
			mw_gateways_resolve(g, port++, vectors_device(spec.gtw[i].device));
	ends = mw_gateways_ends(g, &path);
	*said = '\0';
	if (ends.from || ends.from_this)
		pass = judge_for(policy, v, false, ends.from ? of_slot[ends.from] : this, said);
	if (pass && (ends.to || ends.to_this))
		judge_for(policy, v, true, ends.to ? of_slot[ends.to] : this, said);
	free(g);
	free(policy);
}

static void compare(bool behind, void (*judged)(const struct vector *v, char said[256]))
{
	static struct vector v[1000];
	unsigned int count = vectors_read(vectors_path, behind, v, ARRAY_SIZE(v)), i;

	assert_true(count >= 40);
	for (i = 0; i < count; i++) {
		char said[256];

		judged(&v[i], said);
		if (strcmp(*said ? said : "unjudged", v[i].expected))
			fail_msg("%s: %s, not %s", v[i].name, said, v[i].expected);
	}
	print_message("# %u vectors%s\n", count, behind ? " of gateways behind" : "");
}

static void test_vectors(void **state)
{
	(void)state;
	compare(false, judge_host);
}

static void test_vectors_behind(void **state)
{
	(void)state;
	compare(true, judge_behind);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_prefix_accepted),
		cmocka_unit_test(test_prefix_refused),
		cmocka_unit_test(test_prefix_check),
		cmocka_unit_test(test_address_print),
		cmocka_unit_test(test_prefix_set),
		cmocka_unit_test(test_adm_edit),
		cmocka_unit_test(test_site_edit),
		cmocka_unit_test(test_gtw_edit),
		cmocka_unit_test(test_mode_and_log_edit),
		cmocka_unit_test(test_normalise),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_short_ways),
		cmocka_unit_test(test_routed),
		cmocka_unit_test(test_bridge_ports),
		cmocka_unit_test(test_pages),
		cmocka_unit_test(test_vectors),
		cmocka_unit_test(test_vectors_behind),
	};

	if (argc < 2 || argc > 3)
		return 2;
	vectors_path = argv[1];
	if (argc == 3)
		cmocka_set_test_filter(argv[2]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
