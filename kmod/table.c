// SPDX-License-Identifier: GPL-2.0
/* The built-in table as data; its rows are written in table.h. */
#include "table.h"

#define ROW(p, s, t, d)                                                                 \
	{                                                                               \
		.row = { .port = (p), .source = MAILWALL_##s, .target = MAILWALL_##t }, \
		.description = (d),                                                     \
	},
const struct mw_table_row mw_table[MW_TABLE_ROWS] = { MW_TABLE(ROW) };
#undef ROW

static const char *const mw_ends[] = { "ANY", "ADM", "GTW" };

const char *mw_end_name(unsigned int end)
{
	return end < ARRAY_SIZE(mw_ends) ? mw_ends[end] : NULL;
}
