/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The policy: the built-in table, site rows, and the decision over one segment.
 * Pure: no sk_buff, no lock, no allocation. Compiled into the module, the command
 * and the tests, so that what is tested is what runs.
 */
#ifndef _MW_POLICY_H
#define _MW_POLICY_H

#include "portable.h"
#include "prefix.h"
#include <linux/mailwall.h>

/* Flags in byte 13 of the TCP header (RFC 9293, RFC 3168). */
#define MW_FIN 0x01
#define MW_SYN 0x02
#define MW_RST 0x04
#define MW_PSH 0x08
#define MW_ACK 0x10
#define MW_URG 0x20

/*
 * Every row that is in force has a slot, under which it is counted: 0 means no
 * row, then the built-in rows in table order, then site rows. There are twice as
 * many slots for site rows as there may be rows: a policy that waits to be
 * confirmed and the one to go back to may have no row in common.
 */
#define MW_SITE_SLOT (1 + MAILWALL_TABLE_ROWS)
#define MW_SITE_SLOTS (2 * MAILWALL_SITE_MAX)
#define MW_SLOTS (MW_SITE_SLOT + MW_SITE_SLOTS)

/*
 * Entry of the port look-up: 0 where no row has the port, else the slot of the row,
 * with MW_IF_HELD if its other end is ADM.
 */
#define MW_SLOT 0x7f
#define MW_IF_HELD 0x80

/* What mw_policy_judge() returns: a slot, or this with enum mailwall_reason. */
#define MW_DENY 0x200

#define MW_PAGE 256

/**
 * struct mw_policy - a policy, ready to judge by; never changed once published
 * @mode: enum mailwall_mode
 * @plain: mode is enforce and nothing is logged: a denial has nothing more to do
 * @log: enum mailwall_log
 * @in_page: where in @page the entries of inbound rows lie, by the high byte of
 *           the local port
 * @out_page: the same for outbound rows and the remote port
 * @adm: the addresses that ADM holds
 * @spec: what it was built of, ordered and without duplicates; generation is set
 *        when it is published, confirm is unused
 * @site_slot: slot of each site row in @spec
 * @size: bytes of this object
 * @page: entries by the low byte of the port; the first page is empty and
 *        serves all high bytes that no row has
 *
 * Two look-ups of a byte find the row, however many rows there are, in a tenth
 * of the 128 KiB that two plain arrays of all ports would take.
 */
struct mw_policy {
	u8 mode;
	bool plain;
	u8 log;
	u16 in_page[256];
	u16 out_page[256];
	struct mw_prefix_set adm;
	struct mailwall_policy spec;
	u8 site_slot[MAILWALL_SITE_MAX];
	u32 size;
	u8 page[];
};

/**
 * struct mw_table_row - a row of the built-in table
 * @row: the row
 * @description: the makers' words
 */
struct mw_table_row {
	struct mailwall_row row;
	const char *description;
};

extern const struct mw_table_row mw_table[MAILWALL_TABLE_ROWS];

/**
 * struct mw_segment - what the decision looks at
 * @direction: enum mailwall_direction
 * @ipv6: family of @peer
 * @flags: byte 13 of the TCP header
 * @local: port on this host's side, network order; by pointer, so that the packet
 *         path reads only what it needs
 * @remote: port on the other side, network order
 * @peer: address of the other side, network order, 4 or 16 bytes
 */
struct mw_segment {
	u8 direction;
	bool ipv6;
	u8 flags;
	const __be16 *local;
	const __be16 *remote;
	const void *peer;
};

/**
 * struct mw_verdict - what ports and flags tell of a segment
 * @row: entry of the row that allows the segment and counts it, 0 if it is denied
 * @reason: enum mailwall_reason, if it is denied
 * @if_held: ADM must hold the peer, else it is denied for MAILWALL_PEER
 * @if_connected: this host must hold the connection, else it is denied for
 *                MAILWALL_NO_CONNECTION
 *
 * The conditions are resolved in this order, and before a denial.
 */
struct mw_verdict {
	u8 row;
	u8 reason;
	bool if_held;
	bool if_connected;
};

/**
 * mw_policy_size() - bytes that a policy takes
 * @spec: valid (mw_policy_normalise())
 */
u32 mw_policy_size(const struct mailwall_policy *spec);

/**
 * mw_policy_build() - make a policy ready to judge by
 * @policy: mw_policy_size() zeroed bytes
 * @spec: valid and normalised
 * @site_slot: slots of the site rows of @spec, each used once, from
 *             MW_SITE_SLOT to MW_SLOTS - 1
 */
