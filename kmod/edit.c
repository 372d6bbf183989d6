// SPDX-License-Identifier: GPL-2.0
/*
 * What the administrator sets: read from text, checked, put in order.
 */
#include "edit.h"

static const char *const mw_modes[] = { "off", "audit", "enforce" };

const char *mw_mode_name(unsigned int mode)
{
	return mode < ARRAY_SIZE(mw_modes) ? mw_modes[mode] : NULL;
}

int mw_spec_print_log(const struct mw_spec *spec, char text[MW_PREFIX_TEXT])
{
	if (spec->log == MAILWALL_LOG_NFLOG)
		return snprintf(text, MW_PREFIX_TEXT, "nflog:%u", spec->log_group);
	return snprintf(text, MW_PREFIX_TEXT, "%s",
			spec->log == MAILWALL_LOG_KERNEL ? "kernel" : "off");
}

/* Site rows */

int mw_row_print(const struct mailwall_row *row, char text[MW_PREFIX_TEXT])
{
	const char *source = mw_end_name(row->source), *target = mw_end_name(row->target);

	return snprintf(text, MW_PREFIX_TEXT, "%u %s %s", row->port, source ?: "?", target ?: "?");
}

static int mw_row_check(const struct mailwall_row *row, const char *item, size_t length,
			struct mw_complaint *c)
{
	unsigned int i;

	if (!row->port)
		return mw_complain(c, item, length, -EINVAL,
				   "the port is a number from 1 to 65535");
	if (!mw_end_name(row->source) || !mw_end_name(row->target))
		return mw_complain(c, item, length, -EINVAL,
				   "source and target are each one of ANY, ADM and GTW");
	if ((row->source == MAILWALL_GTW) == (row->target == MAILWALL_GTW))
		return mw_complain(
			c, item, length, -EINVAL,
			"exactly one of source and target is GTW, this host: write %u ANY GTW for a port open here, %u GTW ANY for one out there",
			row->port, row->port);
	for (i = 0; i < MW_TABLE_ROWS; i++)
		if (mw_row_clash(row, &mw_table[i].row))
			return mw_complain(
				c, item, length, -EEXIST,
				"the built-in table has this port in this direction and cannot be changed: leave the row out");
	return 0;
}

/* Append a row; one that is there already stays as it is. */
static int mw_site_add(struct mailwall_row *site, u16 *count, const struct mailwall_row *row,
		       const char *item, size_t length, struct mw_complaint *c)
{
	char text[MW_PREFIX_TEXT];
	int error = mw_row_check(row, item, length, c);
	u16 i;

	if (error)
		return error;
	for (i = 0; i < *count; i++) {
		if (mw_row_equal(&site[i], row))
			return 0;
		if (mw_row_clash(&site[i], row)) {
			mw_row_print(&site[i], text);
			return mw_complain(
				c, item, length, -EEXIST,
				"there is one row for a port and direction, \"%s\": set all rows at once to replace it",
				text);
		}
	}
	if (*count >= MAILWALL_SITE_MAX)
		return mw_complain(c, item, length, -E2BIG,
				   "more than %d site rows: remove one first", MAILWALL_SITE_MAX);
	site[(*count)++] = *row;
	return 0;
}

static int mw_site_remove(struct mailwall_row *site, u16 *count, const struct mailwall_row *row,
			  const char *item, size_t length, struct mw_complaint *c)
{
	u16 i = 0;

	while (i < *count && !mw_row_equal(&site[i], row))
		i++;
	if (i == *count)
		return mw_complain(c, item, length, -ENOENT,
				   "no such site row among those there are");
	--*count;
	memmove(&site[i], &site[i + 1], (*count - i) * sizeof(*site));
	memset(&site[*count], 0, sizeof(*site));
	return 0;
}

/* Text */

static bool mw_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r' || c == '\v' || c == '\f';
}

static bool mw_newline(char c)
{
	return c == '\n' || c == ',';
}

static void mw_trim(const char **s, size_t *length)
{
	while (*length && mw_blank(**s)) {
		++*s;
		--*length;
	}
	while (*length && mw_blank((*s)[*length - 1]))
		--*length;
}

