/* SPDX-License-Identifier: GPL-2.0 */
/* The network devices that gateways are behind, found by their names. */
#ifndef _MW_DEVICE_H
#define _MW_DEVICE_H

#include "net.h"

/**
 * mw_device_watch() - look for the devices of a list of gateways, now and later
 * @mn: namespace
 * @g: list that may be asked as soon as this returns
 * @spec: what it was built of; must stay as long as the list
 *
 * Context: may sleep; the mutex of @mn is held.
 */
void mw_device_watch(struct mw_net *mn, struct mw_gateways *g, const struct mw_spec *spec);

/**
 * mw_device_forget() - look no more
 * @mn: namespace
 * @g: list
 *
 * Context: may sleep.
 */
void mw_device_forget(struct mw_net *mn, struct mw_gateways *g);

/**
 * mw_device_register() - begin to be told of devices, in all namespaces
 *
 * Return: 0, or the error of register_netdevice_notifier().
 */
int mw_device_register(void);
void mw_device_deregister(void);

#endif /* _MW_DEVICE_H */
