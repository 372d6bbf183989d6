/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the guest's scripts ask of mailwall_bench.ko, over /dev/mailwall_bench.
 * segments.py has the same layout in struct's notation.
 */
#ifndef _MAILWALL_BENCH_H
#define _MAILWALL_BENCH_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define BENCH_PACKET 1536

/* struct bench_run: flags */
#define BENCH_OUT 0x1 /* LOCAL_OUT, else LOCAL_IN */
#define BENCH_TRACKED 0x2 /* PRE_ROUTING before LOCAL_IN, POST_ROUTING after LOCAL_OUT */
#define BENCH_FILL 0x4 /* sequence numbers from the connection, which must be there */
#define BENCH_SOCKET 0x8 /* leave the connection in skb->sk, as early demux does */
#define BENCH_FORWARD \
	0x10 /* FORWARD; with BENCH_TRACKED PRE_ROUTING before and POST_ROUTING after */
#define BENCH_BRIDGE 0x20 /* with BENCH_FORWARD: the bridge family's */

/**
 * struct bench_run - send a packet through the hooks of the caller's namespace
 * @flags: BENCH_*
 * @ifindex: device that it arrives on, or leaves by if it is sent here
 * @rounds: how often
 * @length: bytes in @packet
 * @accepted: answer: how often the chain let it pass
 * @together: start only when so many processors have come to do so too, if not 0
 * @out_ifindex: device that it leaves by, if BENCH_FORWARD
 * @reserved: none
 * @start: answer: ktime_get_ns() when the first round began
 * @ns: answer: nanoseconds (instructions, if the machine counts so) of all rounds
 * @loop_ns: answer: the same of a loop that differs only in that it calls no hook
 * @hooks: answer: hooks registered in that family, by enum nf_inet_hooks
 * @packet: from the IP header on
 */
struct bench_run {
	__u32 flags;
	__u32 ifindex;
	__u32 rounds;
	__u32 length;
	__u32 accepted;
	__u32 together;
	__u32 out_ifindex;
	__u32 reserved;
	__u64 start;
	__u64 ns;
	__u64 loop_ns;
	__u8 hooks[8];
	__u8 packet[BENCH_PACKET];
};

#define BENCH_RUN _IOWR('B', 0x71, struct bench_run)

/* What BENCH_HOOKS registers, in the caller's namespace. */
#define BENCH_NONE 0
#define BENCH_EMPTY 1 /* hooks that return NF_ACCEPT */
#define BENCH_SHARED 2 /* hooks that count in one place for all processors */
#define BENCH_LOOKUP 3 /* hooks that only ask the kernel for the socket behind a segment */
#define BENCH_HOOKS _IO('B', 0x72)

#endif /* _MAILWALL_BENCH_H */