/* Take the sign before the first item off; 0 where there is none. */
static char mw_take_sign(const char **s, size_t *length)
{
	char sign = 0;

	mw_trim(s, length);
	if (*length && (**s == '+' || **s == '-')) {
		sign = **s;
		++*s;
		--*length;
		mw_trim(s, length);
	}
	return sign;
}

static int mw_complain_sign(struct mw_complaint *c, const char *item, size_t length)
{
	return mw_complain(
		c, item, length, -EINVAL,
		"one sign, before the first item, stands for the whole write: add and remove in two writes");
}

/**
 * struct mw_list - a list of the policy, for mw_edit_list()
 * @what: an item of it, for messages
 * @items: the list
 * @count: items in it
 * @size: bytes of @items
 * @separator: does this byte part items?
 * @item: add the item, or remove it if @sign is '-'
 * @never_empty: to take everything out is refused
 */
struct mw_list {
	const char *what;
	void *items;
	u16 *count;
	size_t size;
	bool (*separator)(char c);
	int (*item)(struct mw_spec *spec, char sign, const char *item, size_t length,
		    struct mw_complaint *c);
	bool never_empty;
};

/*
 * Text without an item in it. Only white space empties a list: commas alone are what
 * is left of items that went missing.
 */
static int mw_complain_nothing(struct mw_complaint *c, const char *s, size_t length, char sign,
			       const char *what)
{
	if (sign)
		return mw_complain(c, s, 0, -EINVAL, "nothing follows the sign: write what to %s",
				   sign == '+' ? "add" : "remove");
	return mw_complain(c, s, length, -EINVAL,
			   "commas and no %s: write only white space to empty the list", what);
}

/* Edit the list item by item, whatever that leaves of it on error. */
static int mw_edit_items(struct mw_spec *spec, const struct mw_list *list, const char *s,
			 size_t length, struct mw_complaint *c)
{
	char sign = mw_take_sign(&s, &length);
	bool nothing = sign || length;
	size_t start = 0, i;

	if (!sign) {
		memset(list->items, 0, list->size);
		*list->count = 0;
	}
	for (i = 0; i <= length; i++) {
		const char *item = s + start;
		size_t size = i - start;
		int error;

		if (i < length && !list->separator(s[i]))
			continue;
		start = i + 1;
		mw_trim(&item, &size);
		if (!size)
			continue;
		nothing = false;
		if (*item == '+' || *item == '-')
			return mw_complain_sign(c, item, size);
		error = list->item(spec, sign, item, size, c);
		if (error)
			return error;
	}
	if (nothing && (sign || !list->never_empty))
		return mw_complain_nothing(c, s, length, sign, list->what);
	if (list->never_empty && !*list->count)
		return mw_complain(
			c, s, length, -EINVAL,
			"no %s would be left: name one, or set the mode off to guard nothing",
			list->what);
	return 0;
}

#define MW_LIST_MAX 1280 /* bytes of the longest list */

static int mw_edit_list(struct mw_spec *spec, const struct mw_list *list, const char *s,
			size_t length, struct mw_complaint *c)
{
	u8 before[MW_LIST_MAX];
	u16 count = *list->count;
	int error;

	memcpy(before, list->items, list->size);
	error = mw_edit_items(spec, list, s, length, c);
	if (error) {
		memcpy(list->items, before, list->size);
		*list->count = count;
	}
	return error;
}

static bool mw_part_words(char c)
{
	return c == ',' || mw_blank(c);
}

static int mw_adm_item(struct mw_spec *spec, char sign, const char *item, size_t length,
		       struct mw_complaint *c)
{
	struct mailwall_prefix prefix;
	int error = mw_prefix_parse(item, length, &prefix, c);

	if (error)
		return error;
	if (sign == '-') {
		if (!mw_prefix_remove(spec->adm, &spec->adm_count, &prefix))
			return 0;
		return mw_complain(c, item, length, -ENOENT,
				   "not in ADM as written: read adm for the prefixes there are");
	}
	if (!mw_prefix_add(spec->adm, &spec->adm_count, &prefix))
		return 0;
	return mw_complain(c, item, length, -E2BIG, "more than %d prefixes: write wider ones",
			   MAILWALL_ADM_MAX);
}

