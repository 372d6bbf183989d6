// SPDX-License-Identifier: GPL-2.0
/*
 * Policies as the ioctl takes them: the input is the bytes of struct mw_spec before its
 * lists, then as many prefixes, rows and gateways as those say, then segments. What is
 * accepted is built and judged by, and compared with the naive decision of
 * tests/unit/naive.c over the policy as it came.
 */
#include "../unit/naive.h"
#include "reference.h"

static bool answer_no(const void *context)
{
	++*(unsigned int *)context;
	return false;
}

/* Slots that differ and are not in order. */
static void make_slots(u8 slot[MAILWALL_SITE_MAX], u8 seed)
{
	u32 i;

	for (i = 0; i < MAILWALL_SITE_MAX; i++)
		slot[i] = MW_SITE_SLOT + (seed + i * 37) % MW_SITE_SLOTS;
}

/* direction and family, flags, local port, remote port, address */
#define SEGMENT (1 + 1 + 2 + 2 + 16)

static void judge(const struct mw_policy *policy, const struct mw_spec *spec, const u8 *slot,
		  const u8 *data)
{
	__be16 local, remote;
	unsigned int asked = 0, got, expected;
	u8 peer[16];
	struct mw_segment segment = {
		.direction = data[0] & 1,
		.ipv6 = data[0] & 2,
		.behind = data[0] & 64,
		.routed = data[0] & 32,
		.flags = data[1],
		.local = &local,
		.remote = &remote,
		.peer = peer,
	};
	struct naive_segment plain = {
		.direction = segment.direction,
		.family = segment.ipv6 ? AF_INET6 : AF_INET,
		.behind = segment.behind,
		.routed = segment.routed,
		.flags = data[1],
		.peer = peer,
	};
	struct naive_answer answer;

	memcpy(&local, data + 2, 2);
	memcpy(&remote, data + 4, 2);
	memcpy(peer, data + 6, 16);
	/* ports and a peer that the policy knows are hard to hit by chance */
	if (data[0] & 4 && spec->site_count) {
		u16 port = spec->site[data[2] % spec->site_count].port;

		*(data[0] & 8 ? &local : &remote) = htobe16(port);
	}
	if (data[0] & 16 && spec->adm_count)
		memcpy(peer, spec->adm[data[6] % spec->adm_count].address, 16);
	plain.local = be16toh(local);
	plain.remote = be16toh(remote);

	got = mw_policy_judge(policy, &segment, answer_no, &asked);
	answer = naive_judge(spec, &plain);
	if (!answer.allowed)
		expected = MW_DENY | answer.reason;
	else if (answer.row < MW_TABLE_ROWS)
		expected = 1 + answer.row;
	else
		expected = slot[answer.row - MW_TABLE_ROWS];
	if (answer.asked_back)
		expected |= MW_ASKED_BACK;
	REQUIRE(got == expected);
	REQUIRE(asked == answer.asked);
}

/* Every slot leads back to its row, and no other slot to any. */
static void require_slots(const struct mw_policy *policy, const u8 *slot)
{
	const struct mw_spec *spec = &policy->spec;
	u32 i, j;

	for (i = 0; i <= 0xff; i++) {
		struct mailwall_row row = mw_row_of_slot(policy, i);
		struct mailwall_row expected = { 0 };

		for (j = 0; j < spec->site_count; j++)
			if (slot[j] == i)
				expected = spec->site[j];
		if (i >= 1 && i <= MW_TABLE_ROWS)
			expected = mw_table[i - 1].row;
		REQUIRE(!memcmp(&row, &expected, sizeof(row)));
	}
}

/* Does a prefix hold all addresses of its family? */
static bool holds_all(const struct mw_spec *spec)
{
	u32 i;

	for (i = 0; i < spec->adm_count; i++)
		if (!spec->adm[i].length)
			return true;
	return false;
}

