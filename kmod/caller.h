/* SPDX-License-Identifier: GPL-2.0 */
/* Who calls: each call acts on the network namespace of the task that makes it. */
#ifndef _MW_CALLER_H
#define _MW_CALLER_H

#include "net.h"
#include <linux/capability.h>
#include <linux/nsproxy.h>
#include <linux/sched.h>

static inline struct mw_net *mw_caller(void)
{
	return mw_net_of(current->nsproxy->net_ns);
}

/* Not ns_capable(): a container in a user namespace must not open its own 8450. */
static inline bool mw_may_change(void)
{
	return capable(CAP_NET_ADMIN);
}

#endif /* _MW_CALLER_H */
