// SPDX-License-Identifier: GPL-2.0
/*
 * mw_policy_judge(), compiled from the module's own source, compared with the naive
 * decision of naive.c: all local ports, all flags, both directions and families, peers
 * in and out of ADM, connection or none, over every class of the other port.
 *
 *	exhaustive [quick|pairs] [THREADS] [POINT]
 *
 * quick tries one local port of each class and of each fourth high byte; pairs adds all pairs
 * of ports for opening and plain ACK segments. POINT is the only one that is tried.
 */
#include "edit.h"
#include "ends.h"
#include "naive.h"
#include "policy.h"
#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>

#define PEERS 8 /* in ADM or out of it, of a family */
#define OTHERS_MAX 160
#define THREADS_MAX 64

/* A policy and what is tried on it. */
struct subject {
	const char *name;
	struct mw_spec spec;
	struct mw_policy *policy;
	u8 site_slot[MAILWALL_SITE_MAX];
	u8 peer[2][2][PEERS][16]; /* by family, by being held */
	/* what the naive decision finds again and again */
	bool holds[2][2][PEERS];
	short row[2][65536]; /* naive_find(), by being inbound */
	u16 other[OTHERS_MAX];
	unsigned int others;
	bool held_tried[2]; /* peers of this kind exist */
};

struct question {
	bool answer;
	unsigned int times;
};

static bool connected(const void *context)
{
	struct question *question = (struct question *)context;

	question->times++;
	return question->answer;
}

/* Compare one case; what mw_policy_judge() said is described in full if it is wrong. */
static inline bool agrees(const struct subject *subject, const struct naive_segment *s,
			  struct naive_answer want)
{
	__be16 local = htons(s->local), remote = htons(s->remote);
	struct mw_segment seg = {
		.direction = s->direction,
		.ipv6 = s->family == AF_INET6,
		.behind = s->behind,
		.routed = s->routed,
		.flags = s->flags,
		.local = &local,
		.remote = &remote,
		.peer = s->peer,
	};
	struct question question = { .answer = s->connection };
	unsigned int got = mw_policy_judge(subject->policy, &seg, connected, &question);
	unsigned int expected;
	char peer[INET6_ADDRSTRLEN];

	if (!want.allowed)
		expected = MW_DENY | want.reason;
	else if (want.row < MW_TABLE_ROWS)
		expected = want.row + 1;
	else
		expected = subject->site_slot[want.row - MW_TABLE_ROWS];
	if (want.asked_back)
		expected |= MW_ASKED_BACK;
	if (got == expected && question.times == want.asked)
		return true;

	printf("# %s: %s%s, peer %s, local %u, remote %u, flags 0x%02x, connection %d: got 0x%x, asked %u times, expected 0x%x, %d\n",
	       subject->name, s->direction == MAILWALL_IN ? "in" : "out",
	       s->behind ? " of a gateway behind" : "",
	       inet_ntop(s->family, s->peer, peer, sizeof(peer)), s->local, s->remote, s->flags,
	       s->connection, got, question.times, expected, want.asked);
	return false;
}

/* The same, for one of the subject's peers. */
static inline bool agrees_with_peer(const struct subject *subject, struct naive_segment *s,
				    bool ipv6, bool held, unsigned int peer)
{
	peer %= PEERS;
	s->peer = subject->peer[ipv6][held][peer];
	return agrees(subject, s,
		      naive_judge_found(&subject->spec, s, subject->row[true][s->local],
					subject->row[false][s->remote],
					subject->holds[ipv6][held][peer]));
}

/* Work for threads: local ports, taken one at a time. */

struct work {
	const struct subject *subject;
	bool (*port)(const struct subject *subject, unsigned int local, u64 *cases);
	const u16 *local; /* NULL for all */
	unsigned int count;
	unsigned int next;
	u64 cases;
	bool wrong;
};

