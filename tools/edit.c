// SPDX-License-Identifier: GPL-2.0
/*
 * Commands that change the policy, or show one part of it.
 *
 * Each change reads the whole policy, edits it and writes it back with the
 * generation it was read at: what another administrator did in between is never
 * undone unseen.
 */
#include "persist.h"
#include "sockets.h"
#include <ctype.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * struct change - an edit of one part of the policy
 * @name: of the part, as in sysfs
 * @whole: the policy to be set, or NULL
 * @edit: one of mw_edit_*(), where it is not the whole
 * @text: what it is given
 * @adds: it makes ADM larger, a /0 deserves a warning
 * @merges: it can be made again on top of somebody else's change
 */
struct change {
	const char *name;
	const struct mw_spec *whole;
	mw_edit_t edit;
	char *text;
	bool adds;
	bool merges;
};

static bool policy_equal(const struct mw_spec *a, const struct mw_spec *b)
{
	return a->mode == b->mode && a->log == b->log && a->log_group == b->log_group &&
	       a->adm_count == b->adm_count && a->site_count == b->site_count &&
	       a->gtw_count == b->gtw_count && !memcmp(a->adm, b->adm, sizeof(a->adm)) &&
	       !memcmp(a->site, b->site, sizeof(a->site)) &&
	       !memcmp(a->gtw, b->gtw, sizeof(a->gtw));
}

/* Whoever sees or sets a part of the policy is told that it may be taken back. */
static void note_waiting(const struct mw_spec *policy)
{
	if (policy->confirm)
		say("note: a change waits, what is in force now reverts in %u seconds unless \"mailwall confirm\" comes first",
		    policy->confirm);
}

static void say_busy(const struct device *device, const char *name)
{
	struct mw_spec policy;

	if (!device_get(device, &policy) && policy.confirm)
		say("%s: a change waits %u more seconds to be confirmed: keep it with \"mailwall confirm\" or undo it with \"mailwall revert\" first",
		    name, policy.confirm);
	else
		say("%s: another change was waiting to be confirmed until now: see \"mailwall status\" and try again",
		    name);
}

static void say_no_logger(const struct mw_spec *policy)
{
	char text[MW_PREFIX_TEXT];

	mw_spec_print_log(policy, text);
	say("log \"%s\": the kernel has no such logger: load it with \"modprobe %s\"", text,
	    policy->log == MAILWALL_LOG_NFLOG ? "nfnetlink_log" : "nf_log_syslog");
}

/* The rows that a row stands for when it replaces the one with its port and direction. */
static void say_replace(const struct mw_spec *before, const struct mw_complaint *c)
{
	struct mw_spec added = { 0 };
	struct mw_complaint unused;
	const struct mailwall_row *row = added.site;
	char text[MW_PREFIX_TEXT];
	u16 i;

	if (mw_edit_site(&added, c->item, c->length, &unused) || added.site_count != 1)
		return;
	fflush(stdout);
	fputs("mailwall: to replace it in one step: mailwall site set", stderr);
	for (i = 0; i < before->site_count; i++) {
		const struct mailwall_row *there = &before->site[i];

		if (mw_row_clash(there, row))
			there = row;
		fprintf(stderr, " %s", row_print(there, text));
	}
	fputc('\n', stderr);
}

static bool has_row(const struct mw_spec *policy, const struct mailwall_row *row)
{
	u16 i;

	for (i = 0; i < policy->site_count; i++)
		if (mw_row_equal(&policy->site[i], row))
			return true;
	return false;
}

/* Rows that open nothing, for now. */
static void warn_rows(const struct mw_spec *before, const struct mw_spec *after)
{
	char text[MW_PREFIX_TEXT];
	u16 i;

	for (i = 0; !after->adm_count && i < after->site_count; i++) {
		const struct mailwall_row *row = &after->site[i];

		if ((row->source == MAILWALL_ADM || row->target == MAILWALL_ADM) &&
		    !has_row(before, row))
			say("warning: site \"%s\": ADM is empty, so this row is closed to all: mailwall adm add PREFIX",
			    row_print(row, text));
	}
}

