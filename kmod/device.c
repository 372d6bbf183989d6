// SPDX-License-Identifier: GPL-2.0
/*
 * The network devices that gateways are behind. They come and go and change their names
 * while packets are judged; an item of the list means whatever has the name now.
 *
 * A lock of its own, since the notifier runs under RTNL: who holds the mutex of a
 * namespace waits for grace periods, and a container must not keep the host's RTNL so long.
 */
#include "device.h"
#include <linux/netdevice.h>

static void mw_resolve(struct mw_net *mn, const struct mw_watched *watched)
{
	unsigned int i;

	rcu_read_lock();
	for (i = 0; i < watched->gateways->ports; i++) {
		const struct mailwall_gtw *item =
			&watched->spec->gtw[watched->gateways->port_item[i]];
		const struct net_device *dev = dev_get_by_name_rcu(mn->net, item->device);

		mw_gateways_resolve(watched->gateways, i, dev ? dev->ifindex : 0);
	}
	rcu_read_unlock();
}

void mw_device_watch(struct mw_net *mn, struct mw_gateways *g, const struct mw_spec *spec)
{
	int i;

	spin_lock(&mn->watched_lock);
	for (i = 0; i < MW_WATCHED; i++) {
		if (mn->watched[i].gateways)
			continue;
		mn->watched[i].gateways = g;
		mn->watched[i].spec = spec;
		mw_resolve(mn, &mn->watched[i]);
		break;
	}
	spin_unlock(&mn->watched_lock);
	/* the policy in force, the one to go back to, and the one that is about to be */
	WARN_ON_ONCE(i == MW_WATCHED);
}

void mw_device_forget(struct mw_net *mn, struct mw_gateways *g)
{
	int i;

	spin_lock(&mn->watched_lock);
	for (i = 0; i < MW_WATCHED; i++)
		if (mn->watched[i].gateways == g)
			mn->watched[i].gateways = NULL;
	spin_unlock(&mn->watched_lock);
}

static int mw_device_event(struct notifier_block *block, unsigned long event, void *info)
{
	struct mw_net *mn = mw_net_of(dev_net(netdev_notifier_info_to_dev(info)));
	int i;

	/* By now a device that goes is found no more, and one that comes is. */
	if (event != NETDEV_REGISTER && event != NETDEV_UNREGISTER && event != NETDEV_CHANGENAME)
		return NOTIFY_DONE;
	spin_lock(&mn->watched_lock);
	for (i = 0; i < MW_WATCHED; i++)
		if (mn->watched[i].gateways)
			mw_resolve(mn, &mn->watched[i]);
	spin_unlock(&mn->watched_lock);
	return NOTIFY_DONE;
}

static struct notifier_block mw_device_block = {
	.notifier_call = mw_device_event,
};

int mw_device_register(void)
{
	return register_netdevice_notifier(&mw_device_block);
}

void mw_device_deregister(void)
{
	unregister_netdevice_notifier(&mw_device_block);
}
