/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A policy made ready, and the decision over one segment.
 * Pure: no sk_buff, no lock, no allocation. Compiled into the module, the command
 * and the tests, so that what is tested is what runs.
 */
#ifndef _MW_POLICY_H
#define _MW_POLICY_H

#include "gateway.h"
#include "prefix.h"
#include "spec.h"
#include "table.h"

/* Flags in byte 13 of the TCP header (RFC 9293, RFC 3168). */
#define MW_FIN 0x01
#define MW_SYN 0x02
#define MW_RST 0x04
#define MW_PSH 0x08
#define MW_ACK 0x10
#define MW_URG 0x20

/*
 * Every row that is in force has a slot, under which it is counted: 0 means no
 * row, then the built-in rows in table order, then site rows. There are three times as
 * many slots for site rows as there may be rows: a policy that waits to be
 * confirmed, the one that takes its place and the one to go back to may have no
 * row in common.
 */
#define MW_SITE_SLOT (1 + MW_TABLE_ROWS)
#define MW_SITE_SLOTS (3 * MAILWALL_SITE_MAX)
#define MW_SLOTS (MW_SITE_SLOT + MW_SITE_SLOTS)

/*
 * An entry of the port look-up: 0 where no row has the port, else the slot of the row,
 * with MW_IF_HELD if its other end is ADM.
 */
#define MW_SLOT 0x7f
#define MW_IF_HELD 0x80

/*
 * What mw_verdict_last() returns: a slot, perhaps with MW_ASKED_BACK, or MW_DENY with
 * enum mailwall_reason.
 */
#define MW_DENY 0x200
#define MW_ASKED_BACK 0x400

#define MW_PAGE 256
/* An empty one, and one for each row at most. */
#define MW_PAGES (1 + MW_TABLE_ROWS + MAILWALL_SITE_MAX)

/**
 * struct mw_policy - a policy, ready to judge by; never changed once published, but for
 *                    mw_policy_set_traced()
 * @plain: mode enforce, and nothing is logged or traced: what the shortest way through forward.c
 *         takes for granted (and the one through hook.c where it denies)
 * @alone: this host alone is GTW, the mode is not off, and nothing is traced: what the one
 *         through hook.c takes for granted
 * @gateways: which computers are GTW, NULL if this host is the only one; the owner's to
 *            free
 * @in_page: where in @page the entries of inbound rows lie, by the high byte of
 *           the local port
 * @out_page: the same for outbound rows and the remote port
 * @adm: the addresses that ADM holds
 * @spec: what it was built of
 * @site_slot: slot of each site row in @spec
 * @gtw_slot: slot of each item of its list of gateways
 * @page: entries by the low byte of the port; the first page is empty and
 *        serves all high bytes that no row has
 *
 * Two look-ups of a byte find the row, however many rows there are, in a tenth
 * of the 128 KiB that two plain arrays of all ports would take.
 */
struct mw_policy {
	bool plain;
	bool alone;
	struct mw_gateways *gateways;
	u16 in_page[256];
	u16 out_page[256];
	struct mw_prefix_set adm;
	struct mw_spec spec;
	u8 site_slot[MAILWALL_SITE_MAX];
	u8 gtw_slot[MAILWALL_GTW_MAX];
	u8 page[MW_PAGES * MW_PAGE];
};

/**
 * struct mw_segment - what the decision looks at
 * @direction: enum mailwall_direction
 * @ipv6: family of @peer
 * @behind: GTW is a gateway behind this host, not the host itself
 * @routed: source-routed, with hops left: the address that is @peer is not the peer's
 * @flags: byte 13 of the TCP header
 * @local: port on GTW's side, network order; by pointer, so that the packet
 *         path reads only what it needs
 * @remote: port on the other side, network order
 * @peer: address of the other side, network order, 4 or 16 bytes
 */
struct mw_segment {
	u8 direction;
	bool ipv6;
	bool behind;
	bool routed;
	u8 flags;
	const __be16 *local;
	const __be16 *remote;
	const void *peer;
};

/**
 * mw_policy_build() - make a policy ready to judge by
 * @policy: zeroed
 * @spec: normalised
 * @site_slot: slots of the site rows of @spec, each used once, from
 *             MW_SITE_SLOT to MW_SLOTS - 1
 */
void mw_policy_build(struct mw_policy *policy, const struct mw_spec *spec, const u8 *site_slot);

/**
 * mw_policy_set_gateways() - tell a policy which computers are GTW
 * @policy: built, not published
 * @g: zeroed, the owner's to free; NULL unless mw_spec_is_behind()
 * @slot: slots of the items of its list, each used once, from 1 to MW_GTW_SLOTS - 1
 */
void mw_policy_set_gateways(struct mw_policy *policy, struct mw_gateways *g, const u8 *slot);

/**
 * mw_policy_set_traced() - say by which way packets go
 * @policy: built, and perhaps in force: either way they are judged alike
 * @traced: all are to go by general.c
 */
void mw_policy_set_traced(struct mw_policy *policy, bool traced);

/* The name of a reason as docs/decision.md, sysfs and the log write it; NULL where there is none. */
const char *mw_reason_name(unsigned int reason);

/**
 * mw_gtw_of_slot() - the item of the list of gateways that a slot counts for
 * @policy: policy
 * @slot: slot that the policy uses
 */
struct mailwall_gtw mw_gtw_of_slot(const struct mw_policy *policy, u8 slot);

/**
 * mw_row_of_slot() - the row that a slot counts for
 * @policy: policy
 * @slot: slot that the policy uses
 */
struct mailwall_row mw_row_of_slot(const struct mw_policy *policy, unsigned int slot);

