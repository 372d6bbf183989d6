// SPDX-License-Identifier: GPL-2.0
/*
 * A fuzzer of the module's doors, on libFuzzer's engine: an input is a list of calls of /dev/mailwall,
 * of its files in sysfs, of packets, devices and network namespaces. What they reach in the
 * module guides it, where the kernel has KCOV and the module was built with KCOV_INSTRUMENT=y.
 *
 * Each process has a network namespace of its own, which dies and is made anew, and shares with the others the
 * one that it was started in. The doors are those of the caller's namespace, whoever opened them. Of its own one
 * it knows what must hold: a call that fails leaves the policy as it was. Everywhere a call fails with an error
 * only that its documentation names.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if.h>
#include <linux/if_bridge.h>
#include <linux/if_ether.h>
#include <linux/if_tun.h>
#include <linux/ipv6.h>
#include <linux/kcov.h>
#include <linux/mailwall.h>
#include <linux/sockios.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define SYS "/sys/class/misc/mailwall/"
/* PCs that KCOV keeps of one input */
#define COVER (64 << 10)
/* the caller's memory, behind which there is none, as far as any stride leads */
#define AREA (256 << 10)
#define NONE (1 << 30)

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;

/*
 * libFuzzer takes what is not zero here for something that was reached: a place of the module,
 * and each way in which a call ended.
 */
#define PLACES (256 << 10)
#define ENDS 4096
__attribute__((section("__libfuzzer_extra_counters"))) static u8 reached[PLACES + ENDS];

static const u8 *data, *data_end;
static int home, own = -1, inside = -1;
static int device, tun = -1, tap[2], raw[2];
static u8 *area;
static u64 calls, packets, through, inputs, *cover, module_text, module_size;

static void die(const char *what)
{
	fprintf(stderr, "doors: %s: %s\n", what, strerror(errno));
	exit(3);
}

/* An invariant does not hold: libFuzzer keeps the input. */
static void broken(const char *what, long is, long was)
{
	fprintf(stderr, "doors: BROKEN: %s: %ld (%ld)\n", what, is, was);
	abort();
}

/* Be in our own namespace, or in the one that all share. */
static void enter(bool ours)
{
	int where = ours ? own : home;

	if (inside != where && setns(where, CLONE_NEWNET))
		die("setns");
	inside = where;
}

/* ---- the input ---- */
static u64 take(unsigned int bytes)
{
	u64 value = 0;

	while (bytes-- && data < data_end)
		value = value << 8 | *data++;
	return value;
}

/* One of a few values, or any. */
#define CHOOSE(bytes, ...)                                                \
	({                                                                \
		static const u64 few[] = { __VA_ARGS__ };                 \
		u8 which = take(1);                                       \
                                                                          \
		which < 240 ? few[which % ARRAY_SIZE(few)] : take(bytes); \
	})

/* ---- places: whole, across the end of memory, nowhere ---- */
static void *place(size_t size, size_t offset)
{
	u8 how = take(1);

	if (how < 224)
		return area + offset;
	if (how < 250)
		return area + AREA - (size > take(1) ? size - take(1) % (size + 1) : size);
	/* never our own memory: the kernel would write there, as it was told */
	return (void *)(take(1) & 1 ? take(2) % 4096 : take(8) | 1ULL << 63);
}

/* Copy there what fits; the rest has no memory. */
static void put(void *to, const void *from, size_t size)
{
	u8 *end = area + AREA;

	if ((u8 *)to < area || (u8 *)to >= end)
		return;
	memcpy(to, from, size < (size_t)(end - (u8 *)to) ? size : (size_t)(end - (u8 *)to));
}

/* ---- calls ---- */
static bool is_one_of(int error, const int *known, size_t count)
{
	while (count--)
		if (known[count] == error)
			return true;
	return false;
}

