/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the administrator sets, from text and back, and checked. Pure: no lock, no
 * allocation. Compiled into the module, the command and the tests, so that what one
 * of them takes the others take.
 */
#ifndef _MW_EDIT_H
#define _MW_EDIT_H

#include "policy.h"

/* one of the mw_edit_*() below */
typedef int (*mw_edit_t)(struct mw_spec *spec, const char *s, size_t length,
			 struct mw_complaint *c);

/**
 * mw_spec_normalise() - check a policy that comes from outside, put it in order
 * @spec: any bytes; on success its prefixes are ordered and without duplicates,
 *        and unused entries are zero
 * @c: filled in on error
 * @text: room for an item of @c
 *
 * Return: 0, -EINVAL, -E2BIG (too many), or -EEXIST (a site row for a port that
 * has one in that direction). On error @spec is undefined.
 */
int mw_spec_normalise(struct mw_spec *spec, struct mw_complaint *c, char text[MW_PREFIX_TEXT]);

/**
 * mw_edit_adm() - set, add to or remove from ADM, as sysfs and the command do
 * @spec: normalised; changed only on success
 * @s: prefixes apart by white space or commas; a sign before the first adds (+)
 *     or removes (-) all of them, without one they replace the list; white space
 *     alone empties it
 * @length: bytes of @s
 * @c: filled in on error
 *
 * Return: 0, -EINVAL, -E2BIG (more than MAILWALL_ADM_MAX), -ENOENT (to remove,
 * but not there).
 */
int mw_edit_adm(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c);

/**
 * mw_edit_site() - the same for site rows
 * @spec: normalised; changed only on success
 * @s: rows "PORT SOURCE TARGET" or "PORT:SOURCE:TARGET", apart by newlines or
 *     commas; a sign before the first, and white space alone, as in
 *     mw_edit_adm()
 * @length: bytes of @s
 * @c: filled in on error
 *
 * Return: 0, -EINVAL, -E2BIG, -EEXIST, -ENOENT.
 */
int mw_edit_site(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c);

/**
 * mw_edit_gtw() - the same for the list of gateways
 * @spec: normalised; changed only on success
 * @s: items apart by white space or commas: "this", ADDRESS or ADDRESS/LENGTH, and
 *     "port:DEVICE"; a sign before the first as in mw_edit_adm()
 * @length: bytes of @s
 * @c: filled in on error
 *
 * The list never becomes empty.
 *
 * Return: 0, -EINVAL, -E2BIG (more than MAILWALL_GTW_MAX), -ENOENT.
 */
int mw_edit_gtw(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c);

/**
 * mw_gtw_print() - write an item as mw_edit_gtw() reads it
 * @gtw: item, of any kind
 * @text: filled in
 *
 * Return: bytes in @text.
 */
int mw_gtw_print(const struct mailwall_gtw *gtw, char text[MW_PREFIX_TEXT]);

/**
 * mw_row_print() - write a row as mw_edit_site() reads it
 * @row: any
 * @text: filled in
 *
 * Return: bytes in @text.
 */
int mw_row_print(const struct mailwall_row *row, char text[MW_PREFIX_TEXT]);

/**
 * mw_edit_mode() - set the mode
 * @spec: changed only on success
 * @s: "enforce", "audit" or "off", white space around it left out
 * @length: bytes of @s
 * @c: filled in on error
 *
 * Return: 0, or -EINVAL.
 */
int mw_edit_mode(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c);

/**
 * mw_edit_log() - set the logging
 * @spec: changed only on success
 * @s: "off", "kernel", "nflog" or "nflog:GROUP"
 * @length: bytes of @s
 * @c: filled in on error
 *
 * Return: 0, or -EINVAL.
 */
int mw_edit_log(struct mw_spec *spec, const char *s, size_t length, struct mw_complaint *c);

/**
 * mw_spec_has_any() - does ADM hold every address of a family?
 * @spec: normalised
 * @text: filled in with the prefix
 *
 * Accepted, but worth a warning: it opens the Management Console to the world.
 */
bool mw_spec_has_any(const struct mw_spec *spec, char text[MW_PREFIX_TEXT]);

/* The name of a mode as docs/decision.md and sysfs write it; NULL where there is none. */
const char *mw_mode_name(unsigned int mode);

/**
 * mw_spec_print_log() - write the logging as mw_edit_log() reads it
 * @spec: policy
 * @text: filled in
 */
int mw_spec_print_log(const struct mw_spec *spec, char text[MW_PREFIX_TEXT]);

#endif /* _MW_EDIT_H */
