/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * mailwall: the ABI between mailwall.ko and its users.
 *
 * /dev/mailwall takes a few ioctls, each of them whole: a policy is read and
 * written in one call, so that no two of its parts ever come from different
 * moments. Every call acts on the network namespace of the calling task at the
 * moment of the call. Calls that change something need CAP_NET_ADMIN in the
 * initial user namespace.
 *
 * All numbers are in host byte order, except addresses, which are byte strings
 * in network order. All reserved members must be zero when written (else
 * -EINVAL) and are zero when read. Structs have the same layout for 32 and
 * 64 bit callers.
 *
 * How it grows. Every struct that a call takes begins with its size as the
 * caller knows it; lists have a stride, the size of an item as the caller knows
 * it. Members are only ever appended. What a caller writes past what the module
 * knows must be zero (else -E2BIG), what it leaves out counts as zero; what a
 * caller reads past what the module knows is zeroed, what it has no room for is
 * left out (copy_struct_from_user() describes the scheme). A size or a stride
 * below that of MAILWALL_ABI's first release is -EINVAL. New calls may appear; a
 * module that does not know one answers -ENOTTY. So MAILWALL_ABI, which is apart
 * from the release, grows only when a struct or a call changes its meaning.
 *
 * ABI 1 (release 0.1.0) had fixed structs and the calls 'W' 0x40 to 0x46.
 */
#ifndef _UAPI_LINUX_MAILWALL_H
#define _UAPI_LINUX_MAILWALL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MAILWALL_ABI 2

/* Limits of a policy. */
#define MAILWALL_ADM_MAX 64 /* prefixes */
#define MAILWALL_SITE_MAX 32 /* site rows */
#define MAILWALL_GTW_MAX 32 /* items that say which computers are GTW */
#define MAILWALL_CONFIRM_MAX 86400 /* seconds */

/**
 * enum mailwall_mode - what happens to a segment that is denied
 * @MAILWALL_OFF: no hook is registered, nothing is judged or counted
 * @MAILWALL_AUDIT: it passes, counted and logged as "would-deny"
 * @MAILWALL_ENFORCE: it is dropped; outbound, connect(2) fails with
 *                    ECONNREFUSED at once
 */
enum mailwall_mode {
	MAILWALL_OFF,
	MAILWALL_AUDIT,
	MAILWALL_ENFORCE,
};

/**
 * enum mailwall_end - the source or the target of a row
 * @MAILWALL_ANY: any computer
 * @MAILWALL_ADM: a computer that one of the administrator's prefixes holds
 * @MAILWALL_GTW: this host
 */
enum mailwall_end {
	MAILWALL_ANY,
	MAILWALL_ADM,
	MAILWALL_GTW,
};

/**
 * enum mailwall_reason - why a segment is denied, in the order they are judged
 * @MAILWALL_MALFORMED: the TCP header is cut short or contradicts itself, or
 *                      an IPv6 header chain cannot be walked
 * @MAILWALL_FLAGS: no valid combination of TCP flags
 * @MAILWALL_PEER: a row has the port but does not hold the peer
 * @MAILWALL_NO_CONNECTION: a reply to a connection that this host does not have
 * @MAILWALL_CLOSED: no row has the port
 * @MAILWALL_REASONS: how many reasons there are
 */
enum mailwall_reason {
	MAILWALL_MALFORMED,
	MAILWALL_FLAGS,
	MAILWALL_PEER,
	MAILWALL_NO_CONNECTION,
	MAILWALL_CLOSED,
	MAILWALL_REASONS,
};

/**
 * enum mailwall_direction - which hook sees the segment
 * @MAILWALL_IN: towards this host (LOCAL_IN)
 * @MAILWALL_OUT: from this host (LOCAL_OUT)
 */
enum mailwall_direction {
	MAILWALL_IN,
	MAILWALL_OUT,
};

