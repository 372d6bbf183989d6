// SPDX-License-Identifier: GPL-2.0
/* Messages, escaping and layout. */
#include "command.h"
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

void say(const char *fmt, ...)
{
	va_list args;

	/* what was printed so far comes first where both go to one place */
	fflush(stdout);
	fputs("mailwall: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
}

const char *escape(const char *s, size_t length, char text[ESCAPED_TEXT])
{
	static const char more[] = "...";
	size_t at = 0, i;

	for (i = 0; i < length; i++) {
		unsigned char c = s[i];

		if (at + 4 + sizeof(more) > ESCAPED_TEXT) {
			memcpy(text + at, more, sizeof(more));
			return text;
		}
		if (c == '"' || c == '\\')
			at += sprintf(text + at, "\\%c", c);
		else if (c >= ' ' && c <= '~')
			text[at++] = c;
		else
			at += sprintf(text + at, "\\x%02x", c);
	}
	text[at] = '\0';
	return text;
}

void refuse(const char *name, const struct mw_complaint *c)
{
	char text[ESCAPED_TEXT];

	say("%s \"%s\": %s", name, escape(c->item, c->length, text), c->cure);
}

void out_of_memory(void)
{
	say("out of memory");
	exit(EXIT_REFUSED);
}

static void *there(void *p)
{
	if (!p)
		out_of_memory();
	return p;
}

void *allocate(size_t size)
{
	return there(calloc(1, size));
}

void *reallocate(void *p, size_t count, size_t size)
{
	return there(reallocarray(p, count, size));
}

char *vformatted(const char *fmt, va_list args)
{
	char *text;

	if (vasprintf(&text, fmt, args) < 0)
		out_of_memory();
	return text;
}

char *formatted(const char *fmt, ...)
{
	va_list args;
	char *text;

	va_start(args, fmt);
	text = vformatted(fmt, args);
	va_end(args);
	return text;
}

int output_width(void)
{
	struct winsize size;

	if (isatty(STDOUT_FILENO) && !ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) && size.ws_col >= 60)
		return size.ws_col;
	return 120;
}

void print_wrapped(const char *text, int indent, int width)
{
	int at = indent;

	while (*text) {
		int length = strcspn(text, " ");

		if (at > indent && at + 1 + length > width) {
			printf("\n%*s", indent, "");
			at = indent;
		} else if (at > indent) {
			putchar(' ');
			at++;
		}
		fwrite(text, 1, length, stdout);
		at += length;
		text += length;
		text += strspn(text, " ");
	}
	putchar('\n');
}

const char *row_print(const struct mailwall_row *row, char text[MW_PREFIX_TEXT])
{
	mw_row_print(row, text);
	return text;
}

const char *row_description(const struct mailwall_row *row)
{
	unsigned int i;

	for (i = 0; i < MW_TABLE_ROWS; i++)
		if (mw_row_equal(row, &mw_table[i].row))
			return mw_table[i].description;
	return NULL;
}

const struct mailwall_row *policy_row(const struct mw_spec *policy, const struct mailwall_row *like)
{
	unsigned int i;

	for (i = 0; i < MW_TABLE_ROWS; i++)
		if (mw_row_clash(&mw_table[i].row, like))
			return &mw_table[i].row;
	for (i = 0; i < policy->site_count; i++)
		if (mw_row_clash(&policy->site[i], like))
			return &policy->site[i];
	return NULL;
}

const char *mode_print(unsigned int mode, char text[MW_PREFIX_TEXT])
{
	const char *name = mw_mode_name(mode);

	if (name)
		snprintf(text, MW_PREFIX_TEXT, "%s", name);
	else
		snprintf(text, MW_PREFIX_TEXT, "%u", mode);
	return text;
}
