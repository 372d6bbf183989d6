/* SPDX-License-Identifier: GPL-2.0 */
/* The control interfaces: sysfs attributes and ioctls of the misc device. */
#ifndef _MW_CONTROL_H
#define _MW_CONTROL_H

#include "config.h"

/**
 * mw_control_register() - make /dev/mailwall and /sys/class/misc/mailwall/
 *
 * Return: 0, or the error of misc_register().
 */
int mw_control_register(void);
void mw_control_deregister(void);

#endif /* _MW_CONTROL_H */
