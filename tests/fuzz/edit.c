// SPDX-License-Identifier: GPL-2.0
/*
 * Edits as sysfs, the load parameters and the command make them: the input is a series
 * of edits of one policy, each a letter (a adm, s site, g gtw, m mode, l log) and a text,
 * apart by bytes 0xff.
 */
#include "reference.h"

static int edit(char kind, struct mw_spec *spec, const char *text, size_t length,
		struct mw_complaint *c)
{
	switch (kind) {
	case 'a':
		return mw_edit_adm(spec, text, length, c);
	case 's':
		return mw_edit_site(spec, text, length, c);
	case 'g':
		return mw_edit_gtw(spec, text, length, c);
	case 'm':
		return mw_edit_mode(spec, text, length, c);
	default:
		return mw_edit_log(spec, text, length, c);
	}
}

static void one(char kind, struct mw_spec *spec, const char *input, size_t length)
{
	struct mw_spec expected = *spec, again;
	size_t item = 0, item_length = 0;
	char room[MW_PREFIX_TEXT];
	struct mw_complaint c;
	char *text = malloc(length); /* of this size, so that ASan sees what lies past it */
	int error, want;

	REQUIRE(text || !length);
	memcpy(text, input, length);
	memset(c.cure, 0x55, sizeof(c.cure));
	want = reference_edit(kind, &expected, text, length, &item, &item_length);
	error = edit(kind, spec, text, length, &c);
	REQUIRE(error == want);
	/* refused: reference_edit() left it as it was */
	REQUIRE(!memcmp(spec, &expected, sizeof(expected)));
	if (error) {
		require_cure(&c);
		REQUIRE(c.length == item_length);
		REQUIRE(c.item >= text && c.item + c.length <= text + length);
		if (c.length)
			REQUIRE(c.item == text + item);
		/*
		 * An item may be refused for its sign or for what follows: the sign matters. In
		 * the middle of a row it is no sign.
		 */
		if ((kind == 'a' || kind == 's') && (!c.length || *c.item == '+' || *c.item == '-'))
			REQUIRE(strstr(c.cure, "sign") || strstr(c.cure, "SOURCE is") ||
				strstr(c.cure, "TARGET is"));
	} else {
		/* what an edit makes is what the ioctl takes, in order already */
		again = *spec;
		REQUIRE(mw_spec_normalise(&again, &c, room) == 0);
		REQUIRE(!memcmp(&again, spec, sizeof(again)));
	}
	free(text);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mw_spec spec = { .gtw_count = 1 };
	const u8 *end = data + size;

	while (data < end) {
		const u8 *stop = memchr(data, 0xff, end - data) ?: end;

		if (stop > data && strchr("asgml", *data) && *data)
			one(*data, &spec, (const char *)data + 1, stop - data - 1);
		data = stop + 1;
	}
	return 0;
}

#ifdef FUZZ_RANDOM

static u8 *put(u8 *at, const char *text)
{
	size_t length = strlen(text);

	memcpy(at, text, length);
	return at + length;
}

static const char *pick(const char *const *from, u32 count)
{
	return from[random_below(count)];
}

#define PICK(list) pick(list, ARRAY_SIZE(list))

static u8 *put_prefix(u8 *at)
{
	char text[64];

	/* few different ones, so that they meet again */
	if (random_below(2))
		sprintf(text, "10.%u.0.0/%u", random_below(48), random_below(40) ? 16 : 8);
	else
		sprintf(text, "%s%x::%s", random_below(2) ? "2001:db8:" : "fd00:", random_below(40),
			random_below(2) ? "/48" : "1");
	return put(at, text);
}

static u8 *put_row(u8 *at)
{
	static const char *const peers[] = { "ANY", "ADM" };
	static const char *const odd[] = { "any", "GTW x", "" };
	static const char *const apart[] = { " ", ":", "\t", "  ", "::", " :" };
	const char *one = apart[random_below(3)], *two = random_below(60) ? one : PICK(apart);
	const char *source = PICK(peers), *target = "GTW";
	char text[48];
	u32 port = random_below(50) ? 1 + random_below(45) :
		   random_below(2)  ? random_below(70000) :
				      0;

	if (random_below(2)) {
		target = source;
		source = "GTW";
	}
	/* neither end is GTW, or both are, or one is no end */
	if (!random_below(60))
		source = target;
	if (!random_below(60))
		target = random_below(2) ? PICK(peers) : PICK(odd);
	sprintf(text, "%u%s%s%s%s%s", port, one, source, two, target,
		random_below(60) ? "" : PICK(apart));
	if (!random_below(60))
		text[random_below(strlen(text))] = "aG: \t4"[random_below(6)];
	return put(at, text);
}

static u8 *put_gtw(u8 *at)
{
	static const char *const odd[] = { "This",    "port:",	     "port:..",	    "127.0.0.1",
					   "ff02::1", "224.0.0.0/4", "port:a/b",    "::/127",
					   "0.0.0.0", "this.",	     "port:this,,", "10.0.0.1/8" };
	char text[64];

	switch (random_below(50) ? random_below(3) : 3) {
	case 0:
		return put(at, "this");
	case 1:
		/* now and then one letter too many */
		sprintf(text, "port:%.*s%u", (int)random_below(15), "a-device's-name",
			random_below(12));
		return put(at, text);
	case 2:
		return put_prefix(at);
	default:
		return put(at, PICK(odd));
	}
}

static u8 *put_list(u8 *at, u8 *(*put_item)(u8 *at))
{
	static const char *const signs[] = { "", "+", "-", "+ ", " -", "\n+" };
	static const char *const apart[] = { ",", "\n", ", ", " ,\n", "\n\n" };
	u32 items = random_below(random_below(4) ? 6 : 40);

	at = put(at, PICK(signs));
	if (!random_below(8))
		at = put(at, PICK(apart));
	while (items--) {
		at = put_item(at);
		at = put(at, PICK(apart));
	}
	return at;
}

size_t fuzz_make(u8 *data, size_t size)
{
	static const char *const modes[] = { "off", "audit\n", " enforce", "on", "enforce off" };
	static const char *const logs[] = { "off",     "kernel\n",    "nflog:",	  "nflog",
					    "nflog:7", "nflog:65536", "nflog:07", "syslog" };
	u8 *at = data, *end = data + size;
	u32 i;

	/* the longest edit takes less than this */
	while (end - at > 2048 && random_below(12)) {
		u32 kind = random_below(11);

		*at++ = "aaasssgggml"[kind];
		if (kind < 9)
			at = put_list(at, kind < 3 ? put_prefix : kind < 6 ? put_row : put_gtw);
		else
			at = put(at, kind == 9 ? PICK(modes) : PICK(logs));
		*at++ = 0xff;
	}
	if (at > data && !random_below(3))
		for (i = random_below(3) + 1; i; i--)
			data[random_below(at - data)] = random_below(256);
	return at - data;
}

#endif /* FUZZ_RANDOM */
