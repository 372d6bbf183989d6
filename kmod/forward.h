/* SPDX-License-Identifier: GPL-2.0 */
/* Where packets of gateways behind this host enter: FORWARD, and the bridge's hooks. */
#ifndef _MW_FORWARD_H
#define _MW_FORWARD_H

#include <linux/netfilter.h>

nf_hookfn mw_forward_ipv4;
nf_hookfn mw_forward_ipv6;
nf_hookfn mw_forward_bridge;
nf_hookfn mw_bridge_host; /* the bridge family's LOCAL_IN and LOCAL_OUT */

#endif /* _MW_FORWARD_H */