int mw_edit_adm(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c)
{
	const struct mw_list list = {
		.what = "prefix",
		.items = spec->adm,
		.count = &spec->adm_count,
		.size = sizeof(spec->adm),
		.separator = mw_part_words,
		.item = mw_adm_item,
	};

	return mw_edit_list(spec, &list, s, length, c);
}

static int mw_end_parse(const char *s, size_t length)
{
	unsigned int i;

	for (i = 0; mw_end_name(i); i++)
		if (length == strlen(mw_end_name(i)) && !memcmp(s, mw_end_name(i), length))
			return i;
	return -EINVAL;
}

static int mw_row_parse(const char *s, size_t length, struct mailwall_row *row,
			struct mw_complaint *c)
{
	bool colons = memchr(s, ':', length);
	size_t size[3], start = 0, i;
	const char *field[3];
	unsigned int fields = 0;
	int source, target;
	s64 port;

	/* White space may be wider than it need be; two colons are a field left out. */
	for (i = 0; i <= length; i++) {
		const char *text = s + start;
		size_t n = i - start;

		if (i < length && (colons ? s[i] != ':' : !mw_blank(s[i])))
			continue;
		start = i + 1;
		if (!n && !colons)
			continue;
		if (fields == 3)
			return mw_complain(c, s, length, -EINVAL,
					   "a row is PORT SOURCE TARGET and no more");
		field[fields] = text;
		size[fields++] = n;
	}
	if (fields < 3)
		return mw_complain(c, s, length, -EINVAL,
				   "a row is PORT SOURCE TARGET, such as 22 ADM GTW");
	port = mw_number(field[0], size[0], 65535);
	if (port <= 0)
		return mw_complain(c, s, length, -EINVAL,
				   "the port is a number from 1 to 65535, without leading zeros");
	source = mw_end_parse(field[1], size[1]);
	target = mw_end_parse(field[2], size[2]);
	if (source < 0 || target < 0) {
		const int wrong = source < 0 ? 1 : 2;

		/* a field left out has nothing to name, the row has */
		return mw_complain(c, size[wrong] ? field[wrong] : s, size[wrong] ?: length,
				   -EINVAL, "%s is one of ANY, ADM and GTW, in capitals",
				   wrong == 1 ? "SOURCE" : "TARGET");
	}
	row->port = port;
	row->source = source;
	row->target = target;
	return 0;
}

static int mw_site_item(struct mw_spec *spec, char sign, const char *item, size_t length,
			struct mw_complaint *c)
{
	struct mailwall_row row;
	int error = mw_row_parse(item, length, &row, c);

	if (error)
		return error;
	return sign == '-' ? mw_site_remove(spec->site, &spec->site_count, &row, item, length, c) :
			     mw_site_add(spec->site, &spec->site_count, &row, item, length, c);
}

int mw_edit_site(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c)
{
	const struct mw_list list = {
		.what = "row",
		.items = spec->site,
		.count = &spec->site_count,
		.size = sizeof(spec->site),
		.separator = mw_newline,
		.item = mw_site_item,
	};

	return mw_edit_list(spec, &list, s, length, c);
}

/* Gateways */

/* A device has a name of at most so many bytes: IFNAMSIZ - 1. */
#define MW_DEVICE_NAME (sizeof(((struct mailwall_gtw *)NULL)->device) - 1)
#define MW_PORT "port:"

int mw_gtw_print(const struct mailwall_gtw *gtw, char text[MW_PREFIX_TEXT])
{
	switch (gtw->kind) {
	case MAILWALL_GTW_THIS:
		return snprintf(text, MW_PREFIX_TEXT, "this");
	case MAILWALL_GTW_PREFIX:
		return mw_prefix_print(&gtw->prefix, text);
	case MAILWALL_GTW_PORT:
		return snprintf(text, MW_PREFIX_TEXT, MW_PORT "%.15s", gtw->device);
	default:
		return snprintf(text, MW_PREFIX_TEXT, "kind %u", gtw->kind);
	}
}

