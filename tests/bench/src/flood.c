// SPDX-License-Identifier: GPL-2.0
/*
 * Opening segments from distinct sources, 10.0.0.1 and on, out of one device:
 * flood DEVICE OWN_MAC PEER_MAC TARGET PORT COUNT
 *
 * In the namespace that it is started in. Prints how many the device took.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ether.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sched.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

struct frame {
	struct ether_header eth;
	struct iphdr ip;
	struct tcphdr tcp;
	uint8_t options[4];
} __attribute__((packed));

static uint32_t sum(const void *data, size_t length)
{
	const uint8_t *byte = data;
	uint32_t total = 0;
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		total += byte[i] << 8 | byte[i + 1];
	return total;
}

static uint16_t fold(uint32_t total)
{
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return htons(~total & 0xffff);
}

static void fill(struct frame *frame, uint32_t number)
{
	frame->ip.saddr = htonl(0x0a000001 + number);
	frame->ip.check = 0;
	frame->ip.check = fold(sum(&frame->ip, sizeof(frame->ip)));
	frame->tcp.source = htons(1024 + number % 60000);
	frame->tcp.seq = htonl(number * 2654435761u);
	frame->tcp.check = 0;
	frame->tcp.check = fold(sum(&frame->ip.saddr, 8) + IPPROTO_TCP + sizeof(frame->tcp) +
				sizeof(frame->options) +
				sum(&frame->tcp, sizeof(frame->tcp) + sizeof(frame->options)));
}

int main(int argc, char **argv)
{
	struct frame frame = {
		.ip = { .version = 4, .ihl = 5, .ttl = 64, .protocol = IPPROTO_TCP },
		.tcp = { .doff = 6, .syn = 1 },
		.options = { 2, 4, 5, 0xb4 }, /* the largest segment, 1460 */
	};
	struct sockaddr_ll to = { .sll_family = AF_PACKET };
	const struct ether_addr *mac;
	int fd, one = 1;
	long i, count;

	if (argc != 7)
		errx(2, "usage: flood DEVICE OWN_MAC PEER_MAC TARGET PORT COUNT");
	to.sll_ifindex = if_nametoindex(argv[1]);
	if (!to.sll_ifindex)
		err(1, "%s", argv[1]);
	mac = ether_aton(argv[2]);
	if (!mac)
		errx(2, "no MAC: %s", argv[2]);
	memcpy(frame.eth.ether_shost, mac, 6);
	mac = ether_aton(argv[3]);
	if (!mac)
		errx(2, "no MAC: %s", argv[3]);
	memcpy(frame.eth.ether_dhost, mac, 6);
	if (inet_pton(AF_INET, argv[4], &frame.ip.daddr) != 1)
		errx(2, "no address: %s", argv[4]);
	count = atol(argv[6]);
	frame.eth.ether_type = htons(ETHERTYPE_IP);
	frame.ip.tot_len = htons(sizeof(frame) - sizeof(frame.eth));
	frame.tcp.dest = htons(atoi(argv[5]));
	frame.tcp.window = htons(64240);

	fd = socket(AF_PACKET, SOCK_RAW, 0);
	if (fd < 0 || setsockopt(fd, SOL_PACKET, PACKET_QDISC_BYPASS, &one, sizeof(one)))
		err(1, "socket");
	for (i = 0; i < count; i++) {
		fill(&frame, i);
		/* the other side's queue is full: its turn */
		while (sendto(fd, &frame, sizeof(frame), 0, (void *)&to, sizeof(to)) < 0) {
			if (errno != ENOBUFS)
				err(1, "segment %ld", i);
			sched_yield();
		}
	}
	printf("%ld\n", i);
	return 0;
}
