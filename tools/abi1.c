// SPDX-License-Identifier: GPL-2.0
/* The calls of a loaded module of release 0.1.0. */
#include "abi1.h"
#include <sys/ioctl.h>

static int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

int abi1_get_version(int fd, struct mailwall_version *version)
{
	struct abi1_version old = { 0 };
	int error = call(fd, ABI1_GET_VERSION, &old);

	version->abi = old.abi;
	memcpy(version->release, old.release, sizeof(version->release));
	return error;
}

int abi1_get(int fd, struct mw_spec *spec)
{
	struct abi1_policy old = { 0 };
	int error = call(fd, ABI1_GET_POLICY, &old);

	if (error)
		return error;
	if (old.adm_count > ABI1_ADM_MAX || old.site_count > ABI1_SITE_MAX)
		return -EPROTO;
	memset(spec, 0, sizeof(*spec));
	spec->generation = old.generation;
	spec->mode = old.mode;
	spec->confirm = old.confirm;
	spec->log = old.log;
	spec->log_group = old.log_group;
	spec->adm_count = old.adm_count;
	spec->site_count = old.site_count;
	memcpy(spec->adm, old.adm, sizeof(old.adm));
	memcpy(spec->site, old.site, sizeof(old.site));
	spec->gtw_count = 1;
	spec->gtw[0].kind = MAILWALL_GTW_THIS;
	return 0;
}

int abi1_set(int fd, const struct mw_spec *spec)
{
	struct abi1_policy old = {
		.generation = spec->generation,
		.mode = spec->mode,
		.confirm = spec->confirm,
		.log = spec->log,
		.log_group = spec->log_group,
		.adm_count = spec->adm_count,
		.site_count = spec->site_count,
	};

	memcpy(old.adm, spec->adm, sizeof(old.adm));
	memcpy(old.site, spec->site, sizeof(old.site));
	return call(fd, ABI1_SET_POLICY, &old);
}

int abi1_get_counters(int fd, struct counters *counters)
{
	struct abi1_counters old = { 0 };
	struct counts *here = &counters->here;
	int error = call(fd, ABI1_GET_COUNTERS, &old);
	unsigned int i;

	if (error)
		return error;
	if (old.row_count > ARRAY_SIZE(old.row))
		return -EPROTO;
	counters->generation = old.generation;
	counters->log_held = old.log_held;
	for (i = 0; i < 2 * ABI1_REASONS; i++) {
		unsigned int direction = i / ABI1_REASONS, reason = i % ABI1_REASONS;

		here->denied[direction][reason] = old.denied[direction][reason];
		here->would_deny[direction][reason] = old.would_deny[direction][reason];
	}
	here->row_count = old.row_count;
	here->row = allocate(old.row_count * sizeof(*here->row));
	for (i = 0; i < old.row_count; i++) {
		here->row[i].row = old.row[i].row;
		here->row[i].openings = old.row[i].openings;
		here->row[i].segments = old.row[i].segments;
		here->row[i].bytes = old.row[i].bytes;
	}
	return 0;
}

int abi1_confirm(int fd)
{
	return call(fd, ABI1_CONFIRM, NULL);
}

int abi1_revert(int fd)
{
	return call(fd, ABI1_REVERT, NULL);
}
