/* SPDX-License-Identifier: GPL-2.0 */
/* Reader of tests/vectors/decision.tsv. */
#ifndef _MW_TEST_VECTORS_H
#define _MW_TEST_VECTORS_H

#include "edit.h"
#include "policy.h"

/* Of a gateway behind this host, or of the host: devices are numbers of vectors_device(). */
struct vector {
	char name[64];
	char hook[16]; /* behind: forward, bridge, to-host or from-host */
	int in, out; /* behind */
	u8 direction; /* of the host's own */
	u8 family;
	u8 source[16], target[16];
	u16 source_port, target_port;
	u8 flags;
	unsigned int offset, length;
	bool held; /* the connection is, or the flow is there */
	char policy[16];
	char expected[128];
};

/* The number of the device with this role, which is its name; 0 for none. */
int vectors_device(const char *role);

/*
 * Those of gateways behind, or those of the host.
 *
 * Return: vectors read into @v, at most @max; ends the program with a message on any error
 */
unsigned int vectors_read(const char *path, bool behind, struct vector *v, unsigned int max);

/* The policy of that name, mode enforce. */
struct mw_spec vectors_policy(const char *path, const char *name);

#endif /* _MW_TEST_VECTORS_H */
