// SPDX-License-Identifier: GPL-2.0
#include "reference.h"

/* Decimal digits only, no leading zero; -1 if not, or above max. */
static long number(const char *text, size_t length, unsigned long max)
{
	char copy[16];
	unsigned long value;
	size_t i;

	if (length < 1 || length > 10)
		return -1;
	for (i = 0; i < length; i++)
		if (!isdigit((unsigned char)text[i]))
			return -1;
	if (text[0] == '0' && length > 1)
		return -1;
	memcpy(copy, text, length);
	copy[length] = '\0';
	value = strtoul(copy, NULL, 10);
	return value <= max ? (long)value : -1;
}

int reference_address(const char *text, size_t length, u8 address[16])
{
	char copy[64];

	memset(address, 0, 16);
	if (length >= sizeof(copy) || memchr(text, '\0', length))
		return -1;
	memcpy(copy, text, length);
	copy[length] = '\0';
	if (inet_pton(AF_INET, copy, address) == 1)
		return AF_INET;
	if (inet_pton(AF_INET6, copy, address) == 1)
		return AF_INET6;
	return -1;
}

bool reference_prefix_valid(const struct mailwall_prefix *prefix)
{
	struct in6_addr address;
	unsigned int bits, i;

	if (prefix->family == AF_INET)
		bits = 32;
	else if (prefix->family == AF_INET6)
		bits = 128;
	else
		return false;
	if (prefix->length > bits || prefix->reserved[0] || prefix->reserved[1])
		return false;
	for (i = prefix->length; i < 128; i++)
		if (prefix->address[i / 8] >> (7 - i % 8) & 1)
			return false;
	/* it lies at any address there */
	memcpy(&address, prefix->address, sizeof(address));
	return !(prefix->family == AF_INET6 && prefix->length >= 96 &&
		 IN6_IS_ADDR_V4MAPPED(&address));
}

bool reference_prefix(const char *text, size_t length, struct mailwall_prefix *prefix)
{
	size_t address_length = 0;
	int family;
	long bits;

	while (address_length < length && text[address_length] != '/')
		address_length++;
	memset(prefix, 0, sizeof(*prefix));
	family = reference_address(text, address_length, prefix->address);
	if (family < 0)
		return false;
	prefix->family = family;
	bits = family == AF_INET ? 32 : 128;
	if (address_length < length)
		bits = number(text + address_length + 1, length - address_length - 1, bits);
	if (bits < 0)
		return false;
	prefix->length = bits;
	return reference_prefix_valid(prefix);
}

bool reference_prefix_equal(const struct mailwall_prefix *a, const struct mailwall_prefix *b)
{
	return a->family == b->family && a->length == b->length &&
	       !memcmp(a->address, b->address, 16);
}

bool reference_prefix_before(const struct mailwall_prefix *a, const struct mailwall_prefix *b)
{
	unsigned int i;

	if (a->family != b->family)
		return a->family == AF_INET;
	for (i = 0; i < 16; i++)
		if (a->address[i] != b->address[i])
			return a->address[i] < b->address[i];
	return a->length < b->length;
}

bool reference_holds(const struct mailwall_prefix *prefix, int family, const u8 *address)
{
	unsigned int i;

	if (prefix->family != family)
		return false;
	for (i = 0; i < prefix->length; i++) {
		unsigned int shift = 7 - i % 8;

		if ((prefix->address[i / 8] >> shift & 1) != (address[i / 8] >> shift & 1))
			return false;
	}
	return true;
}

bool reference_print(const struct mailwall_prefix *prefix, char text[REFERENCE_TEXT])
{
	char address[INET6_ADDRSTRLEN];

	inet_ntop(prefix->family, prefix->address, address, sizeof(address));
	if (prefix->length == (prefix->family == AF_INET ? 32 : 128))
		snprintf(text, REFERENCE_TEXT, "%s", address);
	else
		snprintf(text, REFERENCE_TEXT, "%s/%u", address, prefix->length);
	/* It writes ::1.2.3.4, which RFC 5952 has for some prefixes only. */
	return prefix->family == AF_INET || !strchr(address, '.');
}

/* Lists, kept in order by the plainest means. */

static int prefix_find(const struct mw_spec *spec, const struct mailwall_prefix *prefix)
{
	int i;

	for (i = 0; i < spec->adm_count; i++)
		if (reference_prefix_equal(&spec->adm[i], prefix))
			return i;
	return -1;
}

static int prefix_add(struct mw_spec *spec, const struct mailwall_prefix *prefix)
{
	int i;

	if (prefix_find(spec, prefix) >= 0)
		return 0;
	if (spec->adm_count == MAILWALL_ADM_MAX)
		return -E2BIG;
	for (i = spec->adm_count++; i > 0 && reference_prefix_before(prefix, &spec->adm[i - 1]);
	     i--)
		spec->adm[i] = spec->adm[i - 1];
	spec->adm[i] = *prefix;
	return 0;
}