static void *worker(void *arg)
{
	struct work *work = arg;
	u64 cases = 0;

	for (;;) {
		unsigned int i = __atomic_fetch_add(&work->next, 1, __ATOMIC_RELAXED);

		if (i >= work->count || __atomic_load_n(&work->wrong, __ATOMIC_RELAXED))
			break;
		if (!work->port(work->subject, work->local ? work->local[i] : i, &cases))
			__atomic_store_n(&work->wrong, true, __ATOMIC_RELAXED);
	}
	__atomic_fetch_add(&work->cases, cases, __ATOMIC_RELAXED);
	return NULL;
}

static bool run(struct work *work, unsigned int threads, u64 *cases)
{
	pthread_t thread[THREADS_MAX];
	unsigned int i;

	for (i = 0; i < threads; i++)
		if (pthread_create(&thread[i], NULL, worker, work))
			exit(1);
	for (i = 0; i < threads; i++)
		pthread_join(thread[i], NULL);
	*cases += work->cases;
	return !work->wrong;
}

/* One local port with all else but for the other port, of which each class. */
static bool product(const struct subject *subject, unsigned int local, u64 *cases)
{
	unsigned int i, flags, kind;
	struct naive_segment s = { .local = local };

	for (i = 0; i < subject->others; i++) {
		s.remote = subject->other[i];
		for (kind = 0; kind < 20 * 2; kind++) {
			unsigned int way = kind % 20;
			bool held = way & 1, ipv6 = way & 2;

			/* the last four: source-routed, which only outbound ones can be */
			s.routed = way & 16;
			s.direction = way & (4 | 16) ? MAILWALL_OUT : MAILWALL_IN;
			/*
			 * Whose GTW it is makes no difference but for what is asked back: of outbound
			 * ones, of which no connection is asked, and of no inbound one that passes.
			 * Packets (behind.c) and the fuzzer have all of it.
			 */
			if (!subject->held_tried[held] ||
			    (kind >= 20 && !!(way & 8) != (s.direction == MAILWALL_IN)))
				continue;
			s.connection = way & 8;
			s.behind = kind >= 20;
			s.family = ipv6 ? AF_INET6 : AF_INET;
			for (flags = 0; flags < 256; flags++) {
				s.flags = flags;
				/* different ones, so that each meets each flag and port */
				if (!agrees_with_peer(subject, &s, ipv6, held, local + i + flags))
					return false;
			}
			*cases += 256;
		}
	}
	return true;
}

/* One local port with all remote ones. A connection is no matter but for replies. */
static bool pairs(const struct subject *subject, unsigned int local, u64 *cases)
{
	unsigned int remote, kind;
	struct naive_segment s = { .local = local };

	for (remote = 0; remote < 65536; remote++) {
		bool ipv6 = (local + remote) & 1;

		s.remote = remote;
		s.family = ipv6 ? AF_INET6 : AF_INET;
		for (kind = 0; kind < 10; kind++) {
			bool held = kind & 1;

			s.flags = kind < 4 ? MW_SYN : MW_ACK;
			s.direction = kind / 2 % 2 ? MAILWALL_OUT : MAILWALL_IN;
			s.connection = kind >= 8;
			if (!agrees_with_peer(subject, &s, ipv6, held, local ^ remote >> 3))
				return false;
		}
		*cases += 10;
	}
	return true;
}

/* Subjects */

static void add_other(struct subject *subject, int port)
{
	unsigned int i;

	if (port < 0 || port > 65535)
		return;
	for (i = 0; i < subject->others; i++)
		if (subject->other[i] == port)
			return;
	if (subject->others == OTHERS_MAX)
		exit(1);
	subject->other[subject->others++] = port;
}

static void add_others(struct subject *subject)
{
	static const u16 port[] = { 25, 110, 465, 587, 995, 8450 };
	static const u16 edge[] = { 0, 1, 1023, 1024, 65535 };
	unsigned int i;
	int d;

	for (i = 0; i < ARRAY_SIZE(edge); i++)
		add_other(subject, edge[i]);
	for (d = -1; d <= 1; d++) {
		for (i = 0; i < ARRAY_SIZE(port); i++)
			add_other(subject, port[i] + d);
		for (i = 0; i < subject->spec.site_count; i++)
			add_other(subject, subject->spec.site[i].port + d);
	}
}

