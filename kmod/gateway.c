// SPDX-License-Identifier: GPL-2.0
/* Lists of gateways made ready to be asked. */
#include "gateway.h"

/* The bits of byte number @at of an address that a prefix of this length tells of. */
static u8 mw_mask_byte(unsigned int length, unsigned int at)
{
	if (length <= at * 8)
		return 0;
	return length >= at * 8 + 8 ? 0xff : 0xff << (at * 8 + 8 - length);
}

/* The values that a byte of an address may have if the prefix holds it. */
static void mw_add_byte(u32 table[256], u8 address, u8 mask, u32 bit)
{
	unsigned int value;

	for (value = 0; value < 256; value++)
		if ((value & mask) == address)
			table[value] |= bit;
}

/*
 * What a byte is good for: above all to tell prefixes apart that no byte before has told
 * apart, then to tell other computers from those in as many prefixes as may be. @apart: for
 * each prefix, a bit for every one that it was told apart from; @more: and with this byte.
 */
static unsigned int mw_byte_worth(const struct mw_gateways *g, unsigned int at, u32 ipv6,
				  const u32 *apart, u32 *more)
{
	unsigned int i, j, worth = 0;

	for (i = 0; i < g->prefixes; i++) {
		const u8 *word = (const u8 *)g->prefix[i].word;
		const u8 *mask = (const u8 *)g->prefix[i].mask;

		more[i] = apart[i];
		if (!(ipv6 >> i & 1))
			continue;
		worth += mask[at] ? 1 : 0;
		for (j = 0; j < g->prefixes; j++) {
			u8 differs = word[at] ^ ((const u8 *)g->prefix[j].word)[at];

			if (!(ipv6 >> j & 1) || apart[i] >> j & 1 ||
			    !(differs & mask[at] & ((const u8 *)g->prefix[j].mask)[at]))
				continue;
			more[i] |= 1U << j;
			worth += MAILWALL_GTW_MAX;
		}
	}
	return worth;
}

/* @ipv6: bits of the prefixes that are IPv6 */
static void mw_choose_bytes(struct mw_gateways *g, u32 ipv6)
{
	u32 apart[MAILWALL_GTW_MAX] = { 0 }, more[MAILWALL_GTW_MAX];
	unsigned int n, i, at, worth, most;
	u16 left = 0xffff;

	for (n = 0; n < MW_GTW_BYTES; n++) {
		u8 best = 0;

		most = 0;
		/* of equals the last: hosts of a network differ in their last bytes */
		for (at = 0; at < 16; at++) {
			worth = mw_byte_worth(g, at, ipv6, apart, more);
			if (left >> at & 1 && worth >= most) {
				best = at;
				most = worth;
			}
		}
		left &= ~(1U << best);
		g->byte[n] = best;
		mw_byte_worth(g, best, ipv6, apart, more);
		memcpy(apart, more, sizeof(apart));
		for (i = 0; i < g->prefixes; i++)
			if (ipv6 >> i & 1)
				mw_add_byte(g->ipv6[n], ((const u8 *)g->prefix[i].word)[best],
					    ((const u8 *)g->prefix[i].mask)[best], 1U << i);
	}
}

void mw_gateways_build(struct mw_gateways *g, const struct mw_spec *spec, const u8 *slot)
{
	unsigned int length, i, at;
	u32 ipv6 = 0;

	for (i = 0; i < spec->gtw_count; i++) {
		switch (spec->gtw[i].kind) {
		case MAILWALL_GTW_THIS:
			g->this = slot[i];
			break;
		case MAILWALL_GTW_PORT:
			g->port_item[g->ports++] = i;
			g->port_slot[g->ports] = slot[i];
			break;
		}
	}
	/* The narrowest has the highest bit. */
	for (length = 0; length <= 128; length++) {
		for (i = 0; i < spec->gtw_count; i++) {
			const struct mailwall_prefix *prefix = &spec->gtw[i].prefix;
			unsigned int n = g->prefixes;

			if (spec->gtw[i].kind != MAILWALL_GTW_PREFIX || prefix->length != length)
				continue;
			g->slot[n] = slot[i];
			g->prefixes++;
			if (prefix->family == AF_INET) {
				for (at = 0; at < 4; at++)
					mw_add_byte(g->ipv4[at], prefix->address[at],
						    mw_mask_byte(length, at), 1U << n);
				continue;
			}
			ipv6 |= 1U << n;
			memcpy(g->prefix[n].word, prefix->address, sizeof(g->prefix[n].word));
			for (at = 0; at < 16; at++)
				((u8 *)g->prefix[n].mask)[at] = mw_mask_byte(length, at);
		}
	}
	mw_choose_bytes(g, ipv6);
}

void mw_gateways_resolve(struct mw_gateways *g, unsigned int port, int ifindex)
{
	u8 hint[MW_PORT_HINTS] = { 0 };
	unsigned int i;

	WRITE_ONCE(g->port_ifindex[1 + port], ifindex);
	for (i = 1; i <= g->ports; i++)
		if (g->port_ifindex[i])
			hint[g->port_ifindex[i] % (unsigned int)MW_PORT_HINTS] = i;
	/* What a packet finds in between is the device of before or the one of now. */
	for (i = 0; i < MW_PORT_HINTS; i++)
		WRITE_ONCE(g->port_hint[i], hint[i]);
}

static u8 mw_gateway_at(const struct mw_gateways *g, const struct mw_path *path,
			const void *address, int device, int port)
{
	/* It was judged for that gateway when it went through the bridge. */
	if (port && mw_gateway_of_port(g, port))
		return MW_NOBODY;
	if (path->place != MW_PLACE_BRIDGED) {
		u8 slot = path->ipv6 ? mw_gateway_of_ipv6(g, address) :
				       mw_gateway_of_ipv4(g, address);

		if (slot)
			return slot;
	}
	/* br_netfilter shows what goes through a bridge with the bridge as both devices. */
	return device && !port ? mw_gateway_of_port(g, device) : MW_NOBODY;
}

struct mw_ends mw_gateways_ends(const struct mw_gateways *g, const struct mw_path *path)
{
	bool this = path->place == MW_PLACE_HOST && (!g || g->this);
	struct mw_ends ends = {
		.from_this = this && path->from_host,
		.to_this = this && path->to_host,
	};

	if (!g)
		return ends;
	if (!path->from_host)
		ends.from = mw_gateway_at(g, path, path->source, path->in, path->bridge_in);
	if (!path->to_host)
		ends.to = mw_gateway_at(g, path, path->target, path->out, path->bridge_out);
	return ends;
}
