// SPDX-License-Identifier: GPL-2.0
/*
 * kmod/flow.c and flow.h, compiled from the module's own source over tests/unit/kernel and
 * compared with a plain map of flows: random notes, look-ups, clocks and evictions; keys;
 * processors that interrupt one another, and processors at once. With -DMEMORY_TURN.
 *
 *	flow model STEPS [SEED [POINT]]
 *	flow threads ROUNDS [SEED]
 */
#include "flow.h"
#include "memory.h"
#include <pthread.h>

#define WINDOW 7440 /* docs/decision.md: "within the last 2 h 4 min" */
#define WAYS 7

static __thread u64 random_state;

static u64 random64(void)
{
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return random_state * 0x2545f4914f6cdd1dULL;
}

static u32 below(u32 limit)
{
	return (random64() >> 32) * limit >> 32;
}

static void seed(u64 with)
{
	random_state = with * 0x9e3779b97f4a7c15ULL | 1;
	random64();
}

void get_random_bytes(void *to, int length)
{
	while (length--)
		((u8 *)to)[length] = random64() >> 32;
}

static unsigned int points, failures;

static const char *only; /* the one point to try, or NULL */

static void point(bool good, const char *what)
{
	printf("%sok %u - %s\n", good ? "" : "not ", ++points, what);
	fflush(stdout);
	failures += !good;
}

/* A point, if it is one of those asked for. */
#define TRY(good, what)                           \
	do {                                      \
		if (!only || !strcmp(only, what)) \
			point(good, what);        \
	} while (0)

