// SPDX-License-Identifier: GPL-2.0
/*
 * "watch --summary": what was denied, by direction, port, peer and reason. Outbound first, for
 * that is the host's own; of what is inbound most is the Internet's noise.
 */
#include "denial.h"
#include <inttypes.h>
#include <jansson.h>
#include <stdlib.h>

/* Peers make up addresses: their number must not be what decides how much memory is taken. */
#define SUMMARY_MAX 65536
#define SLOTS (2 * SUMMARY_MAX)

/* compared and hashed as bytes, so without holes */
struct key {
	u8 inbound; /* sorts outbound first */
	u8 remote; /* the port is the one elsewhere */
	u16 port;
	u8 family;
	u8 would;
	u8 reason;
	u8 has_port;
	u8 peer[16];
};

struct line {
	struct key key;
	u64 segments;
	u64 of_port; /* of all lines with the same direction and port, for the order */
	u64 peers;
	time_t first;
	time_t last;
};

static struct line *lines[SLOTS];
static unsigned int count;
static u64 others; /* segments for which there was no room */

static unsigned int hash(const struct key *key)
{
	const u8 *p = (const u8 *)key;
	u32 h = 2166136261u; /* FNV-1a */
	size_t i;

	for (i = 0; i < sizeof(*key); i++)
		h = (h ^ p[i]) * 16777619u;
	return h % SLOTS;
}

void summary_count(const struct denial *denial)
{
	int service = denial_service(denial);
	struct key key = {
		.inbound = denial->direction == MAILWALL_IN,
		.remote = denial->has_ports && !denial_is_local(denial),
		.port = denial->has_ports ? denial->port[service] : 0,
		.family = denial->family,
		.would = denial->would,
		.reason = denial->reason,
		.has_port = denial->has_ports,
	};
	unsigned int i;

	memcpy(key.peer, denial->address[denial_peer(denial)], sizeof(key.peer));
	for (i = hash(&key); lines[i] && memcmp(&lines[i]->key, &key, sizeof(key));)
		i = (i + 1) % SLOTS;
	if (!lines[i] && count == SUMMARY_MAX) {
		others++;
		return;
	}
	if (!lines[i]) {
		lines[i] = allocate(sizeof(*lines[i]));
		lines[i]->key = key;
		lines[i]->first = denial->time.tv_sec;
		count++;
	}
	lines[i]->segments++;
	lines[i]->last = denial->time.tv_sec;
}

static bool same_port(const struct line *a, const struct line *b)
{
	return a->key.inbound == b->key.inbound && a->key.remote == b->key.remote &&
	       a->key.port == b->key.port && a->key.has_port == b->key.has_port;
}

/* by direction and port */
static int by_port(const void *left, const void *right)
{
	const struct line *a = *(struct line *const *)left, *b = *(struct line *const *)right;

	if (a->key.inbound != b->key.inbound)
		return a->key.inbound - b->key.inbound;
	if (a->key.remote != b->key.remote)
		return a->key.remote - b->key.remote;
	if (a->key.has_port != b->key.has_port)
		return a->key.has_port - b->key.has_port;
	return a->key.port - b->key.port;
}

/* by direction, then the port that most was denied at, then the peer */
static int by_weight(const void *left, const void *right)
{
	const struct line *a = *(struct line *const *)left, *b = *(struct line *const *)right;

	if (a->key.inbound != b->key.inbound)
		return a->key.inbound - b->key.inbound;
	if (a->of_port != b->of_port)
		return a->of_port < b->of_port ? 1 : -1;
	if (!same_port(a, b))
		return by_port(left, right);
	if (a->segments != b->segments)
		return a->segments < b->segments ? 1 : -1;
	return memcmp(&a->key, &b->key, sizeof(a->key));
}

/* Gather the lines at the front, in order. */
static void sort(void)
{
	unsigned int i, j, to = 0;

	for (i = 0; i < SLOTS; i++)
		if (lines[i])
			lines[to++] = lines[i];
	qsort(lines, count, sizeof(*lines), by_port);
	for (i = 0; i < count; i = j) {
		u64 sum = 0;

		for (j = i; j < count && same_port(lines[i], lines[j]); j++)
			sum += lines[j]->segments;
		for (to = i; to < j; to++) {
			lines[to]->of_port = sum;
			lines[to]->peers = j - i;
		}
	}
	qsort(lines, count, sizeof(*lines), by_weight);
}

/* So many peers of a port are named to people; programs get all. */
#define PEERS_SHOWN 10

static const char *peer(const struct line *line, char text[MW_PREFIX_TEXT])
{
	if (!line->key.family)
		return "?";
	mw_address_print(line->key.family, line->key.peer, text);
	return text;
}

static void show_port(const struct line *line)
{
	printf("%s ", line->key.inbound ? "in" : "out");
	if (!line->key.has_port)
		printf("no port that could be read");
	else if (line->key.inbound)
		printf("%s port %u", line->key.remote ? "from" : "to", line->key.port);
	else
		printf("%s port %u", line->key.remote ? "to" : "from", line->key.port);
	printf(": %" PRIu64 " segment%s\n", (uint64_t)line->of_port, line->of_port == 1 ? "" : "s");
}

static void show(void)
{
	char from[MW_PREFIX_TEXT], text[MW_PREFIX_TEXT];
	unsigned int i, j;
	struct tm tm;

	for (i = 0; i < count; i += lines[i]->peers) {
		show_port(lines[i]);
		for (j = i; j < i + lines[i]->peers && j < i + PEERS_SHOWN; j++) {
			strftime(from, sizeof(from), "%H:%M:%S", localtime_r(&lines[j]->last, &tm));
			printf("  %8" PRIu64 "  %-39s  %s %s, last at %s\n",
			       (uint64_t)lines[j]->segments, peer(lines[j], text),
			       lines[j]->key.would ? "would-deny" : "deny",
			       mw_reason_name(lines[j]->key.reason) ?: "?", from);
		}
		if (lines[i]->peers > PEERS_SHOWN)
			printf("            and %" PRIu64 " lines more: --json has them all\n",
			       (uint64_t)lines[i]->peers - PEERS_SHOWN);
	}
	if (others)
		printf("%" PRIu64 " segments more, of peers for whom there was no room\n",
		       (uint64_t)others);
	if (!count)
		puts("nothing was denied meanwhile");
}

static void show_json(void)
{
	char text[MW_PREFIX_TEXT];
	unsigned int i;

	for (i = 0; i < count; i++) {
		const struct line *line = lines[i];

		json_line(json_pack("{s:s, s:o, s:s, s:s?, s:s, s:s, s:I, s:I, s:I}", "direction",
				    line->key.inbound ? "in" : "out", "port",
				    line->key.has_port ? json_integer(line->key.port) : json_null(),
				    "side", line->key.remote ? "remote" : "local", "peer",
				    line->key.family ? peer(line, text) : NULL, "verdict",
				    line->key.would ? "would-deny" : "deny", "reason",
				    mw_reason_name(line->key.reason) ?: "?", "segments",
				    (json_int_t)line->segments, "first", (json_int_t)line->first,
				    "last", (json_int_t)line->last));
	}
	if (others)
		json_line(json_pack("{s:I}", "others", (json_int_t)others));
}

void summary_show(bool json)
{
	unsigned int i;

	sort();
	if (json)
		show_json();
	else
		show();
	for (i = 0; i < count; i++)
		free(lines[i]);
}
