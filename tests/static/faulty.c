// SPDX-License-Identifier: GPL-2.0
/* What analyzers must find. Nothing is made of it. */
#include <stdlib.h>

struct item {
	int value;
};

void kfree(void *memory);

int no_item(int n)
{
	struct item *item = malloc(sizeof(*item));

	if (n)
		item = NULL;
	n = item->value;
	free(item);
	return n;
}

int freed_item(struct item *item)
{
	kfree(item);
	return item->value;
}
