// SPDX-License-Identifier: GPL-2.0
/* "status --prometheus": the same as metrics, in Prometheus' text format. */
#include "command.h"
#include <inttypes.h>

static void family(const char *name, const char *type, const char *help)
{
	printf("# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

/* A device's name may hold any byte but "/", ":" and white space. */
static const char *label(const char *value, char text[ESCAPED_TEXT])
{
	return escape(value, strlen(value), text);
}

static void gauge(const char *name, const char *help, u64 value)
{
	family(name, "gauge", help);
	printf("%s %" PRIu64 "\n", name, (uint64_t)value);
}

static void counter(const char *name, const char *help, u64 value)
{
	family(name, "counter", help);
	printf("%s %" PRIu64 "\n", name, (uint64_t)value);
}

static void modes(const struct report *report)
{
	static const char name[] = "mailwall_mode";
	unsigned int i;

	family(name, "gauge", "1 for the mode that is in force.");
	for (i = 0; mw_mode_name(i); i++)
		printf("%s{mode=\"%s\"} %d\n", name, mw_mode_name(i),
		       !strcmp(report->mode, mw_mode_name(i)));
}

static void info(const struct report *report)
{
	char text[ESCAPED_TEXT];

	family("mailwall_info", "gauge", "The releases that run.");
	printf("mailwall_info{release=\"%s\",abi=\"%u\",command=\"%s\"} 1\n",
	       label(report->version.release, text), report->version.abi, MAILWALL_RELEASE);
}

/* this host's own counters, and those of all gateways behind where there were any */
static const struct counts *counts_of(const struct report *report, int i, const char **who)
{
	static const char *const name[] = { "here", "behind" };

	*who = name[i];
	return i ? &report->counters.behind : &report->counters.here;
}

static void rows(const struct report *report)
{
	static const struct {
		const char *name;
		const char *help;
		size_t member;
	} all[] = {
		{ "mailwall_row_openings_total", "Opening segments that a row allowed.",
		  offsetof(struct mailwall_row_counters, openings) },
		{ "mailwall_row_segments_total", "Segments that a row allowed.",
		  offsetof(struct mailwall_row_counters, segments) },
		{ "mailwall_row_bytes_total", "Their lengths as IP packets.",
		  offsetof(struct mailwall_row_counters, bytes) },
	};
	unsigned int i, j;
	int k;

	for (i = 0; i < ARRAY_SIZE(all); i++) {
		family(all[i].name, "counter", all[i].help);
		for (k = 0; k < 2; k++) {
			const char *who;
			const struct counts *counts = counts_of(report, k, &who);

			for (j = 0; j < counts->row_count; j++) {
				const struct mailwall_row *row = &counts->row[j].row;
				u64 value;

				memcpy(&value, (const char *)&counts->row[j] + all[i].member,
				       sizeof(value));
				printf("%s{gateways=\"%s\",port=\"%u\",source=\"%s\",target=\"%s\"} %" PRIu64
				       "\n",
				       all[i].name, who, row->port, mw_end_name(row->source) ?: "?",
				       mw_end_name(row->target) ?: "?", (uint64_t)value);
			}
		}
	}
}

static void denials(const struct report *report, bool would)
{
	const char *name = would ? "mailwall_would_deny_segments_total" :
				   "mailwall_denied_segments_total";
	int k, way, reason;

	family(name, "counter",
	       would ? "Segments that mode audit let pass and enforce would have dropped." :
		       "Segments that were dropped.");
	for (k = 0; k < 2; k++) {
		const char *who;
		const struct counts *counts = counts_of(report, k, &who);

		if (!counts->row_count)
			continue;
		for (way = 0; way < 2; way++)
			for (reason = 0; reason < MAILWALL_REASONS; reason++)
				printf("%s{gateways=\"%s\",direction=\"%s\",reason=\"%s\"} %" PRIu64
				       "\n",
				       name, who, way == MAILWALL_IN ? "in" : "out",
				       mw_reason_name(reason),
				       (uint64_t)(would ? counts->would_deny :
							  counts->denied)[way][reason]);
	}
}

static void gateways(const struct report *report)
{
	static const char name[] = "mailwall_gateway_segments_total";
	char item[MW_PREFIX_TEXT], text[ESCAPED_TEXT];
	u16 i;

	family(name, "counter",
	       "Segments that a gateway sent and got: zero where a guard stands on the wrong path.");
	for (i = 0; i < report->policy.gtw_count; i++) {
		const struct mailwall_gtw_counters *seen = report_seen(report, i);

		if (!seen)
			continue;
		mw_gtw_print(&report->policy.gtw[i], item);
		label(item, text);
		printf("%s{gateway=\"%s\",direction=\"in\"} %" PRIu64 "\n", name, text,
		       (uint64_t)seen->in);
		printf("%s{gateway=\"%s\",direction=\"out\"} %" PRIu64 "\n", name, text,
		       (uint64_t)seen->out);
	}
}

static void flows(const struct counters *counters)
{
	if (!counters->behind.row_count)
		return;
	counter("mailwall_flows_noted_total", "Flows of gateways behind that were noted.",
		counters->flows_noted);
	counter("mailwall_flows_evicted_total", "Flows that made room for others.",
		counters->flows_evicted);
	counter("mailwall_flows_missed_total",
		"Segments to gateways behind whose flow was not there.", counters->flows_missed);
}

int prometheus_status(const struct report *report)
{
	gauge("mailwall_up", "1 if the module is there and answers.", report->complete);
	if (!report->version.abi)
		return EXIT_DONE;
	info(report);
	if (*report->mode)
		modes(report);
	if (!report->complete)
		return EXIT_DONE;
	gauge("mailwall_policy_generation", "Counts the policies: it grows with each change.",
	      report->policy.generation);
	gauge("mailwall_adm_prefixes", "Prefixes of the administration network.",
	      report->policy.adm_count);
	gauge("mailwall_change_waits", "1 while a change waits to be confirmed.",
	      !!report->policy.confirm);
	gauge("mailwall_change_reverts_seconds", "Until it reverts; 0 if none waits.",
	      report->policy.confirm);
	gauge("mailwall_passes_by",
	      "Ways by which packets of gateways behind pass by: see mailwall gtw show.",
	      report->passes.count);
	rows(report);
	denials(report, false);
	denials(report, true);
	gateways(report);
	flows(&report->counters);
	counter("mailwall_log_held_total", "Denials that the kernel log's rate limit held back.",
		report->counters.log_held);
	return EXIT_DONE;
}
