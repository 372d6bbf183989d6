/* SPDX-License-Identifier: GPL-2.0 */
/* Where packets enter. */
#ifndef _MW_HOOK_H
#define _MW_HOOK_H

#include "net.h"

/**
 * mw_hook_init() - prepare the hooks of a namespace
 * @mn: namespace; its ops are filled in
 */
void mw_hook_init(struct mw_net *mn);

/* Hooks that are registered together. */
#define MW_HOOK_HOST 1U /* LOCAL_IN and LOCAL_OUT */
#define MW_HOOK_FORWARD 2U
#define MW_HOOK_BRIDGE 4U /* the bridge family's FORWARD, LOCAL_IN and LOCAL_OUT */

/* Has the kernel hooks in bridges? A test has it say no (tests/net/no-bridge.t). */
#ifndef MW_BRIDGE_FAMILY
#define MW_BRIDGE_FAMILY IS_ENABLED(CONFIG_NETFILTER_FAMILY_BRIDGE)
#endif

/**
 * mw_hook_needed() - the sets of hooks that a policy needs
 * @policy: policy
 */
unsigned int mw_hook_needed(const struct mw_policy *policy);

/**
 * mw_hook_register() - let packets in
 * @mn: namespace with a policy and counters; its mutex is held
 * @sets: MW_HOOK_*; those that are registered stay so
 *
 * Context: may sleep.
 *
 * Return: 0, or -ENOMEM: then nothing has changed.
 */
int mw_hook_register(struct mw_net *mn, unsigned int sets);

/**
 * mw_hook_unregister() - let no more packets in
 * @mn: namespace; its mutex is held
 * @sets: MW_HOOK_*
 *
 * Packets may be in the hooks until the next grace period
 * (nf_unregister_net_hooks()). Context: may sleep.
 */
void mw_hook_unregister(struct mw_net *mn, unsigned int sets);

#endif /* _MW_HOOK_H */