static int prefix_remove(struct mw_spec *spec, const struct mailwall_prefix *prefix)
{
	int i = prefix_find(spec, prefix);

	if (i < 0)
		return -ENOENT;
	for (; i + 1 < spec->adm_count; i++)
		spec->adm[i] = spec->adm[i + 1];
	memset(&spec->adm[--spec->adm_count], 0, sizeof(spec->adm[0]));
	return 0;
}

static bool in_table(unsigned int port, bool inbound)
{
	switch (port) {
	case 25:
	case 110:
	case 465:
	case 587:
	case 995:
		return true;
	case 8450:
		return inbound;
	}
	return false;
}

static int row_add(struct mw_spec *spec, const struct mailwall_row *row)
{
	bool inbound = row->target == MAILWALL_GTW;
	int i;

	if (!row->port || row->source > MAILWALL_GTW || row->target > MAILWALL_GTW ||
	    inbound == (row->source == MAILWALL_GTW))
		return -EINVAL;
	if (in_table(row->port, inbound))
		return -EEXIST;
	for (i = 0; i < spec->site_count; i++) {
		const struct mailwall_row *have = &spec->site[i];

		if (have->port == row->port && (have->target == MAILWALL_GTW) == inbound)
			return have->source == row->source && have->target == row->target ? 0 :
											    -EEXIST;
	}
	if (spec->site_count == MAILWALL_SITE_MAX)
		return -E2BIG;
	spec->site[spec->site_count++] = *row;
	return 0;
}

static int row_remove(struct mw_spec *spec, const struct mailwall_row *row)
{
	int i;

	for (i = 0; i < spec->site_count; i++)
		if (spec->site[i].port == row->port && spec->site[i].source == row->source &&
		    spec->site[i].target == row->target)
			break;
	if (i == spec->site_count)
		return -ENOENT;
	for (; i + 1 < spec->site_count; i++)
		spec->site[i] = spec->site[i + 1];
	memset(&spec->site[--spec->site_count], 0, sizeof(spec->site[0]));
	return 0;
}

/* Addresses that no computer behind this host can have, all of them. */
static bool nobodys(const struct mailwall_prefix *prefix)
{
	static const char *const no[] = { "224.0.0.0/4", "127.0.0.0/8", "0.0.0.0/32",
					  "ff00::/8",	 "::1/128",	"::/127" };
	struct mailwall_prefix wide;
	unsigned int i;

	for (i = 0; i < sizeof(no) / sizeof(no[0]); i++)
		if (reference_prefix(no[i], strlen(no[i]), &wide) &&
		    prefix->length >= wide.length &&
		    reference_holds(&wide, prefix->family, prefix->address))
			return true;
	return false;
}

/* A name as dev_valid_name() takes it, and as a list of items can hold it. */
static bool device_valid(const char *name, size_t length)
{
	size_t i;

	if (length < 1 || length > 15)
		return false;
	for (i = 0; i < length; i++)
		if (!name[i] || strchr("/:, \t\n\v\f\r", name[i]))
			return false;
	return !(name[0] == '.' && (length == 1 || (length == 2 && name[1] == '.')));
}

/* Byte by byte what a valid item of its kind is, and nothing else. */
static bool gtw_valid(const struct mailwall_gtw *gtw)
{
	struct mailwall_gtw clean = { .kind = gtw->kind };

	if (gtw->kind == MAILWALL_GTW_PREFIX) {
		if (!reference_prefix_valid(&gtw->prefix) || nobodys(&gtw->prefix))
			return false;
		clean.prefix = gtw->prefix;
	} else if (gtw->kind == MAILWALL_GTW_PORT) {
		if (!device_valid(gtw->device, strnlen(gtw->device, 16)))
			return false;
		strncpy(clean.device, gtw->device, 15);
	} else if (gtw->kind != MAILWALL_GTW_THIS) {
		return false;
	}
	return !memcmp(gtw, &clean, sizeof(clean));
}

static int gtw_find(const struct mw_spec *spec, const struct mailwall_gtw *gtw)
{
	int i;

	for (i = 0; i < spec->gtw_count; i++)
		if (!memcmp(&spec->gtw[i], gtw, sizeof(*gtw)))
			return i;
	return -1;
}

static int gtw_add(struct mw_spec *spec, const struct mailwall_gtw *gtw)
{
	if (gtw_find(spec, gtw) >= 0)
		return 0;
	if (spec->gtw_count == 32)
		return -E2BIG;
	spec->gtw[spec->gtw_count++] = *gtw;
	return 0;
}

