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

/* A hint where to look for the item of a device, by as many low bits of its index. */
#define MW_PORT_HINTS 64
/* So many bytes of an IPv6 address tell which prefixes may hold it. */
#define MW_GTW_BYTES 4

/* An IPv6 prefix: what the words of an address that it holds are, and in which bits. */
struct mw_gateway_prefix {
	u64 word[2];
	u64 mask[2];
};

/**
 * struct mw_gateways - a list of gateways, ready to be asked
 * @port_ifindex: index of the device of that name, 0 while there is none, by number of the
 *                item, from 1 on; written while packets are judged (mw_gateways_resolve()).
 *                First, since then an instruction less finds it
 * @only_prefixes: all are prefixes, and their policy is plain: for a short way (forward.c)
 * @only_ports: all are devices, and their policy is plain: likewise
 * @this: slot of the host that mailwall runs on, MW_NOBODY if it is not listed
 * @prefixes: how many items are prefixes
 * @ports: how many items are devices
 * @byte: which bytes of an IPv6 address @ipv6 is asked with
 * @port_hint: number of an item whose device has an index with these low bits, 0 if none
 *             has; likewise
 * @port_slot: slots of those items
 * @port_item: their places in the list
 * @slot: of the items that are prefixes, the wider ones first
 * @ipv4: for each byte of an address and each value of it, a bit for every prefix that
 *        such a byte may be in
 * @ipv6: the same for IPv6, for the bytes in @byte alone
 * @prefix: the IPv6 prefixes, by the same bits
 *
 * A prefix holds an address if it holds each of its bytes, so four look-ups and three
 * ANDs find all that hold an IPv4 address, however many there are. Of an IPv6 address
 * they find those that may hold it, which are one at most unless prefixes are nested or
 * alike in all of the bytes that were chosen; the whole of those is compared.
 */
struct mw_gateways {
	int port_ifindex[1 + MAILWALL_GTW_MAX];
	bool only_prefixes;
	bool only_ports;
	u8 this;
	u8 prefixes;
	u8 ports;
	u8 byte[MW_GTW_BYTES];
	u8 port_hint[MW_PORT_HINTS];
	u8 port_slot[1 + MAILWALL_GTW_MAX];
	u8 port_item[MAILWALL_GTW_MAX];
	u8 slot[MAILWALL_GTW_MAX];
	u32 ipv4[4][256];
	u32 ipv6[MW_GTW_BYTES][256];
	struct mw_gateway_prefix prefix[MAILWALL_GTW_MAX];
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

/* a bit that is set, the highest one */
static __always_inline unsigned int mw_gateway_narrowest(u32 holding)
{
	return __builtin_clz(holding) ^ 31;
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
	u32 holding = g->ipv4[0][byte[0]] & g->ipv4[1][byte[1]] & g->ipv4[2][byte[2]] &
		      g->ipv4[3][byte[3]];

	return holding ? g->slot[mw_gateway_narrowest(holding)] : MW_NOBODY;
}

/* No slot and no number: what a glance does not tell. */
#define MW_UNSURE 0x100

static __always_inline u64 mw_gateway_word(const void *address)
{
	u64 word;

	memcpy(&word, address, sizeof(word));
	return word;
}

static __always_inline bool mw_gateway_holds(const struct mw_gateway_prefix *prefix,
					     const void *address)
{
	u64 first = mw_gateway_word(address), last = mw_gateway_word((const u8 *)address + 8);

	return !(((first ^ prefix->word[0]) & prefix->mask[0]) |
		 ((last ^ prefix->word[1]) & prefix->mask[1]));
}

/* Those that may hold it, by what four bytes tell. */
static __always_inline u32 mw_gateways_near(const struct mw_gateways *g, const void *address)
{
	const u8 *byte = address;

	return g->ipv6[0][byte[g->byte[0]]] & g->ipv6[1][byte[g->byte[1]]] &
	       g->ipv6[2][byte[g->byte[2]]] & g->ipv6[3][byte[g->byte[3]]];
}

/**
 * mw_gateway_glance_ipv6() - which gateway has this address, as far as one look tells?
 * @g: list
 * @address: network order
 *
 * Context: any; on the packet path.
 *
 * Return: as mw_gateway_of_ipv6(), or MW_UNSURE.
 */
static __always_inline unsigned long mw_gateway_glance_ipv6(const struct mw_gateways *g,
							    const void *address)
{
	u32 near = mw_gateways_near(g, address);
	unsigned long i;

	if (!near)
		return MW_NOBODY;
	i = mw_gateway_narrowest(near);
	if (likely(mw_gateway_holds(&g->prefix[i], address)))
		return g->slot[i];
	return near & (near - 1) ? MW_UNSURE : MW_NOBODY;
}

/**
 * mw_gateway_of_ipv6() - which gateway has this address?
 * @g: list
 * @address: network order
 *
 * Context: any; on the packet path.
 *
 * Return: slot of the narrowest prefix that holds it, or MW_NOBODY.
 */
static __always_inline u8 mw_gateway_of_ipv6(const struct mw_gateways *g, const void *address)
{
	u32 near = mw_gateways_near(g, address);

	while (near) {
		unsigned int i = mw_gateway_narrowest(near);

		if (mw_gateway_holds(&g->prefix[i], address))
			return g->slot[i];
		near &= ~(1U << i);
	}
	return MW_NOBODY;
}

/**
 * mw_gateway_glance_port() - which item is this device, as far as one look tells?
 * @g: list
 * @ifindex: of the device
 *
 * Context: any; on the packet path.
 *
 * Return: number of the item, for @port_slot; 0 if none is, or MW_UNSURE: another device's
 *	   index ends alike, or a device came or went just now.
 */
static __always_inline unsigned long mw_gateway_glance_port(const struct mw_gateways *g,
							    int ifindex)
{
	unsigned long hint = READ_ONCE(g->port_hint[ifindex % (unsigned int)MW_PORT_HINTS]);

	/*
	 * A plain read, as a volatile one would take a register more. It is compared and
	 * forgotten, so it does not matter when it is made.
	 */
	if (hint && unlikely(g->port_ifindex[hint] != ifindex))
		return MW_UNSURE;
	return hint;
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
	unsigned long port = mw_gateway_glance_port(g, ifindex);

	if (unlikely(port == MW_UNSURE))
		for (port = g->ports; port && READ_ONCE(g->port_ifindex[port]) != ifindex; port--)
			;
	/* that of number 0 is MW_NOBODY */
	return g->port_slot[port];
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
