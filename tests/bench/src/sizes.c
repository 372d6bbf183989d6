// SPDX-License-Identifier: GPL-2.0
/* Prints the bytes that policies take, by the module's own policy.c. */
#include "policy.h"

static void say(const char *what, const struct mw_spec *spec)
{
	printf("policy, %s,%u\n", what, mw_policy_size(spec));
}

int main(void)
{
	static struct mw_spec spec;
	unsigned int i;

	say("no site row", &spec);
	for (i = 0; i < MAILWALL_SITE_MAX; i++)
		spec.site[i] = (struct mailwall_row){ 2000 + i, MAILWALL_ANY, MAILWALL_GTW };
	spec.site_count = MAILWALL_SITE_MAX;
	say("32 site rows with ports near one another", &spec);
	for (i = 0; i < MAILWALL_SITE_MAX; i++)
		spec.site[i].port = 10000 + 1000 * i;
	say("32 site rows with ports far apart", &spec);
	return 0;
}