static int gtw_remove(struct mw_spec *spec, const struct mailwall_gtw *gtw)
{
	int i = gtw_find(spec, gtw);

	if (i < 0)
		return -ENOENT;
	for (; i + 1 < spec->gtw_count; i++)
		spec->gtw[i] = spec->gtw[i + 1];
	memset(&spec->gtw[--spec->gtw_count], 0, sizeof(spec->gtw[0]));
	return 0;
}

u64 reference_normalise(struct mw_spec *spec)
{
	struct mw_spec result = *spec;
	u64 errors = 0;
	int error;
	u16 i;

#define NOTE(condition, number) (errors |= (condition) ? 1ULL << (number) : 0)
	NOTE(spec->mode > 2, EINVAL);
	NOTE(spec->confirm > 86400, EINVAL);
	NOTE(spec->log > 2, EINVAL);
	NOTE(spec->log != MAILWALL_LOG_NFLOG && spec->log_group, EINVAL);
	NOTE(spec->adm_count > 64, E2BIG);
	NOTE(spec->site_count > 32, E2BIG);
	NOTE(spec->gtw_count > 32, E2BIG);
	NOTE(!spec->gtw_count, EINVAL);
	memset(result.adm, 0, sizeof(result.adm));
	memset(result.site, 0, sizeof(result.site));
	result.adm_count = 0;
	result.site_count = 0;
	for (i = 0; i < spec->adm_count && i < 64; i++) {
		NOTE(!reference_prefix_valid(&spec->adm[i]), EINVAL);
		prefix_add(&result, &spec->adm[i]);
	}
	for (i = 0; i < spec->site_count && i < 32; i++) {
		error = row_add(&result, &spec->site[i]);
		NOTE(error, -error);
	}
	memset(result.gtw, 0, sizeof(result.gtw));
	result.gtw_count = 0;
	for (i = 0; i < spec->gtw_count && i < 32; i++) {
		NOTE(!gtw_valid(&spec->gtw[i]), EINVAL);
		gtw_add(&result, &spec->gtw[i]);
	}
#undef NOTE
	if (!errors)
		*spec = result;
	return errors;
}

/* Text */

static int adm_item(struct mw_spec *spec, char sign, const char *item, size_t length)
{
	struct mailwall_prefix prefix;

	if (!reference_prefix(item, length, &prefix))
		return -EINVAL;
	return sign == '-' ? prefix_remove(spec, &prefix) : prefix_add(spec, &prefix);
}

static int end_of(const char *name)
{
	static const char *const names[] = { "ANY", "ADM", "GTW" };
	int i;

	for (i = 0; i < 3; i++)
		if (name && !strcmp(name, names[i]))
			return i;
	return -1;
}

/* White space may be wide; between two colons there is a field, be it empty. */
static char *next_field(char **rest, bool colons)
{
	char *field;

	do
		field = strsep(rest, colons ? ":" : " \t\r\v\f");
	while (!colons && field && !*field);
	return field;
}

/* @part, @part_length: what is refused, where not the whole item is: an end that is none */
static int site_item(struct mw_spec *spec, char sign, const char *item, size_t length, size_t *part,
		     size_t *part_length)
{
	char *copy = strndup(item, length), *rest = copy;
	bool colons = strchr(copy, ':');
	char *port = next_field(&rest, colons);
	char *source = next_field(&rest, colons);
	char *target = next_field(&rest, colons);
	struct mailwall_row row;
	int error = -EINVAL;
	long value;

	value = port ? number(port, strlen(port), 65535) : -1;
	if (value > 0 && source && target && !rest) {
		const char *end = end_of(source) < 0 ? source : target;

		if (end_of(end) < 0 && *end) {
			*part = end - copy;
			*part_length = strlen(end);
		}
	}
	if (value > 0 && end_of(source) >= 0 && end_of(target) >= 0 && !rest) {
		row.port = value;
		row.source = end_of(source);
		row.target = end_of(target);
		error = sign == '-' ? row_remove(spec, &row) : row_add(spec, &row);
	}
	free(copy);
	return error;
}

static int gtw_item(struct mw_spec *spec, char sign, const char *item, size_t length)
{
	struct mailwall_gtw gtw = { 0 };

	if (length == 4 && !memcmp(item, "this", 4)) {
		gtw.kind = MAILWALL_GTW_THIS;
	} else if (length >= 5 && !memcmp(item, "port:", 5)) {
		gtw.kind = MAILWALL_GTW_PORT;
		if (length > 5 + 15)
			return -EINVAL;
		memcpy(gtw.device, item + 5, length - 5);
	} else {
		gtw.kind = MAILWALL_GTW_PREFIX;
		if (!reference_prefix(item, length, &gtw.prefix))
			return -EINVAL;
	}
	if (!gtw_valid(&gtw))
		return -EINVAL;
	return sign == '-' ? gtw_remove(spec, &gtw) : gtw_add(spec, &gtw);
}