/*
 * A row that opens a port at which nobody answers, on the only gateway that can be seen. To
 * ask for sockets takes a walk through all processes, so that is left to changes with such rows.
 */
static void warn_unserved(const struct mw_spec *before, const struct mw_spec *after)
{
	struct tcp_sockets sockets;
	char text[MW_PREFIX_TEXT];
	bool asked = false;
	u16 i;

	for (i = 0; !mw_spec_is_behind(after) && i < after->site_count; i++) {
		const struct mailwall_row *row = &after->site[i];

		if (!mw_row_inbound(row) || has_row(before, row))
			continue;
		if (!asked && sockets_read(&sockets))
			return;
		asked = true;
		if (!sockets_serve(&sockets, row->port))
			say("warning: site \"%s\": nothing listens on port %u here, so far",
			    row_print(row, text), row->port);
	}
	if (asked)
		sockets_free(&sockets);
}

/* Of rules of others the kernel's own tool is asked: where gateways change, not each time. */
static void warn_published(const struct mw_spec *before, const struct mw_spec *after)
{
	char *rule;

	if (before->gtw_count == after->gtw_count &&
	    !memcmp(before->gtw, after->gtw, sizeof(after->gtw)))
		return;
	rule = dnat_of_console(after);
	if (rule)
		say("warning: %s", rule);
	free(rule);
}

static void warn_any(const struct mw_spec *policy)
{
	char text[MW_PREFIX_TEXT];

	if (mw_spec_has_any(policy, text))
		say("warning: adm \"%s\" holds every address of its family: all rows with ADM, the Management Console (8450) among them, are open to the world",
		    text);
}

/* @more: a change waited already */
static void say_reverts(u32 seconds, bool more)
{
	printf("reverts in %u seconds%s unless confirmed: mailwall confirm\n", seconds,
	       more ? ", with all that waited before," : "");
}

/* Return: 0, an error of the ioctl, or a positive exit code when it has said why. */
static int try_change(const struct device *device, const struct change *change,
		      const struct arguments *args, bool again)
{
	struct mw_spec before, after;
	const struct redo redo = { .before = &before, .edit = change->edit, .text = change->text };
	struct mw_complaint complaint;
	int error = device_get(device, &before);

	if (error)
		return device_failed(error, change->name);
	after = change->whole ? *change->whole : before;
	after.generation = before.generation;
	error = change->edit ?
			change->edit(&after, change->text, strlen(change->text), &complaint) :
			0;
	if (error) {
		refuse(change->name, &complaint);
		if (error == -EEXIST && change->edit == mw_edit_site)
			say_replace(&before, &complaint);
		if (again)
			say("%s: another administrator changed the policy at the same time: see \"mailwall status\"",
			    change->name);
		return EXIT_REFUSED;
	}
	/*
	 * While a change waits, one more with a time of its own starts the time anew, and any
	 * other is refused: also one that finds what it wants, since that does not last.
	 */
	if (before.confirm && !args->confirm) {
		say_busy(device, change->name);
		return EXIT_REFUSED;
	}
	if (policy_equal(&before, &after) && !before.confirm) {
		if (args->confirm)
			puts("nothing to change, nothing waits to be confirmed");
		return 0;
	}
	if (mw_spec_is_behind(&after) &&
	    !device_abi_knows(device, "gtw: gateways behind this host"))
		return EXIT_REFUSED;
	if (!session_guard_edit(&after, args, change->name, change->edit ? &redo : NULL))
		return EXIT_REFUSED;
	after.confirm = args->confirm;
	error = device_set(device, &after);
	switch (-error) {
	case 0:
		if (change->adds)
			warn_any(&after);
		warn_rows(&before, &after);
		warn_unserved(&before, &after);
		warn_published(&before, &after);
		if (args->confirm)
			say_reverts(args->confirm, before.confirm);
		else if (!change->whole)
			persist_tell(&after);
		return 0;
	case ESTALE:
		return error;
	case EBUSY:
		say_busy(device, change->name);
		return EXIT_REFUSED;
	case ENOENT:
		say_no_logger(&after);
		return EXIT_REFUSED;
	default:
		return device_failed(error, change->name);
	}
}

