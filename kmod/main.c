// SPDX-License-Identifier: GPL-2.0
/*
 * mailwall: a host firewall for mail gateways, with one built-in table of ports.
 *
 * A packet enters in hook.c, is read in segment.c, judged in policy.h and counted
 * in hook.c again. config.c replaces the policy that it is judged by; control.c
 * is where the administrator does that. This file starts and ends it all.
 */
#include "config.h"
#include "control.h"
#include "device.h"
#include "flow.h"
#include "version.h"
#include <linux/module.h>
#include <net/net_namespace.h>

/*
 * Load parameters, gathered until mw_init(). Files of mode 0: none in sysfs. Nothing
 * here is __init: module_destroy_params() still reads the ops at unload.
 */
static struct mw_spec mw_load_spec = {
	.mode = MAILWALL_ENFORCE,
	.gtw_count = 1,
	.gtw = { { .kind = MAILWALL_GTW_THIS } },
};

/* Before there is any namespace whose name and rate limit mw_refuse() could take. */
static void mw_load_refuse(const struct kernel_param *param, const struct mw_complaint *c)
{
	pr_warn(MW_REFUSED, param->name, MW_REFUSED_LENGTH(c), c->item, c->cure);
}

static int mw_load_edit(const char *value, const struct kernel_param *param, mw_edit_t edit)
{
	struct mw_complaint c;
	int error = edit(&mw_load_spec, value, strlen(value), &c);

	if (error)
		mw_load_refuse(param, &c);
	return error;
}

#define MW_PARAMETER(name, description)                                             \
	static int mw_load_##name(const char *value, const struct kernel_param *kp) \
	{                                                                           \
		return mw_load_edit(value, kp, mw_edit_##name);                     \
	}                                                                           \
	static const struct kernel_param_ops mw_load_##name##_ops = {               \
		.set = mw_load_##name,                                              \
	};                                                                          \
	module_param_cb(name, &mw_load_##name##_ops, NULL, 0);                      \
	MODULE_PARM_DESC(name, description)

MW_PARAMETER(mode, "What happens to denied segments: enforce, audit or off (default: enforce)");
MW_PARAMETER(adm, "Administration network that may reach 8450: PREFIX,PREFIX... (default: none)");
MW_PARAMETER(site, "Rows of your own: PORT:SOURCE:TARGET,... such as 22:ADM:GTW (default: none)");
MW_PARAMETER(gtw, "Computers that are GTW: this,ADDRESS,port:DEVICE,... (default: this)");
MW_PARAMETER(log, "Where denied segments are logged: off, kernel or nflog[:GROUP] (default: off)");

static int mw_load_confirm(const char *value, const struct kernel_param *param)
{
	s64 seconds = mw_number(value, strlen(value), MAILWALL_CONFIRM_MAX);
	struct mw_complaint c;
	int error;

	if (seconds > 0) {
		mw_load_spec.confirm = seconds;
		return 0;
	}
	error = mw_complain(&c, value, strlen(value), -EINVAL,
			    "write a number of seconds from 1 to %d", MAILWALL_CONFIRM_MAX);
	mw_load_refuse(param, &c);
	return error;
}

static const struct kernel_param_ops mw_load_confirm_ops = {
	.set = mw_load_confirm,
};
module_param_cb(confirm, &mw_load_confirm_ops, NULL, 0);
MODULE_PARM_DESC(confirm,
		 "Seconds after which the mode becomes audit unless confirmed (default: never)");

static int mw_load_flows(const char *value, const struct kernel_param *param)
{
	s64 flows = mw_number(value, strlen(value), MW_FLOWS_MAX);
	struct mw_complaint c;
	int error;

	if (flows >= MW_FLOWS_MIN) {
		mw_config_flows = flows;
		return 0;
	}
	error = mw_complain(&c, value, strlen(value), -EINVAL, "write a number from %d to %d",
			    MW_FLOWS_MIN, MW_FLOWS_MAX);
	mw_load_refuse(param, &c);
	return error;
}

static const struct kernel_param_ops mw_load_flows_ops = {
	.set = mw_load_flows,
};
module_param_cb(flows, &mw_load_flows_ops, NULL, 0);
MODULE_PARM_DESC(
	flows,
	"Flows of gateways behind this host that there is room for, in each network namespace (default: 16384)");

/* Namespaces */

static int __net_init mw_net_init(struct net *net)
{
	mw_config_init(mw_net_of(net), net);
	return 0;
}

static void __net_exit mw_net_pre_exit(struct net *net)
{
	mw_config_stop(mw_net_of(net));
}

/* after a grace period: unregister_pernet_subsys(), cleanup_net() */
static void __net_exit mw_net_exit(struct net *net)
{
	mw_config_clean(mw_net_of(net));
}

static struct pernet_operations mw_net_ops = {
	.init = mw_net_init,
	.pre_exit = mw_net_pre_exit,
	.exit = mw_net_exit,
	.id = &mw_net_id,
	.size = sizeof(struct mw_net),
};

/* The first policy of the initial namespace. With confirm=N its way back is audit. */
static int __init mw_load(struct mw_net *mn, struct mw_spec *spec)
{
	u32 mode = spec->mode, confirm = spec->confirm;
	int error;

	spec->generation = 1;
	if (confirm) {
		spec->mode = MAILWALL_AUDIT;
		spec->confirm = 0;
		error = mw_config_set(mn, spec);
		if (error)
			return error;
		spec->generation++;
		spec->mode = mode;
		spec->confirm = confirm;
	}
	return mw_config_set(mn, spec);
}

static int __init mw_init(void)
{
	struct mw_spec *spec = &mw_load_spec;
	int error;

	if (spec->confirm && spec->mode != MAILWALL_ENFORCE) {
		pr_err("confirm refused: with mode=%s there is nothing to go back to audit from: leave it out\n",
		       mw_mode_name(spec->mode));
		return -EINVAL;
	}
	error = mw_config_setup();
	if (error)
		return error;
	error = register_pernet_subsys(&mw_net_ops);
	if (error)
		goto teardown;
	error = mw_device_register();
	if (error)
		goto unregister;
	error = mw_load(mw_net_of(&init_net), spec);
	if (error)
		goto deregister;
	error = mw_control_register();
	if (error)
		goto deregister;
	return 0;

deregister:
	mw_device_deregister();
unregister:
	unregister_pernet_subsys(&mw_net_ops);
teardown:
	mw_config_teardown();
	return error;
}

static void __exit mw_exit(void)
{
	mw_control_deregister();
	mw_device_deregister();
	unregister_pernet_subsys(&mw_net_ops);
	mw_config_teardown();
}

module_init(mw_init);
module_exit(mw_exit);

MODULE_DESCRIPTION("Host firewall for mail gateways with one built-in table of TCP ports");
MODULE_AUTHOR("The mailwall developers");
MODULE_LICENSE("GPL");
MODULE_VERSION(MAILWALL_RELEASE);