/* @came: the text before NULs were replaced, which a device's name may not have */
static int list_edit(char kind, struct mw_spec *spec, const char *text, const char *came,
		     size_t *item, size_t *item_length)
{
	const char *separators = kind == 's' ? ",\n" : ", \t\n\v\f\r";
	static const char blanks[] = " \t\n\v\f\r";
	struct mw_spec result = *spec;
	const char *at = text + strspn(text, blanks);
	bool nothing = *at;
	char sign = 0;

	if (nothing) {
		/* what is refused, should no item follow */
		*item = at - text;
		*item_length = strlen(at);
		while (strchr(blanks, at[*item_length - 1]))
			--*item_length;
	}
	if (*at == '+' || *at == '-') {
		sign = *at++;
	} else if (kind == 'a') {
		memset(result.adm, 0, sizeof(result.adm));
		result.adm_count = 0;
	} else if (kind == 'g') {
		memset(result.gtw, 0, sizeof(result.gtw));
		result.gtw_count = 0;
	} else {
		memset(result.site, 0, sizeof(result.site));
		result.site_count = 0;
	}
	while (*(at += strspn(at, separators))) {
		size_t length = strcspn(at, separators), part = 0, part_length = 0;
		const char *start = at + strspn(at, blanks);
		const char *end = at + length;
		int error;

		at = end;
		while (end > start && strchr(blanks, end[-1]))
			end--;
		if (start >= end)
			continue;
		nothing = false;
		if (*start == '+' || *start == '-')
			error = -EINVAL;
		else if (kind == 'a')
			error = adm_item(&result, sign, start, end - start);
		else if (kind == 'g')
			error = gtw_item(&result, sign, came + (start - text), end - start);
		else
			error = site_item(&result, sign, start, end - start, &part, &part_length);
		if (error) {
			*item = start - text + part;
			*item_length = part_length ?: (size_t)(end - start);
			return error;
		}
	}
	if (!result.gtw_count) {
		/* refused as a whole, without its sign */
		if (sign) {
			const char *rest = strchr(text, sign) + 1;

			rest += strspn(rest, blanks);
			*item_length -= rest - text - *item;
			*item = rest - text;
		}
		return -EINVAL;
	}
	if (nothing) {
		/* after a sign it is empty, and where it is does not matter */
		if (sign)
			*item_length = 0;
		return -EINVAL;
	}
	*spec = result;
	return 0;
}

static int word_edit(char kind, struct mw_spec *spec, char *word)
{
	if (kind == 'm') {
		if (!strcmp(word, "off"))
			spec->mode = MAILWALL_OFF;
		else if (!strcmp(word, "audit"))
			spec->mode = MAILWALL_AUDIT;
		else if (!strcmp(word, "enforce"))
			spec->mode = MAILWALL_ENFORCE;
		else
			return -EINVAL;
		return 0;
	}
	if (!strcmp(word, "off") || !strcmp(word, "kernel")) {
		spec->log = *word == 'o' ? MAILWALL_LOG_OFF : MAILWALL_LOG_KERNEL;
		spec->log_group = 0;
	} else if (!strcmp(word, "nflog")) {
		spec->log = MAILWALL_LOG_NFLOG;
		spec->log_group = 0;
	} else if (!strncmp(word, "nflog:", 6) && number(word + 6, strlen(word + 6), 65535) >= 0) {
		spec->log = MAILWALL_LOG_NFLOG;
		spec->log_group = number(word + 6, strlen(word + 6), 65535);
	} else {
		return -EINVAL;
	}
	return 0;
}

int reference_edit(char kind, struct mw_spec *spec, const char *text, size_t length, size_t *item,
		   size_t *item_length)
{
	static const char blanks[] = " \t\n\v\f\r";
	char *copy = malloc(length + 1), *word;
	size_t i;
	int error;

	/* NUL has no meaning, as any control character that is not blank: put one for it */
	for (i = 0; i < length; i++)
		copy[i] = text[i] ? text[i] : '\1';
	copy[length] = '\0';
	if (kind == 'a' || kind == 's' || kind == 'g') {
		error = list_edit(kind, spec, copy, text, item, item_length);
	} else {
		word = copy + strspn(copy, blanks);
		*item = word - copy;
		*item_length = strlen(word);
		while (*item_length && strchr(blanks, word[*item_length - 1]))
			word[--*item_length] = '\0';
		error = word_edit(kind, spec, word);
	}
	free(copy);
	return error;
}
