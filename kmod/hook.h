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

/**
 * mw_hook_register() - let packets in
 * @mn: namespace with a policy and counters
 *
 * Context: may sleep.
 *
 * Return: 0, or -ENOMEM.
 */
int mw_hook_register(struct mw_net *mn);

/**
 * mw_hook_unregister() - let no more packets in
 * @mn: namespace
 *
 * Packets may be in the hooks until the next grace period
 * (nf_unregister_net_hooks()). Context: may sleep.
 */
void mw_hook_unregister(struct mw_net *mn);

#endif /* _MW_HOOK_H */
