// SPDX-License-Identifier: GPL-2.0
/*
 * What the compiled code holds of docs/decision.md: one fact on a line, apart by tabs,
 * for decision.py to compare with the page.
 */
#if __has_include("edit.h")
#include "edit.h"
#endif
#include "policy.h"
#include <stdio.h>

int main(void)
{
	unsigned int i;
	const char *name;

	for (i = 0; i < ARRAY_SIZE(mw_table); i++)
		printf("row\t%u\t%s\t%s\t%s\n", mw_table[i].row.port,
		       mw_end_name(mw_table[i].row.source), mw_end_name(mw_table[i].row.target),
		       mw_table[i].description);
	for (i = 0; i < 256; i++)
		printf("flags\t%u\t%u\n", i, mw_flags_valid(i));
	for (i = 0; (name = mw_end_name(i)); i++)
		printf("end\t%s\n", name);
	for (i = 0; (name = mw_mode_name(i)); i++)
		printf("mode\t%s\n", name);
	for (i = 0; i < MAILWALL_REASONS; i++)
		printf("reason\t%s\n", (name = mw_reason_name(i)) ? name : "(no name)");
	printf("limit\tprefixes\t%u\n", MAILWALL_ADM_MAX);
	printf("limit\tsite rows\t%u\n", MAILWALL_SITE_MAX);
#ifdef MAILWALL_GTW_MAX
	printf("limit\titems of gtw\t%u\n", MAILWALL_GTW_MAX);
#endif
	printf("limit\tseconds to confirm\t%u\n", MAILWALL_CONFIRM_MAX);
	return 0;
}
