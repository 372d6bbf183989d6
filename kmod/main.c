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
#include "load.h"
#include "version.h"
#include <linux/module.h>
#include <net/net_namespace.h>

/*
 * Load parameters, gathered until mw_init(). Files of mode 0: none in sysfs. Nothing
 * here is __init: module_destroy_params() still reads the ops at unload.
 */
static struct mw_load mw_load = MW_LOAD_DEFAULT;

/* Before there is any namespace whose name and rate limit mw_refuse() could take. */
static void mw_load_refuse(const char *name, const struct mw_complaint *c)
{
	pr_warn(MW_REFUSED, name, MW_REFUSED_LENGTH(c), c->item, c->cure);
}

static int mw_load_param(const char *value, const struct kernel_param *param)
{
	struct mw_complaint c;
	int error = mw_load_set(&mw_load, param->name, strlen(param->name), value, &c);

	if (error)
		mw_load_refuse(param->name, &c);
	/* modprobe takes EEXIST for a module that is loaded already, and says nothing */
	return error == -EEXIST ? -EINVAL : error;
}

static const struct kernel_param_ops mw_load_ops = {
	.set = mw_load_param,
};

#define MW_PARAMETER(name, description)               \
	module_param_cb(name, &mw_load_ops, NULL, 0); \
	MODULE_PARM_DESC(name, description)

MW_PARAMETER(mode, "What happens to denied segments: enforce, audit or off (default: enforce)");
MW_PARAMETER(adm, "Administration network that may reach 8450: PREFIX,PREFIX... (default: none)");
MW_PARAMETER(site, "Rows of your own: PORT:SOURCE:TARGET,... such as 22:ADM:GTW (default: none)");
MW_PARAMETER(gtw, "Computers that are GTW: this,ADDRESS,port:DEVICE,... (default: this)");
MW_PARAMETER(log, "Where denied segments are logged: off, kernel or nflog[:GROUP] (default: off)");
MW_PARAMETER(confirm,
	     "Seconds after which the mode becomes audit unless confirmed (default: never)");
MW_PARAMETER(
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

static int __init mw_init(void)
{
	struct mw_complaint c;
	const char *name;
	int error;

	error = mw_load_check(&mw_load, &name, &c);
	if (error) {
		mw_load_refuse(name, &c);
		return error;
	}
	mw_config_flows = mw_load.flows;
	error = mw_config_setup();
	if (error)
		return error;
	error = register_pernet_subsys(&mw_net_ops);
	if (error)
		goto teardown;
	error = mw_device_register();
	if (error)
		goto unregister;
	error = mw_config_load(mw_net_of(&init_net), &mw_load.spec);
	if (error)
		goto deregister;
	error = mw_control_register();
	if (error)
		goto deregister;
	mw_config_loaded(mw_net_of(&init_net), mw_load.spec.confirm);
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
	mw_config_unloads(mw_net_of(&init_net));
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
