// SPDX-License-Identifier: GPL-2.0
/*
 * For CBMC (tests/unit/prove): mw_policy_judge() is naive_judge() for all inputs, and
 * nothing on the way is undefined behaviour. In three steps, each for all values:
 *
 *	prove_pages	the look-up that mw_policy_build() makes of the built-in table and
 *			of up to PROVE_SITES site rows, each any valid one, gives for every
 *			port the entry of the row that a linear search finds;
 *	prove_members	the set made of up to PROVE_ADM prefixes, each any valid one in
 *			either family, holds exactly the peers that one of them holds;
 *	prove_decision	with any look-up and any set that answer so, the verdict on any
 *			segment is the naive one, and the socket table is asked if and only
 *			if it decides.
 *
 * More rows and prefixes than these only repeat the loops, which exhaustive.c, the
 * unit tests and the fuzzers run at full size.
 */
#include "policy.h"
#include "naive.c"

#ifndef PROVE_SITES
#define PROVE_SITES 2
#endif
#ifndef PROVE_ADM
#define PROVE_ADM 2
#endif

/* CBMC gives any value to what it does not know the body of. */
unsigned char nondet_byte(void);
unsigned short nondet_short(void);
_Bool nondet_bool(void);
struct mw_policy nondet_policy(void);

#define ASSUME(condition) __CPROVER_assume(condition)
#define PROVE(condition, name) __CPROVER_assert(condition, name)

static struct mw_spec spec;
static u8 site_slot[MAILWALL_SITE_MAX];
static struct mw_policy policy; /* prove gives it pages for so many site rows */

/* Site rows: valid, and no two for a port and direction. */
static void any_sites(void)
{
	unsigned int i, j;

	spec.site_count = nondet_byte();
	ASSUME(spec.site_count <= PROVE_SITES);
	for (i = 0; i < PROVE_SITES; i++) {
		bool inbound = nondet_bool();
		u16 port = nondet_short();
		u8 peer = nondet_bool() ? MAILWALL_ADM : MAILWALL_ANY;

		ASSUME(port && port != 25 && port != 110 && port != 465 && port != 587 &&
		       port != 995 && !(port == 8450 && inbound));
		spec.site[i].port = port;
		spec.site[i].source = inbound ? peer : MAILWALL_GTW;
		spec.site[i].target = inbound ? MAILWALL_GTW : peer;
		site_slot[i] = nondet_byte();
		ASSUME(site_slot[i] >= MW_SITE_SLOT && site_slot[i] < MW_SLOTS);
		for (j = 0; j < i; j++)
			ASSUME(site_slot[i] != site_slot[j] &&
			       (port != spec.site[j].port ||
				inbound != (spec.site[j].target == MAILWALL_GTW)));
	}
}

/* The slot of row number i. */
static u8 slot_of(int i)
{
	return i < MW_TABLE_ROWS ? i + 1 : site_slot[i - MW_TABLE_ROWS];
}

/* The entry that the look-up must have: of the row that a linear search finds. */
static u8 entry_of(bool inbound, unsigned int port)
{
	int i = naive_find(&spec, inbound, port);
	const struct mailwall_row *row;
	u8 peer;

	if (i < 0)
		return 0;
	row = i < MW_TABLE_ROWS ? &table[i] : &spec.site[i - MW_TABLE_ROWS];
	peer = inbound ? row->source : row->target;
	return slot_of(i) | (peer == MAILWALL_ADM ? MW_IF_HELD : 0);
}

void prove_pages(void)
{
	bool inbound = nondet_bool();
	u8 byte[2] = { nondet_byte(), nondet_byte() };
	const u16 *pages;

	any_sites();
	mw_policy_build(&policy, &spec, site_slot);
	pages = inbound ? policy.in_page : policy.out_page;
	PROVE(mw_policy_entry(&policy, pages, (const __be16 *)byte) ==
		      entry_of(inbound, byte[0] << 8 | byte[1]),
	      "entry");
	PROVE(pages[byte[0]] + MW_PAGE <= sizeof(policy.page), "room");
#ifdef PROVE_VACUOUS
	PROVE(!(spec.site_count == PROVE_SITES &&
		entry_of(inbound, byte[0] << 8 | byte[1]) == slot_of(MW_TABLE_ROWS)),
	      "reached");
#endif
}

static struct mw_segment segment;
static struct naive_segment plain;
static u8 port_bytes[4], peer[16];

