// SPDX-License-Identifier: GPL-2.0
/* Whether the next boot is guarded, in words and as monitoring wants it. */
#include "persist.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* What monitoring plugins exit with. */
enum { OK, WARNING, CRITICAL, UNKNOWN };

/* Is there an image to boot of this kernel? /lib/modules keeps folders of removed ones. */
static bool is_bootable(const char *kernel)
{
	static const char *const image[] = { "boot/vmlinuz-%s", "boot/vmlinux-%s",
					     "lib/modules/%s/vmlinuz" };
	char path[512];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(image); i++) {
		int before = strcspn(image[i], "%");

		snprintf(path, sizeof(path), "%.*s%s%s", before, image[i], kernel,
			 image[i] + before + 2);
		if (!faccessat(root_directory(), path, F_OK, 0))
			return true;
	}
	return false;
}

/* Does modprobe find the module there? It looks in modules.dep, and so do we. */
static bool has_module(const char *kernel)
{
	char path[512], *text, *found;
	bool has;

	snprintf(path, sizeof(path), "lib/modules/%s/modules.dep", kernel);
	text = read_all(root_directory(), path);
	found = text ? strstr(text, "/mailwall.ko") : NULL;
	has = found && strchr(found, ':');
	free(text);
	return has;
}

char *boot_without_module(void)
{
	int fd = openat(root_directory(), "lib/modules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	char *list = NULL, *more;

	while (stream && (entry = readdir(stream))) {
		if (*entry->d_name == '.' || !is_bootable(entry->d_name) ||
		    has_module(entry->d_name))
			continue;
		if (asprintf(&more, "%s%s%s", list ?: "", list ? ", " : "", entry->d_name) < 0)
			exit(EXIT_REFUSED);
		free(list);
		list = more;
	}
	if (stream)
		closedir(stream);
	return list;
}

__printf(2, 3) static int tell(int state, const char *fmt, ...)
{
	static const char *const name[] = { "OK", "WARNING", "CRITICAL", "UNKNOWN" };
	va_list args;

	printf("MAILWALL %s - ", name[state]);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	putchar('\n');
	return state;
}

/* The worst first: what holds now comes before what the next boot brings. */
static int judge(const struct mw_spec *policy, const struct config *config, const char *without)
{
	char text[MW_PREFIX_TEXT];

	mode_print(policy->mode, text);
	if (policy->mode != MAILWALL_ENFORCE &&
	    (config->bad || !config_exists(config) || config->load.spec.mode != policy->mode))
		return tell(CRITICAL, "the mode is %s, and that is not what is saved", text);
	if (without)
		return tell(CRITICAL, "mode %s, but no module for kernel %s: unguarded if booted",
			    text, without);
	if (config->bad)
		return tell(CRITICAL, "mode %s, but the next boot's configuration is wrong: %s",
			    text, config->remark[0].text);
	if (!config_exists(config))
		return tell(CRITICAL, "mode %s, but no boot loads the module: mailwall save", text);
	if (policy->confirm)
		return tell(WARNING, "mode %s, a change waits to be confirmed", text);
	if (!policy_same(policy, &config->load.spec))
		return tell(WARNING,
			    "mode %s, but the next boot loads another policy: mailwall diff", text);
	if (policy->mode != MAILWALL_ENFORCE)
		return tell(WARNING, "the mode is %s as saved: nothing is denied", text);
	return tell(OK, "mode enforce, %u site rows, saved", policy->site_count);
}

int status_check(void)
{
	struct mailwall_version version;
	struct device device;
	struct config config;
	struct mw_spec policy;
	char *without;
	int error = device_open(&device), code;

	if (error == -EACCES || error == -EPERM)
		return tell(UNKNOWN, "only root can ask: run the plugin with sudo");
	if (error)
		return sysfs_version(&version) ? tell(UNKNOWN, "there is no /dev/mailwall here") :
						 tell(CRITICAL, "the module is not loaded");
	error = device_get(&device, &policy);
	device_close(&device);
	if (error)
		return tell(UNKNOWN, "the module does not answer: %s", strerror(-error));
	config_read(&config, NULL);
	without = boot_without_module();
	code = judge(&policy, &config, without);
	free(without);
	config_free(&config);
	return code;
}
