/* SPDX-License-Identifier: GPL-2.0 */
/* What mw_gateways_ends() and the naive decision say of one packet, side by side. */
#ifndef _MW_ENDS_H
#define _MW_ENDS_H

#include "gateway.h"
#include "naive.h"
#include <sys/socket.h>

static inline struct mw_path path_of(const struct naive_path *naive)
{
	struct mw_path path = {
		.place = naive->bridge		      ? MW_PLACE_BRIDGED :
			 naive->hook == NAIVE_FORWARD ? MW_PLACE_ROUTED :
							MW_PLACE_HOST,
		.ipv6 = naive->family == AF_INET6,
		.from_host = naive->hook == NAIVE_OUT,
		.to_host = naive->hook == NAIVE_IN,
		.source = naive->source,
		.target = naive->target,
		.in = naive->in,
		.out = naive->out,
		.bridge_in = naive->bridge_in,
		.bridge_out = naive->bridge_out,
	};

	return path;
}

/* The slot of an item that naive_sender() or naive_receiver() found. */
static inline u8 slot_of_item(const u8 *slot, int item)
{
	return item > 0 ? slot[item - 1] : MW_NOBODY;
}

static inline bool ends_are(const struct mw_ends *ends, const u8 *slot, int sender, int receiver)
{
	return ends->from == slot_of_item(slot, sender) &&
	       ends->to == slot_of_item(slot, receiver) &&
	       ends->from_this == (sender == NAIVE_THIS) &&
	       ends->to_this == (receiver == NAIVE_THIS);
}

#endif /* _MW_ENDS_H */