void mw_policy_build(struct mw_policy *policy, const struct mailwall_policy *spec,
		     const u8 *site_slot);

/**
 * mw_policy_disarm() - take the ports of all rows out of a policy
 * @policy: built, not published
 *
 * For mode off: hooks that stay while the change waits to be confirmed then deny
 * every segment, and a denial in mode off passes it, uncounted. So the packet path
 * has no question to ask about the mode before it comes to a denial.
 */
void mw_policy_disarm(struct mw_policy *policy);

/**
 * mw_policy_normalise() - check a policy that comes from outside, put it in order
 * @spec: any bytes; on success its prefixes are ordered and without duplicates,
 *        and unused entries are zero
 * @c: filled in on error
 * @text: room for an item of @c
 *
 * Return: 0, -EINVAL, -E2BIG (too many), or -EEXIST (a site row for a port that
 * has one in that direction). On error @spec is undefined.
 */
int mw_policy_normalise(struct mailwall_policy *spec, struct mw_complaint *c,
			char text[MW_PREFIX_TEXT]);

/**
 * mw_policy_adm_edit() - set, add to or remove from ADM, as sysfs and the command do
 * @spec: normalised; changed only on success
 * @s: prefixes apart by white space or commas; a sign before the first adds (+)
 *     or removes (-) all of them, without one they replace the list; white space
 *     alone empties it
 * @length: bytes of @s
 * @c: filled in on error
 *
 * Return: 0, -EINVAL, -E2BIG (more than MAILWALL_ADM_MAX), -ENOENT (to remove,
 * but not there).
 */
int mw_policy_adm_edit(struct mailwall_policy *spec, const char *s, size_t length,
		       struct mw_complaint *c);

/**
 * mw_policy_site_edit() - the same for site rows
 * @spec: normalised; changed only on success
 * @s: rows "PORT SOURCE TARGET" or "PORT:SOURCE:TARGET", apart by newlines or
 *     commas; a sign before the first, and white space alone, as in
 *     mw_policy_adm_edit()
 * @length: bytes of @s
 * @c: filled in on error
 *
 * Return: 0, -EINVAL, -E2BIG, -EEXIST, -ENOENT.
 */
int mw_policy_site_edit(struct mailwall_policy *spec, const char *s, size_t length,
			struct mw_complaint *c);

/**
 * mw_policy_mode_edit() - set the mode
 * @spec: changed only on success
 * @s: "enforce", "audit" or "off", white space around it left out
 * @length: bytes of @s
 * @c: filled in on error
 *
 * Return: 0, or -EINVAL.
 */
int mw_policy_mode_edit(struct mailwall_policy *spec, const char *s, size_t length,
			struct mw_complaint *c);

/**
 * mw_policy_log_edit() - set the logging
 * @spec: changed only on success
 * @s: "off", "kernel", "nflog" or "nflog:GROUP"
 * @length: bytes of @s
 * @c: filled in on error
 *
 * Return: 0, or -EINVAL.
 */
int mw_policy_log_edit(struct mailwall_policy *spec, const char *s, size_t length,
		       struct mw_complaint *c);

/**
 * mw_policy_has_any() - does ADM hold every address of a family?
 * @spec: normalised
 * @text: filled in with the prefix
 *
 * Accepted, but worth a warning: it opens the Management Console to the world.
 */
bool mw_policy_has_any(const struct mailwall_policy *spec, char text[MW_PREFIX_TEXT]);

/* Names as POLICY.md, sysfs and the log write them; NULL where there is none. */
const char *mw_mode_name(unsigned int mode);
const char *mw_end_name(unsigned int end);
const char *mw_reason_name(unsigned int reason);

/**
 * mw_log_print() - write the logging as mw_policy_log_edit() reads it
 * @spec: policy
 * @text: filled in
 */
int mw_log_print(const struct mailwall_policy *spec, char text[MW_PREFIX_TEXT]);

/**
 * mw_row_of_slot() - the row that a slot counts for
 * @policy: policy
 * @slot: slot that the policy uses
 */
struct mailwall_row mw_row_of_slot(const struct mw_policy *policy, unsigned int slot);

/*
 * The decision, POLICY.md "How a segment is judged". Everything below is on the
 * packet path and inlined there: softirq or process context, no lock, no call.
 */

/*
 * Step 2, one bit for each combination of URG, ACK, PSH, RST, SYN and FIN: the ones
 * of tcp_valid_flags[] in nf_conntrack_proto_tcp.c, with PSH and without.
 */
