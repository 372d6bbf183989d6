/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The tracepoint mailwall:verdict, which tells of each judgement, allowed ones too.
 *
 * It costs the packet path nothing while it is off, not even a patched jump: it is in general.c
 * alone, and while it is on no policy is plain, so that all packets go that way.
 */
#ifndef _MW_TRACE_H
#define _MW_TRACE_H

#include "net.h"
#include <linux/in6.h>
#include <linux/tracepoint-defs.h>

DECLARE_TRACEPOINT(verdict);

/**
 * struct mw_judged - a judgement
 * @denied: @reason says why; else @port is the one of the row that allows it
 * @audit: what is denied passes all the same
 * @direction: enum mailwall_direction
 * @reason: enum mailwall_reason
 * @behind: for a gateway behind this host
 * @flags: byte 13 of the TCP header, 0 where that cannot be read
 * @port: of the row, 0 for none
 * @in: index of the device that it comes in by, 0 for none
 * @out: likewise that it leaves by
 * @source: address and port, zero where they cannot be read
 * @target: likewise
 */
struct mw_judged {
	bool denied;
	bool audit;
	u8 direction;
	u8 reason;
	bool behind;
	u8 flags;
	u16 port;
	int in;
	int out;
	struct sockaddr_in6 source;
	struct sockaddr_in6 target;
};

/* Is anybody there to be told? */
#define mw_tracing() tracepoint_enabled(verdict)

/**
 * mw_trace_verdict() - tell of a judgement
 * @skb: packet
 * @judged: judgement
 *
 * Context: packet path; RCU read side.
 */
void mw_trace_verdict(const struct sk_buff *skb, const struct mw_judged *judged);

/* Called as the first one comes to be told, and when the last one has gone. Return: 0. */
int mw_trace_start(void);
void mw_trace_stop(void);

/**
 * mw_trace_add() - from now on a namespace's policy follows whether anybody is told
 * @mn: namespace
 */
void mw_trace_add(struct mw_net *mn);
void mw_trace_remove(struct mw_net *mn);

/**
 * mw_trace_assign() - make a policy the one in force, plain only if nobody is told
 * @mn: namespace; its mutex is held
 * @policy: policy
 */
void mw_trace_assign(struct mw_net *mn, struct mw_policy *policy);

#endif /* _MW_TRACE_H */