static void build(struct subject *subject)
{
	struct mw_complaint c;
	char text[MW_PREFIX_TEXT];
	unsigned int i;

	subject->spec.gtw_count = 1;
	if (mw_spec_normalise(&subject->spec, &c, text)) {
		printf("Bail out! policy refused: %.*s: %s\n", (int)c.length, c.item, c.cure);
		exit(1);
	}
	/* in an order that is not the rows' own, as after many changes */
	for (i = 0; i < MAILWALL_SITE_MAX; i++)
		subject->site_slot[i] = MW_SITE_SLOT + (37 * i + 11) % MW_SITE_SLOTS;
	free(subject->policy);
	subject->policy = calloc(1, sizeof(*subject->policy));
	if (!subject->policy)
		exit(1);
	mw_policy_build(subject->policy, &subject->spec, subject->site_slot);
}

static void set_adm(struct mw_spec *spec, const char *text)
{
	struct mw_complaint c;

	if (mw_edit_adm(spec, text, strlen(text), &c)) {
		printf("Bail out! ADM refused: %.*s: %s\n", (int)c.length, c.item, c.cure);
		exit(1);
	}
}

/* Peers at the edges of the prefixes, inside and outside. */
static const char adm_text[] = "192.0.2.0/24 198.51.100.7 10.0.0.0/8 2001:db8:1::/48 fd00::/8 "
			       "2001:db8:2::7 2001:db8:3:0:8000::/65";
static const char *const peers[2][2][PEERS] = {
	{ { "192.0.1.255", "192.0.3.0", "198.51.100.6", "198.51.100.8", "9.255.255.255", "11.0.0.0",
	    "0.0.0.0", "255.255.255.255" },
	  { "192.0.2.0", "192.0.2.255", "198.51.100.7", "10.0.0.0", "10.255.255.255", "192.0.2.1",
	    "10.1.2.3", "192.0.2.128" } },
	{ { "2001:db8:0:ffff:ffff:ffff:ffff:ffff", "2001:db8:2::", "2001:db8:2::6", "2001:db8:2::8",
	    "fcff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "::ffff:192.0.2.1",
	    "2001:db8:3:0:7fff:ffff:ffff:ffff", "2001:db8:3:1::" },
	  { "2001:db8:1::", "2001:db8:1:ffff:ffff:ffff:ffff:ffff",
	    "fd00::", "fdff:ffff:ffff:ffff:ffff:ffff:ffff:ffff", "2001:db8:2::7",
	    "2001:db8:3:0:8000::", "2001:db8:3:0:ffff:ffff:ffff:ffff", "fd12::1" } },
};

/* Peers, and what the naive decision finds of them and of each port. */
static void prepare(struct subject *subject)
{
	unsigned int ipv6, held, i;

	for (ipv6 = 0; ipv6 < 2; ipv6++) {
		int family = ipv6 ? AF_INET6 : AF_INET;

		for (held = 0; held < 2; held++) {
			for (i = 0; i < PEERS; i++) {
				u8 *peer = subject->peer[ipv6][held][i];

				inet_pton(family, peers[ipv6][held][i], peer);
				subject->holds[ipv6][held][i] =
					naive_holds(&subject->spec, family, peer);
			}
		}
	}
	for (i = 0; i < 65536; i++) {
		subject->row[true][i] = naive_find(&subject->spec, true, i);
		subject->row[false][i] = naive_find(&subject->spec, false, i);
	}
	subject->held_tried[0] = true;
	subject->held_tried[1] = subject->spec.adm_count;
}

/*
 * All 32 rows. The ports are those next to the table's and the edges of the range,
 * with four that a host needs and one that the table has in the other direction; most
 * have a row in each direction, with and without ADM.
 */