/* What is shown is taken again, and is the same. */
static void require_texts(const struct mw_spec *spec)
{
	static const char *const ends[] = { "ANY", "ADM", "GTW" };
	char adm[MAILWALL_ADM_MAX * MW_PREFIX_TEXT] = "", site[MAILWALL_SITE_MAX * 16] = "";
	char gtw[MAILWALL_GTW_MAX * MW_PREFIX_TEXT] = "";
	struct mw_spec again = *spec;
	struct mw_complaint c;
	char text[MW_PREFIX_TEXT];
	u32 i, at;

	REQUIRE(mw_spec_has_any(spec, text) == holds_all(spec));
	if (holds_all(spec))
		REQUIRE(!strcmp(text, "0.0.0.0/0") || !strcmp(text, "::/0"));
	for (i = at = 0; i < spec->adm_count; i++) {
		mw_prefix_print(&spec->adm[i], text);
		at += sprintf(adm + at, "%s\n", text);
	}
	for (i = at = 0; i < spec->site_count; i++)
		at += sprintf(site + at, "%u %s %s\n", spec->site[i].port,
			      ends[spec->site[i].source], ends[spec->site[i].target]);
	for (i = at = 0; i < spec->gtw_count; i++) {
		mw_gtw_print(&spec->gtw[i], text);
		at += sprintf(gtw + at, "%s\n", text);
	}
	memset(again.adm, 0xff, sizeof(again.adm));
	memset(again.site, 0xff, sizeof(again.site));
	memset(again.gtw, 0xff, sizeof(again.gtw));
	REQUIRE(mw_edit_adm(&again, adm, strlen(adm), &c) == 0);
	REQUIRE(mw_edit_site(&again, site, strlen(site), &c) == 0);
	REQUIRE(mw_edit_gtw(&again, gtw, strlen(gtw), &c) == 0);
	REQUIRE(!memcmp(&again, spec, sizeof(again)));
	REQUIRE(mw_spec_print_log(spec, text) == (int)strlen(text));
	again.log = again.log_group = 0xff;
	REQUIRE(mw_edit_log(&again, text, strlen(text), &c) == 0);
	REQUIRE(!memcmp(&again, spec, sizeof(again)));
}

/* The struct's own bytes, up to its lists. */
#define HEAD offsetof(struct mw_spec, adm)

/* Take so many bytes, or what there is. Return: what follows. */
static const u8 *take(void *to, size_t length, const u8 *at, const u8 *end)
{
	if (length > (size_t)(end - at))
		length = end - at;
	memcpy(to, at, length);
	return at + length;
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mw_spec *spec = calloc(1, sizeof(*spec)), expected, came;
	const u8 *at = data, *end = data + size;
	u8 slot[MAILWALL_SITE_MAX];
	struct mw_policy *policy;
	char text[MW_PREFIX_TEXT];
	struct mw_complaint c;
	u64 errors;
	int error;

	REQUIRE(spec);
	/* past the counts there is rubbish */
	memset(spec, 0xa5, sizeof(*spec));
	memset(spec, 0, HEAD);
	at = take(spec, HEAD, at, end);
	at = take(spec->adm,
		  spec->adm_count <= MAILWALL_ADM_MAX ? spec->adm_count * sizeof(*spec->adm) : 0,
		  at, end);
	at = take(spec->site,
		  spec->site_count <= MAILWALL_SITE_MAX ? spec->site_count * sizeof(*spec->site) :
							  0,
		  at, end);
	at = take(spec->gtw,
		  spec->gtw_count <= MAILWALL_GTW_MAX ? spec->gtw_count * sizeof(*spec->gtw) : 0,
		  at, end);
	came = expected = *spec;
	errors = reference_normalise(&expected);
	memset(text, 0x55, sizeof(text));
	memset(c.cure, 0x55, sizeof(c.cure));
	error = mw_spec_normalise(spec, &c, text);
	if (error) {
		REQUIRE(error < 0 && errors >> -error & 1);
		REQUIRE(c.item == text && strnlen(text, sizeof(text)) == c.length);
		require_cure(&c);
		goto out;
	}
	REQUIRE(!errors);
	REQUIRE(!memcmp(spec, &expected, sizeof(expected)));
	REQUIRE(mw_spec_normalise(spec, &c, text) == 0);
	REQUIRE(!memcmp(spec, &expected, sizeof(expected)));
	require_texts(spec);

	make_slots(slot, size);
	policy = calloc(1, sizeof(*policy));
	REQUIRE(policy);
	mw_policy_build(policy, spec, slot);
	/* rows that came twice count once, so their numbers are those after the ordering */
	came.site_count = expected.site_count;
	memcpy(came.site, expected.site, sizeof(came.site));
	require_slots(policy, slot);
	for (; end - at >= SEGMENT; at += SEGMENT)
		judge(policy, &came, slot, at);
	free(policy);
out:
	free(spec);
	return 0;
}

