// SPDX-License-Identifier: GPL-2.0
/* /dev/mailwall, and what its errors mean to an administrator. */
#include "command.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE "/dev/mailwall"

int device_open(struct mailwall_version *version)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	memset(version, 0, sizeof(*version));
	if (ioctl(fd, MAILWALL_GET_VERSION, version)) {
		/* what every module of every ABI answers */
		close(fd);
		return -EPROTO;
	}
	version->release[sizeof(version->release) - 1] = '\0';
	return fd;
}

void device_complain(int error)
{
	struct mailwall_version version;

	switch (-error) {
	case ENOENT:
	case ENXIO:
	case ENODEV:
		if (sysfs_version(&version))
			say(DEVICE
			    ": no such device here, though the module is loaded: run the command on the host, or give this container the device");
		else
			say(DEVICE
			    ": the module is not loaded, so nothing is enforced: load it with \"modprobe mailwall\"");
		break;
	case EACCES:
	case EPERM:
		say(DEVICE ": permission denied: run the command as root, such as with sudo");
		break;
	case EPROTO:
		say(DEVICE
		    ": does not answer like mailwall: remove it and load the module again with \"modprobe mailwall\"");
		break;
	default:
		say(DEVICE ": %s", strerror(-error));
	}
}

bool device_abi_fits(const struct mailwall_version *version)
{
	char release[ESCAPED_TEXT];

	if (version->abi == MAILWALL_ABI)
		return true;
	escape(version->release, strlen(version->release), release);
	say("the loaded module is release %s with ABI %u, this command is release %s with ABI %u: %s",
	    release, version->abi, MAILWALL_RELEASE, MAILWALL_ABI,
	    version->abi < MAILWALL_ABI ?
		    "load the newer module with \"modprobe -r mailwall && modprobe mailwall\"" :
		    "upgrade the command to the module's release");
	return false;
}

int device_need(struct mailwall_version *version)
{
	struct mailwall_version own;
	int fd;

	version = version ?: &own;
	fd = device_open(version);
	if (fd < 0) {
		device_complain(fd);
		return -1;
	}
	if (!device_abi_fits(version)) {
		close(fd);
		return -1;
	}
	return fd;
}

static int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

int device_get(int fd, struct mw_spec *policy)
{
	int error;

	memset(policy, 0, sizeof(*policy));
	error = call(fd, MAILWALL_GET_POLICY, policy);
	if (!error &&
	    (policy->adm_count > MAILWALL_ADM_MAX || policy->site_count > MAILWALL_SITE_MAX))
		return -EPROTO;
	return error;
}

int device_set(int fd, const struct mw_spec *policy)
{
	struct mw_spec copy = *policy;

	return call(fd, MAILWALL_SET_POLICY, &copy);
}

int device_counters(int fd, struct mailwall_counters *counters)
{
	int error;

	memset(counters, 0, sizeof(*counters));
	error = call(fd, MAILWALL_GET_COUNTERS, counters);
	if (!error && counters->row_count > ARRAY_SIZE(counters->row))
		return -EPROTO;
	return error;
}

int device_explain(int fd, struct mailwall_explain *explain)
{
	return call(fd, MAILWALL_EXPLAIN, explain);
}

int device_confirm(int fd)
{
	return call(fd, MAILWALL_CONFIRM, NULL);
}

int device_revert(int fd)
{
	return call(fd, MAILWALL_REVERT, NULL);
}

void device_failed(int error, const char *what)
{
	switch (-error) {
	case EPERM:
	case EACCES:
		say("%s: not permitted: it takes CAP_NET_ADMIN in the initial user namespace, so run it as root on the host",
		    what);
		break;
	case EINVAL:
	case E2BIG:
	case EEXIST:
		say("%s: refused by the module (%s): the kernel log names the item, \"journalctl -k -g mailwall\"",
		    what, strerror(-error));
		break;
	case ENOTTY:
		say("%s: the loaded module is too old for this: load the newer one with \"modprobe -r mailwall && modprobe mailwall\"",
		    what);
		break;
	case ENODATA:
		say("%s: no change waits to be confirmed: if one did, its time ran out and it was reverted, see \"mailwall status\"",
		    what);
		break;
	case ENOMEM:
		say("%s: the kernel has no memory for it: nothing was changed, try again", what);
		break;
	case EPROTO:
		say("%s: the module's answer makes no sense: load the module again", what);
		break;
	default:
		say("%s: %s", what, strerror(-error));
	}
}