/* dev_valid_name(), and no comma, which ends an item. */
static bool mw_device_valid(const char *name, size_t length)
{
	size_t i;

	if (!length || (length == 1 && name[0] == '.') || (length == 2 && !memcmp(name, "..", 2)))
		return false;
	for (i = 0; i < length; i++)
		if (mw_blank(name[i]) || strchr("/:,", name[i]))
			return false;
	return true;
}

static int mw_gtw_parse(const char *s, size_t length, struct mailwall_gtw *gtw,
			struct mw_complaint *c)
{
	size_t port = sizeof(MW_PORT) - 1;

	memset(gtw, 0, sizeof(*gtw));
	if (length == 4 && !memcmp(s, "this", 4)) {
		gtw->kind = MAILWALL_GTW_THIS;
	} else if (length >= port && !memcmp(s, MW_PORT, port)) {
		gtw->kind = MAILWALL_GTW_PORT;
		if (length - port > MW_DEVICE_NAME)
			return mw_complain(c, s, length, -EINVAL,
					   "a device's name has at most %d characters",
					   (int)MW_DEVICE_NAME);
		memcpy(gtw->device, s + port, length - port);
	} else if (memchr(s, '.', length) || memchr(s, ':', length)) {
		gtw->kind = MAILWALL_GTW_PREFIX;
		return mw_prefix_parse(s, length, &gtw->prefix, c);
	} else {
		return mw_complain(
			c, s, length, -EINVAL,
			"a gateway is this, an address, a prefix, or port: and the name of a device");
	}
	return 0;
}

/* Does the prefix hold nothing but addresses that no computer behind this host can have? */
static const char *mw_prefix_nobodys(const struct mailwall_prefix *prefix)
{
	const u8 *address = prefix->address;
	static const u8 one[16] = { [15] = 1 };

	if (prefix->family == AF_INET) {
		if (prefix->length >= 4 && address[0] >> 4 == 14)
			return "a multicast";
		if (prefix->length >= 8 && address[0] == 127)
			return "a loopback";
		return prefix->length == 32 && !mw_load_be32(address) ? "an unspecified" : NULL;
	}
	if (prefix->length >= 8 && address[0] == 0xff)
		return "a multicast";
	if (prefix->length >= 127 && !memcmp(address, one, 15) && !address[15])
		return "an unspecified";
	return prefix->length == 128 && !memcmp(address, one, 16) ? "a loopback" : NULL;
}

static int mw_gtw_check(const struct mailwall_gtw *gtw, const char *item, size_t length,
			struct mw_complaint *c)
{
	struct mailwall_gtw same = { .kind = gtw->kind };
	char text[MW_PREFIX_TEXT];
	size_t name;
	int error;

	switch (gtw->kind) {
	case MAILWALL_GTW_THIS:
		break;
	case MAILWALL_GTW_PREFIX:
		error = mw_prefix_check(&gtw->prefix, c, text);
		c->item = item;
		c->length = length;
		if (error)
			return error;
		if (mw_prefix_nobodys(&gtw->prefix))
			return mw_complain(
				c, item, length, -EINVAL,
				"no gateway has %s address: write the gateway's own, as FORWARD sees it",
				mw_prefix_nobodys(&gtw->prefix));
		same.prefix = gtw->prefix;
		break;
	case MAILWALL_GTW_PORT:
		name = strnlen(gtw->device, sizeof(gtw->device));
		if (name > MW_DEVICE_NAME || !mw_device_valid(gtw->device, name))
			return mw_complain(
				c, item, length, -EINVAL,
				"no device can have that name: write port: and the name that \"ip link\" shows");
		memcpy(same.device, gtw->device, name);
		break;
	default:
		return mw_complain(c, item, length, -EINVAL, "a kind is a number from 0 to %d",
				   MAILWALL_GTW_PORT);
	}
	if (memcmp(gtw, &same, sizeof(same)))
		return mw_complain(c, item, length, -EINVAL,
				   "the bytes that this kind has no use for must be zero");
	return 0;
}

