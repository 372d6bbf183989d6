/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The one place that knows that kernels differ.
 *
 * What differs is asked of the headers by _Generic, that is by type, at compile
 * time: a distribution's stable kernel may carry any backport, so its version
 * says little. An interface of a type that is not listed here fails the build,
 * which is better than a call with the wrong arguments.
 */
#ifndef _MW_COMPAT_H
#define _MW_COMPAT_H

#include <linux/hrtimer.h>
#include <linux/sysfs.h>
#include <linux/version.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/ip.h>
#include <net/net_namespace.h>

/* The oldest kernel that the tests run on (Debian 11). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "mailwall needs Linux 5.10 or newer"
#endif

/*
 * __inet_lookup_established(): with the hash table as an argument up to 6.17, and
 * with a network namespace that became const at some time before.
 */
#define MW_LOOKUP_TYPES(name, net_t, address_t)                                                   \
	typedef struct sock *(*name##_hashinfo_t)(net_t * net, struct inet_hashinfo * hashinfo,   \
						  address_t saddr, const __be16 sport,            \
						  address_t daddr, const u16 hnum, const int dif, \
						  const int sdif);                                \
	typedef struct sock *(*name##_t)(net_t * net, address_t saddr, const __be16 sport,        \
					 address_t daddr, const u16 hnum, const int dif,          \
					 const int sdif)

MW_LOOKUP_TYPES(mw_lookup4, struct net, const __be32);
MW_LOOKUP_TYPES(mw_lookup4_const, const struct net, const __be32);
MW_LOOKUP_TYPES(mw_lookup6, struct net, const struct in6_addr *);
MW_LOOKUP_TYPES(mw_lookup6_const, const struct net, const struct in6_addr *);

/*
 * The function, if it is of this type. The branches that are not taken must be
 * valid C too, and call a null pointer of their type.
 */
#define MW_IF(type, function) _Generic(&(function), type : &(function), default : (type)NULL)

/* a pointer from 5.18 to 6.0 */
static inline struct inet_hashinfo *mw_hashinfo(struct net *net)
{
	struct inet_timewait_death_row *row = _Generic(
		&net->ipv4.tcp_death_row,
		struct inet_timewait_death_row * : &net->ipv4.tcp_death_row,
		struct inet_timewait_death_row * * : *(struct inet_timewait_death_row **)(void *)&
			net->ipv4.tcp_death_row);

	return row->hashinfo;
}

/* clang-format off */
#define MW_LOOK_UP(f, name, net, ...)                                                         \
	_Generic(&(f),                                                                        \
		name##_hashinfo_t: MW_IF(name##_hashinfo_t, f)(                               \
			net, mw_hashinfo(net), __VA_ARGS__),                           \
		name##_const_hashinfo_t: MW_IF(name##_const_hashinfo_t, f)(                   \
			net, mw_hashinfo(net), __VA_ARGS__),                           \
		name##_t: MW_IF(name##_t, f)(net, __VA_ARGS__),                               \
		name##_const_t: MW_IF(name##_const_t, f)(net, __VA_ARGS__))
/* clang-format on */

static inline struct sock *mw_inet_lookup_established(struct net *net, __be32 saddr, __be16 sport,
						      __be32 daddr, u16 hnum, int dif, int sdif)
{
	return MW_LOOK_UP(__inet_lookup_established, mw_lookup4, net, saddr, sport, daddr, hnum,
			  dif, sdif);
}

#if IS_ENABLED(CONFIG_IPV6)
static inline struct sock *mw_inet6_lookup_established(struct net *net,
						       const struct in6_addr *saddr, __be16 sport,
						       const struct in6_addr *daddr, u16 hnum,
						       int dif, int sdif)
{
	return MW_LOOK_UP(__inet6_lookup_established, mw_lookup6, net, saddr, sport, daddr, hnum,
			  dif, sdif);
}
#endif

/* inet_sdif(): 5.10 only reads the packet, but does not say const */
static inline int mw_inet_sdif(const struct sk_buff *skb)
{
	return inet_sdif((struct sk_buff *)skb);
}

/* struct bin_attribute: its methods take it const since 6.16 */
typedef ssize_t (*mw_bin_read_t)(struct file *file, struct kobject *kobj,
				 struct bin_attribute *attr, char *buf, loff_t pos, size_t size);
typedef typeof(_Generic((typeof_member(struct bin_attribute, read))NULL, mw_bin_read_t
			: (struct bin_attribute *)NULL, default
			: (const struct bin_attribute *)NULL)) mw_bin_attribute_t;

/*
 * hrtimer_setup() is there from 6.13 on, and hrtimer_init() gone some versions later. Here
 * the version says enough: every kernel before has hrtimer_init(), whatever was backported.
 */
static inline void mw_hrtimer_setup(struct hrtimer *timer,
				    enum hrtimer_restart (*function)(struct hrtimer *timer),
				    clockid_t clock, enum hrtimer_mode mode)
{
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 13, 0)
	hrtimer_init(timer, clock, mode);
	timer->function = function;
#else
	hrtimer_setup(timer, function, clock, mode);
#endif
}

#endif /* _MW_COMPAT_H */