#define MAY_FAIL(what, result, ...)                                                     \
	do {                                                                            \
		static const int known[] = { EFAULT, EINVAL, E2BIG, ##__VA_ARGS__ };    \
                                                                                        \
		int error = (result) < 0 ? errno : 0;                                   \
                                                                                        \
		calls++;                                                                \
		reached[PLACES + (__LINE__ * 64 + error) % ENDS] = 1;                   \
		if (error && !is_one_of(error, known, ARRAY_SIZE(known)))               \
			broken(what " fails with an errno that it must not", error, 0); \
	} while (0)

/* All of a policy. */
struct policy {
	struct mailwall_policy head;
	struct mailwall_prefix adm[MAILWALL_ADM_MAX];
	struct mailwall_row site[MAILWALL_SITE_MAX];
	struct mailwall_gtw gtw[MAILWALL_GTW_MAX];
};

#define LIST(array)                                                 \
	{                                                           \
		(u64)(array), ARRAY_SIZE(array), sizeof((array)[0]) \
	}

/* The policy of our own namespace: nobody else changes it but time. */
static void read_policy(struct policy *p)
{
	memset(p, 0, sizeof(*p));
	p->head = (struct mailwall_policy){ .size = sizeof(p->head),
					    .adm = LIST(p->adm),
					    .site = LIST(p->site),
					    .gtw = LIST(p->gtw) };
	calls++;
	if (ioctl(device, MAILWALL_GET_POLICY, &p->head))
		broken("our own policy cannot be read", errno, 0);
	p->head.adm.items = p->head.site.items = p->head.gtw.items = 0;
}

/* Nothing changed since, unless time did that. */
static void unchanged(const char *what, const struct policy *was)
{
	static struct policy is;
	int error = errno;

	read_policy(&is);
	if (!was->head.confirm && memcmp(&is, was, sizeof(is))) {
		fprintf(stderr, "doors: %s: %s; generation %llu, was %llu; confirm %u\n", what,
			strerror(error), (unsigned long long)is.head.generation,
			(unsigned long long)was->head.generation, is.head.confirm);
		broken("a call that failed changed the policy", is.head.mode, was->head.mode);
	}
}

static void some_prefix(struct mailwall_prefix *p)
{
	unsigned int i;

	*p = (struct mailwall_prefix){ .family = CHOOSE(1, AF_INET, AF_INET6) };
	p->length = CHOOSE(1, 0, 8, 24, 31, 32, 48, 64, 127, 128);
	for (i = 0; i < 3; i++)
		p->address[take(1) % 16] = CHOOSE(1, 10, 192, 0x20, 0xfe, 0x80, 0);
	/* mostly as it should be: nothing past the length */
	if (take(1) < 230) {
		unsigned int most = p->family == AF_INET ? 32 : 128;

		p->length = p->length > most ? most : p->length;
		for (i = p->length; i < 128; i++)
			p->address[i / 8] &= ~(0x80 >> i % 8);
	} else {
		p->reserved[take(1) & 1] = take(1);
	}
}

static void some_row(struct mailwall_row *row)
{
	row->port = CHOOSE(2, 22, 25, 443, 8450, 1, 65535, 0);
	row->source = CHOOSE(1, MAILWALL_GTW, MAILWALL_ANY, MAILWALL_ADM);
	row->target = take(1) < 200 && row->source != MAILWALL_GTW ?
			      MAILWALL_GTW :
			      CHOOSE(1, MAILWALL_ANY, MAILWALL_ADM, MAILWALL_GTW);
}

static const char *const names[] = { "tun0", "tun1", "lo",  "none0", "a-name-of-15-by",
				     "",     "tap0", "tap1" };

static void some_gtw(struct mailwall_gtw *g)
{
	*g = (struct mailwall_gtw){ .kind = CHOOSE(1, MAILWALL_GTW_THIS, MAILWALL_GTW_PREFIX,
						   MAILWALL_GTW_PORT) };
	if (g->kind == MAILWALL_GTW_PREFIX)
		some_prefix(&g->prefix);
	if (g->kind == MAILWALL_GTW_PORT)
		strncpy(g->device, names[take(1) % ARRAY_SIZE(names)], sizeof(g->device));
	if (take(1) > 250)
		((u8 *)g)[take(1) % sizeof(*g)] = take(1);
}

/* A list of such items somewhere. */
#define SOME_LIST(type, most, fill, offset)                                                        \
	({                                                                                         \
		static type item[(most) + 8];                                                      \
		struct mailwall_list list = { .count = CHOOSE(4, 0, 1, 1, 2, 3, most, (most) + 1), \
					      .stride = CHOOSE(2, sizeof(type), sizeof(type),      \
							       sizeof(type), sizeof(type) + 8,     \
							       sizeof(type) - 1) };                \
		u32 i, n = list.count < ARRAY_SIZE(item) ? list.count : ARRAY_SIZE(item);          \
		u8 *at;                                                                            \
                                                                                                   \
		for (i = 0; i < n; i++)                                                            \
			if (i < 6)                                                                 \
				fill(&item[i]);                                                    \
			else                                                                       \
				item[i] = item[i % 6];                                             \
		at = place((size_t)n * list.stride, offset);                                       \
		for (i = 0; i < n; i++)                                                            \
			put(at + (size_t)i * list.stride, &item[i],                                \
			    list.stride < sizeof(type) ? list.stride : sizeof(type));              \
		list.items = (u64)at;                                                              \
		list;                                                                              \
	})

#define SOME_SIZE(type) \
	CHOOSE(4, sizeof(type), sizeof(type), sizeof(type), sizeof(type) + 8, sizeof(type) - 8, 0)

static void set_policy(bool ours)
{
	static struct policy was, is;
	struct mailwall_policy p = { .size = SOME_SIZE(struct mailwall_policy) };
	void *at;
	int result;

	memset(area, 0, AREA / 2);
	if (ours)
		read_policy(&was);
	p.mode = CHOOSE(4, MAILWALL_OFF, MAILWALL_AUDIT, MAILWALL_ENFORCE, MAILWALL_ENFORCE);
	p.generation = take(1) < 200 ? (ours ? was.head.generation : 0) : take(8);
	p.confirm = CHOOSE(4, 0, 0, 1, 2, MAILWALL_CONFIRM_MAX, MAILWALL_CONFIRM_MAX + 1);
	p.log = CHOOSE(2, MAILWALL_LOG_OFF, MAILWALL_LOG_OFF, MAILWALL_LOG_KERNEL,
		       MAILWALL_LOG_NFLOG);
	p.log_group = CHOOSE(2, 0, 0, 1);
	p.adm = SOME_LIST(struct mailwall_prefix, MAILWALL_ADM_MAX, some_prefix, 4096);
	p.site = SOME_LIST(struct mailwall_row, MAILWALL_SITE_MAX, some_row, 32768);
	p.gtw = SOME_LIST(struct mailwall_gtw, MAILWALL_GTW_MAX, some_gtw, 65536);
	at = place(p.size, 0);
	put(at, &p, sizeof(p));
	result = ioctl(device, MAILWALL_SET_POLICY, at);
	MAY_FAIL("SET_POLICY", result, EBUSY, ESTALE, EEXIST, EOPNOTSUPP, ENOENT, ENOMEM);
	if (!ours)
		return;
	if (result < 0) {
		unchanged("SET_POLICY", &was);
		return;
	}
	read_policy(&is);
	if (p.size >= sizeof(p) && !p.confirm && !was.head.confirm && at == area &&
	    (is.head.mode != p.mode || is.head.log != p.log || is.head.adm.count > p.adm.count ||
	     is.head.site.count > p.site.count))
		broken("what was set is not what is read", is.head.generation, was.head.generation);
}

static void get_policy(void)
{
	struct mailwall_policy p = { .size = SOME_SIZE(struct mailwall_policy) };
	void *at;

	p.adm = (struct mailwall_list){ (u64)place(1024, 4096),
					CHOOSE(4, 0, 1, 64, MAILWALL_ADM_MAX),
					CHOOSE(2, sizeof(struct mailwall_prefix), 8, 64, 0) };
	p.site = (struct mailwall_list){ (u64)place(256, 65536), CHOOSE(4, 0, 1, MAILWALL_SITE_MAX),
					 CHOOSE(2, sizeof(struct mailwall_row), 64, 0) };
	p.gtw = (struct mailwall_list){ (u64)place(1024, 131072), CHOOSE(4, 0, 1, MAILWALL_GTW_MAX),
					CHOOSE(2, sizeof(struct mailwall_gtw), 64, 0) };
	at = place(sizeof(p), 0);
	put(at, &p, sizeof(p));
	MAY_FAIL("GET_POLICY", ioctl(device, MAILWALL_GET_POLICY, at), ENOSPC);
}

static void get_counters(void)
{
	struct mailwall_counters c = { .size = SOME_SIZE(struct mailwall_counters) };
	void *at;

	c.row = (struct mailwall_list){ (u64)place(4096, 4096), CHOOSE(4, 0, 11, 256),
					CHOOSE(2, sizeof(struct mailwall_row_counters), 8, 64, 0) };
	c.reason =
		(struct mailwall_list){ (u64)place(1024, 65536), CHOOSE(4, 0, 10, 20, 64),
					CHOOSE(2, sizeof(struct mailwall_reason_counters), 64, 0) };
	c.gtw = (struct mailwall_list){ (u64)place(1024, 131072), CHOOSE(4, 0, 1, MAILWALL_GTW_MAX),
					CHOOSE(2, sizeof(struct mailwall_gtw_counters), 64, 0) };
	at = place(sizeof(c), 0);
	put(at, &c, sizeof(c));
	MAY_FAIL("GET_COUNTERS", ioctl(device, MAILWALL_GET_COUNTERS, at), ENOSPC);
}

static void explain(void)
{
	struct mailwall_explain ex = { .size = SOME_SIZE(struct mailwall_explain) };
	struct mailwall_prefix address;
	void *at;

	ex.ifindex = CHOOSE(4, 0, 0, 1, 2, 3);
	ex.hook = CHOOSE(1, MAILWALL_HOOK_HOST, MAILWALL_HOOK_FORWARD);
	ex.direction = CHOOSE(1, MAILWALL_IN, MAILWALL_OUT);
	ex.family = CHOOSE(1, AF_INET, AF_INET6);
	ex.flags = CHOOSE(1, 2, 0x12, 0x10, 0x18, 4, 0x14, 0x11, 0);
	ex.connection = CHOOSE(1, 0, 1, 2);
	ex.data_offset = CHOOSE(1, 5, 5, 15, 4);
	ex.segment_length = CHOOSE(2, 20, 60, 1500, 19, 65535);
	ex.source_port = CHOOSE(2, 40000, 25, 587);
	ex.target_port = CHOOSE(2, 25, 8450, 22, 40000);
	ex.out_ifindex = CHOOSE(4, 0, 0, 1, 2);
	some_prefix(&address);
	memcpy(ex.source, address.address, sizeof(ex.source));
	some_prefix(&address);
	memcpy(ex.target, address.address, sizeof(ex.target));
	at = place(sizeof(ex), 0);
	put(at, &ex, sizeof(ex));
	MAY_FAIL("EXPLAIN", ioctl(device, MAILWALL_EXPLAIN, at), ENODEV);
}

static void confirm(void)
{
	struct mailwall_confirm c = { .size = SOME_SIZE(struct mailwall_confirm),
				      .extend = CHOOSE(4, 0, 0, 1, MAILWALL_CONFIRM_MAX) };
	void *at = place(sizeof(c), 0);

	put(at, &c, sizeof(c));
	MAY_FAIL("CONFIRM", ioctl(device, MAILWALL_CONFIRM, at), ENODATA);
}

static void any_call(void)
{
	u32 number = CHOOSE(4, MAILWALL_GET_VERSION, MAILWALL_SET_POLICY, MAILWALL_GET_COUNTERS,
			    MAILWALL_EXPLAIN, MAILWALL_REVERT + 16);
	size_t size = take(1);
	void *at = place(size, 0);
	u8 bytes[256];
	size_t i;

	for (i = 0; i < size; i++)
		bytes[i] = take(1);
	put(at, bytes, size);
	MAY_FAIL("a call", ioctl(device, number, at), ENOTTY, ENOSPC, ENODEV, ENODATA, EBUSY,
		 ESTALE, EEXIST, EOPNOTSUPP, ENOENT, ENOMEM);
}

/* ---- sysfs, as a process of that namespace ---- */
static const char *const files[] = { "adm", "site",  "gtw",   "mode",
				     "log", "stats", "table", "version" };
static const char *const words[] = {
	"10.0.0.0/8", "2001:db8::/32", "192.0.2.1/24", "22 ADM GTW",  "443:GTW:ANY", "25 ANY GTW",
	"this",	      "port:tun0",     "port:",	       "10.9.0.2",    "enforce",     "audit",
	"off",	      "kernel",	       "nflog:5",      "nflog:70000",
};

static void write_file(bool ours)
{
	static struct policy was;
	char path[64], text[5000];
	size_t length = 0, room;
	int fd, result;
	u8 parts = take(1) % 12;

	snprintf(path, sizeof(path), SYS "%s", files[take(1) % 5]);
	if (take(1) > 250)
		parts = 255;
	while (parts-- && length + 300 < sizeof(text)) {
		u8 what = take(1);

		room = sizeof(text) - length;
		if (what < 200)
			length += snprintf(text + length, room, "%s%s",
					   what & 1 ? "" :
					   what & 2 ? "+" :
						      "-",
					   words[take(1) % ARRAY_SIZE(words)]);
		else
			for (what %= 32; what-- && data < data_end;)
				text[length++] = take(1);
		text[length++] = ",\n "[take(1) % 3];
	}
	if (ours)
		read_policy(&was);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		die(path);
	result = write(fd, text, length);
	if (length)
		MAY_FAIL("a write", result, EBUSY, EEXIST, EOPNOTSUPP, ENOENT, ENOMEM);
	if (result < 0 && ours)
		unchanged(path, &was);
	close(fd);
}

static void read_file(void)
{
	char path[64], text[8192];
	int fd;

	snprintf(path, sizeof(path), SYS "%s", files[take(1) % ARRAY_SIZE(files)]);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		die(path);
	MAY_FAIL("a read",
		 pread(fd, text, CHOOSE(2, 8192, 1, 100) % sizeof(text), CHOOSE(2, 0, 0, 1, 4096)));
	close(fd);
}

/* ---- packets and devices of our own namespace ---- */
static u16 sum(const u8 *bytes, size_t length)
{
	u32 total = 0;
	size_t i;

	for (i = 0; i + 1 < length; i += 2)
		total += bytes[i] << 8 | bytes[i + 1];
	while (total >> 16)
		total = (total & 0xffff) + (total >> 16);
	return ~total;
}

/* The ways to the hooks. */
enum { BY_TUN, BY_RAW, BY_BRIDGE, WAYS };

/* From us to everybody. */
static const u8 everybody[12] = { 255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 1 };

/* Ethernet, with what may lie between it and IP. */
static unsigned int frame_head(u8 *frame, bool ipv6)
{
	u16 type = htons(ipv6 ? ETH_P_IPV6 : ETH_P_IP);
	unsigned int tags = CHOOSE(1, 0, 0, 1, 2, 3) % 20, at = sizeof(everybody);

	memcpy(frame, everybody, at);
	while (tags--) {
		frame[at] = CHOOSE(1, 0x81, 0x88);
		frame[at + 1] = frame[at] == 0x88 ? 0xa8 : 0;
		frame[at + 2] = 0;
		frame[at + 3] = take(1);
		at += 4;
	}
	if (take(1) % 8) {
		memcpy(frame + at, &type, 2);
		return at + 2;
	}
	memcpy(frame + at, "\x88\x64\x11\0\0\1\0\x40\0\x21", 10);
	if (ipv6)
		frame[at + 9] = CHOOSE(1, 0x57);
	return at + 10;
}

static void send_by(unsigned int way, bool ipv6, const u8 *head, unsigned int head_size,
		    const u8 *packet, unsigned int length)
{
	struct sockaddr_in to = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	u8 frame[700];

	packets++;
	switch (way) {
	case BY_TUN:
		if (write(tun, packet, length) < 0 && errno != EINVAL && errno != EIO &&
		    errno != ENETDOWN)
			die("tun");
		return;
	case BY_BRIDGE:
		memcpy(frame, head, head_size);
		memcpy(frame + head_size, packet, length);
		if (write(tap[length & 1], frame, head_size + length) < 0 && errno != EINVAL &&
		    errno != EIO)
			die("tap");
		return;
	case BY_RAW:
		/* refused by mailwall, or not to be sent at all */
		memcpy(&to.sin_addr, packet + 16, 4);
		memcpy(&to6.sin6_addr, packet + 24, 16);
		if (ipv6)
			sendto(raw[1], packet, length, 0, (struct sockaddr *)&to6, sizeof(to6));
		else
			sendto(raw[0], packet, length, 0, (struct sockaddr *)&to, sizeof(to));
	}
}

static void set_checksum(u8 *packet, unsigned int head)
{
	u16 check;

	packet[10] = packet[11] = 0;
	check = htons(sum(packet, head));
	memcpy(&packet[10], &check, 2);
}

/* Again and again, each time with other flags, ports, lengths or anything. */
static void send_variants(unsigned int way, bool ipv6, const u8 *packet, unsigned int head,
			  unsigned int length)
{
	static const u8 flags[] = { 2, 0x12, 0x10, 0x18, 4, 0x11, 3, 0 };
	/* so many that there are as many packets as calls */
	unsigned int many = take(1) % 128, size = 0;
	/* of the packet alone: an input does the same when it is tried again */
	u32 chance = (u32)sum(packet, length) << 16 | length | 1;
	u8 frame[128], own_copy[512], *tcp = own_copy + head;

	if (way == BY_BRIDGE)
		size = frame_head(frame, ipv6);
	send_by(way, ipv6, frame, size, packet, length);
	while (many--) {
		memcpy(own_copy, packet, length);
		chance ^= chance << 13;
		chance ^= chance >> 17;
		chance ^= chance << 5;
		switch (length < head + 20 ? 3 : chance % 4) {
		case 0:
			tcp[13] = flags[chance >> 8 & 7];
			break;
		case 1:
			tcp[chance >> 8 & 3] ^= chance >> 16;
			break;
		case 2:
			tcp[12] = chance >> 8;
			break;
		case 3:
			own_copy[(chance >> 8) % (length ?: 1)] = chance >> 24;
		}
		if (!ipv6 && chance & 0x7000)
			set_checksum(own_copy, head);
		send_by(way, ipv6, frame, size, own_copy, length);
	}
}

/* What is answered, and what comes through the bridge. */
static void drain(void)
{
	u8 frame[700];
	int i;

	while (read(tun, frame, sizeof(frame)) > 0)
		;
	for (i = 0; i < 2; i++)
		while (read(tap[i], frame, sizeof(frame)) > 0)
			through += !memcmp(frame, everybody, sizeof(everybody));
}

static void send_packet(void)
{
	u8 packet[512] = { 0 }, *tcp;
	bool ipv6 = take(1) & 1;
	u16 port[2];
	unsigned int i, length, head = ipv6 ? 40 : 20;

	if (ipv6) {
		unsigned int headers = take(1) % 4;
		u8 *next = &packet[6];

		packet[0] = 0x60;
		packet[7] = 64;
		memcpy(&packet[8], "\x20\x01\x0d\xb8", 4);
		memcpy(&packet[24], "\x20\x01\x0d\xb8", 4);
		packet[23] = CHOOSE(1, 2, 3, 9);
		packet[39] = CHOOSE(1, 1, 1, 1, 9, 2);
		while (headers--) {
			u8 type = CHOOSE(1, 0, 43, 44, 60, 51, 135);

			*next = type;
			next = &packet[head];
			packet[head + 1] = type == 44 ? 0 : CHOOSE(1, 0, 0, 1);
			for (i = 2; i < 8; i++)
				packet[head + i] = CHOOSE(1, 0, 0, 0, 1, 8);
			head += type == 44 ? 8 :
				type == 51 ? (packet[head + 1] + 2) * 4 :
					     (packet[head + 1] + 1) * 8;
			if (head > 400)
				head = 400;
		}
		*next = CHOOSE(1, 6, 6, 6, 6, 17, 59);
	} else {
		packet[0] = CHOOSE(1, 0x45, 0x45, 0x45, 0x46, 0x4f);
		head = (packet[0] & 15) * 4;
		head = head < 20 ? 20 : head;
		packet[6] = CHOOSE(1, 0x40, 0x40, 0x20, 0);
		packet[7] = CHOOSE(1, 0, 0, 0, 1, 8);
		packet[8] = 64;
		packet[9] = CHOOSE(1, 6, 6, 6, 6, 17, 41);
		memcpy(&packet[12], "\xc0\x00\x02\x02", 4);
		memcpy(&packet[16], "\xc0\x00\x02\x01", 4);
		packet[15] = CHOOSE(1, 2, 3, 9);
		packet[19] = CHOOSE(1, 1, 1, 1, 9, 2);
		for (i = 20; i < head; i++)
			packet[i] = CHOOSE(1, 1, 131, 7, 0);
	}
	tcp = packet + head;
	port[0] = htons(CHOOSE(2, 40000, 25, 587, 22));
	port[1] = htons(CHOOSE(2, 25, 8450, 22, 40000, 80));
	memcpy(tcp, port, sizeof(port));
	tcp[12] = CHOOSE(1, 0x50, 0x50, 0x60, 0xf0, 0x40);
	tcp[13] = CHOOSE(1, 2, 0x12, 0x10, 0x18, 4, 0x11, 3, 0);
	length = head + CHOOSE(1, 20, 20, 40, 64, 19, 8, 0) % 100;
	if (ipv6) {
		packet[4] = (length - 40) >> 8;
		packet[5] = length - 40;
	} else {
		packet[2] = length >> 8;
		packet[3] = length;
		if (take(1) > 240)
			packet[take(1) % 10] = take(1);
		set_checksum(packet, head);
	}
	send_variants(take(1) % WAYS, ipv6, packet, head, length);
	drain();
}

static int config_socket(int family)
{
	int fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		die("socket");
	return fd;
}

static void set_up(int fd, const char *name, bool up)
{
	struct ifreq request = { .ifr_flags = up ? IFF_UP | IFF_RUNNING : 0 };

	strncpy(request.ifr_name, name, IFNAMSIZ - 1);
	ioctl(fd, SIOCSIFFLAGS, &request);
}

static void rename_device(void)
{
	struct ifreq request = { 0 };
	u8 from = take(1) % 2;
	int fd;

	enter(true);
	fd = config_socket(AF_INET);
	strcpy(request.ifr_name, names[from]);
	strcpy(request.ifr_newname, names[!from]);
	set_up(fd, names[from], false);
	ioctl(fd, SIOCSIFNAME, &request);
	set_up(fd, names[!from], true);
	close(fd);
}

static void write_all(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		die(path);
	close(fd);
}

/* Two ports of a bridge. */
static void new_bridge(int fd)
{
	struct ifreq bridge = { .ifr_name = "br0" };
	int i;

	if (ioctl(fd, SIOCBRADDBR, bridge.ifr_name))
		die("a bridge");
	for (i = 0; i < 2; i++) {
		struct ifreq request = { .ifr_flags = IFF_TAP | IFF_NO_PI };

		tap[i] = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
		sprintf(request.ifr_name, "tap%d", i);
		if (tap[i] < 0 || ioctl(tap[i], TUNSETIFF, &request) ||
		    ioctl(fd, SIOCGIFINDEX, &request))
			die("a port");
		bridge.ifr_ifindex = request.ifr_ifindex;
		if (ioctl(fd, SIOCBRADDIF, &bridge))
			die("a bridge's port");
		set_up(fd, request.ifr_name, true);
	}
	set_up(fd, "br0", true);
}

/* Our namespace dies, with whatever waits in it, and another comes. */
static void new_namespace(void)
{
	struct ifreq request = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	struct sockaddr_in *address = (struct sockaddr_in *)&request.ifr_addr;
	struct in6_ifreq request6 = { .ifr6_prefixlen = 64 };
	int fd;

	if (own >= 0) {
		close(own);
		close(tun);
		close(tap[0]);
		close(tap[1]);
		close(raw[0]);
		close(raw[1]);
	}
	if (unshare(CLONE_NEWNET))
		die("unshare");
	own = inside = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	tun = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);
	strcpy(request.ifr_name, "tun0");
	if (own < 0 || tun < 0 || ioctl(tun, TUNSETIFF, &request))
		die("a namespace");
	fd = config_socket(AF_INET);
	*address =
		(struct sockaddr_in){ .sin_family = AF_INET, .sin_addr.s_addr = htonl(0xc0000201) };
	if (ioctl(fd, SIOCSIFADDR, &request))
		die("address");
	address->sin_addr.s_addr = htonl(0xffffff00);
	ioctl(fd, SIOCSIFNETMASK, &request);
	set_up(fd, "tun0", true);
	ioctl(fd, SIOCGIFINDEX, &request);
	request6.ifr6_ifindex = request.ifr_ifindex;
	new_bridge(fd);
	close(fd);
	raw[0] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	raw[1] = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_RAW);
	if (raw[0] < 0 || raw[1] < 0)
		die("a raw socket");
	fd = config_socket(AF_INET6);
	memcpy(&request6.ifr6_addr, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16);
	if (ioctl(fd, SIOCSIFADDR, &request6))
		die("IPv6 address");
	close(fd);
	write_all("/proc/sys/net/ipv4/ip_forward", "1");
	write_all("/proc/sys/net/ipv6/conf/all/forwarding", "1");
}

