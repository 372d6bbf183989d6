// SPDX-License-Identifier: GPL-2.0
/* What the module tells any user. */
#include "command.h"
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define SYSFS "/sys/class/misc/mailwall/"
#define SYSFS_MAX 65536

char *sysfs_read(const char *name)
{
	char path[sizeof(SYSFS) + 32], *text;
	ssize_t got;
	size_t length = 0;
	int fd;

	snprintf(path, sizeof(path), SYSFS "%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return NULL;
	text = allocate(SYSFS_MAX);
	while ((got = read(fd, text + length, SYSFS_MAX - 1 - length)) > 0)
		length += got;
	close(fd);
	if (!got)
		return text;
	free(text);
	return NULL;
}

bool sysfs_version(struct mailwall_version *version)
{
	char *text = sysfs_read("version");
	bool read;

	memset(version, 0, sizeof(*version));
	read = text && sscanf(text, "%31s abi %u", version->release, &version->abi) == 2;
	free(text);
	return read;
}
