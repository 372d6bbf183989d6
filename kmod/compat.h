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

#include <linux/sysfs.h>
#include <linux/version.h>
#include <net/inet6_hashtables.h>
#include <net/inet_hashtables.h>
#include <net/net_namespace.h>

/* The oldest kernel that the tests run on (Debian 11). */
#if LINUX_VERSION_CODE < KERNEL_VERSION(5, 10, 0)
#error "mailwall needs Linux 5.10 or newer"
#endif

/* __inet_lookup_established(): without the hash table as an argument from 6.18 on */
typedef struct sock *(*mw_lookup4_hashinfo_t)(struct net *net, struct inet_hashinfo *hashinfo,
					      const __be32 saddr, const __be16 sport,
					      const __be32 daddr, const u16 hnum, const int dif,
					      const int sdif);
typedef struct sock *(*mw_lookup4_t)(const struct net *net, const __be32 saddr, const __be16 sport,
				     const __be32 daddr, const u16 hnum, const int dif,
				     const int sdif);
typedef struct sock *(*mw_lookup4_net_t)(struct net *net, const __be32 saddr, const __be16 sport,
					 const __be32 daddr, const u16 hnum, const int dif,
					 const int sdif);
typedef struct sock *(*mw_lookup6_hashinfo_t)(struct net *net, struct inet_hashinfo *hashinfo,
					      const struct in6_addr *saddr, const __be16 sport,
					      const struct in6_addr *daddr, const u16 hnum,
					      const int dif, const int sdif);
typedef struct sock *(*mw_lookup6_t)(const struct net *net, const struct in6_addr *saddr,
				     const __be16 sport, const struct in6_addr *daddr,
				     const u16 hnum, const int dif, const int sdif);
typedef struct sock *(*mw_lookup6_net_t)(struct net *net, const struct in6_addr *saddr,
					 const __be16 sport, const struct in6_addr *daddr,
					 const u16 hnum, const int dif, const int sdif);

/*
 * The function, if it is of this type. The branches that are not taken must be
 * valid C too, and call a null pointer of their type.
 */
#define MW_IF(type, function) _Generic(&(function), type : &(function), default : (type)NULL)

static inline struct sock *mw_inet_lookup_established(struct net *net, __be32 saddr, __be16 sport,
						      __be32 daddr, u16 hnum, int dif, int sdif)
{
#define F __inet_lookup_established
	/* clang-format off */
	return _Generic(&F,
		mw_lookup4_hashinfo_t: MW_IF(mw_lookup4_hashinfo_t, F)(
			net, net->ipv4.tcp_death_row.hashinfo, saddr, sport, daddr, hnum, dif,
			sdif),
		mw_lookup4_t: MW_IF(mw_lookup4_t, F)(net, saddr, sport, daddr, hnum, dif, sdif),
		mw_lookup4_net_t: MW_IF(mw_lookup4_net_t, F)(net, saddr, sport, daddr, hnum, dif,
							     sdif));
	/* clang-format on */
#undef F
}

static inline struct sock *mw_inet6_lookup_established(struct net *net,
						       const struct in6_addr *saddr, __be16 sport,
						       const struct in6_addr *daddr, u16 hnum,
						       int dif, int sdif)
{
#define F __inet6_lookup_established
	/* clang-format off */
	return _Generic(&F,
		mw_lookup6_hashinfo_t: MW_IF(mw_lookup6_hashinfo_t, F)(
			net, net->ipv4.tcp_death_row.hashinfo, saddr, sport, daddr, hnum, dif,
			sdif),
		mw_lookup6_t: MW_IF(mw_lookup6_t, F)(net, saddr, sport, daddr, hnum, dif, sdif),
		mw_lookup6_net_t: MW_IF(mw_lookup6_net_t, F)(net, saddr, sport, daddr, hnum, dif,
							     sdif));
	/* clang-format on */
#undef F
}

/* struct bin_attribute: its methods take it const since 6.16 */
typedef ssize_t (*mw_bin_read_t)(struct file *file, struct kobject *kobj,
				 struct bin_attribute *attr, char *buf, loff_t pos, size_t size);
typedef typeof(_Generic((typeof_member(struct bin_attribute, read))NULL, mw_bin_read_t
			: (struct bin_attribute *)NULL, default
			: (const struct bin_attribute *)NULL)) mw_bin_attribute_t;

#endif /* _MW_COMPAT_H */
