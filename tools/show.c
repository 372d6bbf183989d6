// SPDX-License-Identifier: GPL-2.0
/* "status" and "version". */
#include "command.h"
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* Policy and counters are two calls: take them again if a change came between. */
#define SAME_GENERATION_TRIES 5

static int collect(int fd, struct report *report)
{
	int error, tries = SAME_GENERATION_TRIES;
	unsigned int i;

	do {
		error = device_get(fd, &report->policy);
		if (!error)
			error = device_counters(fd, &report->counters);
		if (error)
			return error;
	} while (report->policy.generation != report->counters.generation && --tries);
	mode_print(report->policy.mode, report->mode);
	report->row_count = report->counters.row_count;
	for (i = 0; i < report->row_count; i++)
		report->row[i] = report->counters.row[i].row;
	report->complete = true;
	return 0;
}

static u8 end_of(const char *name)
{
	u8 end = MAILWALL_ANY;

	while (mw_end_name(end) && strcmp(mw_end_name(end), name))
		end++;
	return end;
}

/* What any user may read: mode, version and the built-in table. */
static bool collect_sysfs(struct report *report)
{
	char *mode = sysfs_read("mode"), *table = sysfs_read("table"), *line, *rest = table;
	bool found = mode && table && sysfs_version(&report->version) &&
		     sscanf(mode, "%15s", report->mode) == 1;

	while (found && (line = strsep(&rest, "\n"))) {
		char source[8], target[8];
		struct mailwall_row *row = &report->row[report->row_count];

		if (report->row_count == ARRAY_SIZE(report->row) ||
		    sscanf(line, "%hu %7s %7s", &row->port, source, target) != 3)
			continue;
		row->source = end_of(source);
		row->target = end_of(target);
		report->row_count++;
	}
	free(mode);
	free(table);
	return found;
}

static const char *mode_words(const char *mode)
{
	if (!strcmp(mode, "enforce"))
		return ": what no row allows is dropped";
	if (!strcmp(mode, "audit"))
		return ": everything passes, what no row allows is counted and logged";
	if (!strcmp(mode, "off"))
		return ": nothing is judged";
	return "";
}

static void show_policy(const struct report *report)
{
	const struct mw_spec *policy = &report->policy;
	char text[MW_PREFIX_TEXT];
	u16 i;

	printf("%-11s", "ADM");
	for (i = 0; i < policy->adm_count; i++) {
		mw_prefix_print(&policy->adm[i], text);
		printf("%*s%s\n", i ? 11 : 0, "", text);
	}
	if (!policy->adm_count)
		puts("empty: rows with ADM, such as 8450, are closed to all");
	mw_spec_print_log(policy, text);
	printf("%-11s%s", "log", text);
	if (report->counters.log_held)
		printf(" (held back by the rate limit: %" PRIu64 ")",
		       (uint64_t)report->counters.log_held);
	printf("\n%-11s", "change");
	if (policy->confirm)
		printf("waits: reverts in %u seconds unless \"mailwall confirm\" comes first; \"mailwall revert\" undoes it now\n",
		       policy->confirm);
	else
		puts("none waits to be confirmed");
	printf("%-11s%" PRIu64 "\n", "generation", (uint64_t)policy->generation);
}

/* the width, or the columns that the number takes if they are more */
static int wider(int width, u64 number)
{
	int length = snprintf(NULL, 0, "%" PRIu64, number);

	return length > width ? length : width;
}

/* columns that the widest number of a column takes */
static int widest(const struct report *report, size_t member, const char *title)
{
	int width = strlen(title);
	unsigned int i;

	for (i = 0; i < report->row_count; i++) {
		u64 value;

		memcpy(&value, (const char *)&report->counters.row[i] + member, sizeof(value));
		width = wider(width, value);
	}
	return width;
}