static void any_segment(void)
{
	unsigned int i;

	for (i = 0; i < 4; i++)
		port_bytes[i] = nondet_byte();
	for (i = 0; i < 16; i++)
		peer[i] = nondet_byte();
	plain.direction = nondet_bool() ? MAILWALL_OUT : MAILWALL_IN;
	plain.family = nondet_bool() ? AF_INET6 : AF_INET;
	plain.flags = nondet_byte();
	plain.local = port_bytes[0] << 8 | port_bytes[1];
	plain.remote = port_bytes[2] << 8 | port_bytes[3];
	plain.peer = peer;
	plain.behind = nondet_bool();
	plain.routed = nondet_bool();
	plain.connection = nondet_bool();
	segment.direction = plain.direction;
	segment.ipv6 = plain.family == AF_INET6;
	segment.behind = plain.behind;
	segment.routed = plain.routed;
	segment.flags = plain.flags;
	segment.local = (const __be16 *)&port_bytes[0];
	segment.remote = (const __be16 *)&port_bytes[2];
	segment.peer = peer;
}

static mw_u128 bits_of(const u8 *address)
{
	mw_u128 bits = 0;
	unsigned int i;

	for (i = 0; i < 16; i++)
		bits = bits << 8 | address[i];
	return bits;
}

/* Prefixes: valid, and in the order that mw_spec_normalise() gives. */
static void any_prefixes(void)
{
	mw_u128 before = 0;
	unsigned int i, j;

	spec.adm_count = nondet_byte();
	ASSUME(spec.adm_count <= PROVE_ADM);
	for (i = 0; i < PROVE_ADM; i++) {
		struct mailwall_prefix *prefix = &spec.adm[i];
		mw_u128 bits;

		prefix->family = nondet_bool() ? AF_INET6 : AF_INET;
		prefix->length = nondet_byte();
		ASSUME(prefix->length <= (prefix->family == AF_INET ? 32 : 128));
		for (j = 0; j < 16; j++)
			prefix->address[j] = nondet_byte();
		bits = bits_of(prefix->address);
		ASSUME(prefix->length == 128 || !(bits & ~(mw_u128)0 >> prefix->length));
		if (i && prefix[-1].family == prefix->family)
			ASSUME(before < bits ||
			       (before == bits && prefix[-1].length < prefix->length));
		else
			ASSUME(!i || prefix->family == AF_INET6);
		before = bits;
	}
}

void prove_members(void)
{
	bool held;

	any_prefixes();
	any_segment();
	mw_prefix_set_build(&policy.adm, spec.adm, spec.adm_count);
	held = !plain.routed && naive_holds(&spec, plain.family, peer);
	PROVE(mw_policy_holds(&policy, &segment) == held, "holds");
#ifdef PROVE_VACUOUS
	PROVE(!(spec.adm_count == PROVE_ADM && held), "reached");
#endif
}

static unsigned int asked;

static bool connected(const void *context)
{
	asked++;
	return *(const bool *)context;
}

void prove_decision(void)
{
	struct naive_answer want;
	unsigned int got;

	any_sites();
	any_segment();
	/* the decision meets prefixes by what they hold, and these hold all or nothing */
	spec.adm_count = nondet_bool() ? 1 : 0;
	spec.adm[0].family = nondet_bool() ? AF_INET6 : AF_INET;

	/* any look-up and any set that answer as the two steps above prove of the built ones */
	policy = nondet_policy();
	ASSUME(policy.in_page[port_bytes[0]] <= sizeof(policy.page) - MW_PAGE);
	ASSUME(policy.out_page[port_bytes[2]] <= sizeof(policy.page) - MW_PAGE);
	ASSUME(mw_policy_entry(&policy, policy.in_page, segment.local) ==
	       entry_of(true, plain.local));
	ASSUME(mw_policy_entry(&policy, policy.out_page, segment.remote) ==
	       entry_of(false, plain.remote));
	ASSUME(policy.adm.ipv4_count <= 1 && policy.adm.ipv6_count <= 1);
	ASSUME(mw_policy_holds(&policy, &segment) ==
	       (!plain.routed && naive_holds(&spec, plain.family, peer)));

	got = mw_policy_judge(&policy, &segment, connected, &plain.connection);
	want = naive_judge(&spec, &plain);
	PROVE(got == (want.allowed ? slot_of(want.row) | (want.asked_back ? MW_ASKED_BACK : 0) :
				     MW_DENY | want.reason),
	      "verdict");
	PROVE(asked == want.asked, "asked");
#ifdef PROVE_VACUOUS
	PROVE(!(want.asked && want.allowed && spec.site_count == PROVE_SITES &&
		want.row == MW_TABLE_ROWS + PROVE_SITES - 1),
	      "reached");
#endif
}
