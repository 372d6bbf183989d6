/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of "explain" share. */
#ifndef _EXPLAIN_H
#define _EXPLAIN_H

#include "command.h"

/**
 * struct endpoint - ADDRESS:PORT
 * @family: AF_INET or AF_INET6
 * @address: network order
 * @port: host order
 * @text: address in canonical form
 */
struct endpoint {
	u8 family;
	u8 address[16];
	u16 port;
	char text[MW_PREFIX_TEXT];
};

/* Room for why it is allowed, denied or not judged. */
#define WORDS 640

/* A loopback device has this index in every network namespace. */
#define LOOPBACK_IFINDEX 1

/**
 * explain_ask() - judge one segment
 * @args: command line, which says by which policy: the module's, or a file's
 * @ex: question; the answer is filled in
 * @policy: filled in with the policy that judged
 *
 * Return: exit code, after it has said why it fails.
 */
int explain_ask(const struct arguments *args, struct mailwall_explain *ex, struct mw_spec *policy);

/**
 * explain_words() - why a segment is allowed, denied or not judged
 * @ex: answer
 * @policy: policy that judged
 * @source: the segment's
 * @target: likewise
 * @words: filled in
 */
void explain_words(const struct mailwall_explain *ex, const struct mw_spec *policy,
		   const struct endpoint *source, const struct endpoint *target, char words[WORDS]);

/* walk.c */

/**
 * explain_walk() - judge the segments of a connection, from SYN to FIN, both ways
 * @args: command line
 * @first: question about its first segment, whose source is the client
 * @client: source
 * @server: target
 *
 * Return: exit code.
 */
int explain_walk(const struct arguments *args, const struct mailwall_explain *first,
		 const struct endpoint *client, const struct endpoint *server);

/* offline.c */

/**
 * offline_explain() - explain_ask() by a policy in a file, without a module
 * @file: name of a file as in /etc/modprobe.d
 * @ex: question; the answer is filled in
 * @policy: filled in
 *
 * Return: exit code.
 */
int offline_explain(const char *file, struct mailwall_explain *ex, struct mw_spec *policy);

/**
 * offline_device() - an index for a device that need not be there
 * @name: of the device
 */
u32 offline_device(const char *name);

/* The name that an index stands for; NULL if it is none of offline_device(). */
const char *offline_device_name(u32 ifindex);

#endif /* _EXPLAIN_H */
