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
 * -EINVAL) and are zero when read. Structs have no holes, and the same layout
 * for 32 and 64 bit callers.
 *
 * How it grows. The argument of a call begins with its size as the caller knows
 * it; a list has a stride, the size of an item as the caller knows it. Members are
 * only ever appended, and never to a struct that lies inside another one (prefix,
 * row, gtw, list, judgement). What a caller writes past what the module knows must be zero
 * (else -E2BIG); what a caller reads there is zero. What he leaves out counts as
 * zero when written and is left out when read, but a policy is read whole: if
 * anything but zeros would be left out, -ENOSPC. A size or a stride below that of
 * the first release with this ABI is -EINVAL, one above MAILWALL_SIZE_MAX -E2BIG.
 * New calls may appear; a module that does not know one answers -ENOTTY. So
 * MAILWALL_ABI, a number of its own beside the release, changes only when a struct
 * or a call changes its meaning; MAILWALL_GET_VERSION never does.
 *
 * ABI 1 (release 0.1.0) had structs of fixed size and the calls 'W' 0x40 to 0x46.
 */
#ifndef _UAPI_LINUX_MAILWALL_H
#define _UAPI_LINUX_MAILWALL_H

#include <linux/ioctl.h>
#include <linux/types.h>

#define MAILWALL_ABI 2

/* Limit of the size of a struct and of the stride of a list. */
#define MAILWALL_SIZE_MAX 4096

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
 * @MAILWALL_GTW: a computer that the list of gateways names
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
 * @MAILWALL_NO_CONNECTION: a reply to a connection that GTW does not have
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
 * enum mailwall_direction - which way the segment goes
 * @MAILWALL_IN: to GTW
 * @MAILWALL_OUT: from GTW
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
 * @items: address of the first one
 * @count: written: how many there are. Read: as written, the room there is, and
 *         afterwards how many there are; if the room is too small nothing but the
 *         counts is filled in, and the call fails with -ENOSPC
 * @stride: bytes from one item to the next, sizeof() the item's struct
 *
 * A list of zeros is one without items when written, and one that is not asked for
 * when read: only its count is filled in.
 */
struct mailwall_list {
	__aligned_u64 items;
	__u32 count;
	__u32 stride;
};

/**
 * struct mailwall_version - argument of MAILWALL_GET_VERSION
 * @size: sizeof(struct mailwall_version); read: as written, in all structs
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
 *              generation that the change is made from; if another one is in force
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
 * @in: segments that went to it and were judged
 * @out: segments that came from it and were judged
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
 * @reason: struct mailwall_reason_counters, by direction and reason, in that order; for
 *          this host, then for gateways behind if there are any
 * @gtw: struct mailwall_gtw_counters
 * @flows_noted: flows of gateways behind that were noted and not there before
 * @flows_evicted: flows of theirs that made room for others
 * @flows_missed: segments to them whose flow was asked for and not there
 */