#ifdef FUZZ_RANDOM

static void make_prefix(struct mailwall_prefix *prefix)
{
	u32 i;

	prefix->family = random_below(2) ? AF_INET6 : AF_INET;
	prefix->length = random_below(prefix->family == AF_INET ? 33 : 129);
	for (i = 0; i < prefix->length; i++)
		if (random_below(3) == 0)
			prefix->address[i / 8] |= 128 >> i % 8;
	if (!random_below(400))
		prefix->length++;
	if (!random_below(400))
		prefix->address[random_below(16)] ^= 1 << random_below(8);
	if (!random_below(400))
		prefix->reserved[random_below(2)] = 1;
}

static void make_row(struct mailwall_row *row)
{
	static const u16 ports[] = { 1, 22, 24, 25, 53, 80, 443, 587, 8449, 8450, 8451, 65535 };
	bool inbound = random_below(2);
	u8 peer = random_below(2) ? MAILWALL_ANY : MAILWALL_ADM;

	row->port = random_below(8) ? 1 + random_below(65535) :
				      ports[random_below(ARRAY_SIZE(ports))];
	row->source = inbound ? peer : MAILWALL_GTW;
	row->target = inbound ? MAILWALL_GTW : peer;
	if (!random_below(200))
		row->target = random_below(5);
	if (!random_below(400))
		row->port = 0;
}

static void make_gtw(struct mailwall_gtw *gtw)
{
	gtw->kind = random_below(3);
	if (gtw->kind == MAILWALL_GTW_PREFIX)
		make_prefix(&gtw->prefix);
	else if (gtw->kind == MAILWALL_GTW_PORT)
		snprintf(gtw->device, sizeof(gtw->device), "%s%u",
			 random_below(60) ? "tap" : &"a/b .."[random_below(6)], random_below(40));
	if (!random_below(400))
		((u8 *)gtw)[random_below(sizeof(*gtw))] ^= 1 << random_below(8);
}

static size_t put(u8 *data, const void *items, u32 max, u32 count, size_t size)
{
	size_t length = (count < max ? count : max) * size;

	memcpy(data, items, length);
	return length;
}

size_t fuzz_make(u8 *data, size_t size)
{
	struct mw_spec spec = { .mode = random_below(3), .log = random_below(3) };
	size_t at = HEAD;
	u32 i;

	if (!random_below(30))
		spec.mode = random_below(6);
	if (spec.log == MAILWALL_LOG_NFLOG || !random_below(30))
		spec.log_group = random_below(65536);
	spec.confirm = random_below(4) ? 0 : random_below(86500);
	spec.adm_count = random_below(random_below(20) ? 65 : 70);
	spec.site_count = random_below(random_below(20) ? 33 : 40);
	for (i = 0; i < spec.adm_count && i < MAILWALL_ADM_MAX; i++) {
		if (i && !random_below(8))
			spec.adm[i] = spec.adm[random_below(i)];
		else
			make_prefix(&spec.adm[i]);
	}
	for (i = 0; i < spec.site_count && i < MAILWALL_SITE_MAX; i++) {
		if (i && !random_below(8))
			spec.site[i] = spec.site[random_below(i)];
		else
			make_row(&spec.site[i]);
	}
	spec.gtw_count = random_below(20) ? 1 + random_below(32) : random_below(40);
	for (i = 0; i < spec.gtw_count && i < MAILWALL_GTW_MAX; i++) {
		if (i && !random_below(8))
			spec.gtw[i] = spec.gtw[random_below(i)];
		else
			make_gtw(&spec.gtw[i]);
	}
	memcpy(data, &spec, HEAD);
	at += put(data + at, spec.adm, MAILWALL_ADM_MAX, spec.adm_count, sizeof(*spec.adm));
	at += put(data + at, spec.site, MAILWALL_SITE_MAX, spec.site_count, sizeof(*spec.site));
	at += put(data + at, spec.gtw, MAILWALL_GTW_MAX, spec.gtw_count, sizeof(*spec.gtw));
	if (!random_below(20))
		data[random_below(at)] ^= 1 << random_below(8);
	for (; at + SEGMENT <= size && random_below(40); at += SEGMENT)
		for (i = 0; i < SEGMENT; i++)
			data[at + i] = random_below(4) ? random_below(256) : random_below(32);
	return at;
}

#endif /* FUZZ_RANDOM */
