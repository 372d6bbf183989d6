/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the harnesses share. Each is one file that hands any bytes to policy and prefix
 * and compares what they do with reference.c. It is linked with libFuzzer (fuzz) or
 * with random.c (random.t), which makes inputs that look like an administrator's.
 */
#ifndef _MW_FUZZ_H
#define _MW_FUZZ_H

#include "edit.h"
#include "policy.h"
#include <ctype.h>
#include <stdlib.h>

/* What libFuzzer and random.c call. */
int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

/**
 * fuzz_make() - make an input, for random.c (FUZZ_RANDOM)
 * @data: filled in, often with what is valid and nearly valid
 * @size: room
 *
 * Return: bytes filled in.
 */
size_t fuzz_make(u8 *data, size_t size);

/* Random numbers of random.c; the same sequence for the same seed. */
u32 random_below(u32 limit);

#define REQUIRE(condition)                                                                \
	do {                                                                              \
		if (!(condition)) {                                                       \
			fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
				#condition);                                              \
			abort();                                                          \
		}                                                                         \
	} while (0)

/* A cure is text that can be shown, whatever the item was. */
static inline void require_cure(const struct mw_complaint *c)
{
	size_t i, length = strnlen(c->cure, sizeof(c->cure));

	REQUIRE(length > 0 && length < sizeof(c->cure));
	for (i = 0; i < length; i++)
		REQUIRE(isprint((unsigned char)c->cure[i]));
}

#endif /* _MW_FUZZ_H */