struct mailwall_counters {
	__u32 size;
	__u32 reserved;
	__aligned_u64 generation;
	__aligned_u64 log_held;
	struct mailwall_list row;
	struct mailwall_list reason;
	struct mailwall_list gtw;
	__aligned_u64 flows_noted;
	__aligned_u64 flows_evicted;
	__aligned_u64 flows_missed;
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

/* struct mailwall_judgement: place */
#define MAILWALL_PLACE_HOST 0 /* LOCAL_IN or LOCAL_OUT */
#define MAILWALL_PLACE_FORWARD 1 /* FORWARD */
#define MAILWALL_PLACE_BRIDGE 2 /* the bridge family's hooks, which see the port of a bridge */
#define MAILWALL_PLACE_BRIDGED 3 /* FORWARD, to which br_netfilter shows it, if it does */

/**
 * struct mailwall_judgement - how a segment is judged for one of the gateways
 * @direction: enum mailwall_direction
 * @fate: MAILWALL_FATE_PASS or MAILWALL_FATE_DENY
 * @reason: enum mailwall_reason, if the fate is DENY
 * @connection_found: as in struct mailwall_explain
 * @place: MAILWALL_PLACE_*
 * @notes: 1 if it is allowed and notes its flow, so that replies will be let in
 * @reserved: zero
 * @row: the row that allows it, if the fate is PASS
 * @gtw: which item of the list of gateways it is judged for
 */
struct mailwall_judgement {
	__u8 direction;
	__u8 fate;
	__u8 reason;
	__u8 connection_found;
	__u8 place;
	__u8 notes;
	__u8 reserved[2];
	struct mailwall_row row;
	struct mailwall_gtw gtw;
};

/**
 * struct mailwall_explain - argument of MAILWALL_EXPLAIN: a segment, and what would
 * be done with it
 * @size: sizeof(struct mailwall_explain)
 * @ifindex: device it arrives on (@direction IN) or leaves by (OUT), which may be a port
 *           of a bridge. 0 with MAILWALL_HOOK_HOST if that does not matter; but with
 *           MAILWALL_HOOK_FORWARD, or where there are gateways behind, it means the device
 *           that this host's route to the other end has, and the answer says which
 * @hook: MAILWALL_HOOK_*
 * @direction: enum mailwall_direction; IN with MAILWALL_HOOK_FORWARD
 * @family: AF_INET or AF_INET6
 * @flags: byte 13 of the TCP header: CWR ECE URG ACK PSH RST SYN FIN
 * @connection: MAILWALL_CONNECTION_*
 * @data_offset: of the TCP header, in 32 bit words
 * @segment_length: bytes from the TCP header to the end of the packet
 * @source_port: host order, 0 to 65535
 * @target_port: host order
 * @out_ifindex: with MAILWALL_HOOK_FORWARD likewise the device it leaves by, @ifindex
 *               being the one it arrives on; else 0
 * @source: address, network order; IPv4 in the first four bytes
 * @target: address
 * @fate: answer: MAILWALL_FATE_*
 * @reason: answer: enum mailwall_reason, if the fate is DENY
 * @answer_mode: answer: enum mailwall_mode that the policy has
 * @connection_found: answer: 1 if a connection was needed and is there, 0 if it
 *                    was needed and is not, 255 if it did not matter
 * @row: answer: the row that allows it, if the fate is PASS
 * @generation: answer: the policy that judged
 * @judgements: answer: how many there are in @judgement; 0 if the fate is UNJUDGED
 * @reserved: zero
 * @judgement: answer: for each GTW that it goes from or to, outbound first; the rest zero.
 *             @fate, @reason, @row and @connection_found are those of the first that denies
 *             it, else of the last. (In mode enforce, what is denied outbound is not judged
 *             inbound; the answer has both.)
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
	__u8 judgements;
	__u8 reserved[7];
	struct mailwall_judgement judgement[2];
};

/*
 * Calls. The number holds no size, since each struct does. Any of them may fail with
 * -EFAULT, and with -EINVAL or -E2BIG for a size or a stride, as said above. Of what is
 * refused the kernel log says the item and the cure, at a limited rate.
 *
 * 'W' with the high bit: Documentation/userspace-api/ioctl/ioctl-number.rst has nobody
 * from 0xD0 to 0xDC.
 */
#define MAILWALL_IOC 0xD7

/* struct mailwall_version: read the version. */
#define MAILWALL_GET_VERSION _IO(MAILWALL_IOC, 0x00)
/*
 * struct mailwall_policy: read the policy, and the seconds left if it waits to be
 * confirmed. -ENOSPC.
 */
#define MAILWALL_GET_POLICY _IO(MAILWALL_IOC, 0x01)
/*
 * struct mailwall_policy: replace the policy. Sleeps until no segment is judged by the
 * old one. -EPERM no CAP_NET_ADMIN; -EBUSY a change waits to be confirmed and this one
 * has no confirm of its own (one that has is taken, starts the time anew and keeps the
 * first one's way back); -ESTALE the generation is not the one in force; -EINVAL,
 * -E2BIG, -EEXIST the policy is refused; -EOPNOTSUPP a gateway is a port of a bridge, in
 * which the kernel has no hooks; -ENOENT no logger; -ENOMEM. On any error the old policy
 * stays.
 */
#define MAILWALL_SET_POLICY _IO(MAILWALL_IOC, 0x02)
/*
 * struct mailwall_confirm: keep the change that waits, or let it wait longer. -EPERM;
 * -EINVAL too many seconds; -ENODATA if none waits, also if its time is over: then it is
 * taken back.
 */
#define MAILWALL_CONFIRM _IO(MAILWALL_IOC, 0x03)
/* No argument: undo the change that waits. -EPERM; -ENODATA if none waits. */
#define MAILWALL_REVERT _IO(MAILWALL_IOC, 0x04)
/* struct mailwall_counters: read the counters. -ENOSPC. */
#define MAILWALL_GET_COUNTERS _IO(MAILWALL_IOC, 0x05)
/*
 * struct mailwall_explain: ask for the verdict on one segment. -EINVAL the question is
 * not valid; -ENODEV no such device.
 */
#define MAILWALL_EXPLAIN _IO(MAILWALL_IOC, 0x06)

#endif /* _UAPI_LINUX_MAILWALL_H */
