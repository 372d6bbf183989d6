/* SPDX-License-Identifier: GPL-2.0 */
/* Only held. */
struct list_head {
	struct list_head *next, *prev;
};
