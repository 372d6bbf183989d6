// SPDX-License-Identifier: GPL-2.0
/* Prefixes and addresses as text: the input is the text. */
#include "reference.h"

/* What a cure says to write instead must be accepted. */
static void require_advice(const struct mw_complaint *c)
{
	const char *at = c->cure;

	while ((at = strstr(at, "write "))) {
		struct mailwall_prefix prefix;
		struct mw_complaint again;
		size_t length;

		at += strlen("write ");
		length = strcspn(at, " ,");
		if (!memchr(at, '.', length) && !memchr(at, ':', length))
			continue;
		REQUIRE(mw_prefix_parse(at, length, &prefix, &again) == 0);
	}
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct mailwall_prefix prefix, expected, again;
	char text[MW_PREFIX_TEXT], canonical[REFERENCE_TEXT];
	const char *input = (const char *)data;
	u8 address[16], expected_address[16];
	struct mw_complaint c;
	int family, length;

	family = mw_address_parse(input, size, address);
	REQUIRE((family < 0 ? -1 : family) == reference_address(input, size, expected_address));
	if (family > 0)
		REQUIRE(!memcmp(address, expected_address, 16));

	memset(c.cure, 0x55, sizeof(c.cure));
	if (mw_prefix_parse(input, size, &prefix, &c)) {
		REQUIRE(!reference_prefix(input, size, &expected));
		REQUIRE(c.item == input && c.length == size);
		require_cure(&c);
		require_advice(&c);
		return 0;
	}
	REQUIRE(reference_prefix(input, size, &expected));
	REQUIRE(!memcmp(&prefix, &expected, sizeof(prefix)));
	REQUIRE(mw_prefix_check(&prefix, &c, text) == 0);

	length = mw_prefix_print(&prefix, text);
	REQUIRE(length == (int)strlen(text) && length < MW_PREFIX_TEXT);
	if (reference_print(&prefix, canonical))
		REQUIRE(!strcmp(text, canonical));
	REQUIRE(mw_prefix_parse(text, length, &again, &c) == 0);
	REQUIRE(!memcmp(&prefix, &again, sizeof(prefix)));
	return 0;
}

#ifdef FUZZ_RANDOM

size_t fuzz_make(u8 *data, size_t size)
{
	static const char some[] = "0123456789abcdefABCDEF:./% \n-+,gx";
	char text[2 * INET6_ADDRSTRLEN];
	u8 address[16] = { 0 };
	size_t length, i;
	u32 bits;

	for (i = 0; i < 16; i++)
		address[i] = random_below(3) ? 0 : random_below(4) ? random_below(256) : 255;
	if (!random_below(8)) {
		memset(address, 0, 10);
		memset(address + 10, 255, 2);
	}
	if (random_below(2)) {
		inet_ntop(AF_INET, address, text, sizeof(text));
		bits = 32;
	} else if (random_below(3)) {
		inet_ntop(AF_INET6, address, text, sizeof(text));
		bits = 128;
	} else {
		/* all eight groups, or seven and "::", in a form that is not canonical */
		u32 gap = random_below(12);

		for (i = 0, length = 0; i < 8; i++)
			length += sprintf(text + length, random_below(2) ? "%s%x" : "%s%04X",
					  i == 0 || i == gap + 1 ? "" : ":",
					  address[2 * i] << 8 | address[2 * i + 1]) +
				  (i == gap && i ? sprintf(text + strlen(text), "::") : 0);
		bits = 128;
	}
	length = strlen(text);
	/* a quad for the last groups, of which there may then be too many */
	if (bits == 128 && !random_below(3)) {
		while (length && text[length - 1] != ':')
			length--;
		length += sprintf(text + length, "%u.%u.%u.%u", address[12], address[13],
				  address[14], address[15]);
	}
	if (random_below(3))
		length += sprintf(text + length, "/%u", random_below(bits + 2));
	if (length > size)
		length = size;
	memcpy(data, text, length);
	/* one or two bytes wrong, or the end missing */
	for (i = random_below(3); i && length; i--)
		data[random_below(length)] = some[random_below(sizeof(some))];
	return random_below(4) ? length : random_below(length + 1);
}

#endif /* FUZZ_RANDOM */
