// SPDX-License-Identifier: GPL-2.0
/*
 * Where what mailwall keeps for a network namespace is found.
 */
#include "net.h"
#include <net/netns/generic.h>

unsigned int mw_net_id __read_mostly;

struct mw_net *mw_net_of(const struct net *net)
{
	return net_generic(net, mw_net_id);
}
