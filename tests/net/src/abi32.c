// SPDX-License-Identifier: GPL-2.0
/*
 * A 32 bit caller of /dev/mailwall, without a C library: for each call the result, the
 * struct and its lists afterwards, written to standard output, the addresses of the lists
 * as zeros. What is asked of EXPLAIN comes in by standard input, and the policy is
 * written back as it was read.
 */
#include <linux/mailwall.h>

#define SYS_EXIT 1
#define SYS_READ 3
#define SYS_WRITE 4
#define SYS_OPEN 5
#define SYS_IOCTL 54
#define O_RDWR 2

static int call(int number, long a, long b, long c)
{
	int result;

	asm volatile("int $0x80" : "=a"(result) : "a"(number), "b"(a), "c"(b), "d"(c) : "memory");
	return result;
}

static void put(const void *data, unsigned int size)
{
	call(SYS_WRITE, 1, (long)data, size);
}

static void try(int fd, unsigned long number, void *arg, unsigned int size)
{
	int result = call(SYS_IOCTL, fd, number, (long)arg);

	put(&result, sizeof(result));
	put(arg, size);
}

static struct mailwall_list list_of(const void *items, unsigned int count, unsigned int stride)
{
	struct mailwall_list list = { (unsigned long)items, count, stride };

	return list;
}

#define LIST(array) list_of(array, sizeof(array) / sizeof((array)[0]), sizeof((array)[0]))

static struct mailwall_version version = { .size = sizeof(version) };
static struct mailwall_policy policy = { .size = sizeof(policy) };
static struct mailwall_prefix adm[MAILWALL_ADM_MAX];
static struct mailwall_row site[MAILWALL_SITE_MAX];
static struct mailwall_gtw gtw[MAILWALL_GTW_MAX];
static struct mailwall_counters counters = { .size = sizeof(counters) };
static struct mailwall_row_counters row[99];
static struct mailwall_reason_counters reason[99];
static struct mailwall_gtw_counters seen[MAILWALL_GTW_MAX];
static struct mailwall_explain explain;
static struct mailwall_confirm confirm = { .size = sizeof(confirm) };

/* A call over the policy, which holds addresses while it lasts. */
static void try_policy(int fd, unsigned long number)
{
	int result;

	policy.adm.items = (unsigned long)adm;
	policy.site.items = (unsigned long)site;
	policy.gtw.items = (unsigned long)gtw;
	result = call(SYS_IOCTL, fd, number, (long)&policy);
	policy.adm.items = policy.site.items = policy.gtw.items = 0;
	put(&result, sizeof(result));
	put(&policy, sizeof(policy));
	put(adm, sizeof(adm));
	put(site, sizeof(site));
	put(gtw, sizeof(gtw));
}

static void try_counters(int fd)
{
	int result;

	counters.row = LIST(row);
	counters.reason = LIST(reason);
	counters.gtw = LIST(seen);
	result = call(SYS_IOCTL, fd, MAILWALL_GET_COUNTERS, (long)&counters);
	counters.row.items = counters.reason.items = counters.gtw.items = 0;
	put(&result, sizeof(result));
	put(&counters, sizeof(counters));
	put(row, sizeof(row));
	put(reason, sizeof(reason));
	put(seen, sizeof(seen));
}

void _start(void)
{
	int fd = call(SYS_OPEN, (long)"/dev/mailwall", O_RDWR, 0);

	call(SYS_READ, 0, (long)&explain, sizeof(explain));
	try(fd, MAILWALL_GET_VERSION, &version, sizeof(version));
	policy.adm = LIST(adm);
	policy.site = LIST(site);
	policy.gtw = LIST(gtw);
	try_policy(fd, MAILWALL_GET_POLICY);
	try_policy(fd, MAILWALL_SET_POLICY);
	try_counters(fd);
	try(fd, MAILWALL_EXPLAIN, &explain, sizeof(explain));
	try(fd, MAILWALL_CONFIRM, &confirm, sizeof(confirm));
	try(fd, MAILWALL_REVERT, &confirm, 0);
	call(SYS_EXIT, 0, 0, 0);
}
