/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The world around the packet path: what packet.c and behind.c share. The namespace, its
 * devices, sockets, routes and clock, what was asked of them, and points of TAP.
 */
#ifndef _MW_TEST_WORLD_H
#define _MW_TEST_WORLD_H

#include "hook.h"
#include "kernel.h"
#include "log.h"
#include "stats.h"

extern struct net net, other_net;
extern struct net_device eth, lo, vrf, foreign;
extern struct mw_net mn;
extern struct mw_stats stats; /* of this host */

extern struct sock connection; /* in the socket table, where look-ups find it */
extern bool connection_exists;
extern unsigned int lookups;

/* Denials that were logged, and what the last one was. */
extern unsigned int logged, log_reason, log_direction;

/* Answers to who was denied: the last one's type and code as one number. */
extern unsigned int told, told_what;

/* What the host's routes say of the device that a source is on, and how often they were asked. */
extern bool route_leads;
/* the device of the VRF that a packet came in by, if it came in by one */
extern struct net_device *in_vrf;
extern unsigned int routes_asked;

/* Packets that the plain path left to mw_general(). */
extern unsigned int generally;

extern s64 clock_seconds;

/* The hooks that are registered, and the one that cannot be. */
extern bool registered[MW_HOOKS];
extern unsigned int hook_fails;

extern unsigned int points, failures;
extern u64 cases;

/* before the network header, which is aligned as in the kernel */
#define HEADROOM 16
/* struct skb_shared_info follows the data, and more */
#define TAILROOM 64

/*
 * Lay a packet out, its first @linear bytes in the linear data and the others behind: apart, and
 * not much longer than they are, so that AddressSanitizer sees who reads past them. Return: what lies
 * behind, the caller's to free, as is the head of @skb.
 */
u8 *lay_out(struct sk_buff *skb, const u8 *bytes, unsigned int length, unsigned int linear);

void point(bool good, const char *what);

/* A point, unless another is the only one asked for. */
extern const char *only;
#define TRY(good, what)                           \
	do {                                      \
		if (!only || !strcmp(only, what)) \
			point(good, what);        \
	} while (0)

/* Says how many cases and points there were. Return: the exit status. */
int all_done(const char *of_what);

#endif /* _MW_TEST_WORLD_H */