/**
 * enum mailwall_log - where denied segments are logged
 * @MAILWALL_LOG_OFF: nowhere
 * @MAILWALL_LOG_KERNEL: kernel log, rate limited
 * @MAILWALL_LOG_NFLOG: an nfnetlink_log group
 */
enum mailwall_log {
	MAILWALL_LOG_OFF,
	MAILWALL_LOG_KERNEL,
	MAILWALL_LOG_NFLOG,
};

/**
 * struct mailwall_prefix - one prefix of the administration network
 * @family: AF_INET or AF_INET6
 * @length: 0 to 32, or 0 to 128
 * @reserved: zero
 * @address: network order; IPv4 in the first four bytes, the rest zero; bits
 *           past @length must be zero
 */
struct mailwall_prefix {
	__u8 family;
	__u8 length;
	__u8 reserved[2];
	__u8 address[16];
};

/**
 * struct mailwall_row - one row of the table
 * @port: 1 to 65535, host order: local if @target is GTW, remote if @source is
 * @source: enum mailwall_end
 * @target: enum mailwall_end; exactly one of the two is MAILWALL_GTW
 */
struct mailwall_row {
	__u16 port;
	__u8 source;
	__u8 target;
};

/**
 * enum mailwall_gtw_kind - what an item of the list of gateways is
 * @MAILWALL_GTW_THIS: the host that mailwall runs on
 * @MAILWALL_GTW_PREFIX: computers behind this host, by address
 * @MAILWALL_GTW_PORT: whatever is behind a network device, by the device's name
 */
enum mailwall_gtw_kind {
	MAILWALL_GTW_THIS,
	MAILWALL_GTW_PREFIX,
	MAILWALL_GTW_PORT,
};

/**
 * struct mailwall_gtw - an item of the list that says which computers are GTW
 * @kind: enum mailwall_gtw_kind
 * @reserved: zero
 * @prefix: for MAILWALL_GTW_PREFIX, else all zero
 * @device: for MAILWALL_GTW_PORT: name of the device, NUL-terminated and padded
 *          with NULs, else all zero
 */
struct mailwall_gtw {
	__u8 kind;
	__u8 reserved[3];
	struct mailwall_prefix prefix;
	char device[16];
};

/**
 * struct mailwall_list - items in the caller's memory
 * @items: address of the first one, 0 if @count is 0
 * @count: written: how many there are; read: as written, the room there is, and
 *         afterwards how many there are. If the room is too small nothing but the
 *         counts is filled in, and the call fails with -ENOSPC
 * @stride: bytes from one item to the next, sizeof() the item's struct
 */
struct mailwall_list {
	__aligned_u64 items;
	__u32 count;
	__u32 stride;
};

/**
 * struct mailwall_version - argument of MAILWALL_GET_VERSION
 * @size: sizeof(struct mailwall_version)
 * @abi: MAILWALL_ABI of the module
 * @release: release of the module, NUL-terminated
 */
struct mailwall_version {
	__u32 size;
	__u32 abi;
	char release[32];
};

/**
 * struct mailwall_policy - all that an administrator sets, as one object
 * @size: sizeof(struct mailwall_policy)
 * @mode: enum mailwall_mode
 * @generation: read: counts the policies of this namespace, from 1. Written: the
 *              generation that the change is made from; if another is in force
 *              by now, -ESTALE
 * @confirm: written: seconds after which the change reverts by itself unless
 *           confirmed, 0 to make it for good; at most MAILWALL_CONFIRM_MAX.
 *           Read: seconds left, rounded up; 0 if no change waits
 * @log: enum mailwall_log
 * @log_group: nfnetlink_log group, 0 for other kinds of log
 * @adm: struct mailwall_prefix in any order; read: IPv4 first, then by address
 *       and length, without duplicates
 * @site: struct mailwall_row, the administrator's own rows
 * @gtw: struct mailwall_gtw, which computers are GTW; at least one
 */
