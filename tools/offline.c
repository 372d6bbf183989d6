// SPDX-License-Identifier: GPL-2.0
/*
 * "explain --policy": by the policy in a file, on any computer, by the module's own code.
 * Of what a running host knows nothing is asked: devices are those that are named, routes lead
 * where they are needed, and there is no connection but one that is stated.
 */
#include "explain.h"
#include "answer.h"
#include "gateway.h"
#include "persist.h"
#include <stdlib.h>

/* Index 1 is a loopback device. */
#define FIRST_INDEX 2

static const char *devices[8];

u32 offline_device(const char *name)
{
	u32 i = 0;

	if (!strcmp(name, "lo"))
		return LOOPBACK_IFINDEX;
	while (i + 1 < ARRAY_SIZE(devices) && devices[i] && strcmp(devices[i], name))
		i++;
	devices[i] = name;
	return FIRST_INDEX + i;
}

const char *offline_device_name(u32 ifindex)
{
	if (ifindex == LOOPBACK_IFINDEX && *devices)
		return "lo";
	return ifindex >= FIRST_INDEX && ifindex - FIRST_INDEX < ARRAY_SIZE(devices) ?
		       devices[ifindex - FIRST_INDEX] :
		       NULL;
}

static int resolved(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(devices) && devices[i]; i++)
		if (!strcmp(devices[i], name))
			return FIRST_INDEX + i;
	return 0;
}

/* The file */

/* Return: exit code. */
static int read_policy(const char *name, struct mw_spec *policy)
{
	char text[ESCAPED_TEXT];
	struct config config;
	int code = config_read_file(&config, name);

	if (code)
		return code;
	config_say(&config, false);
	code = config.bad ? EXIT_REFUSED : EXIT_DONE;
	if (!code && !config.options) {
		say("%s: no line \"options mailwall PARAMETER=VALUE...\" in it",
		    escape(name, strlen(name), text));
		code = EXIT_REFUSED;
	}
	*policy = config.load.spec;
	policy->generation = 1;
	policy->confirm = 0;
	config_free(&config);
	return code;
}

/* The question */

/* Routes lead where they are needed. */
static bool may_note(const void *context __attribute__((unused)),
		     bool bridged __attribute__((unused)), int ifindex __attribute__((unused)))
{
	return true;
}

/**
 * struct judge - a policy that is ready to judge
 * @policy: policy
 * @gateways: that it may point to
 */
struct judge {
	struct mw_policy policy;
	struct mw_gateways gateways;
};

static void build(struct judge *judge, const struct mw_spec *spec)
{
	struct mw_gateways *g = mw_spec_is_behind(spec) ? &judge->gateways : NULL;
	u8 site[MAILWALL_SITE_MAX], gtw[MAILWALL_GTW_MAX], i;

	for (i = 0; i < ARRAY_SIZE(site); i++)
		site[i] = MW_SITE_SLOT + i;
	for (i = 0; i < ARRAY_SIZE(gtw); i++)
		gtw[i] = MW_NOBODY + 1 + i;
	mw_policy_build(&judge->policy, spec, site);
	mw_policy_set_gateways(&judge->policy, g, gtw);
	for (i = 0; g && i < g->ports; i++)
		mw_gateways_resolve(g, i, resolved(judge->policy.spec.gtw[g->port_item[i]].device));
}

int offline_explain(const char *file, struct mailwall_explain *ex, struct mw_spec *policy)
{
	struct mw_asked asked = { .may_note = may_note };
	bool forward = ex->hook == MAILWALL_HOOK_FORWARD, in = ex->direction == MAILWALL_IN;
	bool loopback = ex->ifindex == LOOPBACK_IFINDEX || ex->out_ifindex == LOOPBACK_IFINDEX;
	struct judge *judge;
	int code = read_policy(file, policy);

	if (code)
		return code;
	judge = allocate(sizeof(*judge));
	build(judge, policy);
	asked.in = forward || in ? ex->ifindex : 0;
	asked.out = forward ? ex->out_ifindex : in ? 0 : ex->ifindex;
	/* there is nobody to ask */
	if (ex->connection == MAILWALL_CONNECTION_ASK)
		ex->connection = MAILWALL_CONNECTION_NONE;
	ex->answer_mode = policy->mode;
	ex->generation = policy->generation;
	mw_answer(&judge->policy, loopback ? NULL : &asked, ex);
	free(judge);
	return EXIT_DONE;
}
