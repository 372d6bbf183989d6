/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What policy and prefix need from their surroundings, which are the kernel, the
 * mailwall command or a test. Nothing here has any knowledge of mailwall.
 */
#ifndef _MW_PORTABLE_H
#define _MW_PORTABLE_H

#ifdef __KERNEL__

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <linux/socket.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/byteorder.h>

#else

#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <linux/types.h>

typedef uint8_t u8;
typedef uint16_t u16;
typedef uint32_t u32;
typedef uint64_t u64;
typedef int64_t s64;

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#ifndef __always_inline
#define __always_inline inline __attribute__((__always_inline__))
#endif
#define __printf(a, b) __attribute__((format(printf, a, b)))
#define be32_to_cpu(x) be32toh(x)
#define be64_to_cpu(x) be64toh(x)
#define OPTIMIZER_HIDE_VAR(x) ((void)(x))
#define READ_ONCE(x) (*(const volatile typeof(x) *)&(x))
#define WRITE_ONCE(x, v) (*(volatile typeof(x) *)&(x) = (v))
#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))

#endif /* __KERNEL__ */

#ifdef __SIZEOF_INT128__
/* The kernel's stack is aligned to 8: for more, a function would align it first. */
typedef unsigned __int128 mw_u128 __attribute__((__aligned__(8)));
#endif

#endif /* _MW_PORTABLE_H */