struct mailwall_policy {
	__u32 size;
	__u32 mode;
	__aligned_u64 generation;
	__u32 confirm;
	__u16 log;
	__u16 log_group;
	struct mailwall_list adm;
	struct mailwall_list site;
	struct mailwall_list gtw;
};

/**
 * struct mailwall_confirm - argument of MAILWALL_CONFIRM
 * @size: sizeof(struct mailwall_confirm)
 * @extend: 0 to keep the change that waits for good, else seconds from now on
 *          that it waits for another confirm; at most MAILWALL_CONFIRM_MAX
 */
struct mailwall_confirm {
	__u32 size;
	__u32 extend;
};

/**
 * struct mailwall_row_counters - what a row has allowed
 * @row: the row
 * @behind: 0: counted for this host; 1: for all gateways behind it
 * @reserved: zero
 * @openings: opening segments (a repeated SYN counts again)
 * @segments: all segments, opening ones included
 * @bytes: their IP packet lengths as the hook saw them
 */
struct mailwall_row_counters {
	struct mailwall_row row;
	__u8 behind;
	__u8 reserved[3];
	__aligned_u64 openings;
	__aligned_u64 segments;
	__aligned_u64 bytes;
};

/**
 * struct mailwall_reason_counters - what was denied for a reason
 * @direction: enum mailwall_direction
 * @reason: enum mailwall_reason
 * @behind: as in struct mailwall_row_counters
 * @reserved: zero
 * @denied: segments denied
 * @would_deny: segments that mode audit let pass
 */
struct mailwall_reason_counters {
	__u8 direction;
	__u8 reason;
	__u8 behind;
	__u8 reserved[5];
	__aligned_u64 denied;
	__aligned_u64 would_deny;
};

/**
 * struct mailwall_gtw_counters - what an item of the list of gateways saw
 * @gtw: the item
 * @in: segments that came to it and were judged
 * @out: segments that it sent and that were judged
 */
struct mailwall_gtw_counters {
	struct mailwall_gtw gtw;
	__aligned_u64 in;
	__aligned_u64 out;
};

/**
 * struct mailwall_counters - argument of MAILWALL_GET_COUNTERS
 * @size: sizeof(struct mailwall_counters)
 * @reserved: zero
 * @generation: policy whose rows and gateways these are
 * @log_held: denials that the kernel log's rate limit held back
 * @row: struct mailwall_row_counters, the built-in rows in table order, then site
 *       rows; for this host, then for gateways behind if there are any
 * @reason: struct mailwall_reason_counters
 * @gtw: struct mailwall_gtw_counters
 */
struct mailwall_counters {
	__u32 size;
	__u32 reserved;
	__aligned_u64 generation;
	__aligned_u64 log_held;
	struct mailwall_list row;
	struct mailwall_list reason;
	struct mailwall_list gtw;
};

/* struct mailwall_explain: connection */
#define MAILWALL_CONNECTION_ASK 0 /* ask the socket table, or the flows of gateways behind */
#define MAILWALL_CONNECTION_NONE 1 /* none is there */
#define MAILWALL_CONNECTION_HELD 2 /* one is there */

/* struct mailwall_explain: hook */
#define MAILWALL_HOOK_HOST 0 /* LOCAL_IN or LOCAL_OUT, by the direction */
#define MAILWALL_HOOK_FORWARD 1 /* on its way through this host */

/* struct mailwall_explain: fate */
#define MAILWALL_FATE_PASS 0 /* a row allows it */
#define MAILWALL_FATE_DENY 1 /* denied; in mode audit it passes all the same */
#define MAILWALL_FATE_UNJUDGED 2 /* not judged: mode off, loopback, no gateway's */

