// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/mailwall and /sys/class/misc/mailwall/. An open handle holds the module, by its
 * owner, and no namespace.
 */
#include "control.h"
#include "ioctl.h"
#include "sysfs.h"
#include <linux/fs.h>
#include <linux/miscdevice.h>
#include <linux/module.h>

static const struct file_operations mw_fops = {
	.owner = THIS_MODULE,
	.unlocked_ioctl = mw_ioctl,
	.compat_ioctl = compat_ptr_ioctl,
};

static struct miscdevice mw_device = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = "mailwall",
	.fops = &mw_fops,
	.mode = 0600,
	.groups = mw_sysfs_groups,
};

int mw_control_register(void)
{
	return misc_register(&mw_device);
}

void mw_control_deregister(void)
{
	misc_deregister(&mw_device);
}