/* Says why, once, and is false. */
#define MUST(condition, ...)                                                     \
	do {                                                                     \
		if (!(condition)) {                                              \
			printf("# %s:%d: %s: ", __FILE__, __LINE__, #condition); \
			printf(__VA_ARGS__);                                     \
			printf("\n");                                            \
			return false;                                            \
		}                                                                \
	} while (0)

/* A flow, as somebody who knows no hash has it. */
struct tuple {
	u8 gateway[16], peer[16];
	u16 local, remote;
	u32 device;
	bool ipv6;
};

/* The key of a segment on it, which the gateway sends or gets; its headers lie anywhere. */
static u64 key_of(const struct mw_flow_table *table, const struct tuple *t, bool from_gateway)
{
	unsigned int size = t->ipv6 ? 16 : 4, at = below(8);
	const u16 source = from_gateway ? t->local : t->remote;
	const u16 target = from_gateway ? t->remote : t->local;
	u8 addresses[40], ports[12];

	memcpy(addresses + at, from_gateway ? t->gateway : t->peer, size);
	memcpy(addresses + at + size, from_gateway ? t->peer : t->gateway, size);
	memcpy(ports + at, &source, 2);
	memcpy(ports + at + 2, &target, 2);
	return t->ipv6 ?
		       mw_flow_key_ipv6(table, addresses + at, ports + at, t->device,
					from_gateway) :
		       mw_flow_key_ipv4(table, addresses + at, ports + at, t->device, from_gateway);
}

static struct tuple random_tuple(void)
{
	struct tuple t = { .local = random64(), .remote = random64(), .ipv6 = below(2) };

	t.device = below(4) ? below(16) : random64();
	get_random_bytes(t.gateway, t.ipv6 ? 16 : 4);
	get_random_bytes(t.peer, t.ipv6 ? 16 : 4);
	return t;
}

/* Keys */

static bool keys(void)
{
	unsigned int round, bit;

	for (round = 0; round < 2000; round++) {
		struct mw_flow_table *table = mw_flow_create(MW_FLOWS_MIN);
		struct tuple t = random_tuple(), other, turned;
		u64 key = key_of(table, &t, true);
		unsigned int size = t.ipv6 ? 128 : 32;

		MUST(key_of(table, &t, false) == key, "both ways have one key");
		/* whose side is whose is part of it */
		turned = t;
		memcpy(turned.gateway, t.peer, 16);
		memcpy(turned.peer, t.gateway, 16);
		turned.local = t.remote;
		turned.remote = t.local;
		MUST(key_of(table, &turned, true) != key, "a flow turned round is another");
		/* so is every bit */
		for (bit = 0; bit < 2 * size + 64; bit++) {
			other = t;
			if (bit < size)
				other.gateway[bit / 8] ^= 1 << bit % 8;
			else if (bit < 2 * size)
				other.peer[(bit - size) / 8] ^= 1 << bit % 8;
			else if (bit < 2 * size + 16)
				other.local ^= 1 << (bit - 2 * size);
			else if (bit < 2 * size + 32)
				other.remote ^= 1 << (bit - 2 * size - 16);
			else
				other.device ^= 1U << (bit - 2 * size - 32);
			MUST(key_of(table, &other, true) != key, "bit %u is no part of it", bit);
		}
		mw_flow_destroy(table);
	}
	return true;
}

/* For flow.t: what the keys are, with integers of 128 bits and without them. */
static void digest(void)
{
	struct mw_flow_table *table = mw_flow_create(MW_FLOWS_MIN);
	u64 sum = 0;
	int i;

	for (i = 0; i < 100000; i++) {
		struct tuple t = random_tuple();

		sum = sum * 0x2545f4914f6cdd1dULL + key_of(table, &t, i & 1);
	}
	mw_flow_destroy(table);
	printf("# keys %016llx\n", (unsigned long long)sum);
}

/* No two tables have one key for a flow. */
static bool tables_differ(void)
{
	struct tuple t = random_tuple();
	struct mw_flow_table *a = mw_flow_create(1024), *b = mw_flow_create(1024);
	bool differ = key_of(a, &t, true) != key_of(b, &t, true);

	mw_flow_destroy(a);
	mw_flow_destroy(b);
	return differ;
}

/*
 * How often do two different flows, chosen without knowledge of a table's factors, agree in
 * twelve bits of their tags, of their indices, or in six of each? Of 2^20 tables as good as
 * 256: six standard deviations are 96. Pairs that differ as an attacker would have them.
 */
#define TRIES (1 << 20)

static bool agreement(const char *what, struct tuple a, struct tuple b)
{
	struct mw_flow_table *table = mw_flow_create(MW_FLOWS_MAX);
	unsigned int i, tag = 0, index = 0, both = 0;

	for (i = 0; i < TRIES; i++) {
		u64 differ;

		get_random_bytes(&table->odd, sizeof(table->odd));
		table->odd |= 1;
		get_random_bytes(table->factor, sizeof(table->factor));
		differ = key_of(table, &a, true) ^ key_of(table, &b, true);
		tag += !(differ & 0xfff);
		index += !(mw_flow_index(table, differ) & 0xfff);
		both += !(differ & 0x3f) && !(mw_flow_index(table, differ) & 0x3f);
	}
	mw_flow_destroy(table);
	printf("# %s: of %u pairs %u agree in 12 bits of the tag, %u of the index, %u in 6 and 6\n",
	       what, TRIES, tag, index, both);
	return abs((int)tag - 256) < 96 && abs((int)index - 256) < 96 && abs((int)both - 256) < 96;
}

static bool agreements(void)
{
	struct tuple a = random_tuple(), b = a, c;
	bool good = true;

	a.ipv6 = b.ipv6 = false;
	b.local ^= htobe16(1);
	good &= agreement("next port, IPv4", a, b);
	c = b = a;
	b.remote ^= 1;
	b.device ^= 1;
	good &= agreement("port and device, IPv4", c, b);
	a = b = random_tuple();
	a.ipv6 = b.ipv6 = true;
	b.peer[15] ^= 1;
	good &= agreement("next address, IPv6", a, b);
	memcpy(b.gateway, a.peer, 16);
	memcpy(b.peer, a.gateway, 16);
	good &= agreement("addresses changed about, IPv6", a, b);
	return good;
}

/*
 * However old an entry is, at any second it is fresh for one tag at most: so a made-up key
 * meets one of the seven in its bucket less often than once in 2^41.
 */
static bool one_tag(void)
{
	static const s64 far[] = {
		0, 1, 60, 61, 7440, 7441, 1 << 19, 1 << 20, 1LL << 32, 1LL << 50
	};
	unsigned int i;

	MUST((double)WAYS / (1ULL << MW_FLOW_TAG_BITS) < 1 / (double)(1ULL << 41), "bits of a tag");
	for (i = 0; i < 2000000; i++) {
		u64 key = random64(), noted = below(1 << 30);
		u64 flow = mw_flow_entry(key, noted);
		u64 now = noted + far[below(ARRAY_SIZE(far))] + below(3) * (u64)below(1 << 21);
		u64 about = (flow - now) >> MW_FLOW_TIME_BITS, fresh = 0;
		int d;

		for (d = -3; d <= 3; d++)
			fresh += mw_flow_is_fresh(mw_flow_entry(about + d, now), flow);
		MUST(fresh <= 1, "noted %llu, now %llu: %llu tags", (unsigned long long)noted,
		     (unsigned long long)now, (unsigned long long)fresh);
		MUST(mw_flow_is_fresh(mw_flow_entry(key, now), flow) == (now - noted <= WINDOW),
		     "the flow's own tag, %llu s later", (unsigned long long)(now - noted));
		/* an empty way is nobody's, from the first second on */
		MUST(!mw_flow_is_fresh(mw_flow_entry(below(2) ? key : 0, below(2) ? 0 : now), 0),
		     "an empty way is fresh");
	}
	return true;
}

/* All that a made-up segment meets: full buckets. */
static bool made_up(void)
{
	struct mw_flow_table *table = mw_flow_create(MW_FLOWS_MIN);
	unsigned int i;

	for (i = 0; i < 20000; i++)
		mw_flow_note(table, random64(), 1000000);
	for (i = 0; i < 20000000; i++)
		MUST(!mw_flow_fresh(table, random64(), 1000000), "met in %u tries", i);
	mw_flow_destroy(table);
	return true;
}

/* Sizes */

static bool sizes(void)
{
	static const u32 flows[][2] = { { 1024, 1024 },	     { 1025, 2048 },   { 2047, 2048 },
					{ 16384, 16384 },    { 16385, 32768 }, { 600000, 1048576 },
					{ 1048576, 1048576 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(flows); i++) {
		struct mw_flow_table *table = mw_flow_create(flows[i][0]);

		MUST(table && (table->mask + 1) * MW_FLOWS_PER_BUCKET == flows[i][1], "flows=%u",
		     flows[i][0]);
		mw_flow_destroy(table);
	}
	MUST(sizeof(struct mw_flow_table) + 8192 * sizeof(struct mw_flow_bucket) <= 1 << 20,
	     "16,384 flows take more than 1 MiB");
	mw_flow_destroy(NULL);
	return true;
}

/* A table for N flows that has N, of a gateway that takes its ports one after the other. */
static bool loses_few(void)
{
	unsigned int round, i, lost = 0;

	for (round = 0; round < 60; round++) {
		struct mw_flow_table *table = mw_flow_create(16384);
		struct tuple t = random_tuple();

		for (i = 0; i < 16384; i++) {
			t.local = htobe16(49152 + i);
			lost += mw_flow_note(table, key_of(table, &t, true), 1) == MW_FLOW_EVICTED;
		}
		mw_flow_destroy(table);
	}
	printf("# %u of %u lost\n", lost, 60 * 16384);
	return lost * 1000 < 60 * 16384;
}

/* The model */

struct model {
	struct tuple tuple;
	u64 key;
	u64 bucket;
	s64 noted; /* -1: not, or evicted */
};

static bool model_fresh(const struct model *m, s64 now)
{
	/* a processor may be late, but for less than a minute */
	return m->noted >= 0 && now - m->noted <= WINDOW;
}

/* One note, and what must become of it. @of: all flows of one bucket */
static bool model_note(struct mw_flow_table *table, struct model **of, unsigned int count,
		       struct model *m, s64 now, unsigned int *evictions)
{
	u64 key = key_of(table, &m->tuple, true);
	bool noted = mw_flow_is_noted(table, key, now);
	enum mw_flow_noted did = mw_flow_note(table, key, now);
	unsigned int i, others = 0, gone = 0;
	s64 longest = INT64_MAX;

	MUST(noted == (m->noted == now), "noted %lld, now %lld", (long long)m->noted,
	     (long long)now);
	/* what is over is over, also for a processor that is late and has an earlier second */
	for (i = 0; !noted && i < count; i++)
		if (of[i] != m && !model_fresh(of[i], now))
			of[i]->noted = -1;

	if (model_fresh(m, now)) {
		MUST(did == MW_FLOW_REFRESHED, "%d, but it was fresh", did);
		m->noted = m->noted > now ? m->noted : now;
		return true;
	}
	for (i = 0; i < count; i++)
		if (of[i] != m && model_fresh(of[i], now)) {
			others++;
			longest = of[i]->noted < longest ? of[i]->noted : longest;
		}
	MUST(did == (others < WAYS ? MW_FLOW_NOTED : MW_FLOW_EVICTED), "%d with %u others", did,
	     others);
	m->noted = now;
	for (i = 0; did == MW_FLOW_EVICTED && i < count; i++) {
		if (of[i] == m || !model_fresh(of[i], now) || mw_flow_fresh(table, of[i]->key, now))
			continue;
		/* of those that were idle equally long, any */
		MUST(of[i]->noted == longest, "idle for %lld s, another for %lld",
		     (long long)(now - of[i]->noted), (long long)(now - longest));
		of[i]->noted = -1;
		gone++;
	}
	MUST(gone == (did == MW_FLOW_EVICTED), "%u made room", gone);
	*evictions += gone;
	return true;
}

#define BUCKET_MAX 64

/* @kept: how many flows there are; more than 512 * 7 and the table is full */
static bool model(unsigned int kept, unsigned int steps, const char *what)
{
	struct mw_flow_table *table = mw_flow_create(MW_FLOWS_MIN);
	struct model *all = calloc(kept, sizeof(*all));
	static struct model *bucket[MW_FLOWS_MIN / MW_FLOWS_PER_BUCKET][BUCKET_MAX];
	static unsigned int count[MW_FLOWS_MIN / MW_FLOWS_PER_BUCKET];
	unsigned int i, step, evictions = 0;
	s64 clock = below(2) ? 0 : below(1000000);

	memset(count, 0, sizeof(count));
	for (i = 0; i < kept; i++) {
		struct model *m = &all[i];

		m->tuple = random_tuple();
		m->key = key_of(table, &m->tuple, true);
		m->bucket = mw_flow_index(table, m->key);
		m->noted = -1;
		MUST(count[m->bucket] < BUCKET_MAX, "bucket %llu", (unsigned long long)m->bucket);
		bucket[m->bucket][count[m->bucket]++] = m;
	}
	for (step = 0; step < steps; step++) {
		struct model *m = &all[below(kept)];
		s64 now = clock - (below(8) ? 0 : below(60));

		if (now < 0)
			now = 0;
		if (below(3) < 2) {
			if (!model_note(table, bucket[m->bucket], count[m->bucket], m, now,
					&evictions))
				return false;
			MUST(mw_flow_is_noted(table, m->key, m->noted), "not noted");
		}
		/* it, and all else in its bucket: nothing else was lost */
		for (i = 0; i < count[m->bucket]; i++) {
			struct model *other = bucket[m->bucket][i];

			MUST(mw_flow_fresh(table, key_of(table, &other->tuple, below(2)), now) ==
				     model_fresh(other, now),
			     "step %u: noted %lld, now %lld", step, (long long)other->noted,
			     (long long)now);
		}
		if (!below(64))
			clock += below(4);
		if (!below(steps / 12))
			clock += below(2) ? WINDOW - 1 + below(4) : below(2 * WINDOW);
		/* a round of the bits of time, and many of them */
		if (!below(steps / 6))
			clock += (1 << 19) * (u64)(1 + below(below(2) ? 3 : 1000)) -
				 below(WINDOW + 2);
	}
	printf("# %s: %u steps, %u evictions\n", what, steps, evictions);
	MUST((kept < 2000) || evictions > 0, "nothing was evicted");
	free(all);
	mw_flow_destroy(table);
	return true;
}

/*
 * More in one second than there is room for: who comes last stays until as many more have come.
 * Were it the next to go, two that wait for answers would take the room from one another, and one
 * that has nothing more to say would wait for ever.
 */
static bool in_turns(void)
{
	struct mw_flow_table *table = mw_flow_create(MW_FLOWS_MIN);
	u64 latest[WAYS] = { 0 };
	unsigned int i, j, evictions = 0;

	for (i = 0; i < 10 * WAYS;) {
		u64 key = random64();

		if (mw_flow_index(table, key))
			continue;
		latest[i++ % WAYS] = key;
		evictions += mw_flow_note(table, key, 1000) == MW_FLOW_EVICTED;
		for (j = 0; j < WAYS && j < i; j++)
			MUST(mw_flow_fresh(table, latest[j], 1000),
			     "after %u, flow %u of the last %u", i, j, WAYS);
	}
	MUST(evictions == 9 * WAYS, "%u evictions", evictions);
	mw_flow_destroy(table);
	return true;
}

/* Processors that interrupt one another, in each way there is */

#define NESTED 4
#define ACCESSES 26 /* of a note, at most */

static struct mw_flow_table *nested;
static u64 nested_key[NESTED];
static s64 nested_now;
/* The first one's note is interrupted before this access of it, there the second one's before ... */
static unsigned int turn[NESTED], access_of[NESTED], begun, running;
static unsigned int evicted;

static void note_nested(void)
{
	unsigned int me = begun++, outer = running;

	running = me + 1;
	access_of[me] = 0;
	evicted += mw_flow_note(nested, nested_key[me], nested_now) == MW_FLOW_EVICTED;
	running = outer;
}

void memory_turn(void)
{
	if (!running || running == NESTED || begun != running)
		return;
	if (access_of[running - 1]++ == turn[running - 1])
		note_nested();
}

/*
 * The bucket is full of flows whose time is over, though their bits say that they are the
 * youngest: there is room for all of these, whoever is interrupted where.
 */
static bool turns(void)
{
	struct mw_flow_bucket full, *bucket;
	unsigned int i, j, found, most = 0;
	u64 key;

	nested = mw_flow_create(MW_FLOWS_MIN);
	bucket = &nested->bucket[0];
	for (found = 0; found < WAYS + NESTED;) {
		key = random64();
		if (mw_flow_index(nested, key))
			continue;
		if (found < WAYS)
			mw_flow_note(nested, key, 100000 + found);
		else
			nested_key[found - WAYS] = key;
		found++;
	}
	full = *bucket;
	nested_now = 100000 - 1 + (1 << 19);
	for (i = 0; i < ACCESSES * ACCESSES * ACCESSES; i++) {
		turn[0] = i % ACCESSES;
		turn[1] = i / ACCESSES % ACCESSES;
		turn[2] = i / ACCESSES / ACCESSES;
		*bucket = full;
		begun = evicted = 0;
		note_nested();
		MUST(!evicted, "interrupted before accesses %u, %u, %u: a flow was evicted",
		     turn[0], turn[1], turn[2]);
		for (j = 0; j < begun; j++)
			MUST(mw_flow_fresh(nested, nested_key[j], nested_now),
			     "interrupted before accesses %u, %u, %u: flow %u of %u is lost",
			     turn[0], turn[1], turn[2], j, begun);
		most = begun == NESTED && turn[0] > most ? turn[0] : most;
	}
	MUST(most > WAYS + 1 && most < ACCESSES - 1, "%u accesses", most + 1);
	printf("# %u ways to be interrupted\n", i);
	mw_flow_destroy(nested);
	return true;
}

/* Processors at once */

#define THREADS 4
#define ACTIONS 20000 /* of each in a round */
#define BUCKETS (MW_FLOWS_MIN / MW_FLOWS_PER_BUCKET)

static struct mw_flow_table *shared;
static s64 shared_clock;
static pthread_barrier_t barrier;
/*
 * In each bucket three flows of three threads and one of all: at worst each of them takes a
 * way for the one of all, and that makes seven. So nothing may be lost.
 */
static u64 own_key[BUCKETS][THREADS];
#define ALL (THREADS - 1)
static bool stop, crowd;
static unsigned int wrong;

static void *processor(void *arg)
{
	unsigned int me = (uintptr_t)arg, i;

	seed(1000 + me);
	for (;;) {
		pthread_barrier_wait(&barrier);
		if (stop)
			return NULL;
		for (i = 0; i < ACTIONS; i++) {
			unsigned int b = below(BUCKETS);
			/* thread 3 has no flow of its own */
			unsigned int which = me == ALL || below(2) ? ALL : me;
			u64 key = crowd ? random64() | 1 : own_key[b][which];
			/*
			 * Late, and the clock goes on by 20 at most while this waits for its turn:
			 * together less than MW_FLOW_SKEW.
			 */
			s64 now = __atomic_load_n(&shared_clock, __ATOMIC_RELAXED) - below(40);
			bool bad = false;

			if (i % 3) {
				enum mw_flow_noted did = mw_flow_note(shared, key, now);

				/* not so where others crowd it out at once */
				if (!crowd)
					bad = did == MW_FLOW_EVICTED ||
					      !mw_flow_fresh(shared, key, now);
			} else {
				/* nobody notes even ones */
				bad = mw_flow_fresh(shared, random64() & ~1ULL, now);
			}
			if (bad)
				__atomic_fetch_add(&wrong, 1, __ATOMIC_RELAXED);
			if (!(i & 1023) && me == 0)
				__atomic_fetch_add(&shared_clock, 1, __ATOMIC_RELAXED);
		}
		/* each has noted nearly all: the rest, so that all are there */
		for (i = 0; !crowd && i < BUCKETS; i++)
			mw_flow_note(shared, own_key[i][me],
				     __atomic_load_n(&shared_clock, __ATOMIC_RELAXED));
		pthread_barrier_wait(&barrier);
	}
}

static bool threads(unsigned int rounds)
{
	pthread_t thread[THREADS];
	unsigned int round, i, j, have[BUCKETS] = { 0 }, left = BUCKETS * THREADS, fresh;

	shared = mw_flow_create(MW_FLOWS_MIN);
	shared_clock = 100000;
	while (left) {
		u64 key = random64() | 1, b = mw_flow_index(shared, key);

		if (have[b] == THREADS)
			continue;
		own_key[b][have[b]++] = key;
		left--;
	}
	pthread_barrier_init(&barrier, NULL, THREADS + 1);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&thread[i], NULL, processor, (void *)(uintptr_t)i))
			exit(1);
	for (round = 0; round < rounds; round++) {
		crowd = round % 4 == 3;
		pthread_barrier_wait(&barrier);
		pthread_barrier_wait(&barrier);
		for (i = fresh = 0; i < BUCKETS; i++)
			for (j = 0; j < THREADS; j++)
				fresh += mw_flow_fresh(shared, own_key[i][j], shared_clock);
		MUST(crowd || fresh == BUCKETS * THREADS, "round %u: %u of %u are fresh", round,
		     fresh, BUCKETS * THREADS);
		/* within the window, past it, and past a round of the bits */
		shared_clock += (s64[]){ 61, 7440 + 61, (1 << 19) - 100, 1 << 21 }[round % 4];
		for (i = fresh = 0; i < BUCKETS; i++)
			for (j = 0; j < THREADS; j++)
				fresh += mw_flow_fresh(shared, own_key[i][j], shared_clock);
		MUST(round % 4 == 0 || !fresh, "round %u: %u are fresh for ever", round, fresh);
	}
	stop = true;
	pthread_barrier_wait(&barrier);
	for (i = 0; i < THREADS; i++)
		pthread_join(thread[i], NULL);
	MUST(!wrong, "%u times", wrong);
	printf("# %u notes and look-ups\n", rounds * THREADS * ACTIONS);
	mw_flow_destroy(shared);
	return true;
}

