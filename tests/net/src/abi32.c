// SPDX-License-Identifier: GPL-2.0
/*
 * A 32 bit caller of /dev/mailwall, without a C library: for each call the result and
 * the struct afterwards, written to standard output. What is asked of EXPLAIN comes in
 * by standard input, and the policy is written back as it was read.
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

static void try(int fd, unsigned long number, void *arg, unsigned int size)
{
	int result = call(SYS_IOCTL, fd, number, (long)arg);

	call(SYS_WRITE, 1, (long)&result, sizeof(result));
	call(SYS_WRITE, 1, (long)arg, size);
}

static struct mailwall_version version;
static struct mailwall_policy policy;
static struct mailwall_counters counters;
static struct mailwall_explain explain;

void _start(void)
{
	int fd = call(SYS_OPEN, (long)"/dev/mailwall", O_RDWR, 0);

	call(SYS_READ, 0, (long)&explain, sizeof(explain));
	try(fd, MAILWALL_GET_VERSION, &version, sizeof(version));
	try(fd, MAILWALL_GET_POLICY, &policy, sizeof(policy));
	try(fd, MAILWALL_SET_POLICY, &policy, sizeof(policy));
	try(fd, MAILWALL_GET_COUNTERS, &counters, sizeof(counters));
	try(fd, MAILWALL_EXPLAIN, &explain, sizeof(explain));
	try(fd, MAILWALL_CONFIRM, &version, 0);
	try(fd, MAILWALL_REVERT, &version, 0);
	call(SYS_EXIT, 0, 0, 0);
}
