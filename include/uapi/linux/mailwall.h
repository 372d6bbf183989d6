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
 * MAILWALL_ABI is apart from the release: it grows only when a struct or a
 * call changes its meaning. A command works with any module that has its ABI
 * number. New calls and values for reserved members may appear without a new
 * number; a module that does not know them answers -ENOTTY or -EINVAL.
 */
#ifndef _UAPI_LINUX_MAILWALL_H
#define _UAPI_LINUX_MAILWALL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MAILWALL_ABI 1

/* Limits of a policy. */
#define MAILWALL_ADM_MAX 64 /* prefixes */
#define MAILWALL_SITE_MAX 32 /* site rows */
#define MAILWALL_TABLE_ROWS 11 /* built-in rows */
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
 * struct mailwall_version - answer of MAILWALL_GET_VERSION
 * @abi: MAILWALL_ABI of the module
 * @reserved: zero
 * @release: release of the module, NUL-terminated
 */
struct mailwall_version {
	__u32 abi;
	__u32 reserved;
	char release[32];
};

/**
 * struct mailwall_policy - all that an administrator sets, as one object
 * @generation: read: counts the policies of this namespace. Written: the
 *              generation that the change is made from; if another is in force
 *              by now, -ESTALE
 * @mode: enum mailwall_mode
 * @confirm: written: seconds after which the change reverts by itself unless
 *           confirmed, 0 to make it for good; at most MAILWALL_CONFIRM_MAX.
 *           Read: seconds left, rounded up; 0 if no change waits
 * @log: enum mailwall_log
 * @log_group: nfnetlink_log group, 0 for other kinds of log
 * @adm_count: prefixes in @adm
 * @site_count: rows in @site
 * @reserved: zero
 * @adm: prefixes in any order; read: IPv4 first, then by address and length,
 *       without duplicates
 * @site: the administrator's own rows
 */
struct mailwall_policy {
	__u64 generation;
	__u32 mode;
	__u32 confirm;
	__u16 log;
	__u16 log_group;
	__u16 adm_count;
	__u16 site_count;
	__u64 reserved;
	struct mailwall_prefix adm[MAILWALL_ADM_MAX];
	struct mailwall_row site[MAILWALL_SITE_MAX];
};

/**
 * struct mailwall_row_counters - what a row has allowed
 * @row: the row
 * @reserved: zero
 * @openings: opening segments (a repeated SYN counts again)
 * @segments: all segments, opening ones included
 * @bytes: their IP packet lengths as the hook saw them
 */
struct mailwall_row_counters {
	struct mailwall_row row;
	__u32 reserved;
	__u64 openings;
	__u64 segments;
	__u64 bytes;
};

/**
 * struct mailwall_counters - answer of MAILWALL_GET_COUNTERS
 * @generation: policy whose rows these are
 * @row_count: rows in @row: the built-in ones in table order, then site rows
 * @reserved: zero
 * @log_held: denials that the kernel log's rate limit held back
 * @denied: denied segments, by enum mailwall_direction and enum mailwall_reason
 * @would_deny: the same in audit mode, where they passed
 * @row: the rows
 */
struct mailwall_counters {
	__u64 generation;
	__u32 row_count;
	__u32 reserved;
	__u64 log_held;
	__u64 denied[2][MAILWALL_REASONS];
	__u64 would_deny[2][MAILWALL_REASONS];
	struct mailwall_row_counters row[MAILWALL_TABLE_ROWS + MAILWALL_SITE_MAX];
};

/* What the caller of MAILWALL_EXPLAIN states of the connection. */
#define MAILWALL_CONNECTION_ASK 0 /* look into the socket table */
#define MAILWALL_CONNECTION_NONE 1
#define MAILWALL_CONNECTION_HELD 2

/* Fate of an explained segment. */
#define MAILWALL_FATE_PASS 0 /* a row allows it */
#define MAILWALL_FATE_DENY 1 /* denied for @reason (what then happens: @mode) */
#define MAILWALL_FATE_UNJUDGED 2 /* loopback device, or mode off */

/**
 * struct mailwall_explain - what MAILWALL_EXPLAIN is asked, and its answer
 * @hook: zero (will name the hook once there is more than one for a direction)
 * @direction: enum mailwall_direction
 * @family: AF_INET or AF_INET6
 * @flags: byte 13 of the TCP header (CWR ECE URG ACK PSH RST SYN FIN)
 * @connection: MAILWALL_CONNECTION_*
 * @data_offset: TCP data offset in 32 bit words
 * @segment_length: bytes from the TCP header to the end of the packet
 * @source_port: host order, 0 to 65535
 * @target_port: host order
 * @ifindex: device it arrives on or leaves by, 0 if that does not matter
 * @source: address, network order; IPv4 in the first four bytes
 * @target: address
 * @fate: answer: MAILWALL_FATE_*
 * @reason: answer: enum mailwall_reason, if the fate is DENY
 * @mode: answer: enum mailwall_mode that the policy has
 * @connection_found: answer: 1 if a connection was needed and is there, 0 if it
 *                    was needed and is not, 255 if it did not matter
 * @row: answer: the row that allows it, if the fate is PASS
 * @generation: answer: the policy that judged
 */
struct mailwall_explain {
	__u8 hook;
	__u8 direction;
	__u8 family;
	__u8 flags;
	__u8 connection;
	__u8 data_offset;
	__u16 segment_length;
	__u16 source_port;
	__u16 target_port;
	__u32 ifindex;
	__u8 source[16];
	__u8 target[16];
	__u8 fate;
	__u8 reason;
	__u8 mode;
	__u8 connection_found;
	struct mailwall_row row;
	__u64 generation;
};

/* Any of these may fail with -EFAULT, and -ENOTTY if the module is older. */
#define MAILWALL_IOC 'W' /* shared with watchdogs, whose numbers end at 0x0b */

/* Read the version. */
#define MAILWALL_GET_VERSION _IOR(MAILWALL_IOC, 0x40, struct mailwall_version)
/* Read the policy, and the seconds left if it waits for confirmation. */
#define MAILWALL_GET_POLICY _IOR(MAILWALL_IOC, 0x41, struct mailwall_policy)
/*
 * Replace the policy. Sleeps until no segment is judged by the old one.
 * -EPERM no CAP_NET_ADMIN; -EBUSY a change waits for confirmation; -ESTALE the
 * generation is not the one in force; -EINVAL, -E2BIG, -EEXIST the policy is
 * refused, the kernel log says which item and why; -ENOENT no logger; -ENOMEM.
 * On any error the old policy stays.
 */
#define MAILWALL_SET_POLICY _IOW(MAILWALL_IOC, 0x42, struct mailwall_policy)
/* Keep the change that waits. -EPERM; -ENODATA if none waits. */
#define MAILWALL_CONFIRM _IO(MAILWALL_IOC, 0x43)
/* Undo the change that waits. -EPERM; -ENODATA if none waits. */
#define MAILWALL_REVERT _IO(MAILWALL_IOC, 0x44)
/* Read the counters. */
#define MAILWALL_GET_COUNTERS _IOR(MAILWALL_IOC, 0x45, struct mailwall_counters)
/* Ask for the verdict on one segment. -EINVAL: the question is not valid. */
#define MAILWALL_EXPLAIN _IOWR(MAILWALL_IOC, 0x46, struct mailwall_explain)

#endif /* _UAPI_LINUX_MAILWALL_H */