static void set_sites(struct mw_spec *spec)
{
	static const char text[] = "24 ANY GTW,24 GTW ADM,26 ADM GTW,26 GTW ANY,"
				   "1 ANY GTW,1 GTW ANY,2 ADM GTW,2 GTW ADM,"
				   "1023 ADM GTW,1023 GTW ADM,1024 ANY GTW,1024 GTW ANY,"
				   "65535 ADM GTW,65535 GTW ADM,65534 ANY GTW,65534 GTW ADM,"
				   "8449 ADM GTW,8449 GTW ANY,8450 GTW ADM,8451 ANY GTW,"
				   "8451 GTW ADM,464 ANY GTW,466 GTW ANY,586 ADM GTW,"
				   "588 GTW ADM,994 GTW ANY,996 ADM GTW,109 GTW ADM,"
				   "22 ADM GTW,53 GTW ANY,80 ANY GTW,443 GTW ANY";
	struct mw_complaint c;

	if (mw_edit_site(spec, text, strlen(text), &c) || spec->site_count != MAILWALL_SITE_MAX) {
		printf("Bail out! site rows refused: %.*s: %s\n", (int)c.length, c.item, c.cure);
		exit(1);
	}
}

/* Random lists of prefixes, and peers at the edge of each. */

static u64 random_state;

static u32 random32(void)
{
	random_state = random_state * 6364136223846793005ULL + 1442695040888963407ULL;
	return random_state >> 32;
}

/* Make a prefix valid: no bit past its length, not IPv4-mapped. */
static void trim(struct mailwall_prefix *prefix)
{
	unsigned int i;

	for (i = prefix->length; i < 128; i++)
		prefix->address[i / 8] &= ~(128 >> i % 8);
	if (prefix->family == AF_INET6 && prefix->length >= 96)
		prefix->address[0] |= 1;
}

static void random_prefix(struct mailwall_prefix *prefix, const struct mailwall_prefix *near)
{
	unsigned int i, max;

	memset(prefix, 0, sizeof(*prefix));
	prefix->family = random32() & 1 ? AF_INET6 : AF_INET;
	/* nested in one another and side by side, often */
	if (near && random32() % 4)
		*prefix = *near;
	max = prefix->family == AF_INET ? 32 : 128;
	for (i = 0; i < max / 8; i++)
		if (random32() % 4 == 0)
			prefix->address[i] ^= random32() & 1 ? random32() : 1;
	prefix->length = random32() % (max + 1);
	/* long ones more often, since a short one holds all that follows */
	if (random32() % 4 && prefix->length < max / 2)
		prefix->length += max / 2;
	trim(prefix);
}

/* the address one above or one below, with a carry */
static void step(u8 *address, unsigned int bytes, int by)
{
	int i;

	for (i = bytes - 1; i >= 0; i--) {
		address[i] += by;
		if (address[i] != (by > 0 ? 0 : 255))
			break;
	}
}

static void last(const struct mailwall_prefix *prefix, u8 *address)
{
	unsigned int i;

	memcpy(address, prefix->address, 16);
	for (i = prefix->length; i < (prefix->family == AF_INET ? 32 : 128); i++)
		address[i / 8] |= 128 >> i % 8;
}

static bool try_edges(struct subject *subject, const struct mailwall_prefix *prefix, u64 *cases)
{
	unsigned int bytes = prefix->family == AF_INET ? 4 : 16, edge;
	struct naive_segment s = { .direction = MAILWALL_IN,
				   .family = prefix->family,
				   .flags = MW_SYN,
				   .local = 8450,
				   .remote = 40000 };

	for (edge = 0; edge < 6; edge++) {
		u8 address[16];

		memcpy(address, prefix->address, 16);
		if (edge >= 3)
			last(prefix, address);
		if (edge % 3)
			step(address, bytes, edge % 3 == 1 ? 1 : -1);
		s.peer = address;
		if (!agrees(subject, &s, naive_judge(&subject->spec, &s)))
			return false;
		++*cases;
	}
	return true;
}

