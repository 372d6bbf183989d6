/* SPDX-License-Identifier: GPL-2.0 */
/* The misc device, with the attributes of sysfs.c and the calls of ioctl.c. */
#ifndef _MW_CONTROL_H
#define _MW_CONTROL_H

/**
 * mw_control_register() - make /dev/mailwall and /sys/class/misc/mailwall/
 *
 * Return: 0, or the error of misc_register().
 */
int mw_control_register(void);
void mw_control_deregister(void);

#endif /* _MW_CONTROL_H */