#define MW_BIT(flags) (1ULL << (flags) | 1ULL << ((flags) | MW_PSH))
#define MW_VALID_FLAGS                                                                          \
	(MW_BIT(MW_SYN) | MW_BIT(MW_SYN | MW_URG) | MW_BIT(MW_SYN | MW_ACK) | MW_BIT(MW_RST) |  \
	 MW_BIT(MW_RST | MW_ACK) | MW_BIT(MW_FIN | MW_ACK) | MW_BIT(MW_FIN | MW_ACK | MW_URG) | \
	 MW_BIT(MW_ACK) | MW_BIT(MW_ACK | MW_URG))

static __always_inline bool mw_flags_valid(u8 flags)
{
	/* 63 leaves ECE and CWR aside */
	return MW_VALID_FLAGS >> (flags & 63) & 1;
}

static __always_inline bool mw_flags_opening(u8 flags)
{
	return (flags & (MW_SYN | MW_ACK)) == MW_SYN;
}

/**
 * mw_data_offset_valid() - step 1, once 20 bytes of TCP header are there
 * @words: TCP data offset, in 32 bit words
 * @length: bytes from the TCP header to the end of the packet (or of the first
 *          fragment: RFC 7112)
 */
static __always_inline bool mw_data_offset_valid(unsigned int words, unsigned int length)
{
	return words >= 5 && words * 4 <= length;
}

static __always_inline u8 mw_policy_entry(const struct mw_policy *policy, const u16 *pages,
					  const __be16 *port)
{
	/* network order: the first byte is the high one */
	const u8 *byte = (const u8 *)port;

	return policy->page[(size_t)pages[byte[0]] + byte[1]];
}

/**
 * mw_policy_verdict() - steps 2 to 5, as far as ports and flags tell
 * @policy: policy
 * @seg: a well-formed segment; @peer is not looked at
 *
 * All rows that a segment meets ask the same of the peer, if anything: to be in
 * ADM. So that can be asked afterwards and once, as can the socket table.
 *
 * Context: any; RCU read side if the policy is a published one.
 */
static __always_inline struct mw_verdict mw_policy_verdict(const struct mw_policy *policy,
							   const struct mw_segment *seg)
{
	bool in = seg->direction == MAILWALL_IN;
	struct mw_verdict verdict = { .reason = MAILWALL_FLAGS };
	u8 here, there;

	if (unlikely(!mw_flags_valid(seg->flags)))
		return verdict;

	verdict.reason = MAILWALL_CLOSED;
	/*
	 * An inbound row for the local port decides first, whatever the direction, and
	 * alone, unless this host opens a connection of its own from that port.
	 */
	here = mw_policy_entry(policy, policy->in_page, seg->local);
	if (here && (in || !mw_flags_opening(seg->flags))) {
		verdict.row = here;
		verdict.if_held = here & MW_IF_HELD;
		return verdict;
	}
	if (in && mw_flags_opening(seg->flags))
		return verdict;

	there = mw_policy_entry(policy, policy->out_page, seg->remote);
	verdict.row = there;
	verdict.if_held = (here | there) & MW_IF_HELD;
	verdict.if_connected = in && there;
	return verdict;
}

/**
 * mw_policy_holds() - does ADM hold the peer?
 * @policy: policy
 * @seg: segment; only the peer is looked at
 */
static __always_inline bool mw_policy_holds(const struct mw_policy *policy,
					    const struct mw_segment *seg)
{
	return seg->ipv6 ? mw_prefix_set_has_ipv6(&policy->adm, seg->peer) :
			   mw_prefix_set_has_ipv4(&policy->adm, seg->peer);
}

/**
 * mw_policy_judge() - steps 2 to 5
 * @policy: policy
 * @seg: a well-formed segment
 * @connected: does this host hold the connection that the segment belongs to?
 *             Asked at most once, and only for a segment that nothing else denies
 * @context: handed to @connected
 *
 * Context: any; RCU read side if the policy is a published one.
 *
 * Return: slot of the row that allows the segment and counts it, or MW_DENY with
 * enum mailwall_reason.
 */
static __always_inline unsigned int mw_policy_judge(const struct mw_policy *policy,
						    const struct mw_segment *seg,
						    bool (*connected)(const void *context),
						    const void *context)
{
	struct mw_verdict verdict = mw_policy_verdict(policy, seg);

	if (verdict.if_held && !mw_policy_holds(policy, seg))
		return MW_DENY | MAILWALL_PEER;
	if (verdict.if_connected && !connected(context))
		return MW_DENY | MAILWALL_NO_CONNECTION;
	return verdict.row ? verdict.row & MW_SLOT : MW_DENY | verdict.reason;
}

#endif /* _MW_POLICY_H */