static int make_change(const struct change *change, const struct arguments *args)
{
	struct device device;
	int error = device_ready(&device);

	if (!error) {
		error = try_change(&device, change, args, false);
		/* once more is enough: two losses in a row mean that something else is wrong */
		if (error == -ESTALE && change->merges)
			error = try_change(&device, change, args, true);
		if (error == -ESTALE) {
			say("%s: another administrator changed the policy at the same time, nothing was changed: see \"mailwall status\" and try again",
			    change->name);
			error = EXIT_REFUSED;
		}
		device_close(&device);
	}
	free(change->text);
	return error;
}

/* The words with a sign before them and a separator between them. */
static char *join(const char *sign, const struct arguments *args, char separator)
{
	size_t size = strlen(sign) + 1;
	char *text;
	int i;

	for (i = 0; i < args->count; i++)
		size += strlen(args->words[i]) + 1;
	text = allocate(size);
	strcpy(text, sign);
	for (i = 0; i < args->count; i++)
		sprintf(text + strlen(text), "%s%c", args->words[i], separator);
	return text;
}

/*
 * Rows come as three words or as one. A word that starts with a digit starts a
 * row, but for an address where ANY or ADM was to be; and so does one after a row that is
 * whole in itself.
 */
static char *join_rows(const char *sign, const struct arguments *args)
{
	char *text = join(sign, args, ' '), *word = text + strlen(sign);
	bool whole = false;
	int i;

	for (i = 0; i < args->count; i++) {
		bool address = strpbrk(args->words[i], "./");

		if (i && (whole || (isdigit((unsigned char)*word) && !address)))
			word[-1] = '\n';
		whole = strpbrk(args->words[i], ":, \t\n");
		word += strlen(args->words[i]) + 1;
	}
	return text;
}

/*
 * With "set", a sign would turn the whole into something else; the shared code
 * takes signs for sysfs.
 */
static bool signless(const char *name, const struct arguments *args)
{
	const char *word = args->words[0] + strspn(args->words[0], " \t\n\r\v\f");
	struct mw_complaint complaint;

	if (*word != '+' && *word != '-')
		return true;
	mw_complain(&complaint, word, strlen(word), -EINVAL,
		    "signs are for sysfs: write \"mailwall %s add\" or \"mailwall %s remove\"",
		    name, name);
	refuse(name, &complaint);
	return false;
}

/* "set" with words that say nothing is more likely an empty variable than a wish */
static bool has_words(const char *name, const struct arguments *args)
{
	int i;

	for (i = 0; i < args->count; i++)
		if (args->words[i][strspn(args->words[i], " \t\n\r\v\f,")])
			return true;
	say("%s \"\": nothing to set: write \"mailwall %s clear\" to empty it", name, name);
	return false;
}

int adm_set(const struct arguments *args)
{
	struct change change = { .name = "adm", .edit = mw_edit_adm, .adds = true };

	if (!signless("adm", args) || !has_words("adm", args))
		return EXIT_REFUSED;
	change.text = join("", args, ' ');
	return make_change(&change, args);
}

int adm_add(const struct arguments *args)
{
	const struct change change = {
		.name = "adm",
		.edit = mw_edit_adm,
		.text = join("+", args, ' '),
		.adds = true,
		.merges = true,
	};

	return make_change(&change, args);
}

int adm_remove(const struct arguments *args)
{
	const struct change change = {
		.name = "adm",
		.edit = mw_edit_adm,
		.text = join("-", args, ' '),
		.merges = true,
	};

	return make_change(&change, args);
}