static void show_rows(const struct report *report)
{
	static const struct {
		const char *title;
		size_t member;
	} column[] = {
		{ "OPENED", offsetof(struct mailwall_row_counters, openings) },
		{ "SEGMENTS", offsetof(struct mailwall_row_counters, segments) },
		{ "BYTES", offsetof(struct mailwall_row_counters, bytes) },
	};
	int width[ARRAY_SIZE(column)], indent = 21;
	unsigned int i, j;

	printf("\n%5s  %-6s  %-6s", "PORT", "SOURCE", "TARGET");
	for (j = 0; report->complete && j < ARRAY_SIZE(column); j++) {
		width[j] = widest(report, column[j].member, column[j].title);
		printf("  %*s", width[j], column[j].title);
		indent += 2 + width[j];
	}
	puts("  DESCRIPTION");
	for (i = 0; i < report->row_count; i++) {
		const struct mailwall_row *row = &report->row[i];
		const char *words = row_description(row);

		printf("%5u  %-6s  %-6s", row->port, mw_end_name(row->source) ?: "?",
		       mw_end_name(row->target) ?: "?");
		for (j = 0; report->complete && j < ARRAY_SIZE(column); j++) {
			u64 value;

			memcpy(&value, (const char *)&report->counters.row[i] + column[j].member,
			       sizeof(value));
			printf("  %*" PRIu64, width[j], value);
		}
		printf("  ");
		print_wrapped(words ?: "(site row)", indent + 2, output_width());
	}
}

static void show_denials(const char *title, const __u64 denied[2][MAILWALL_REASONS])
{
	static const char *const direction[] = { "in", "out" };
	int width[MAILWALL_REASONS];
	unsigned int i, j;

	printf("%-12s", title);
	for (j = 0; j < MAILWALL_REASONS; j++) {
		width[j] = strlen(mw_reason_name(j));
		for (i = 0; i < ARRAY_SIZE(direction); i++)
			width[j] = wider(width[j], denied[i][j]);
		printf("  %*s", width[j], mw_reason_name(j));
	}
	putchar('\n');
	for (i = 0; i < ARRAY_SIZE(direction); i++) {
		printf("  %-10s", direction[i]);
		for (j = 0; j < MAILWALL_REASONS; j++)
			printf("  %*" PRIu64, width[j], (uint64_t)denied[i][j]);
		putchar('\n');
	}
}

int status(const struct arguments *args)
{
	struct report report = { 0 };
	int fd = device_open(&report.version), error;

	if (fd >= 0) {
		if (!device_abi_fits(&report.version)) {
			close(fd);
			return EXIT_REFUSED;
		}
		error = collect(fd, &report);
		close(fd);
		if (error) {
			device_failed(error, "status");
			return EXIT_REFUSED;
		}
	} else if (!collect_sysfs(&report)) {
		device_complain(fd);
		return EXIT_REFUSED;
	} else {
		report.missing =
			fd == -EACCES || fd == -EPERM ?
				"ADM, site rows, logging and counters are root's to read: run this as root, such as with sudo" :
				"ADM, site rows, logging and counters are read through /dev/mailwall, which is not here";
	}
	if (args->json)
		return json_status(&report);

	printf("%-11s%s%s\n", "mode", report.mode, mode_words(report.mode));
	if (report.complete)
		show_policy(&report);
	printf("%-11s%s (ABI %u)\n", "module", report.version.release, report.version.abi);
	show_rows(&report);
	if (report.complete) {
		putchar('\n');
		show_denials("denied", report.counters.denied);
		putchar('\n');
		show_denials("would-deny", report.counters.would_deny);
	} else {
		printf("\n%s\n", report.missing);
	}
	return EXIT_DONE;
}

int version(const struct arguments *args)
{
	struct mailwall_version module;
	int fd;

	/* what any user may read tells it all; the device is for where /sys is not */
	if (!sysfs_version(&module)) {
		fd = device_open(&module);
		if (fd >= 0)
			close(fd);
		else
			memset(&module, 0, sizeof(module));
	}
	if (args->json) {
		json_version(&module);
	} else {
		printf("command  %s (ABI %u)\n", MAILWALL_RELEASE, MAILWALL_ABI);
		if (module.abi)
			printf("module   %s (ABI %u)\n", module.release, module.abi);
		else
			puts("module   not loaded");
	}
	return !module.abi || device_abi_fits(&module) ? EXIT_DONE : EXIT_REFUSED;
}