/**
 * struct mailwall_explain - argument of MAILWALL_EXPLAIN: a segment, and what would
 * be done with it
 * @size: sizeof(struct mailwall_explain)
 * @ifindex: device it arrives on (@direction IN) or leaves by (OUT), 0 if that
 *           does not matter
 * @hook: MAILWALL_HOOK_*
 * @direction: enum mailwall_direction; IN with MAILWALL_HOOK_FORWARD
 * @family: AF_INET or AF_INET6
 * @flags: byte 13 of the TCP header: CWR ECE URG ACK PSH RST SYN FIN
 * @connection: MAILWALL_CONNECTION_*
 * @data_offset: of the TCP header, in 32 bit words
 * @segment_length: bytes from the TCP header to the end of the packet
 * @source_port: host order, 0 to 65535
 * @target_port: host order
 * @out_ifindex: with MAILWALL_HOOK_FORWARD the device it leaves by, @ifindex being
 *               the one it arrives on; else 0
 * @source: address, network order; IPv4 in the first four bytes
 * @target: address
 * @fate: answer: MAILWALL_FATE_*
 * @reason: answer: enum mailwall_reason, if the fate is DENY
 * @answer_mode: answer: enum mailwall_mode that the policy has
 * @connection_found: answer: 1 if a connection was needed and is there, 0 if it
 *                    was needed and is not, 255 if it did not matter
 * @row: answer: the row that allows it, if the fate is PASS
 * @generation: answer: the policy that judged
 */
struct mailwall_explain {
	__u32 size;
	__u32 ifindex;
	__u8 hook;
	__u8 direction;
	__u8 family;
	__u8 flags;
	__u8 connection;
	__u8 data_offset;
	__u16 segment_length;
	__u16 source_port;
	__u16 target_port;
	__u32 out_ifindex;
	__u8 source[16];
	__u8 target[16];
	__u8 fate;
	__u8 reason;
	__u8 answer_mode;
	__u8 connection_found;
	struct mailwall_row row;
	__aligned_u64 generation;
};

/*
 * Calls. The number holds no size, since each struct does. Any of them may fail with
 * -EFAULT, -EINVAL or -E2BIG for a size as said above, and -ENOTTY if the module is
 * older.
 */
#define MAILWALL_IOC 0xBB /* not in Documentation/userspace-api/ioctl/ioctl-number.rst */

/* Read the version. */
#define MAILWALL_GET_VERSION _IO(MAILWALL_IOC, 0x00)
/* Read the policy, and the seconds left if it waits for confirmation. -ENOSPC. */
#define MAILWALL_GET_POLICY _IO(MAILWALL_IOC, 0x01)
/*
 * Replace the policy. Sleeps until no segment is judged by the old one.
 * -EPERM no CAP_NET_ADMIN; -EBUSY a change waits for confirmation and this one has
 * no confirm of its own (one that has is taken, starts the time anew and keeps the
 * first one's way back); -ESTALE the generation is not the one in force; -EINVAL,
 * -E2BIG, -EEXIST the policy is refused, the kernel log says which item and why;
 * -ENOENT no logger; -ENOMEM. On any error the old policy stays.
 */
#define MAILWALL_SET_POLICY _IO(MAILWALL_IOC, 0x02)
/*
 * Keep the change that waits, or let it wait longer. -EPERM; -ENODATA if none waits,
 * also if its time is over: then it is taken back.
 */
#define MAILWALL_CONFIRM _IO(MAILWALL_IOC, 0x03)
/* Undo the change that waits. No argument. -EPERM; -ENODATA if none waits. */
#define MAILWALL_REVERT _IO(MAILWALL_IOC, 0x04)
/* Read the counters. -ENOSPC. */
#define MAILWALL_GET_COUNTERS _IO(MAILWALL_IOC, 0x05)
/* Ask for the verdict on one segment. -EINVAL: the question is not valid. */
#define MAILWALL_EXPLAIN _IO(MAILWALL_IOC, 0x06)

#endif /* _UAPI_LINUX_MAILWALL_H */
