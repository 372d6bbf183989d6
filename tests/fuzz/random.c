// SPDX-License-Identifier: GPL-2.0
/*
 * A harness over random inputs that look like real ones, without libFuzzer:
 *
 *	NAME INPUTS [SEED]
 *
 * One TAP line. The same seed makes the same inputs; without one, the time is it.
 */
#include "fuzz.h"
#include <time.h>

#define SIZE 8192

static u64 random_state;

u32 random_below(u32 limit)
{
	/* xorshift64*, whose high half is the good one */
	random_state ^= random_state >> 12;
	random_state ^= random_state << 25;
	random_state ^= random_state >> 27;
	return (u64)(u32)(random_state * 0x2545f4914f6cdd1dULL >> 32) * limit >> 32;
}

int main(int argc, char **argv)
{
	u64 inputs, seed, i, bytes = 0;
	u8 *room = malloc(SIZE);

	if (argc < 2 || !room) {
		fprintf(stderr, "usage: %s INPUTS [SEED]\n", argv[0]);
		return 2;
	}
	inputs = strtoull(argv[1], NULL, 0);
	seed = argc > 2 ? strtoull(argv[2], NULL, 0) : (u64)time(NULL);
	/* before anything can go wrong, so that it can be made to go wrong again */
	printf("# seed %llu\n", (unsigned long long)seed);
	fflush(stdout);
	for (i = 0; i < inputs; i++) {
		size_t size;
		u8 *data;

		random_state = (seed * 0x9e3779b97f4a7c15ULL + i) | 1;
		random_below(1);
		random_below(1);
		size = fuzz_make(room, SIZE);
		data = malloc(size); /* of this size, so that ASan sees what lies past it */
		if (size)
			memcpy(data, room, size);
		LLVMFuzzerTestOneInput(data, size);
		free(data);
		bytes += size;
	}
	free(room);
	printf("# %llu inputs, %llu bytes\n", (unsigned long long)inputs,
	       (unsigned long long)bytes);
	return 0;
}