int adm_clear(const struct arguments *args)
{
	const struct change change = {
		.name = "adm",
		.edit = mw_edit_adm,
		.text = allocate(1),
	};

	return make_change(&change, args);
}

int site_set(const struct arguments *args)
{
	struct change change = { .name = "site", .edit = mw_edit_site };

	if (!signless("site", args) || !has_words("site", args))
		return EXIT_REFUSED;
	change.text = join_rows("", args);
	return make_change(&change, args);
}

int site_add(const struct arguments *args)
{
	const struct change change = {
		.name = "site",
		.edit = mw_edit_site,
		.text = join_rows("+", args),
		.merges = true,
	};

	return make_change(&change, args);
}

/* The one site row that has this port; else the complaint. */
static const struct mailwall_row *row_with(const struct mw_spec *spec, const char *item,
					   size_t length, struct mw_complaint *c)
{
	s64 port = mw_number(item, length, 65535);
	const struct mailwall_row *found = NULL;
	char text[2][MW_PREFIX_TEXT];
	u16 i;

	for (i = 0; i < spec->site_count; i++) {
		if (spec->site[i].port != port)
			continue;
		if (found) {
			mw_complain(c, item, length, -EINVAL,
				    "two rows have this port: write %s or %s",
				    row_print(found, text[0]), row_print(&spec->site[i], text[1]));
			return NULL;
		}
		found = &spec->site[i];
	}
	if (!found)
		mw_complain(c, item, length, -ENOENT, "no site row has this port");
	return found;
}

/* mw_edit_site() to remove, where a port alone stands for the only row that has it. */
static int edit_remove_rows(struct mw_spec *spec, const char *s, size_t length,
			    struct mw_complaint *c)
{
	/* what a complaint names lies in it */
	static char *rows;
	const char *end = s + length, *item = s + 1, *next;
	char text[MW_PREFIX_TEXT];
	size_t size;
	FILE *file;

	free(rows);
	rows = NULL;
	file = open_memstream(&rows, &size);
	if (!file)
		out_of_memory();
	fputc('-', file);
	for (; item < end; item = next) {
		size_t width = strcspn(item, "\n,");

		next = item + width + 1;
		while (width && isspace((unsigned char)item[width - 1]))
			width--;
		if (width && strspn(item, "0123456789") == width) {
			const struct mailwall_row *row = row_with(spec, item, width, c);

			if (!row) {
				fclose(file);
				return -ENOENT;
			}
			fprintf(file, "%s\n", row_print(row, text));
		} else {
			fprintf(file, "%.*s\n", (int)width, item);
		}
	}
	if (fclose(file))
		out_of_memory();
	return mw_edit_site(spec, rows, size, c);
}

int site_remove(const struct arguments *args)
{
	const struct change change = {
		.name = "site",
		.edit = edit_remove_rows,
		.text = join_rows("-", args),
		.merges = true,
	};

	return make_change(&change, args);
}

int site_clear(const struct arguments *args)
{
	const struct change change = {
		.name = "site",
		.edit = mw_edit_site,
		.text = allocate(1),
	};

	return make_change(&change, args);
}

/* An empty list is refused by the shared code: there is no "gtw clear". */
int gtw_set(const struct arguments *args)
{
	struct change change = { .name = "gtw", .edit = mw_edit_gtw };

	if (!signless("gtw", args))
		return EXIT_REFUSED;
	change.text = join("", args, ' ');
	return make_change(&change, args);
}

int gtw_add(const struct arguments *args)
{
	const struct change change = {
		.name = "gtw",
		.edit = mw_edit_gtw,
		.text = join("+", args, ' '),
		.merges = true,
	};

	return make_change(&change, args);
}

int gtw_remove(const struct arguments *args)
{
	const struct change change = {
		.name = "gtw",
		.edit = mw_edit_gtw,
		.text = join("-", args, ' '),
		.merges = true,
	};

	return make_change(&change, args);
}

