/* SPDX-License-Identifier: GPL-2.0 */
/* The release, in one place for the module and the command. */
#ifndef _MW_VERSION_H
#define _MW_VERSION_H

#define MAILWALL_RELEASE "0.1.0"

#endif /* _MW_VERSION_H */
