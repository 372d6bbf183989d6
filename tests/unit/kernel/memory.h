/* SPDX-License-Identifier: GPL-2.0 */
/* Of the kernel what kmod/flow.c asks for: atomics, memory, random bytes. */
#ifndef _MW_TEST_MEMORY_H
#define _MW_TEST_MEMORY_H

#include "portable.h"
#include <assert.h>
#include <stdlib.h>

#ifndef __aligned
#define __aligned(n) __attribute__((__aligned__(n)))
#endif
#ifndef __packed
#define __packed __attribute__((__packed__))
#endif

/* Where a test asks for it, another processor gets on before an access. */
#ifdef MEMORY_TURN
void memory_turn(void);
#else
static inline void memory_turn(void)
{
}
#endif

/* Of the orders that the kernel's have: ThreadSanitizer knows them. */
typedef struct {
	s64 counter;
} atomic64_t;

static inline s64 atomic64_read(const atomic64_t *v)
{
	memory_turn();
	return __atomic_load_n(&v->counter, __ATOMIC_RELAXED);
}

static inline s64 atomic64_read_acquire(const atomic64_t *v)
{
	memory_turn();
	return __atomic_load_n(&v->counter, __ATOMIC_ACQUIRE);
}

static inline void atomic64_set_release(atomic64_t *v, s64 value)
{
	memory_turn();
	__atomic_store_n(&v->counter, value, __ATOMIC_RELEASE);
}

static inline s64 atomic64_cmpxchg_release(atomic64_t *v, s64 old, s64 new)
{
	memory_turn();
	__atomic_compare_exchange_n(&v->counter, &old, new, false, __ATOMIC_RELEASE,
				    __ATOMIC_RELAXED);
	return old;
}

#define GFP_KERNEL 0
#define struct_size(p, member, count) (sizeof(*(p)) + sizeof(*(p)->member) * (count))

static inline void *kvzalloc(size_t size, int gfp)
{
	size_t whole = (size + 63) & ~(size_t)63;
	void *p = aligned_alloc(64, whole);

	(void)gfp;
	return p ? memset(p, 0, whole) : NULL;
}

static inline void kvfree(const void *p)
{
	free((void *)p);
}

static inline unsigned long roundup_pow_of_two(unsigned long n)
{
	unsigned long power = 1;

	while (power < n)
		power *= 2;
	return power;
}

/* The test's own, so that a run can be made again. */
void get_random_bytes(void *to, int length);

#endif /* _MW_TEST_MEMORY_H */
