// SPDX-License-Identifier: GPL-2.0
/* "status" and "version". */
#include "persist.h"
#include <inttypes.h>
#include <stdlib.h>
#include <unistd.h>

/* Policy and counters are two calls: take them again if a change came between. */
#define SAME_GENERATION_TRIES 5

/* Columns of "status", whatever the terminal has; where its titles end. */
#define STATUS_WIDTH 80
#define STATUS_INDENT 11

static int collect(const struct device *device, struct report *report)
{
	int error, tries = SAME_GENERATION_TRIES;

	do {
		counters_free(&report->counters);
		error = device_get(device, &report->policy) ?:
				device_counters(device, &report->counters);
		if (error)
			return error;
	} while (report->policy.generation != report->counters.generation && --tries);
	mode_print(report->policy.mode, report->mode);
	report->complete = true;
	return 0;
}

bool report_is_site(const struct report *report, unsigned int row)
{
	return row + report->policy.site_count >= report->counters.here.row_count;
}

const struct mailwall_gtw_counters *report_seen(const struct report *report, unsigned int item)
{
	const struct counters *counters = &report->counters;

	return counters->gtw_count == report->policy.gtw_count ? &counters->gtw[item] : NULL;
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
	struct counts *counters = &report->counters.here;
	size_t rows = 1, i;

	for (i = 0; table && table[i]; i++)
		rows += table[i] == '\n';
	counters->row = allocate(rows * sizeof(*counters->row));
	while (found && (line = strsep(&rest, "\n"))) {
		struct mailwall_row *row = &counters->row[counters->row_count].row;
		char source[8], target[8];

		if (sscanf(line, "%hu %7s %7s", &row->port, source, target) != 3)
			continue;
		row->source = end_of(source);
		row->target = end_of(target);
		counters->row_count++;
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
		return ": everything passes, what no row allows is counted as would-deny";
	if (!strcmp(mode, "off"))
		return ": nothing is judged";
	return "";
}

/* Each with what it saw: a guard that stands on the wrong path shows as zero. */
static void show_gateways(const struct report *report)
{
	const struct counters *counters = &report->counters;
	const struct mw_spec *policy = &report->policy;
	char text[MW_PREFIX_TEXT];
	int width = 0;
	u16 i;

	for (i = 0; i < policy->gtw_count; i++) {
		int length = mw_gtw_print(&policy->gtw[i], text);

		width = length > width ? length : width;
	}
	printf("%-11s", "gateways");
	for (i = 0; i < policy->gtw_count; i++) {
		const struct mailwall_gtw_counters *seen = report_seen(report, i);

		mw_gtw_print(&policy->gtw[i], text);
		if (seen)
			printf("%*s%-*s  seen in %" PRIu64 ", out %" PRIu64 "\n", i ? 11 : 0, "",
			       width, text, (uint64_t)seen->in, (uint64_t)seen->out);
		else
			printf("%*s%s\n", i ? 11 : 0, "", text);
	}
	if (counters->behind.row_count)
		printf("%-11snoted %" PRIu64 ", evicted %" PRIu64 ", missed %" PRIu64 "\n", "flows",
		       (uint64_t)counters->flows_noted, (uint64_t)counters->flows_evicted,
		       (uint64_t)counters->flows_missed);
}

static void show_words(const char *title, const char *words)
{
	printf("%-*s", STATUS_INDENT, title);
	print_wrapped(words, STATUS_INDENT, STATUS_WIDTH);
}

static void show_passes(const struct passes *passes)
{
	unsigned int i;

	for (i = 0; i < passes->count; i++)
		show_words(i ? "" : "passes by", passes->one[i].text);
}

/* What is not as it stays. */
static void show_change(const struct mw_spec *policy)
{
	struct config config;
	char words[256];

	if (policy->confirm)
		snprintf(
			words, sizeof(words),
			"waits: reverts in %u seconds unless \"mailwall confirm\" comes first; \"mailwall revert\" undoes it now",
			policy->confirm);
	show_words("change", policy->confirm ? words : "none waits to be confirmed");
	if (!persist_here())
		return;
	config_read(&config, NULL);
	show_words("saved", persist_state(policy, &config));
	boot_show(&config);
	config_free(&config);
}

static void show_rest(const struct report *report)
{
	const struct mw_spec *policy = &report->policy;
	char text[MW_PREFIX_TEXT];
	u16 i;

	printf("\n%-11s", "ADM");
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
	printf("\n%-11s%" PRIu64 "\n", "generation", (uint64_t)policy->generation);
}

/* the width, or the columns that the number takes if they are more */
static int wider(int width, u64 number)
{
	int length = snprintf(NULL, 0, "%" PRIu64, number);

	return length > width ? length : width;
}

/* columns that the widest number of a column takes */
static int widest(const struct counts *counts, size_t member, const char *title)
{
	int width = strlen(title);
	unsigned int i;

	for (i = 0; i < counts->row_count; i++) {
		u64 value;

		memcpy(&value, (const char *)&counts->row[i] + member, sizeof(value));
		width = wider(width, value);
	}
	return width;
}

static void show_rows(const struct report *report, const struct counts *counts)
{
	static const struct {
		const char *title;
		size_t member;
	} column[] = {
		{ "OPENED", offsetof(struct mailwall_row_counters, openings) },
		{ "SEGMENTS", offsetof(struct mailwall_row_counters, segments) },
		{ "BYTES", offsetof(struct mailwall_row_counters, bytes) },
	};
	int width[ARRAY_SIZE(column)];
	unsigned int i, j;

	printf("\n%5s  %-6s  %-6s", "PORT", "SOURCE", "TARGET");
	for (j = 0; report->complete && j < ARRAY_SIZE(column); j++) {
		width[j] = widest(counts, column[j].member, column[j].title);
		printf("  %*s", width[j], column[j].title);
	}
	putchar('\n');
	for (i = 0; i < counts->row_count; i++) {
		const struct mailwall_row *row = &counts->row[i].row;

		printf("%5u  %-6s  %-*s", row->port, mw_end_name(row->source) ?: "?",
		       report->complete ? 6 : 0, mw_end_name(row->target) ?: "?");
		for (j = 0; report->complete && j < ARRAY_SIZE(column); j++) {
			u64 value;

			memcpy(&value, (const char *)&counts->row[i] + column[j].member,
			       sizeof(value));
			printf("  %*" PRIu64, width[j], value);
		}
		puts(report->complete && report_is_site(report, i) ? "  site" : "");
	}
}

static void show_denials(const char *title, const u64 denied[2][MAILWALL_REASONS])
{
	static const char *const direction[] = { "in", "out" };
	int width[MAILWALL_REASONS];
	unsigned int i, j;
	u64 sum = 0;

	for (j = 0; j < MAILWALL_REASONS; j++)
		sum += denied[0][j] + denied[1][j];
	if (!sum) {
		printf("%-*snothing\n", STATUS_INDENT, title);
		return;
	}
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

/* Return: exit code. */
static int collect_all(struct report *report)
{
	struct device device;
	int error = device_open(&device);

	if (!error) {
		report->version = device.version;
		if (!device_abi_fits(&report->version)) {
			device_close(&device);
			return EXIT_REFUSED;
		}
		error = collect(&device, report);
		device_close(&device);
		if (error)
			return device_failed(error, "status");
	} else if (!collect_sysfs(report)) {
		return device_complain(error);
	} else {
		report->missing =
			error == -EACCES || error == -EPERM ?
				"ADM, site rows, logging and counters are root's to read: run this as root, such as with sudo" :
				"ADM, site rows, logging and counters are read through /dev/mailwall, which is not here";
	}
	return EXIT_DONE;
}

static void show_counts(const struct report *report, const struct counts *counts)
{
	if (report->complete) {
		putchar('\n');
		show_denials("denied", counts->denied);
		show_denials("would-deny", counts->would_deny);
	}
	show_rows(report, counts);
}

static void show_status(const struct report *report)
{
	const struct counters *counters = &report->counters;

	printf("%-11s%s%s\n", "mode", report->mode, mode_words(report->mode));
	if (report->complete) {
		show_gateways(report);
		show_passes(&report->passes);
		show_change(&report->policy);
	}
	if (counters->behind.row_count)
		puts("\nthis host itself");
	show_counts(report, &counters->here);
	if (counters->behind.row_count) {
		puts("\ngateways behind this host");
		show_counts(report, &counters->behind);
	}
	if (report->complete)
		show_rest(report);
	else
		putchar('\n');
	printf("%-11s%s (ABI %u)\n", "module", report->version.release, report->version.abi);
	if (!report->complete)
		printf("\n%s\n", report->missing);
}

int status(const struct arguments *args)
{
	struct report report = { 0 };
	int code;

	if (args->check)
		return status_check();
	code = collect_all(&report);

	if (report.complete)
		passes_find(&report.policy, &report.passes);
	/* programs are told of a module that is not there in their own way too */
	if (args->prometheus)
		code = prometheus_status(&report);
	else if (args->json)
		code = json_status(&report) ?: code;
	else if (code == EXIT_DONE)
		show_status(&report);
	passes_free(&report.passes);
	counters_free(&report.counters);
	return code;
}

int version(const struct arguments *args)
{
	struct mailwall_version module;
	struct device device;

	/* what any user may read tells it all; the device is for where /sys is not */
	if (!sysfs_version(&module)) {
		memset(&module, 0, sizeof(module));
		if (!device_open(&device)) {
			module = device.version;
			device_close(&device);
		}
	}
	if (args->json) {
		json_version(&module);
	} else {
		printf("command  %s (ABI %d)\n", MAILWALL_RELEASE, MAILWALL_ABI);
		if (module.abi)
			printf("module   %s (ABI %u)\n", module.release, module.abi);
		else
			puts("module   not loaded");
	}
	return !module.abi || device_abi_fits(&module) ? EXIT_DONE : EXIT_REFUSED;
}
