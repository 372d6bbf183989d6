// SPDX-License-Identifier: GPL-2.0
/* The same for programs. */
#include "persist.h"
#include <jansson.h>

int json_print(json_t *object)
{
	int error = json_dumpf(object, stdout, JSON_INDENT(2) | JSON_ENSURE_ASCII);

	json_decref(object);
	if (error) {
		say("cannot write JSON");
		return EXIT_REFUSED;
	}
	putchar('\n');
	return EXIT_DONE;
}

void json_line(json_t *object)
{
	json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII);
	json_decref(object);
	putchar('\n');
}

static json_t *release(const char *name, unsigned int abi)
{
	/* not valid UTF-8: no release of ours */
	return json_pack("{s:o, s:i}", "release", json_string(name) ?: json_string("?"), "abi",
			 abi);
}

static json_t *row(const struct mailwall_row *row, bool built_in)
{
	return json_pack("{s:i, s:s, s:s, s:b, s:s?}", "port", row->port, "source",
			 mw_end_name(row->source) ?: "?", "target", mw_end_name(row->target) ?: "?",
			 "built_in", built_in, "description", row_description(row));
}

static json_t *denials(const u64 denied[2][MAILWALL_REASONS])
{
	json_t *in = json_object(), *out = json_object();
	unsigned int i;

	for (i = 0; i < MAILWALL_REASONS; i++) {
		json_object_set_new(in, mw_reason_name(i), json_integer(denied[MAILWALL_IN][i]));
		json_object_set_new(out, mw_reason_name(i), json_integer(denied[MAILWALL_OUT][i]));
	}
	return json_pack("{s:o, s:o}", "in", in, "out", out);
}

static void add_denials(json_t *object, const struct counts *counts)
{
	json_object_set_new(object, "denied", denials(counts->denied));
	json_object_set_new(object, "would_deny", denials(counts->would_deny));
}

static json_t *rows(const struct report *report, const struct counts *counts)
{
	json_t *all = json_array();
	unsigned int i;

	for (i = 0; i < counts->row_count; i++) {
		const struct mailwall_row_counters *counters = &counts->row[i];
		json_t *one = row(&counters->row, !report_is_site(report, i));

		if (report->complete) {
			json_object_set_new(one, "openings", json_integer(counters->openings));
			json_object_set_new(one, "segments", json_integer(counters->segments));
			json_object_set_new(one, "bytes", json_integer(counters->bytes));
		}
		json_array_append_new(all, one);
	}
	return all;
}

static json_t *seen(const struct mailwall_gtw_counters *counters)
{
	if (!counters)
		return json_null();
	return json_pack("{s:I, s:I}", "in", (json_int_t)counters->in, "out",
			 (json_int_t)counters->out);
}

/* Of gateways behind this host, null where there never were any. */
static void add_behind(json_t *object, const struct report *report)
{
	const struct counters *counters = &report->counters;
	json_t *behind = json_null(), *flows = json_null();

	if (counters->behind.row_count) {
		behind = json_pack("{s:o}", "rows", rows(report, &counters->behind));
		add_denials(behind, &counters->behind);
		flows = json_pack("{s:I, s:I, s:I}", "noted", (json_int_t)counters->flows_noted,
				  "evicted", (json_int_t)counters->flows_evicted, "missed",
				  (json_int_t)counters->flows_missed);
	}
	json_object_set_new(object, "behind", behind);
	json_object_set_new(object, "flows", flows);
}

static json_t *passes_by(const struct passes *passes)
{
	json_t *all = json_array();
	unsigned int i;

	for (i = 0; i < passes->count; i++) {
		const struct passing *one = &passes->one[i];

		json_array_append_new(all, json_pack("{s:s?, s:s, s:s}", "item",
						     *one->item ? one->item : NULL, "kind",
						     one->kind, "text", one->text));
	}
	return all;
}

/* null in a network namespace that no boot configures */
static json_t *next_boot(const struct mw_spec *policy)
{
	json_t *kernels = json_array(), *object;
	struct config config;
	struct boot boot;
	unsigned int i;

	if (!persist_here())
		return json_null();
	config_read(&config, NULL);
	boot_read(&boot, &config);
	for (i = 0; i < boot.count; i++) {
		const struct kernel *one = &boot.kernel[i];

		json_array_append_new(kernels,
				      json_pack("{s:s, s:b, s:s?, s:s?, s:b, s:s?}", "release",
						one->release, "newest", one->newest, "module",
						one->module, "signer", one->signer, "guarded",
						one->guarded, "problem", one->problem));
	}
	object = json_pack("{s:b, s:b, s:b, s:b, s:s?, s:o}", "configuration_good",
			   config_exists(&config) && !config.bad, "saved",
			   policy_saved(policy, &config), "list", boot.listed, "unit", boot.unit,
			   "problem", boot.problem, "kernels", kernels);
	boot_free(&boot);
	config_free(&config);
	return object;
}

