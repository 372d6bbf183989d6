/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The parameters that the module is loaded with. Pure: compiled into the module and the
 * command, so that what one of them takes the other takes.
 */
#ifndef _MW_LOAD_H
#define _MW_LOAD_H

#include "edit.h"

/**
 * struct mw_load - what is loaded
 * @spec: first policy; its confirm is the parameter of that name
 * @flows: room for flows
 * @given: parameters that were read, a bit for each
 */
struct mw_load {
	struct mw_spec spec;
	u32 flows;
	u32 given;
};

/* What a module without parameters has. */
/* clang-format off */
#define MW_LOAD_DEFAULT                                     \
	{                                                   \
		.spec = {                                   \
			.mode = MAILWALL_ENFORCE,           \
			.gtw_count = 1,                     \
			.gtw = { { .kind = MAILWALL_GTW_THIS } }, \
		},                                          \
		.flows = MW_FLOWS_DEFAULT,                  \
	}
/* clang-format on */

/**
 * mw_load_name() - the name of a parameter
 * @i: number, from 0
 *
 * Return: NULL after the last one.
 */
const char *mw_load_name(unsigned int i);

/**
 * mw_load_set() - read a parameter
 * @load: changed only on success
 * @name: of the parameter, not terminated
 * @name_length: bytes of @name
 * @value: terminated
 * @c: filled in on error
 *
 * Return: 0, -ENOENT (no such parameter), -EINVAL (given before, among others), or an
 * error of mw_edit_adm() and its like.
 */
int mw_load_set(struct mw_load *load, const char *name, size_t name_length, const char *value,
		struct mw_complaint *c);

/**
 * mw_load_check() - check what parameters say together, after the last one
 * @load: what was read
 * @name: set to the one that is wrong, on error
 * @c: filled in on error
 *
 * Return: 0, or -EINVAL.
 */
int mw_load_check(const struct mw_load *load, const char **name, struct mw_complaint *c);

#endif /* _MW_LOAD_H */
