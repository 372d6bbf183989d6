// SPDX-License-Identifier: GPL-2.0
/*
 * "report": what a bug report needs, without what tells who the host is: addresses are
 * replaced, each by the same name wherever it stands, and so are the names of devices.
 */
#include "persist.h"
#include <stdlib.h>
#include <sys/utsname.h>

/* An address of the policy, by its place: who reads the report can still tell them apart. */
static void print_prefix(const char *what, const struct mailwall_prefix *prefix, unsigned int i)
{
	printf("%s%u/%u (%s)\n", what, i + 1, prefix->length,
	       prefix->family == AF_INET ? "IPv4" : "IPv6");
}

static void print_policy(const struct mw_spec *policy)
{
	char text[MW_PREFIX_TEXT];
	u16 i;

	printf("mode %s\ngeneration %llu\nwaits %u\n", mode_print(policy->mode, text),
	       (unsigned long long)policy->generation, policy->confirm);
	mw_spec_print_log(policy, text);
	printf("log %s\n", text);
	for (i = 0; i < policy->adm_count; i++)
		print_prefix("adm ADDRESS", &policy->adm[i], i);
	for (i = 0; i < policy->site_count; i++)
		printf("site %s\n", row_print(&policy->site[i], text));
	for (i = 0; i < policy->gtw_count; i++) {
		const struct mailwall_gtw *gtw = &policy->gtw[i];

		if (gtw->kind == MAILWALL_GTW_PREFIX)
			print_prefix("gtw GATEWAY", &gtw->prefix, i);
		else if (gtw->kind == MAILWALL_GTW_PORT)
			printf("gtw port:DEVICE%u\n", i + 1);
		else
			puts("gtw this");
	}
}

static void print_counts(const char *whose, const struct counts *counts)
{
	static const char *const direction[] = { "in", "out" };
	unsigned int i, j;
	char text[MW_PREFIX_TEXT];

	for (i = 0; i < counts->row_count; i++)
		printf("%s %s: %llu opened, %llu segments, %llu bytes\n", whose,
		       row_print(&counts->row[i].row, text),
		       (unsigned long long)counts->row[i].openings,
		       (unsigned long long)counts->row[i].segments,
		       (unsigned long long)counts->row[i].bytes);
	for (i = 0; counts->row_count && i < ARRAY_SIZE(direction); i++)
		for (j = 0; j < MAILWALL_REASONS; j++)
			printf("%s %s %s: %llu denied, %llu would-deny\n", whose, direction[i],
			       mw_reason_name(j), (unsigned long long)counts->denied[i][j],
			       (unsigned long long)counts->would_deny[i][j]);
}

int bug_report(const struct arguments *args)
{
	struct counters counters = { 0 };
	struct mw_spec policy;
	struct device device;
	struct utsname kernel;
	int error;

	(void)args;
	uname(&kernel);
	printf("command %s (ABI %d)\nkernel %s %s\n", MAILWALL_RELEASE, MAILWALL_ABI,
	       kernel.release, kernel.machine);
	error = device_open(&device);
	if (error == -EACCES || error == -EPERM)
		return device_complain(error);
	if (error) {
		puts("module not loaded");
		return EXIT_DONE;
	}
	printf("module %.31s (ABI %u)\n", device.version.release, device.version.abi);
	error = device_get(&device, &policy) ?: device_counters(&device, &counters);
	device_close(&device);
	if (error) {
		counters_free(&counters);
		return device_failed(error, "report");
	}
	print_policy(&policy);
	print_counts("host", &counters.here);
	print_counts("behind", &counters.behind);
	printf("flows: %llu noted, %llu evicted, %llu missed\n",
	       (unsigned long long)counters.flows_noted, (unsigned long long)counters.flows_evicted,
	       (unsigned long long)counters.flows_missed);
	counters_free(&counters);
	return EXIT_DONE;
}