static void add_policy(json_t *object, const struct report *report)
{
	const struct mw_spec *policy = &report->policy;
	char text[MW_PREFIX_TEXT];
	json_t *adm = json_array(), *gtw = json_array(), *all = json_object();
	u16 i;

	for (i = 0; i < policy->adm_count; i++) {
		mw_prefix_print(&policy->adm[i], text);
		json_array_append_new(adm, json_string(text));
	}
	json_object_set_new(object, "adm", adm);
	for (i = 0; i < policy->gtw_count; i++) {
		mw_gtw_print(&policy->gtw[i], text);
		json_array_append_new(gtw, json_string(text));
		json_object_set_new(all, text, seen(report_seen(report, i)));
	}
	json_object_set_new(object, "gtw", gtw);
	json_object_set_new(object, "seen", all);
	json_object_set_new(object, "passes_by", passes_by(&report->passes));
	mw_spec_print_log(policy, text);
	json_object_set_new(object, "log", json_string(text));
	json_object_set_new(object, "log_held", json_integer(report->counters.log_held));
	json_object_set_new(object, "generation", json_integer(policy->generation));
	json_object_set_new(object, "reverts_in_seconds",
			    policy->confirm ? json_integer(policy->confirm) : json_null());
	json_object_set_new(object, "next_boot", next_boot(policy));
	add_denials(object, &report->counters.here);
	add_behind(object, report);
}

int json_status(const struct report *report)
{
	json_t *object = json_object();

	json_object_set_new(object, "schema", json_integer(STATUS_SCHEMA));
	json_object_set_new(object, "complete", json_boolean(report->complete));
	json_object_set_new(object, "command", release(MAILWALL_RELEASE, MAILWALL_ABI));
	json_object_set_new(object, "module",
			    report->version.abi ?
				    release(report->version.release, report->version.abi) :
				    json_null());
	json_object_set_new(object, "mode",
			    *report->mode ? json_string(report->mode) : json_null());
	json_object_set_new(object, "rows", rows(report, &report->counters.here));
	if (report->complete)
		add_policy(object, report);
	return json_print(object);
}

int json_version(const struct mailwall_version *version)
{
	return json_print(json_pack(
		"{s:o, s:o}", "command", release(MAILWALL_RELEASE, MAILWALL_ABI), "module",
		version->abi ? release(version->release, version->abi) : json_null()));
}

const char *verdict_name(u8 fate)
{
	static const char *const name[] = {
		[MAILWALL_FATE_PASS] = "allow",
		[MAILWALL_FATE_DENY] = "deny",
		[MAILWALL_FATE_UNJUDGED] = "unjudged",
	};

	return fate < ARRAY_SIZE(name) ? name[fate] : "?";
}

static json_t *verdict(u8 fate)
{
	return json_string(verdict_name(fate));
}

static json_t *reason(u8 fate, u8 number)
{
	const char *name = fate == MAILWALL_FATE_DENY ? mw_reason_name(number) : NULL;

	return name ? json_string(name) : json_null();
}

static json_t *row_allowing(u8 fate, const struct mailwall_row *one)
{
	return fate == MAILWALL_FATE_PASS ? row(one, row_description(one)) : json_null();
}

static json_t *connection(u8 found)
{
	return found <= 1 ? json_boolean(found) : json_null();
}

static json_t *judgement(const struct mailwall_judgement *j)
{
	static const char *const place[] = {
		[MAILWALL_PLACE_HOST] = "host",
		[MAILWALL_PLACE_FORWARD] = "forward",
		[MAILWALL_PLACE_BRIDGE] = "bridge",
		[MAILWALL_PLACE_BRIDGED] = "br_netfilter",
	};
	char text[MW_PREFIX_TEXT];

	mw_gtw_print(&j->gtw, text);
	return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:s, s:b}", "gtw", text, "direction",
			 j->direction == MAILWALL_IN ? "in" : "out", "verdict", verdict(j->fate),
			 "reason", reason(j->fate, j->reason), "row",
			 row_allowing(j->fate, &j->row), "connection",
			 connection(j->connection_found), "place",
			 j->place < ARRAY_SIZE(place) ? place[j->place] : "?", "notes_flow",
			 j->notes);
}

static json_t *device(u32 ifindex)
{
	char name[MW_PREFIX_TEXT];

	return ifindex ? json_string(device_name(ifindex, name)) : json_null();
}

int json_explain(const struct mailwall_explain *explain, const char *words, const char *outcome)
{
	bool out = explain->hook == MAILWALL_HOOK_HOST && explain->direction == MAILWALL_OUT;
	json_t *judgements = json_array();
	char text[MW_PREFIX_TEXT];
	unsigned int i;

	for (i = 0; i < explain->judgements; i++)
		json_array_append_new(judgements, judgement(&explain->judgement[i]));
	return json_print(
		json_pack("{s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:I, s:o, s:o, s:o}", "verdict",
			  verdict(explain->fate), "reason", reason(explain->fate, explain->reason),
			  "row", row_allowing(explain->fate, &explain->row), "connection",
			  connection(explain->connection_found), "mode",
			  mode_print(explain->answer_mode, text), "explanation", words, "outcome",
			  outcome, "generation", (json_int_t)explain->generation, "judgements",
			  judgements, "in", device(out ? 0 : explain->ifindex), "out",
			  device(out ? explain->ifindex : explain->out_ifindex)));
}
