// SPDX-License-Identifier: GPL-2.0
/* /dev/mailwall, and what its errors mean to an administrator. */
#include "abi1.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define DEVICE "/dev/mailwall"

static int call(int fd, unsigned long request, void *argument)
{
	return ioctl(fd, request, argument) ? -errno : 0;
}

int device_open(struct device *device)
{
	struct mailwall_version *version = &device->version;
	int error;

	device->fd = open(DEVICE, O_RDWR | O_CLOEXEC);
	if (device->fd < 0)
		return -errno;
	memset(version, 0, sizeof(*version));
	version->size = sizeof(*version);
	error = call(device->fd, MAILWALL_GET_VERSION, version);
	if (error == -ENOTTY)
		error = abi1_get_version(device->fd, version);
	if (error) {
		/* what every module answers */
		close(device->fd);
		return -EPROTO;
	}
	version->release[sizeof(version->release) - 1] = '\0';
	return 0;
}

void device_close(const struct device *device)
{
	close(device->fd);
}

/* Exit code for an error of device_open(). */
static int open_code(int error)
{
	switch (-error) {
	case EPERM:
	case EACCES:
		return EXIT_PERMISSION;
	case ENOENT:
	case ENXIO:
	case ENODEV:
		return EXIT_ABSENT;
	default:
		return EXIT_REFUSED;
	}
}

int device_complain(int error)
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
			    ": the module is not loaded, so nothing is enforced: start with \"mailwall enable\"");
		break;
	case EACCES:
	case EPERM:
		say(DEVICE ": permission denied: run the command as root, such as with sudo");
		break;
	case EPROTO:
		say(DEVICE
		    ": does not answer like mailwall: remove it, then \"rmmod mailwall\" and \"mailwall enable\"");
		break;
	default:
		say(DEVICE ": %s", strerror(-error));
	}
	return open_code(error);
}

static bool is_abi1(const struct device *device)
{
	return device->version.abi == 1;
}

/* @what: what is not to be had, with a separator, or nothing for anything at all */
static void complain_abi(const struct mailwall_version *version, const char *what,
			 const char *separator)
{
	char release[ESCAPED_TEXT];

	escape(version->release, strlen(version->release), release);
	say("%s%sthe loaded module is release %s with ABI %u, this command is release %s with ABI %u: %s",
	    what, separator, release, version->abi, MAILWALL_RELEASE, MAILWALL_ABI,
	    version->abi < MAILWALL_ABI ?
		    "load the newer module with \"modprobe -r mailwall && modprobe mailwall\"" :
		    "upgrade the command to the module's release");
}

bool device_abi_fits(const struct mailwall_version *version)
{
	if (version->abi == MAILWALL_ABI || version->abi == 1)
		return true;
	complain_abi(version, "", "");
	return false;
}

bool device_abi_knows(const struct device *device, const char *what)
{
	if (!is_abi1(device))
		return true;
	complain_abi(&device->version, what, ": ");
	return false;
}

int device_ready(struct device *device)
{
	int error = device_open(device);

	if (error)
		return device_complain(error);
	if (device_abi_fits(&device->version))
		return EXIT_DONE;
	device_close(device);
	return EXIT_REFUSED;
}

/* Where the module finds, or puts, a list: of this size, with this many items. */
static struct mailwall_list list_of(const void *items, u32 count, u32 size)
{
	return (struct mailwall_list){
		.items = (uintptr_t)items,
		.count = count,
		.stride = size,
	};
}

#define LIST(items, count) list_of(items, count, sizeof(*(items)))

int device_get(const struct device *device, struct mw_spec *spec)
{
	struct mailwall_policy policy = {
		.size = sizeof(policy),
		.adm = LIST(spec->adm, MAILWALL_ADM_MAX),
		.site = LIST(spec->site, MAILWALL_SITE_MAX),
		.gtw = LIST(spec->gtw, MAILWALL_GTW_MAX),
	};
	int error;

	if (is_abi1(device))
		return abi1_get(device->fd, spec);
	memset(spec, 0, sizeof(*spec));
	error = call(device->fd, MAILWALL_GET_POLICY, &policy);
	if (error)
		return error;
	if (policy.adm.count > MAILWALL_ADM_MAX || policy.site.count > MAILWALL_SITE_MAX ||
	    policy.gtw.count > MAILWALL_GTW_MAX)
		return -EPROTO;
	spec->generation = policy.generation;
	spec->mode = policy.mode;
	spec->confirm = policy.confirm;
	spec->log = policy.log;
	spec->log_group = policy.log_group;
	spec->adm_count = policy.adm.count;
	spec->site_count = policy.site.count;
	spec->gtw_count = policy.gtw.count;
	return 0;
}

