// SPDX-License-Identifier: GPL-2.0
/*
 * Lists of gateways, asked for addresses and devices, and compared with a walk of the list:
 * gateway [LISTS [SEED]]. Prints TAP.
 */
#include "gateway.h"
#include <stdlib.h>

static unsigned int below(unsigned int n)
{
	return (unsigned int)random() % n;
}

static struct mw_spec spec;
static u8 slot[MAILWALL_GTW_MAX];

/* prefixes that are near one another, nested and alike in many of their bytes */
static void make_prefixes(const u8 *base)
{
	unsigned int i, j, bits;

	memset(&spec, 0, sizeof(spec));
	spec.gtw_count = 1 + below(MAILWALL_GTW_MAX);
	for (i = 0; i < spec.gtw_count; i++) {
		struct mailwall_prefix *prefix = &spec.gtw[i].prefix;

		memset(prefix, 0, sizeof(*prefix));
		spec.gtw[i].kind = MAILWALL_GTW_PREFIX;
		prefix->family = below(4) ? AF_INET6 : AF_INET;
		bits = prefix->family == AF_INET ? 32 : 128;
		prefix->length = below(3) ? bits : below(bits + 1);
		memcpy(prefix->address, base, bits / 8);
		for (j = below(3); j; j--)
			prefix->address[below(bits / 8)] ^= 1 << below(8);
		if (below(2))
			prefix->address[bits / 8 - 1] = random();
		for (j = prefix->length; j < bits; j++)
			prefix->address[j / 8] &= ~(0x80 >> j % 8);
		for (j = 0; j < i; j++)
			if (!memcmp(&spec.gtw[j].prefix, prefix, sizeof(*prefix)))
				break;
		/* a list has no item twice */
		if (j < i) {
			spec.gtw_count--;
			i--;
		}
	}
}

static u8 walk(u8 family, const u8 *address)
{
	unsigned int i, j;
	int longest = -1;
	u8 found = MW_NOBODY;

	for (i = 0; i < spec.gtw_count; i++) {
		const struct mailwall_prefix *prefix = &spec.gtw[i].prefix;

		if (prefix->family != family || prefix->length <= longest)
			continue;
		for (j = 0; j < prefix->length; j++)
			if ((prefix->address[j / 8] ^ address[j / 8]) >> (7 - j % 8) & 1)
				break;
		if (j < prefix->length)
			continue;
		longest = prefix->length;
		found = slot[i];
	}
	return found;
}

/* Return: answers that were wrong, or, of those that a glance gave, how many were unsure. */
static unsigned int try_prefixes(unsigned int *unsure)
{
	struct mw_gateways *g = calloc(1, sizeof(*g));
	unsigned int i, j, wrong = 0;
	u8 base[16], address[16];

	for (i = 0; i < 16; i++)
		base[i] = below(1 + below(256));
	make_prefixes(base);
	mw_gateways_build(g, &spec, slot);
	for (i = 0; i < 300; i++) {
		unsigned long glance;
		u8 want;

		memcpy(address, below(2) ? base : spec.gtw[below(spec.gtw_count)].prefix.address,
		       16);
		for (j = below(3); j; j--)
			address[below(16)] ^= 1 << below(8);
		if (!below(4))
			address[15] = random();
		wrong += mw_gateway_of_ipv4(g, address) != walk(AF_INET, address);
		want = walk(AF_INET6, address);
		wrong += mw_gateway_of_ipv6(g, address) != want;
		glance = mw_gateway_glance_ipv6(g, address);
		*unsure += glance == MW_UNSURE;
		wrong += glance != MW_UNSURE && glance != want;
	}
	free(g);
	return wrong;
}

/* devices that come and go, some with indexes that end alike */
static unsigned int try_ports(unsigned int *unsure)
{
	struct mw_gateways *g = calloc(1, sizeof(*g));
	int ifindex[MAILWALL_GTW_MAX] = { 0 }, asked;
	unsigned int i, step, wrong = 0;

	memset(&spec, 0, sizeof(spec));
	spec.gtw_count = 1 + below(MAILWALL_GTW_MAX);
	for (i = 0; i < spec.gtw_count; i++)
		spec.gtw[i].kind = MAILWALL_GTW_PORT;
	mw_gateways_build(g, &spec, slot);
	for (step = 0; step < 50; step++) {
		unsigned int port = below(spec.gtw_count);

		ifindex[port] = below(3) ? 1 + below(200) : 0;
		for (i = 0; i < spec.gtw_count; i++)
			if (i != port && ifindex[i] == ifindex[port])
				ifindex[port] = 0;
		mw_gateways_resolve(g, port, ifindex[port]);
		for (asked = 1; asked < 220; asked++) {
			unsigned long glance = mw_gateway_glance_port(g, asked);
			u8 want = MW_NOBODY;

			for (i = 0; i < spec.gtw_count; i++)
				if (ifindex[i] == asked)
					want = slot[i];
			wrong += mw_gateway_of_port(g, asked) != want;
			*unsure += glance == MW_UNSURE;
			wrong += glance != MW_UNSURE && g->port_slot[glance] != want;
		}
	}
	free(g);
	return wrong;
}

int main(int argc, char **argv)
{
	unsigned int lists = argc > 1 ? atoi(argv[1]) : 1000, i;
	unsigned int wrong[2] = { 0 }, unsure[2] = { 0 };

	srandom(argc > 2 ? atoi(argv[2]) : 1);
	for (i = 0; i < MAILWALL_GTW_MAX; i++)
		slot[i] = 1 + i;
	for (i = 0; i < lists; i++) {
		wrong[0] += try_prefixes(&unsure[0]);
		wrong[1] += try_ports(&unsure[1]);
	}
	printf("# %u lists; a glance at addresses was unsure %u times, at devices %u\n", lists,
	       unsure[0], unsure[1]);
	printf("%sok 1 - who has an address, as a walk of the list says\n",
	       wrong[0] || !unsure[0] ? "not " : "");
	printf("%sok 2 - who is behind a device, likewise\n", wrong[1] || !unsure[1] ? "not " : "");
	printf("1..2\n");
	return wrong[0] || wrong[1] || !unsure[0] || !unsure[1];
}
