/* SPDX-License-Identifier: GPL-2.0 */
/* A denied segment as nfnetlink_log hands it over. */
#ifndef _DENIAL_H
#define _DENIAL_H

#include "command.h"
#include <linux/netlink.h>
#include <time.h>

/**
 * struct denial - a segment that was denied, or would have been
 * @time: when it was seen
 * @would: mode audit let it pass
 * @direction: enum mailwall_direction
 * @reason: enum mailwall_reason
 * @family: AF_INET, AF_INET6, or 0 where the packet is not one that can be read
 * @has_ports: the TCP header could be found: @port and @flags hold
 * @flags: byte 13 of the TCP header
 * @port: source and target, host order
 * @address: source and target, network order
 * @ifindex: devices that it came in by and leaves by, 0 for none
 * @length: of the packet, or of as much of it as the kernel hands over
 * @sequence: how many the kernel has handed over before it
 */
struct denial {
	struct timespec time;
	bool would;
	u8 direction;
	u8 reason;
	u8 family;
	bool has_ports;
	u8 flags;
	u16 port[2];
	u8 address[2][16];
	u32 ifindex[2];
	unsigned int length;
	u32 sequence;
};

/* How much of a packet is asked for: the TCP header, behind what IPv6 may put before it. */
#define DENIAL_COPY 512

/**
 * denial_read() - read a message of nfnetlink_log
 * @message: whole
 * @denial: filled in
 *
 * Return: 1; 0 if it is not of mailwall: anybody may log to a group; then only @sequence
 * is filled in; -1 if it is no packet at all.
 */
int denial_read(const struct nlmsghdr *message, struct denial *denial);

/* Which of the two ports is the one that rows are about: 0 the source's, 1 the target's. */
int denial_service(const struct denial *denial);

/* Whether that is the port of the gateway ("local"), and not the one elsewhere ("remote"). */
bool denial_is_local(const struct denial *denial);

/* The end that is not the gateway: 0 the source, 1 the target. */
int denial_peer(const struct denial *denial);

/* One line on stdout: for people, and as a JSON object. */
void denial_show(const struct denial *denial);
void denial_show_json(const struct denial *denial);

/* summary.c */

/**
 * summary_count() - count a segment by direction, port, peer and reason
 * @denial: segment
 */
void summary_count(const struct denial *denial);

/* What was counted, outbound first, on stdout; a line each. */
void summary_show(bool json);

#endif /* _DENIAL_H */
