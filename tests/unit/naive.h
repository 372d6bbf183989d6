/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The decision a second time, from POLICY.md's own words and as plainly as they
 * allow: what policy.c is compared with. Shares nothing with it but the
 * structs of the ABI and of what an administrator sets.
 */
#ifndef _MW_NAIVE_H
#define _MW_NAIVE_H

#include <stdbool.h>
#include "spec.h"

struct naive_segment {
	enum mailwall_direction direction;
	int family;
	unsigned int flags;
	unsigned int local; /* port on GTW's side */
	unsigned int remote;
	const unsigned char *peer;
	bool behind; /* GTW is behind this host */
	bool routed; /* source-routed, with hops left: whose address it is, is not known */
	bool connection; /* this host holds it, or its flow is there */
};

/**
 * struct naive_answer - the decision
 * @allowed: allowed, or denied for @reason
 * @row: number of the row that counts it: built-in ones from 0, then site rows
 * @reason: why it is denied
 * @asked: whether the socket table, or the table of flows, is needed to tell
 * @asked_back: an outbound row alone allows it, and GTW is behind: if it is no RST, its
 *              flow is to be noted
 */
struct naive_answer {
	bool allowed;
	unsigned int row;
	enum mailwall_reason reason;
	bool asked;
	bool asked_back;
};

/* Does one of the prefixes hold the address? */
bool naive_holds(const struct mw_spec *policy, int family, const unsigned char *address);

/* Number of the row with this port that has GTW at this end, or -1. */
int naive_find(const struct mw_spec *policy, bool inbound, unsigned int port);

/**
 * naive_judge_found() - steps 2 to 5 over a well-formed segment
 * @policy: policy
 * @segment: segment
 * @inbound: what naive_find() tells of its local port
 * @outbound: and of its remote port
 * @held: what naive_holds() tells of its peer
 *
 * For who judges one port or peer so often that the answer is worth keeping.
 */
struct naive_answer naive_judge_found(const struct mw_spec *policy,
				      const struct naive_segment *segment, int inbound,
				      int outbound, bool held);

/* The same, of all that is looked up. */
struct naive_answer naive_judge(const struct mw_spec *policy, const struct naive_segment *segment);

/* Where a packet is met: at the host's own hooks, at FORWARD, or in a bridge. */
enum naive_hook { NAIVE_IN, NAIVE_OUT, NAIVE_FORWARD };

/**
 * struct naive_path - a packet on its way, as a hook sees it
 * @bridge: the bridge family's hook, not the IP layer's
 * @in: device that it came in by, 0 for none: numbers stand for names
 * @out: device that it leaves by
 * @bridge_in: FORWARD, where br_netfilter shows what a bridge forwards: the port it came
 *             in by, else 0
 * @bridge_out: and the port it leaves by
 */
struct naive_path {
	bool bridge;
	enum naive_hook hook;
	int family;
	const unsigned char *source;
	const unsigned char *target;
	int in, out, bridge_in, bridge_out;
};

/* Nobody, this host, or 1 + the place of the item that says who it is. */
#define NAIVE_NOBODY 0
#define NAIVE_THIS (-1)

/**
 * naive_sender() - which GTW does the packet come from?
 * @policy: whose list of gateways it is
 * @device: for each item the number of the device that has its name, 0 if none has
 * @path: the packet
 */
int naive_sender(const struct mw_spec *policy, const int *device, const struct naive_path *path);

/* Which GTW does it go to? */
int naive_receiver(const struct mw_spec *policy, const int *device, const struct naive_path *path);

#endif /* _MW_NAIVE_H */