static u16 mw_gtw_at(const struct mailwall_gtw *list, u16 count, const struct mailwall_gtw *gtw)
{
	u16 i = 0;

	while (i < count && memcmp(&list[i], gtw, sizeof(*gtw)))
		i++;
	return i;
}

/* Append an item; one that is there already stays as it is. */
static void mw_gtw_add(struct mailwall_gtw *list, u16 *count, const struct mailwall_gtw *gtw)
{
	if (mw_gtw_at(list, *count, gtw) == *count)
		list[(*count)++] = *gtw;
}

static int mw_gtw_item(struct mw_spec *spec, char sign, const char *item, size_t length,
		       struct mw_complaint *c)
{
	struct mailwall_gtw gtw;
	int error = mw_gtw_parse(item, length, &gtw, c);
	u16 at;

	if (error)
		return error;
	error = mw_gtw_check(&gtw, item, length, c);
	if (error)
		return error;
	at = mw_gtw_at(spec->gtw, spec->gtw_count, &gtw);
	if (sign != '-') {
		if (at == MAILWALL_GTW_MAX)
			return mw_complain(c, item, length, -E2BIG,
					   "more than %d gateways: write prefixes",
					   MAILWALL_GTW_MAX);
		mw_gtw_add(spec->gtw, &spec->gtw_count, &gtw);
		return 0;
	}
	if (at == spec->gtw_count)
		return mw_complain(c, item, length, -ENOENT,
				   "not among the gateways: read gtw for those there are");
	--spec->gtw_count;
	memmove(&spec->gtw[at], &spec->gtw[at + 1], (spec->gtw_count - at) * sizeof(gtw));
	memset(&spec->gtw[spec->gtw_count], 0, sizeof(gtw));
	return 0;
}

int mw_edit_gtw(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c)
{
	const struct mw_list list = {
		.what = "gateway",
		.items = spec->gtw,
		.count = &spec->gtw_count,
		.size = sizeof(spec->gtw),
		.separator = mw_part_words,
		.item = mw_gtw_item,
		.never_empty = true,
	};

	return mw_edit_list(spec, &list, s, length, c);
}

int mw_edit_mode(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c)
{
	unsigned int i;

	mw_trim(&s, &length);
	for (i = 0; i < ARRAY_SIZE(mw_modes); i++) {
		if (length != strlen(mw_modes[i]) || memcmp(s, mw_modes[i], length))
			continue;
		spec->mode = i;
		return 0;
	}
	return mw_complain(c, s, length, -EINVAL, "no mode: write enforce, audit or off");
}

int mw_edit_log(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c)
{
	static const char nflog[] = "nflog";
	size_t prefix = sizeof(nflog) - 1;
	s64 group = 0;

	mw_trim(&s, &length);
	if (length == 3 && !memcmp(s, "off", 3)) {
		spec->log = MAILWALL_LOG_OFF;
	} else if (length == 6 && !memcmp(s, "kernel", 6)) {
		spec->log = MAILWALL_LOG_KERNEL;
	} else if (length >= prefix && !memcmp(s, nflog, prefix) &&
		   (length == prefix || s[prefix] == ':')) {
		if (length > prefix)
			group = mw_number(s + prefix + 1, length - prefix - 1, 65535);
		if (group < 0)
			return mw_complain(
				c, s, length, -EINVAL,
				"the nflog group is a number from 0 to 65535, without leading zeros");
		spec->log = MAILWALL_LOG_NFLOG;
	} else {
		return mw_complain(c, s, length, -EINVAL,
				   "no kind of log: write off, kernel or nflog:GROUP");
	}
	spec->log_group = group;
	return 0;
}

/* Binary */