/* A bit past the length is refused, be it the first or the last. */
static bool try_host_bits(const struct mailwall_prefix *prefix, u64 *cases)
{
	unsigned int max = prefix->family == AF_INET ? 32 : 128, bit, i;
	char text[MW_PREFIX_TEXT];
	struct mw_complaint c;

	for (i = 0; i < 2 && prefix->length < max; i++) {
		struct mailwall_prefix wrong = *prefix;

		bit = i ? max - 1 : prefix->length;
		wrong.address[bit / 8] |= 128 >> bit % 8;
		if (mw_prefix_check(&wrong, &c, text) != -EINVAL) {
			printf("# %s is taken, with bit %u set\n", text, bit);
			return false;
		}
		++*cases;
	}
	return true;
}

static bool membership(unsigned int lists, u64 *cases)
{
	static struct subject subject = { .name = "random ADM" };
	unsigned int i;

	while (lists--) {
		struct mw_spec *spec = &subject.spec;
		unsigned int count = random32() % (MAILWALL_ADM_MAX + 1), near;
		struct mailwall_prefix list[MAILWALL_ADM_MAX];

		memset(spec, 0, sizeof(*spec));
		spec->mode = MAILWALL_ENFORCE;
		spec->adm_count = count;
		for (i = 0; i < count; i++) {
			random_prefix(&list[i], i ? &list[random32() % i] : NULL);
			if (lists % 4 == 0) {
				/* many ranges: of one family, and apart */
				memset(&list[i], 0, sizeof(list[i]));
				list[i].family = lists & 4 ? AF_INET6 : AF_INET;
				list[i].length = 24 + random32() % (lists & 4 ? 105 : 9);
				list[i].address[0] = 16;
				list[i].address[1] = random32();
				list[i].address[2] = random32();
				list[i].address[list[i].length / 8 - 1] |= 1;
				trim(&list[i]);
			} else if (i && random32() % 4 == 0) {
				/* right after another, so that they touch, or almost */
				last(&list[i - 1], list[i].address);
				list[i].family = list[i - 1].family;
				list[i].length = list[i - 1].length;
				for (near = 1 + random32() % 2; near; near--)
					step(list[i].address, list[i].family == AF_INET ? 4 : 16,
					     1);
				trim(&list[i]);
			}
			spec->adm[i] = list[i];
		}
		build(&subject);
		for (i = 0; i < count; i++)
			if (!try_edges(&subject, &list[i], cases) ||
			    !try_host_bits(&list[i], cases))
				return false;
		for (i = 0; i < 8; i++) {
			struct mailwall_prefix any;

			random_prefix(&any, NULL);
			if (!try_edges(&subject, &any, cases))
				return false;
		}
	}
	return true;
}

/*
 * Which GTW, which way, both: random lists of gateways, prefixes of both families nested in one
 * another, devices that are there or not and some whose numbers end alike, met at every place.
 */

#define FEW 6 /* different devices */

static int few_devices(void)
{
	static const int number[FEW] = { 0, 2, 3, 2 + 64, 3 + 128, 40 };

	return number[random32() % FEW];
}

/* Few values, so that prefixes hold one another and addresses. */
static void few_bits(u8 *address, unsigned int bytes)
{
	unsigned int i;

	for (i = 0; i < bytes; i++)
		address[i] = random32() % 4 ? 0x10 : random32() % 3 ? 0x11 : random32();
}

