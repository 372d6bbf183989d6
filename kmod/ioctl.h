/* SPDX-License-Identifier: GPL-2.0 */
/* The calls of /dev/mailwall, as <linux/mailwall.h> describes them. */
#ifndef _MW_IOCTL_H
#define _MW_IOCTL_H

struct file;

/**
 * mw_ioctl() - one call
 * @file: not looked at
 * @call: MAILWALL_*
 * @address: its argument in the caller's memory
 *
 * Context: may sleep.
 *
 * Return: 0, or an error as <linux/mailwall.h> lists them.
 */
long mw_ioctl(struct file *file, unsigned int call, unsigned long address);

#endif /* _MW_IOCTL_H */
