// SPDX-License-Identifier: GPL-2.0
/* Lists of gateways made ready to be asked. */
#include "gateway.h"

/* The values that a byte of an address may have if the prefix holds it. */
static void mw_add_prefix(u32 (*table)[256], const struct mailwall_prefix *prefix,
			  unsigned int bytes, u32 bit)
{
	unsigned int i, value, left = prefix->length;

	for (i = 0; i < bytes; i++) {
		unsigned int bits = left < 8 ? left : 8;
		u8 mask = 0xff << (8 - bits);

		for (value = 0; value < 256; value++)
			if ((value & mask) == prefix->address[i])
				table[i][value] |= bit;
		left -= bits;
	}
}

void mw_gateways_build(struct mw_gateways *g, const struct mw_spec *spec, const u8 *slot)
{
	unsigned int length, i, prefixes = 0;

	for (i = 0; i < spec->gtw_count; i++) {
		switch (spec->gtw[i].kind) {
		case MAILWALL_GTW_THIS:
			g->this = slot[i];
			break;
		case MAILWALL_GTW_PORT:
			g->behind = true;
			g->port_slot[g->ports] = slot[i];
			g->port_item[g->ports++] = i;
			break;
		default:
			g->behind = true;
		}
	}
	/* The narrowest has the highest bit. */
	for (length = 0; length <= 128; length++) {
		for (i = 0; i < spec->gtw_count; i++) {
			const struct mailwall_prefix *prefix = &spec->gtw[i].prefix;

			if (spec->gtw[i].kind != MAILWALL_GTW_PREFIX || prefix->length != length)
				continue;
			g->slot[prefixes] = slot[i];
			if (prefix->family == AF_INET)
				mw_add_prefix(g->ipv4, prefix, 4, 1U << prefixes);
			else
				mw_add_prefix(g->ipv6, prefix, 16, 1U << prefixes);
			prefixes++;
		}
	}
}

void mw_gateways_resolve(struct mw_gateways *g, unsigned int port, int ifindex)
{
	u64 mask = 0;
	unsigned int i;

	WRITE_ONCE(g->port_ifindex[port], ifindex);
	for (i = 0; i < g->ports; i++)
		if (g->port_ifindex[i])
			mask |= 1ULL << (g->port_ifindex[i] & 63);
	/* What a packet finds in between is the device of before or the one of now. */
	WRITE_ONCE(g->port_mask, mask);
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
