/* SPDX-License-Identifier: GPL-2.0 */
/*
 * ABI 1, which the module of release 0.1.0 speaks: structs of fixed size, for a table of
 * eleven rows, and no list of gateways, since it guards nothing but its own host.
 * Prefixes and rows are those of today.
 */
#ifndef _ABI1_H
#define _ABI1_H

#include "command.h"

#define ABI1_ADM_MAX 64
#define ABI1_SITE_MAX 32
#define ABI1_TABLE_ROWS 11
#define ABI1_REASONS 5

struct abi1_version {
	__u32 abi;
	__u32 reserved;
	char release[32];
};

struct abi1_policy {
	__aligned_u64 generation;
	__u32 mode;
	__u32 confirm;
	__u16 log;
	__u16 log_group;
	__u16 adm_count;
	__u16 site_count;
	__aligned_u64 reserved;
	struct mailwall_prefix adm[ABI1_ADM_MAX];
	struct mailwall_row site[ABI1_SITE_MAX];
};

struct abi1_row_counters {
	struct mailwall_row row;
	__u32 reserved;
	__aligned_u64 openings;
	__aligned_u64 segments;
	__aligned_u64 bytes;
};

struct abi1_counters {
	__aligned_u64 generation;
	__u32 row_count;
	__u32 reserved;
	__aligned_u64 log_held;
	__aligned_u64 denied[2][ABI1_REASONS];
	__aligned_u64 would_deny[2][ABI1_REASONS];
	struct abi1_row_counters row[ABI1_TABLE_ROWS + ABI1_SITE_MAX];
};

#define ABI1_GET_VERSION _IOR('W', 0x40, struct abi1_version)
#define ABI1_GET_POLICY _IOR('W', 0x41, struct abi1_policy)
#define ABI1_SET_POLICY _IOW('W', 0x42, struct abi1_policy)
#define ABI1_CONFIRM _IO('W', 0x43)
#define ABI1_REVERT _IO('W', 0x44)
#define ABI1_GET_COUNTERS _IOR('W', 0x45, struct abi1_counters)

/* As the functions of device.c. */
int abi1_get_version(int fd, struct mailwall_version *version);
int abi1_get(int fd, struct mw_spec *spec);
int abi1_set(int fd, const struct mw_spec *spec);
int abi1_get_counters(int fd, struct counters *counters);
int abi1_confirm(int fd);
int abi1_revert(int fd);

#endif /* _ABI1_H */
