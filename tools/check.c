// SPDX-License-Identifier: GPL-2.0
/* "check": what the next boot would load, and what is wrong with it. */
#include "persist.h"

int check(const struct arguments *args)
{
	const char *own = args->count ? args->words[0] : NULL;
	struct config config;
	struct lines lines;
	unsigned int i;
	int code = config_read(&config, own);

	if (code)
		return code;
	config_say(&config, true);
	if (config.bad) {
		say("with this, the next boot does not bring what was meant: correct it, and run \"mailwall check\" again");
	} else if (!config_exists(&config)) {
		puts("nothing is configured: no boot loads mailwall");
	} else {
		policy_lines(&config.load.spec, &lines);
		for (i = 0; i < lines.count; i++)
			puts(lines.line[i]);
		if (config.load.spec.confirm)
			printf("confirm %u: the mode becomes audit unless confirmed in time\n",
			       config.load.spec.confirm);
	}
	code = config.bad ? EXIT_REFUSED : EXIT_DONE;
	config_free(&config);
	return code;
}
