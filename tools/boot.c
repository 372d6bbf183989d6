// SPDX-License-Identifier: GPL-2.0
/* Whether the next boot is guarded, in words and as monitoring wants it. */
#include "persist.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#define UNIT "mailwall.service"
/* Where a build that failed is on record, by kernel: tools/kernel/module. */
#define FAILED "var/lib/mailwall/failed/"
#define EFIVARS "sys/firmware/efi/efivars/"
/* Keys are told by their serial numbers; a shorter one could be anywhere by chance. */
#define SERIAL_MIN 8

/* What monitoring plugins exit with. */
enum { OK, WARNING, CRITICAL, UNKNOWN };

static bool is_there(const char *path)
{
	return !faccessat(root_directory(), path, F_OK, AT_SYMLINK_NOFOLLOW);
}

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
		if (is_there(path))
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

/* The first line of a file, without its end; to be freed. NULL if there is none. */
static char *first_line(const char *path)
{
	char *text = read_all(root_directory(), path);

	if (text)
		text[strcspn(text, "\n")] = '\0';
	if (text && !*text) {
		free(text);
		text = NULL;
	}
	return text;
}

/* Does a kernel take signed modules only? */
static bool wants_signature(void)
{
	size_t length = 0;
	char *secure = read_bytes(root_directory(),
				  EFIVARS "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c",
				  &length);
	char *enforce = first_line("sys/module/module/parameters/sig_enforce");
	char *lockdown = first_line("sys/kernel/security/lockdown");
	/* four bytes of attributes come first */
	bool wants = (secure && length == 5 && secure[4] == 1) || (enforce && *enforce == 'Y') ||
		     (lockdown && strchr(lockdown, '[') && !strstr(lockdown, "[none]"));

	free(secure);
	free(enforce);
	free(lockdown);
	return wants;
}

/*
 * Is the key of this serial number, "5A:BC...", one that the firmware or the shim has? Their
 * lists hold whole certificates, with the number in them.
 */
static bool is_enrolled(const char *serial)
{
	static const char *const list[] = {
		EFIVARS "MokListRT-605dab50-e046-4300-abb6-3dd810dd8b23",
		EFIVARS "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f",
	};
	unsigned char number[64];
	bool enrolled = false;
	unsigned int byte, i;
	size_t count = 0;

	while (count < sizeof(number) && sscanf(serial, "%2x", &byte) == 1) {
		number[count++] = byte;
		serial += strcspn(serial, ":");
		serial += *serial == ':';
	}
	for (i = 0; count >= SERIAL_MIN && i < ARRAY_SIZE(list); i++) {
		size_t length;
		char *certificates = read_bytes(root_directory(), list[i], &length);

		enrolled |= certificates && memmem(certificates, length, number, count);
		free(certificates);
	}
	return enrolled;
}

/* The value of a line "NAME:  VALUE" of modinfo; to be freed. NULL if there is none. */
static char *field(const char *text, const char *name)
{
	size_t length = strlen(name);
	const char *line = text;

	for (; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (strncmp(line, name, length) || line[length] != ':')
			continue;
		line += length + 1;
		line += strspn(line, " ");
		return *line == '\n' || !*line ? NULL :
						 formatted("%.*s", (int)strcspn(line, "\n"), line);
	}
	return NULL;
}

/* Has this kernel taken the module that is there? */
static bool is_running(const struct kernel *kernel)
{
	struct mailwall_version version;
	struct utsname host;

	return !uname(&host) && !strcmp(host.release, kernel->release) && sysfs_version(&version) &&
	       !strcmp(version.release, kernel->module);
}

static void judge_signature(struct kernel *kernel, const char *serial)
{
	if (!wants_signature() || is_running(kernel))
		return;
	if (!kernel->signer)
		kernel->problem = formatted(
			"its module is not signed, and this host takes signed ones only: install openssl, then \"/usr/lib/mailwall/module build %s\"",
			kernel->release);
	else if (!serial || !is_enrolled(serial))
		kernel->problem = formatted(
			"its module is signed by \"%s\", whose key is not enrolled: \"mokutil --import /var/lib/dkms/mok.pub\", then reboot",
			kernel->signer);
	kernel->guarded = !kernel->problem;
}

static void judge_kernel(struct kernel *kernel)
{
	const char *const argv[] = { "modinfo", "-k", kernel->release, "mailwall", NULL };
	char path[512], *record, *text, *serial;
	int status;

	snprintf(path, sizeof(path), FAILED "%s", kernel->release);
	record = first_line(path);
	if (!has_module(kernel->release)) {
		kernel->problem = formatted(
			"NO MODULE: %s",
			record ?: "see \"dkms status mailwall\"; it takes the kernel's headers");
		free(record);
		return;
	}
	text = program_ask(argv, &status);
	kernel->module = status || !text ? NULL : field(text, "version");
	if (!kernel->module) {
		kernel->problem = formatted(
			"its module cannot be read: \"/usr/lib/mailwall/module build %s\" builds it again",
			kernel->release);
	} else {
		kernel->guarded = true;
		kernel->signer = field(text, "signer");
		serial = field(text, "sig_key");
		judge_signature(kernel, serial);
		free(serial);
		if (!kernel->problem && strcmp(kernel->module, MAILWALL_RELEASE))
			kernel->problem = formatted(
				"its module is of release %s, and this command of " MAILWALL_RELEASE
				"%s%s",
				kernel->module, record ? ": " : "", record ?: "");
	}
	free(text);
	free(record);
}