static void random_gateways(struct mw_spec *spec, int device[MAILWALL_GTW_MAX])
{
	unsigned int i, wanted = 1 + random32() % (random32() % 4 ? 6 : MAILWALL_GTW_MAX);
	struct mw_complaint c;
	char text[MW_PREFIX_TEXT];

	memset(spec, 0, sizeof(*spec));
	spec->gtw_count = wanted;
	for (i = 0; i < wanted; i++) {
		struct mailwall_gtw *item = &spec->gtw[i];

		item->kind = i && spec->gtw[0].kind == MAILWALL_GTW_THIS ? 1 + random32() % 2 :
									   random32() % 3;
		if (item->kind == MAILWALL_GTW_PORT) {
			sprintf(item->device, "dev%u", random32() % 40);
		} else if (item->kind == MAILWALL_GTW_PREFIX) {
			item->prefix.family = random32() % 2 ? AF_INET6 : AF_INET;
			item->prefix.length = item->prefix.family == AF_INET6 ? random32() % 129 :
										random32() % 33;
			few_bits(item->prefix.address, item->prefix.family == AF_INET6 ? 16 : 4);
			trim(&item->prefix);
			/* nobody's addresses are refused, and by few_bits() rare */
			if (item->prefix.address[0] == 127 || item->prefix.address[0] >= 0xe0 ||
			    item->prefix.length > 96)
				item->prefix.address[0] = 0x10;
			trim(&item->prefix);
			if (!item->prefix.address[0] && item->prefix.length > 31)
				item->prefix.address[0] = 0x10;
		}
	}
	if (mw_spec_normalise(spec, &c, text)) {
		printf("Bail out! gateways refused: %.*s: %s\n", (int)c.length, c.item, c.cure);
		exit(1);
	}
	/* no two devices have one number */
	for (i = 0; i < spec->gtw_count; i++) {
		unsigned int j;

		device[i] = spec->gtw[i].kind == MAILWALL_GTW_PORT ? few_devices() : 0;
		for (j = 0; j < i; j++)
			if (device[j] == device[i])
				device[i] = 0;
	}
}

static bool try_path(const struct mw_spec *spec, const int *device, const struct mw_gateways *g,
		     const u8 *slot)
{
	u8 source[16], target[16];
	struct naive_path naive = { .family = random32() % 2 ? AF_INET6 : AF_INET,
				    .source = source,
				    .target = target,
				    .hook = random32() % 3 };
	struct mw_path path;
	int sender, receiver;
	struct mw_ends ends;

	few_bits(source, 16);
	few_bits(target, 16);
	naive.bridge = random32() % 3 == 0;
	naive.in = naive.hook == NAIVE_OUT ? 0 : few_devices();
	naive.out = naive.hook == NAIVE_IN ? 0 : few_devices();
	if (naive.hook == NAIVE_FORWARD && !naive.bridge && random32() % 3 == 0) {
		naive.bridge_in = 1 + few_devices();
		naive.bridge_out = 1 + few_devices();
		if (random32() % 2)
			naive.bridge_in--, naive.bridge_out--;
		if (!naive.bridge_in || !naive.bridge_out)
			naive.bridge_in = naive.bridge_out = 0;
	}
	path = path_of(&naive);
	sender = naive_sender(spec, device, &naive);
	receiver = naive_receiver(spec, device, &naive);
	ends = mw_gateways_ends(g, &path);
	if (ends_are(&ends, slot, sender, receiver))
		return true;
	printf("# %u gateways, place %d, hook %d, IPv%d, devices %d %d, ports %d %d: from %u, %d, to %u, %d, expected items %d and %d\n",
	       spec->gtw_count, path.place, naive.hook, path.ipv6 ? 6 : 4, path.in, path.out,
	       path.bridge_in, path.bridge_out, ends.from, ends.from_this, ends.to, ends.to_this,
	       sender, receiver);
	return false;
}

static bool which_gateway(unsigned int lists, u64 *cases)
{
	static struct mw_gateways g;
	static struct mw_spec spec;
	int device[MAILWALL_GTW_MAX];
	u8 slot[MAILWALL_GTW_MAX];
	unsigned int i;

	while (lists--) {
		unsigned int tries, port = 0;
		bool alone;

		random_gateways(&spec, device);
		alone = !mw_spec_is_behind(&spec);
		memset(&g, 0, sizeof(g));
		for (i = 0; i < MAILWALL_GTW_MAX; i++)
			slot[i] = 1 + (i * 41 + lists) % (MW_GTW_SLOTS - 1);
		mw_gateways_build(&g, &spec, slot);
		/* devices come, change and go */
		for (tries = 0; tries < 2; tries++)
			for (i = port = 0; i < spec.gtw_count; i++)
				if (spec.gtw[i].kind == MAILWALL_GTW_PORT)
					mw_gateways_resolve(&g, port++,
							    tries ? device[i] : few_devices());
		if ((g.ports || g.prefixes) == alone)
			return false;
		for (tries = 0; tries < 300; tries++, ++*cases)
			if (!try_path(&spec, device, alone ? NULL : &g, slot))
				return false;
	}
	return true;
}

