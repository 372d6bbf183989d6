/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Which computers are GTW: addresses and devices of gateways behind this host. Pure: no
 * lock, no allocation, any context.
 */
#ifndef _MW_GATEWAY_H
#define _MW_GATEWAY_H

#include "prefix.h"
#include "spec.h"

/*
 * Every item of the list has a slot, under which what it saw is counted; 0 means no item.
 * Three times as many as a list has items, as for site rows.
 */
#define MW_NOBODY 0
#define MW_GTW_SLOTS (1 + 3 * MAILWALL_GTW_MAX)

/**
 * struct mw_gateways - a list of gateways, ready to be asked
 * @this: slot of the host that mailwall runs on, MW_NOBODY if it is not listed
 * @behind: there are others
 * @ports: how many of them are devices
 * @port_mask: a bit for each of @port_ifindex, by its low six bits
 * @port_ifindex: index of the device of that name, 0 while there is none; written
 *                while packets are judged (mw_gateways_resolve())
 * @port_slot: slots of those items
 * @port_item: their places in the list
 * @slot: of the items that are prefixes, the wider ones first
 * @ipv4: for each byte of an address and each value of it, a bit for every prefix that
 *        such a byte may be in
 * @ipv6: the same for IPv6
 *
 * A prefix holds an address if it holds each of its bytes, so four look-ups and three
 * ANDs (sixteen and fifteen) find all that hold it, however many there are.
 */
struct mw_gateways {
	u8 this;
	bool behind;
	u8 ports;
	u64 port_mask;
	int port_ifindex[MAILWALL_GTW_MAX];
	u8 port_slot[MAILWALL_GTW_MAX];
	u8 port_item[MAILWALL_GTW_MAX];
	u8 slot[MAILWALL_GTW_MAX];
	u32 ipv4[4][256];
	u32 ipv6[16][256];
};

/**
 * mw_gateways_build() - make a list ready to be asked
 * @g: zeroed; no device is known
 * @spec: normalised; its list of gateways is taken
 * @slot: slots of the items of that list
 */
void mw_gateways_build(struct mw_gateways *g, const struct mw_spec *spec, const u8 *slot);

/**
 * mw_gateways_resolve() - note which device an item means now
 * @g: list
 * @port: number of the item among those that are devices
 * @ifindex: of the device, 0 if there is none
 *
 * Context: any, but one caller at a time; packets may be judged meanwhile.
 */
void mw_gateways_resolve(struct mw_gateways *g, unsigned int port, int ifindex);

static __always_inline u8 mw_gateway_narrowest(const struct mw_gateways *g, u32 holding)
{
	return holding ? g->slot[31 - __builtin_clz(holding)] : MW_NOBODY;
}

/**
 * mw_gateway_of_ipv4() - which gateway has this address?
 * @g: list
 * @address: network order
 *
 * Context: any; on the packet path.
 *
 * Return: slot of the narrowest prefix that holds it, or MW_NOBODY.
 */
static __always_inline u8 mw_gateway_of_ipv4(const struct mw_gateways *g, const void *address)
{
	const u8 *byte = address;

	return mw_gateway_narrowest(g, g->ipv4[0][byte[0]] & g->ipv4[1][byte[1]] &
					       g->ipv4[2][byte[2]] & g->ipv4[3][byte[3]]);
}

/**
 * mw_gateway_of_ipv6() - the same for IPv6
 * @g: list
 * @address: network order
 */
static __always_inline u8 mw_gateway_of_ipv6(const struct mw_gateways *g, const void *address)
{
	const u8 *byte = address;
	u32 holding = ~0;
	unsigned int i;

	for (i = 0; i < 16 && holding; i++)
		holding &= g->ipv6[i][byte[i]];
	return mw_gateway_narrowest(g, holding);
}

/**
 * mw_gateway_of_port() - which gateway is behind this device?
 * @g: list
 * @ifindex: of the device
 *
 * Context: any; on the packet path.
 *
 * Return: slot of the item, or MW_NOBODY.
 */
static __always_inline u8 mw_gateway_of_port(const struct mw_gateways *g, int ifindex)
{
	unsigned int i;

	if (likely(!(READ_ONCE(g->port_mask) >> (ifindex & 63) & 1)))
		return MW_NOBODY;
	for (i = 0; i < g->ports; i++)
		if (READ_ONCE(g->port_ifindex[i]) == ifindex)
			return g->port_slot[i];
	return MW_NOBODY;
}

/**
 * enum mw_place - where a packet is met
 * @MW_PLACE_HOST: at LOCAL_IN or LOCAL_OUT: this host puts fragments together
 * @MW_PLACE_ROUTED: at FORWARD: somebody else does
 * @MW_PLACE_BRIDGED: in a bridge: and no IP layer has checked it
 */
enum mw_place {
	MW_PLACE_HOST,
	MW_PLACE_ROUTED,
	MW_PLACE_BRIDGED,
};

/**
 * struct mw_path - the way of a packet, as a hook sees it
 * @place: where it is met
 * @ipv6: its family
 * @from_host: this host sends it
 * @to_host: this host gets it
 * @source: its source address, network order
 * @target: its destination address, network order
 * @in: index of the device it came in by, 0 if none is known
 * @out: index of the device it leaves by, 0 if none is known
 * @bridge_in: where br_netfilter shows what goes through a bridge, index of the port it
 *             came in by, else 0
 * @bridge_out: likewise of the port it leaves by
 */
struct mw_path {
	enum mw_place place;
	bool ipv6;
	bool from_host;
	bool to_host;
	const void *source;
	const void *target;
	int in;
	int out;
	int bridge_in;
	int bridge_out;
};

/**
 * struct mw_ends - who of the two that a packet goes between is GTW
 * @from: slot of the gateway behind that sends it, or MW_NOBODY
 * @to: slot of the gateway behind that gets it, or MW_NOBODY
 * @from_this: this host sends it, and is GTW
 * @to_this: this host gets it, and is GTW
 */
struct mw_ends {
	u8 from;
	u8 to;
	bool from_this;
	bool to_this;
};

/**
 * mw_gateways_ends() - docs/decision.md "What is judged": for which GTW, and which way
 * @g: list, NULL where this host alone is GTW
 * @path: the way of the packet
 *
 * Context: any; on the packet path.
 */
struct mw_ends mw_gateways_ends(const struct mw_gateways *g, const struct mw_path *path);

#endif /* _MW_GATEWAY_H */
