// SPDX-License-Identifier: GPL-2.0
/*
 * For CBMC (tests/unit/prove): mw_policy_judge() is naive_judge() for all inputs, and
 * nothing on the way is undefined behaviour; and mw_gateways_ends() tells which GTW that is,
 * and which way, as naive_sender() and naive_receiver() do. In four steps, each for all values:
 *
 *	prove_pages	the look-up that mw_policy_build() makes of the built-in table and
 *			of up to PROVE_SITES site rows, each any valid one, gives for every
 *			port the entry of the row that a linear search finds;
 *	prove_members	the set made of up to PROVE_ADM prefixes, each any valid one in
 *			either family, holds exactly the peers that one of them holds;
 *	prove_ends	with any list of up to PROVE_GTW gateways, each any item, and with
 *			look-ups of an address and of a device that tell what a linear search
 *			does, a packet met anywhere is from and to whom the naive one says;
 *	prove_decision	with any look-up and any set that answer so, the verdict on any
 *			segment is the naive one, and the socket table is asked if and only
 *			if it decides.
 *
 * More rows and prefixes than these only repeat the loops, which exhaustive.c, the
 * unit tests and the fuzzers run at full size, as they do the look-ups of gateways.
 */
#include "policy.h"
#include "naive.c"
#include "ends.h"

#ifndef PROVE_SITES
#define PROVE_SITES 2
#endif
#ifndef PROVE_ADM
#define PROVE_ADM 2
#endif
#define PROVE_GTW 3

/* CBMC gives any value to what it does not know the body of. */
unsigned char nondet_byte(void);
unsigned short nondet_short(void);
int nondet_int(void);
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

static struct mw_gateways gateways; /* of which @this alone is asked here */
static u8 gtw_slot[PROVE_GTW];
static int gtw_device[PROVE_GTW];

/* A list of gateways: valid, for "this" is listed once and first, and no two devices are one. */
static void any_gateways(void)
{
	unsigned int i, j;

	spec.gtw_count = nondet_byte();
	ASSUME(spec.gtw_count >= 1 && spec.gtw_count <= PROVE_GTW);
	for (i = 0; i < PROVE_GTW; i++) {
		struct mailwall_gtw *item = &spec.gtw[i];

		item->kind = nondet_byte();
		ASSUME(item->kind == MAILWALL_GTW_PREFIX || item->kind == MAILWALL_GTW_PORT ||
		       (item->kind == MAILWALL_GTW_THIS && !i));
		item->prefix.family = nondet_bool() ? AF_INET6 : AF_INET;
		/* which of them hold an address, and which says most of it, is all that counts */
		item->prefix.length = nondet_byte();
		ASSUME(item->prefix.length <= PROVE_GTW);
		item->prefix.address[0] = nondet_byte();
		gtw_slot[i] = nondet_byte();
		ASSUME(gtw_slot[i] != MW_NOBODY && gtw_slot[i] < MW_GTW_SLOTS);
		gtw_device[i] = nondet_int();
		ASSUME(gtw_device[i] >= 0);
		for (j = 0; j < i; j++)
			ASSUME(gtw_slot[i] != gtw_slot[j] &&
			       (!gtw_device[i] || gtw_device[i] != gtw_device[j]));
	}
}

/* In place of mw_gateway_of_ipv4(), mw_gateway_of_ipv6() and mw_gateway_of_port(). */
u8 prove_of_address(bool ipv6, const void *address)
{
	return slot_of_item(gtw_slot, by_address(&spec, ipv6 ? AF_INET6 : AF_INET, address));
}

u8 prove_of_device(int device)
{
	/* an item whose device is not there has this number too */
	return device ? slot_of_item(gtw_slot, by_device(&spec, gtw_device, device)) :
			nondet_byte();
}

void prove_ends(void)
{
	static u8 source[16], target[16];
	struct naive_path naive = { .source = source, .target = target };
	struct mw_path path;
	int sender, receiver;
	struct mw_ends ends;
	unsigned int i;

	any_gateways();
	for (i = 0; i < 16; i++) {
		source[i] = nondet_byte();
		target[i] = nondet_byte();
	}
	naive.bridge = nondet_bool();
	naive.hook = nondet_bool() ? NAIVE_FORWARD : nondet_bool() ? NAIVE_IN : NAIVE_OUT;
	naive.family = nondet_bool() ? AF_INET6 : AF_INET;
	naive.in = nondet_int();
	naive.out = nondet_int();
	naive.bridge_in = nondet_int();
	naive.bridge_out = nondet_int();
	ASSUME(naive.in >= 0 && naive.out >= 0 && naive.bridge_in >= 0 && naive.bridge_out >= 0);
	/* br_netfilter shows what a bridge forwards, with both ports or none */
	ASSUME((naive.hook == NAIVE_FORWARD && !naive.bridge) || !naive.bridge_in);
	ASSUME(!naive.bridge_in == !naive.bridge_out);

	gateways.this = spec.gtw[0].kind == MAILWALL_GTW_THIS ? gtw_slot[0] : MW_NOBODY;
	path = path_of(&naive);
	sender = naive_sender(&spec, gtw_device, &naive);
	receiver = naive_receiver(&spec, gtw_device, &naive);
	ends = mw_gateways_ends(&gateways, &path);
	PROVE(ends_are(&ends, gtw_slot, sender, receiver), "ends");
#ifdef PROVE_VACUOUS
	PROVE(!(sender == PROVE_GTW && receiver > 0 && receiver < sender && naive.bridge_in),
	      "reached");
#endif
}