static int mw_check_numbers(const struct mw_spec *spec, struct mw_complaint *c,
			    char text[MW_PREFIX_TEXT])
{
#define REFUSE(name, value, error, ...) \
	mw_complain(c, text, snprintf(text, MW_PREFIX_TEXT, name " %u", value), error, __VA_ARGS__)
	if (!mw_mode_name(spec->mode))
		return REFUSE("mode", spec->mode, -EINVAL, "a mode is a number from 0 to %d",
			      MAILWALL_ENFORCE);
	if (spec->confirm > MAILWALL_CONFIRM_MAX)
		return REFUSE("confirm", spec->confirm, -EINVAL, "seconds, at most %d",
			      MAILWALL_CONFIRM_MAX);
	if (spec->log > MAILWALL_LOG_NFLOG)
		return REFUSE("log", spec->log, -EINVAL, "a kind of log is a number from 0 to %d",
			      MAILWALL_LOG_NFLOG);
	if (spec->log != MAILWALL_LOG_NFLOG && spec->log_group)
		return REFUSE("log_group", spec->log_group, -EINVAL,
			      "only nflog has a group: write 0");
	if (spec->adm_count > MAILWALL_ADM_MAX)
		return REFUSE("adm count", spec->adm_count, -E2BIG,
			      "at most %d prefixes: write wider ones", MAILWALL_ADM_MAX);
	if (spec->site_count > MAILWALL_SITE_MAX)
		return REFUSE("site count", spec->site_count, -E2BIG, "at most %d site rows",
			      MAILWALL_SITE_MAX);
	if (spec->gtw_count > MAILWALL_GTW_MAX)
		return REFUSE("gtw count", spec->gtw_count, -E2BIG, "at most %d gateways",
			      MAILWALL_GTW_MAX);
	if (!spec->gtw_count)
		return REFUSE("gtw count", spec->gtw_count, -EINVAL,
			      "name a gateway, or set the mode off to guard nothing");
#undef REFUSE
	return 0;
}

/* Each list is put in order in its own place: what is taken out never lies before what is put in. */

static int mw_normalise_adm(struct mw_spec *spec, struct mw_complaint *c, char text[MW_PREFIX_TEXT])
{
	u16 count = 0, i;

	for (i = 0; i < spec->adm_count; i++) {
		struct mailwall_prefix prefix = spec->adm[i];
		int error = mw_prefix_check(&prefix, c, text);

		if (error)
			return error;
		mw_prefix_add(spec->adm, &count, &prefix);
	}
	memset(&spec->adm[count], 0, (MAILWALL_ADM_MAX - count) * sizeof(*spec->adm));
	spec->adm_count = count;
	return 0;
}

static int mw_normalise_site(struct mw_spec *spec, struct mw_complaint *c,
			     char text[MW_PREFIX_TEXT])
{
	u16 count = 0, i;

	for (i = 0; i < spec->site_count; i++) {
		struct mailwall_row row = spec->site[i];
		int length = mw_row_print(&row, text);
		int error = mw_site_add(spec->site, &count, &row, text, length, c);

		if (error)
			return error;
	}
	memset(&spec->site[count], 0, (MAILWALL_SITE_MAX - count) * sizeof(*spec->site));
	spec->site_count = count;
	return 0;
}

static int mw_normalise_gtw(struct mw_spec *spec, struct mw_complaint *c, char text[MW_PREFIX_TEXT])
{
	u16 count = 0, i;

	for (i = 0; i < spec->gtw_count; i++) {
		struct mailwall_gtw gtw = spec->gtw[i];
		int length = mw_gtw_print(&gtw, text);
		int error = mw_gtw_check(&gtw, text, length, c);

		if (error)
			return error;
		mw_gtw_add(spec->gtw, &count, &gtw);
	}
	memset(&spec->gtw[count], 0, (MAILWALL_GTW_MAX - count) * sizeof(*spec->gtw));
	spec->gtw_count = count;
	return 0;
}

int mw_spec_normalise(struct mw_spec *spec, struct mw_complaint *c, char text[MW_PREFIX_TEXT])
{
	return mw_check_numbers(spec, c, text)		?:
		       mw_normalise_adm(spec, c, text)	?:
		       mw_normalise_site(spec, c, text) ?:
							  mw_normalise_gtw(spec, c, text);
}

bool mw_spec_has_any(const struct mw_spec *spec, char text[MW_PREFIX_TEXT])
{
	u16 i;

	for (i = 0; i < spec->adm_count; i++) {
		if (spec->adm[i].length)
			continue;
		mw_prefix_print(&spec->adm[i], text);
		return true;
	}
	return false;
}