int device_set(const struct device *device, const struct mw_spec *spec)
{
	struct mailwall_policy policy = {
		.size = sizeof(policy),
		.generation = spec->generation,
		.mode = spec->mode,
		.confirm = spec->confirm,
		.log = spec->log,
		.log_group = spec->log_group,
		.adm = LIST(spec->adm, spec->adm_count),
		.site = LIST(spec->site, spec->site_count),
		.gtw = LIST(spec->gtw, spec->gtw_count),
	};

	if (is_abi1(device))
		return abi1_set(device->fd, spec);
	return call(device->fd, MAILWALL_SET_POLICY, &policy);
}

/* The rows and reasons of this host, or of gateways behind; of reasons those that we know. */
static void sort_counts(struct counts *counts, u8 behind, const struct mailwall_counters *got,
			const struct mailwall_row_counters *row,
			const struct mailwall_reason_counters *reason)
{
	unsigned int i;

	counts->row = allocate(got->row.count * sizeof(*counts->row));
	for (i = 0; i < got->row.count; i++)
		if (row[i].behind == behind)
			counts->row[counts->row_count++] = row[i];
	for (i = 0; i < got->reason.count; i++) {
		const struct mailwall_reason_counters *one = &reason[i];

		if (one->behind != behind || one->direction > MAILWALL_OUT ||
		    one->reason >= MAILWALL_REASONS)
			continue;
		counts->denied[one->direction][one->reason] = one->denied;
		counts->would_deny[one->direction][one->reason] = one->would_deny;
	}
}

static void sort_counters(struct counters *counters, const struct mailwall_counters *got,
			  const struct mailwall_row_counters *row,
			  const struct mailwall_reason_counters *reason)
{
	counters->generation = got->generation;
	counters->log_held = got->log_held;
	counters->flows_noted = got->flows_noted;
	counters->flows_evicted = got->flows_evicted;
	counters->flows_missed = got->flows_missed;
	counters->gtw_count = got->gtw.count;
	sort_counts(&counters->here, 0, got, row, reason);
	sort_counts(&counters->behind, 1, got, row, reason);
}

void counters_free(struct counters *counters)
{
	free(counters->here.row);
	free(counters->behind.row);
	free(counters->gtw);
	memset(counters, 0, sizeof(*counters));
}

/* Rows may come between the question how many there are and the one for them. */
#define ROOM_TRIES 5

int device_counters(const struct device *device, struct counters *counters)
{
	struct mailwall_counters got = { .size = sizeof(got) };
	struct mailwall_reason_counters *reason = NULL;
	struct mailwall_row_counters *row = NULL;
	int error = 0, tries;

	memset(counters, 0, sizeof(*counters));
	if (is_abi1(device))
		return abi1_get_counters(device->fd, counters);
	for (tries = 0; tries < ROOM_TRIES; tries++) {
		error = call(device->fd, MAILWALL_GET_COUNTERS, &got);
		if (error && error != -ENOSPC)
			break;
		if (!error && row) {
			sort_counters(counters, &got, row, reason);
			break;
		}
		free(row);
		free(reason);
		free(counters->gtw);
		row = allocate(got.row.count * sizeof(*row));
		reason = allocate(got.reason.count * sizeof(*reason));
		counters->gtw = allocate(got.gtw.count * sizeof(*counters->gtw));
		got.row = LIST(row, got.row.count);
		got.reason = LIST(reason, got.reason.count);
		got.gtw = LIST(counters->gtw, got.gtw.count);
	}
	free(row);
	free(reason);
	return error;
}

int device_explain(const struct device *device, struct mailwall_explain *explain)
{
	explain->size = sizeof(*explain);
	return call(device->fd, MAILWALL_EXPLAIN, explain);
}

int device_confirm(const struct device *device, u32 extend)
{
	struct mailwall_confirm argument = { .size = sizeof(argument), .extend = extend };

	if (is_abi1(device))
		return abi1_confirm(device->fd);
	return call(device->fd, MAILWALL_CONFIRM, &argument);
}

int device_revert(const struct device *device)
{
	return is_abi1(device) ? abi1_revert(device->fd) : call(device->fd, MAILWALL_REVERT, NULL);
}

int device_failed(int error, const char *what)
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
	case EOPNOTSUPP:
		say("%s: this kernel cannot do it: its log names the item and the cure, \"journalctl -k -g mailwall\"",
		    what);
		break;
	case ENOTTY:
		say("%s: the loaded module is too old for this: load the newer one with \"modprobe -r mailwall && modprobe mailwall\"",
		    what);
		break;
	case ENOSPC:
		say("%s: the module has more to tell than this command knows of: upgrade the command to the module's release",
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
	/* an open device is there, whatever it lacks */
	return error == -EPERM || error == -EACCES ? EXIT_PERMISSION : EXIT_REFUSED;
}

int device_policy(const char *name, struct mw_spec *policy)
{
	struct device device;
	int error = device_ready(&device);

	if (error)
		return error;
	error = device_get(&device, policy);
	device_close(&device);
	return error ? device_failed(error, name) : EXIT_DONE;
}