/*
 * The decision, docs/decision.md "How a segment is judged". Everything below is on the
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
	u64 valid = MW_VALID_FLAGS;

	/* a constant would be shifted and tested in two instructions, not in one */
	OPTIMIZER_HIDE_VAR(valid);
	/* 63 leaves ECE and CWR aside */
	return valid >> (flags & 63) & 1;
}

static __always_inline bool mw_flags_opening(u8 flags)
{
	return (flags & (MW_SYN | MW_ACK)) == MW_SYN;
}

/**
 * mw_data_offset_bytes() - length of a TCP header, options included
 * @byte: byte 12 of it, whose high half is the data offset in 32 bit words
 */
static __always_inline unsigned int mw_data_offset_bytes(u8 byte)
{
	return byte >> 2 & 0x3c;
}

/**
 * mw_data_offset_valid() - step 1, once 20 bytes of TCP header are there
 * @byte: byte 12 of the TCP header
 * @length: bytes from the TCP header to the end of the packet (or of the first
 *          fragment: RFC 7112)
 */
static __always_inline bool mw_data_offset_valid(u8 byte, unsigned int length)
{
	unsigned int header = mw_data_offset_bytes(byte);

	return header >= 20 && header <= length;
}

static __always_inline u8 mw_policy_entry(const struct mw_policy *policy, const u16 *pages,
					  const __be16 *port)
{
	/* network order: the first byte is the high one */
	const u8 *byte = (const u8 *)port;

	return policy->page[(size_t)pages[byte[0]] + byte[1]];
}

/**
 * struct mw_verdict - what is known of a segment's fate
 * @row: entry of the row that allows it and counts it, 0 if it is denied
 * @reason: enum mailwall_reason, if it is denied
 * @if_held: open: ADM must hold the peer, else it is denied for MAILWALL_PEER
 * @if_connected: open: the connection must be there, else it is denied for
 *                MAILWALL_NO_CONNECTION
 * @asked_back: of an outbound segment of a gateway behind: an outbound row alone allows it,
 *              so what comes back will be asked for its connection
 *
 * What is open is settled in this order, and before a denial. (In members, not in bits:
 * what is known where it is known then takes no instruction.)
 */
struct mw_verdict {
	u8 row;
	u8 reason;
	bool if_held;
	bool if_connected;
	bool asked_back;
};

/**
 * mw_policy_look() - steps 2 to 5, as far as ports and flags tell
 * @policy: policy
 * @seg: a well-formed segment; @peer is not looked at
 *
 * All rows that a segment meets ask the same of the peer, if anything: to be in
 * ADM. So that can be asked afterwards and once, as can the socket table:
 * mw_policy_settle_peer(), mw_policy_settle_connection().
 *
 * Context: any; RCU read side if the policy is a published one.
 */
static __always_inline struct mw_verdict mw_policy_look(const struct mw_policy *policy,
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
	verdict.asked_back = seg->behind && !in && there && !here;
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
	if (seg->routed)
		return false;
	return seg->ipv6 ? mw_prefix_set_has_ipv6(&policy->adm, seg->peer) :
			   mw_prefix_set_has_ipv4(&policy->adm, seg->peer);
}

/**
 * mw_policy_settle_peer() - answer whether ADM holds the peer
 * @policy: policy
 * @seg: segment
 * @verdict: where that is open
 */
static __always_inline struct mw_verdict mw_policy_settle_peer(const struct mw_policy *policy,
							       const struct mw_segment *seg,
							       struct mw_verdict verdict)
{
	if (!mw_policy_holds(policy, seg))
		return (struct mw_verdict){ .reason = MAILWALL_PEER };
	verdict.if_held = false;
	return verdict;
}

/**
 * mw_policy_settle_connection() - answer whether the connection is there
 * @verdict: where that is open, and nothing else
 * @connected: is it?
 */
static __always_inline struct mw_verdict mw_policy_settle_connection(struct mw_verdict verdict,
								     bool connected)
{
	if (!connected)
		return (struct mw_verdict){ .reason = MAILWALL_NO_CONNECTION };
	verdict.if_connected = false;
	return verdict;
}

/**
 * mw_verdict_last() - the last word
 * @verdict: with nothing open
 *
 * Return: slot of the row that allows the segment and counts it, with MW_ASKED_BACK where
 * @verdict has that, or MW_DENY with enum mailwall_reason.
 */
static __always_inline unsigned int mw_verdict_last(struct mw_verdict verdict)
{
	if (!verdict.row)
		return MW_DENY | verdict.reason;
	return (verdict.row & MW_SLOT) | (verdict.asked_back ? MW_ASKED_BACK : 0);
}

/**
 * mw_verdict_notes() - does a segment note its flow, if its sender is where it claims to be?
 * @verdict: of mw_verdict_last()
 * @flags: of the segment
 */
static __always_inline bool mw_verdict_notes(unsigned int verdict, u8 flags)
{
	return verdict & MW_ASKED_BACK && !(flags & MW_RST);
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
 * Return: as mw_verdict_last().
 */
static __always_inline unsigned int mw_policy_judge(const struct mw_policy *policy,
						    const struct mw_segment *seg,
						    bool (*connected)(const void *context),
						    const void *context)
{
	struct mw_verdict verdict = mw_policy_look(policy, seg);

	if (verdict.if_held)
		verdict = mw_policy_settle_peer(policy, seg, verdict);
	if (verdict.if_connected)
		verdict = mw_policy_settle_connection(verdict, connected(context));
	return mw_verdict_last(verdict);
}

#endif /* _MW_POLICY_H */