/* What is tried, as far as it is asked for. */
static struct {
	const char *only;
	unsigned int points;
	u64 cases;
	bool failed;
} tried;

static bool wanted(const char *name)
{
	return !tried.only || !strcmp(tried.only, name);
}

static void point(bool good, const char *name, u64 cases)
{
	printf("%sok %u - %s # %llu cases\n", good ? "" : "not ", ++tried.points, name,
	       (unsigned long long)cases);
	fflush(stdout);
	tried.cases += cases;
	tried.failed |= !good;
}

/* One point over so many random lists: the same ones, whatever was tried before. */
static void try_lists(const char *name, bool (*agree)(unsigned int lists, u64 *cases),
		      unsigned int lists)
{
	u64 cases = 0;
	bool good;

	if (!wanted(name))
		return;
	random_state = 1;
	good = agree(lists, &cases);
	point(good, name, cases);
}

int main(int argc, char **argv)
{
	static struct subject plain = { .name = "no site row" }, full = { .name = "32 site rows" },
			      closed = { .name = "no ADM" };
	struct subject *subjects[] = { &plain, &full, &closed };
	bool quick = argc > 1 && !strcmp(argv[1], "quick");
	bool all_pairs = argc > 1 && !strcmp(argv[1], "pairs");
	unsigned int threads = argc > 2 ? atoi(argv[2]) : sysconf(_SC_NPROCESSORS_ONLN);
	unsigned int i, count = 0;
	u16 local[512];

	tried.only = argc > 3 ? argv[3] : NULL;
	if (threads < 1 || threads > THREADS_MAX)
		threads = 1;
	set_adm(&plain.spec, adm_text);
	set_adm(&full.spec, adm_text);
	set_sites(&full.spec);
	set_sites(&closed.spec);
	for (i = 0; i < ARRAY_SIZE(subjects); i++) {
		subjects[i]->spec.mode = MAILWALL_ENFORCE;
		build(subjects[i]);
		prepare(subjects[i]);
	}
	add_others(&plain);
	add_others(&full);
	/* without ADM, the classes are these: a row with it, one without, none */
	add_other(&closed, 25);
	add_other(&closed, 65535);
	add_other(&closed, 40000);

	for (i = 0; i < full.others; i++)
		local[count++] = full.other[i];
	for (i = 0; i < 256; i += 4)
		local[count++] = i << 8 | (i * 77 & 0xff);

	try_lists("ADM at the edges of random prefixes", membership, quick ? 2000 : 100000);
	try_lists("which GTW, which way, over random lists", which_gateway, quick ? 5000 : 100000);
	/* all pairs over the first two, where there is an ADM */
	for (i = 0; i < ARRAY_SIZE(subjects) + (all_pairs ? 2 : 0); i++) {
		const struct subject *subject = subjects[i % ARRAY_SIZE(subjects)];
		bool pair = i >= ARRAY_SIZE(subjects);
		struct work work = {
			.subject = subject,
			.port = pair ? pairs : product,
			.local = quick ? local : NULL,
			.count = quick ? count : 65536,
		};
		char name[80];
		u64 cases = 0;
		bool good;

		snprintf(name, sizeof(name), "%s, %s", subject->name,
			 pair ? "all pairs of ports" : "all flags");
		if (!wanted(name))
			continue;
		good = run(&work, threads, &cases);
		point(good, name, cases);
	}
	printf("# %llu cases compared\n1..%u\n", (unsigned long long)tried.cases, tried.points);
	return tried.failed || !tried.points;
}