int main(int argc, char **argv)
{
	unsigned int times = argc > 2 ? atoi(argv[2]) : 100000;
	u64 with = argc > 3 ? strtoull(argv[3], NULL, 0) : 1;

	only = argc > 4 ? argv[4] : NULL;
	printf("# seed %llu\n", (unsigned long long)with);
	seed(with);
	if (argc > 1 && !strcmp(argv[1], "threads")) {
		point(threads(times), "processors at once: nothing is lost, nothing else is fresh");
	} else {
		digest();
		TRY(keys(), "both ways have one key, and every bit is part of it");
		TRY(tables_differ(), "each table has keys of its own");
		TRY(agreements(), "flows that differ agree as rarely as chance has it");
		TRY(one_tag(), "an entry is fresh for its own tag alone, 7,440 seconds long");
		TRY(made_up(), "no made-up key met a flow in a full table");
		TRY(sizes(), "flows are rounded up to a power of two");
		TRY(loses_few(), "a table for as many flows loses less than one in a thousand");
		TRY(model(300, times, "few flows"), "few flows: as a map has them");
		TRY(model(3000, times, "a full table"), "a full table: as a map has them");
		TRY(model(9000, times, "crowded"), "crowded: the one idle longest makes room");
		TRY(in_turns(), "crowded within a second: who was noted last stays longest");
		TRY(turns(), "whoever is interrupted where, nothing is lost while there is room");
	}
	printf("1..%u\n", points);
	return failures ? 1 : 0;
}
