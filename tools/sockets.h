/* SPDX-License-Identifier: GPL-2.0 */
/* The TCP sockets of this network namespace, and whose they are. */
#ifndef _SOCKETS_H
#define _SOCKETS_H

#include "command.h"

/**
 * struct tcp_socket - a socket
 * @ends: its addresses and ports; of one that listens the peer's are zero
 * @listens: it waits for connections
 * @process: name of one that has it, "?" where nobody is seen to
 */
struct tcp_socket {
	struct session ends;
	bool listens;
	char process[32];
};

struct tcp_sockets {
	unsigned int count;
	struct tcp_socket *one;
};

/**
 * sockets_read() - ask the kernel for all of them
 * @sockets: filled in, by local port; one that is bound to a loopback address is left out
 *
 * Return: 0, or -errno.
 */
int sockets_read(struct tcp_sockets *sockets);
/* Does one of them listen on this port? */
bool sockets_serve(const struct tcp_sockets *sockets, u16 port);
void sockets_free(struct tcp_sockets *sockets);

/**
 * process_sockets() - go through the sockets that a process holds
 * @pid: the process, as /proc names it
 * @found: asked for the inode of each, until it says true
 * @context: for @found
 *
 * Return: whether @found said true.
 */
bool process_sockets(const char *pid, bool (*found)(void *context, u32 inode), void *context);

#endif /* _SOCKETS_H */