/* ---- coverage ---- */
static u64 read_number(const char *path)
{
	char text[64] = "";
	int fd = open(path, O_RDONLY);

	if (fd < 0 || read(fd, text, sizeof(text) - 1) <= 0)
		die(path);
	close(fd);
	return strtoull(text, NULL, 0);
}

static void start_coverage(void)
{
	int fd = open("/sys/kernel/debug/kcov", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return;
	if (ioctl(fd, KCOV_INIT_TRACE, COVER))
		die("kcov");
	cover = mmap(NULL, COVER * sizeof(*cover), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (cover == MAP_FAILED || ioctl(fd, KCOV_ENABLE, KCOV_TRACE_PC))
		die("kcov");
	module_text = read_number("/sys/module/mailwall/sections/.text");
	module_size = read_number("/sys/module/mailwall/coresize");
}

static void take_coverage(void)
{
	u64 count = __atomic_load_n(cover, __ATOMIC_RELAXED), i;

	for (i = 1; i <= count && i < COVER; i++) {
		u64 at = cover[i] - module_text;

		if (at < module_size && at < PLACES && reached[at] < 255)
			reached[at]++;
	}
}

static void tell(void)
{
	printf("doors: %llu calls, %llu packets, %llu through a bridge, %llu inputs%s\n",
	       (unsigned long long)calls, (unsigned long long)packets, (unsigned long long)through,
	       (unsigned long long)inputs, cover ? ", guided" : "");
}

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	home = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
	device = open("/dev/mailwall", O_RDWR | O_CLOEXEC);
	area = mmap(NULL, AREA + NONE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		    0);
	if (home < 0 || device < 0 || area == MAP_FAILED ||
	    mprotect(area, AREA, PROT_READ | PROT_WRITE))
		die("start");
	new_namespace();
	start_coverage();
	atexit(tell);
	return 0;
}

int LLVMFuzzerTestOneInput(const u8 *bytes, size_t size)
{
	data = bytes;
	data_end = bytes + size;
	inputs++;
	if (cover)
		__atomic_store_n(cover, 0, __ATOMIC_RELAXED);
	while (data < data_end) {
		u8 what = take(1);
		bool ours = what & 0x80 || !(what & 0x40);

		enter(ours);
		switch (what % 16) {
		case 0:
		case 1:
		case 2:
			set_policy(ours);
			break;
		case 3:
			get_policy();
			break;
		case 4:
			get_counters();
			break;
		case 5:
			explain();
			break;
		case 6:
			confirm();
			break;
		case 7:
			MAY_FAIL("REVERT", ioctl(device, MAILWALL_REVERT, NULL), ENODATA);
			break;
		case 8:
			any_call();
			break;
		case 9:
		case 10:
			write_file(ours);
			break;
		case 11:
			read_file();
			break;
		case 12:
		case 13:
		case 14:
			send_packet();
			break;
		/* rarely: each takes as long as hundreds of calls */
		case 15:
			if (take(1) % 16)
				get_policy();
			else if (take(1) % 4)
				rename_device();
			else
				new_namespace();
		}
	}
	if (cover)
		take_coverage();
	return 0;
}
