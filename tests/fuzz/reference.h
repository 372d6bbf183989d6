/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What policy and prefix are compared with: the same rules once more, from POLICY.md
 * "Writing a prefix" and the ABI, with the C library's inet_pton() and plain loops.
 */
#ifndef _MW_FUZZ_REFERENCE_H
#define _MW_FUZZ_REFERENCE_H

#include "fuzz.h"
#include <arpa/inet.h>

/* The address that the text is, as inet_pton() sees it. Return: its family, or -1. */
int reference_address(const char *text, size_t length, u8 address[16]);

/* Is the text a valid prefix? Fills it in if so. */
bool reference_prefix(const char *text, size_t length, struct mailwall_prefix *prefix);

/* Is the struct a valid prefix? */
bool reference_prefix_valid(const struct mailwall_prefix *prefix);

bool reference_prefix_equal(const struct mailwall_prefix *a, const struct mailwall_prefix *b);

/* Must a come before b in a list? */
bool reference_prefix_before(const struct mailwall_prefix *a, const struct mailwall_prefix *b);

/* Does the prefix hold the address? Bit by bit. */
bool reference_holds(const struct mailwall_prefix *prefix, int family, const u8 *address);

#define REFERENCE_TEXT (INET6_ADDRSTRLEN + 4)

/* The prefix as it is shown; false where the C library's form is not RFC 5952's. */
bool reference_print(const struct mailwall_prefix *prefix, char text[REFERENCE_TEXT]);

/* Errors that a policy from outside has: a bit for each errno. It is put in order if none. */
u64 reference_normalise(struct mw_spec *spec);

/**
 * reference_edit() - what an edit must do
 * @kind: 'a' adm, 's' site, 'm' mode, 'l' log
 * @spec: changed only on success
 * @item: on error where in the text the refused item lies
 * @item_length: its bytes
 *
 * Return: 0 or an errno, negative.
 */
int reference_edit(char kind, struct mw_spec *spec, const char *text, size_t length,
		   size_t *item, size_t *item_length);

#endif /* _MW_FUZZ_REFERENCE_H */
