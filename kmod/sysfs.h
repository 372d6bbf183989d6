/* SPDX-License-Identifier: GPL-2.0 */
/* The attributes in /sys/class/misc/mailwall/. */
#ifndef _MW_SYSFS_H
#define _MW_SYSFS_H

struct attribute_group;

/*
 * They come with the device, so that misc_register() is the only step of mw_init()
 * that lets anybody in, and the last: an open handle does not keep a module whose init
 * fails.
 */
extern const struct attribute_group *mw_sysfs_groups[];

#endif /* _MW_SYSFS_H */