static int newest_first(const void *a, const void *b)
{
	return strverscmp(((const struct kernel *)b)->release, ((const struct kernel *)a)->release);
}

static void read_kernels(struct boot *boot)
{
	int fd = openat(root_directory(), "lib/modules", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	unsigned int i;

	while (stream && (entry = readdir(stream))) {
		if (*entry->d_name == '.' || !is_bootable(entry->d_name))
			continue;
		boot->kernel = reallocate(boot->kernel, boot->count + 1, sizeof(*boot->kernel));
		boot->kernel[boot->count++] =
			(struct kernel){ .release = formatted("%s", entry->d_name) };
	}
	if (stream)
		closedir(stream);
	if (boot->count)
		qsort(boot->kernel, boot->count, sizeof(*boot->kernel), newest_first);
	for (i = 0; i < boot->count; i++) {
		boot->kernel[i].newest = !i;
		judge_kernel(&boot->kernel[i]);
	}
}

void boot_read(struct boot *boot, const struct config *config)
{
	char target[16];
	bool masked = readlinkat(root_directory(), "etc/systemd/system/" UNIT, target,
				 sizeof(target)) == (ssize_t)strlen("/dev/null") &&
		      !memcmp(target, "/dev/null", strlen("/dev/null"));

	*boot = (struct boot){ .listed = config->listed };
	boot->unit = !masked && is_there("etc/systemd/system/multi-user.target.wants/" UNIT);
	if (config_exists(config) && !boot->unit && !boot->listed)
		boot->problem =
			masked ?
				"NOTHING LOADS THE MODULE: mailwall.service is masked: \"systemctl unmask mailwall.service\" and \"systemctl enable mailwall.service\"" :
				"NOTHING LOADS THE MODULE: mailwall.service is not enabled: \"systemctl enable mailwall.service\"";
	else if (config_exists(config) && !boot->unit)
		boot->problem =
			"mailwall.service is not enabled, so nobody tells if the boot went wrong: \"systemctl enable mailwall.service\"";
	read_kernels(boot);
}

void boot_free(struct boot *boot)
{
	unsigned int i;

	for (i = 0; i < boot->count; i++) {
		free(boot->kernel[i].release);
		free(boot->kernel[i].module);
		free(boot->kernel[i].signer);
		free(boot->kernel[i].problem);
	}
	free(boot->kernel);
}

void boot_show(const struct config *config)
{
	struct boot boot;
	unsigned int i;

	boot_read(&boot, config);
	for (i = 0; i < boot.count; i++)
		if (boot.kernel[i].problem)
			printf("%-11s%skernel %s%s: %s\n", "next boot",
			       boot.kernel[i].guarded ? "" : "UNGUARDED with ",
			       boot.kernel[i].release, boot.kernel[i].newest ? " (the newest)" : "",
			       boot.kernel[i].problem);
	if (boot.problem)
		printf("%-11s%s\n", "next boot", boot.problem);
	boot_free(&boot);
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

/* The first kernel of which there is something to say, those that are unguarded before others. */
static const struct kernel *worst(const struct boot *boot)
{
	const struct kernel *found = NULL;
	unsigned int i;

	for (i = boot->count; i--;)
		if (boot->kernel[i].problem &&
		    (!found || !boot->kernel[i].guarded || found->guarded))
			found = &boot->kernel[i];
	return found;
}

/* The worst first: what holds now comes before what the next boot brings. */
static int judge(const struct mw_spec *policy, const struct config *config, const struct boot *boot)
{
	const struct kernel *kernel = worst(boot);
	char text[MW_PREFIX_TEXT];

	mode_print(policy->mode, text);
	if (policy->mode != MAILWALL_ENFORCE &&
	    (config->bad || !config_exists(config) || config->load.spec.mode != policy->mode))
		return tell(CRITICAL, "the mode is %s, and that is not what is saved", text);
	if (kernel && !kernel->guarded)
		return tell(CRITICAL, "mode %s, but kernel %s is unguarded if booted: %s", text,
			    kernel->release, kernel->problem);
	if (config->bad)
		return tell(CRITICAL, "mode %s, but the next boot's configuration is wrong: %s",
			    text, config->remark[0].text);
	if (!config_exists(config))
		return tell(CRITICAL, "mode %s, but no boot loads the module: mailwall save", text);
	if (boot->problem)
		return tell(boot->listed ? WARNING : CRITICAL, "mode %s, but %s", text,
			    boot->problem);
	if (policy->confirm)
		return tell(WARNING, "mode %s, a change waits to be confirmed", text);
	if (!policy_same(policy, &config->load.spec))
		return tell(WARNING,
			    "mode %s, but the next boot loads another policy: mailwall diff", text);
	if (policy->mode != MAILWALL_ENFORCE)
		return tell(WARNING, "the mode is %s as saved: nothing is denied", text);
	if (kernel)
		return tell(WARNING, "mode %s, but of kernel %s: %s", text, kernel->release,
			    kernel->problem);
	return tell(OK, "mode enforce, %u site rows, saved", policy->site_count);
}

int status_check(void)
{
	struct mailwall_version version;
	struct device device;
	struct config config;
	struct mw_spec policy;
	struct boot boot;
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
	boot_read(&boot, &config);
	code = judge(&policy, &config, &boot);
	boot_free(&boot);
	config_free(&config);
	return code;
}