int policy_replace(const char *name, const struct mw_spec *wanted, const struct arguments *args)
{
	const struct change change = { .name = name, .whole = wanted, .adds = true };

	return make_change(&change, args);
}

/* Return: exit code. */
static int get(const char *name, struct mw_spec *policy)
{
	int code = device_policy(name, policy);

	if (!code)
		note_waiting(policy);
	return code;
}

int adm_show(const struct arguments *args)
{
	char text[MW_PREFIX_TEXT];
	struct mw_spec policy;
	int code = get("adm", &policy);
	u16 i;

	(void)args;
	if (code)
		return code;
	for (i = 0; i < policy.adm_count; i++) {
		mw_prefix_print(&policy.adm[i], text);
		puts(text);
	}
	return EXIT_DONE;
}

int site_show(const struct arguments *args)
{
	char text[MW_PREFIX_TEXT];
	struct mw_spec policy;
	int code = get("site", &policy);
	u16 i;

	(void)args;
	if (code)
		return code;
	for (i = 0; i < policy.site_count; i++)
		puts(row_print(&policy.site[i], text));
	return EXIT_DONE;
}

int gtw_show(const struct arguments *args)
{
	char text[MW_PREFIX_TEXT];
	struct passes passes = { 0 };
	struct mw_spec policy;
	int code = get("gtw", &policy);
	char *rule;
	unsigned int i;

	(void)args;
	if (code)
		return code;
	for (i = 0; i < policy.gtw_count; i++) {
		mw_gtw_print(&policy.gtw[i], text);
		puts(text);
	}
	/* beside the list, which is for scripts too */
	passes_find(&policy, &passes);
	for (i = 0; i < passes.count; i++)
		say("note: %s", passes.one[i].text);
	passes_free(&passes);
	rule = dnat_of_console(&policy);
	if (rule)
		say("note: %s", rule);
	free(rule);
	return EXIT_DONE;
}

int mode(const struct arguments *args)
{
	struct change change = { .name = "mode", .edit = mw_edit_mode };
	char *text = args->count ? NULL : sysfs_read("mode");
	struct mw_spec policy;
	char name[MW_PREFIX_TEXT];
	struct device device;
	int code;

	if (args->count) {
		change.text = join("", args, ' ');
		return make_change(&change, args);
	}
	if (text) {
		/* any user may know; whether it lasts, who may open the device */
		if (!device_open(&device)) {
			if (!device_get(&device, &policy))
				note_waiting(&policy);
			device_close(&device);
		}
		fputs(text, stdout);
		free(text);
		return EXIT_DONE;
	}
	code = get("mode", &policy);
	if (!code)
		puts(mode_print(policy.mode, name));
	return code;
}

int logging(const struct arguments *args)
{
	struct change change = { .name = "log", .edit = mw_edit_log };
	struct mw_spec policy;
	char text[MW_PREFIX_TEXT];
	int code;

	if (args->count) {
		change.text = join("", args, ' ');
		return make_change(&change, args);
	}
	code = get("log", &policy);
	if (code)
		return code;
	mw_spec_print_log(&policy, text);
	puts(text);
	return EXIT_DONE;
}

int confirm(const struct arguments *args)
{
	struct device device;
	struct mw_spec policy;
	int error;

	error = device_ready(&device);
	if (error)
		return error;
	if (args->extend && !device_abi_knows(&device, "confirm --extend")) {
		device_close(&device);
		return EXIT_REFUSED;
	}
	error = device_confirm(&device, args->extend);
	if (!error && !args->extend && !device_get(&device, &policy))
		persist_tell(&policy);
	device_close(&device);
	if (error)
		return device_failed(error, "confirm");
	if (args->extend)
		say_reverts(args->extend, false);
	return EXIT_DONE;
}

int revert(const struct arguments *args)
{
	struct device device;
	int error;

	(void)args;
	error = device_ready(&device);
	if (error)
		return error;
	error = device_revert(&device);
	device_close(&device);
	if (!error)
		return EXIT_DONE;
	return device_failed(error, "revert");
}
