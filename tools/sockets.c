// SPDX-License-Identifier: GPL-2.0
/* NETLINK_SOCK_DIAG: sock_diag(7). */
#include "sockets.h"
#include <dirent.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/sock_diag.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <unistd.h>

static bool is_loopback(u8 family, const u8 *address)
{
	static const u8 one[16] = { [15] = 1 };

	return family == AF_INET ? address[0] == 127 : !memcmp(address, one, sizeof(one));
}

/* IPv4 on a socket of both families is IPv4. */
static void read_addresses(struct session *ends, u8 family, const __be32 *local, const __be32 *peer)
{
	size_t size = family == AF_INET ? 4 : 16;

	memcpy(ends->local, local, size);
	memcpy(ends->peer, peer, size);
	ends->family = address_unmap(family, ends->local);
	if (ends->family != family)
		address_unmap(family, ends->peer);
}

static void take(struct tcp_sockets *sockets, const struct inet_diag_msg *msg)
{
	struct tcp_socket socket = {
		.ends.local_port = ntohs(msg->id.idiag_sport),
		.ends.peer_port = ntohs(msg->id.idiag_dport),
		.listens = msg->idiag_state == TCP_LISTEN,
		.inode = msg->idiag_inode,
		.process = "?",
	};

	read_addresses(&socket.ends, msg->idiag_family, msg->id.idiag_src, msg->id.idiag_dst);
	if (is_loopback(socket.ends.family, socket.ends.local))
		return;
	sockets->one = reallocate(sockets->one, sockets->count + 1, sizeof(socket));
	sockets->one[sockets->count++] = socket;
}

/* Return: 1 for more, 0 at the end, or -errno. */
static int take_messages(struct tcp_sockets *sockets, const struct nlmsghdr *header, int length)
{
	for (; NLMSG_OK(header, (unsigned int)length); header = NLMSG_NEXT(header, length)) {
		if (header->nlmsg_type == NLMSG_DONE)
			return 0;
		if (header->nlmsg_type == NLMSG_ERROR)
			return ((const struct nlmsgerr *)NLMSG_DATA(header))->error ?: -EPROTO;
		take(sockets, NLMSG_DATA(header));
	}
	return 1;
}

static int dump(int fd, u8 family, struct tcp_sockets *sockets)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} ask = {
		.header = {
			.nlmsg_len = sizeof(ask),
			.nlmsg_type = SOCK_DIAG_BY_FAMILY,
			.nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP,
		},
		.request = {
			.sdiag_family = family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_states = 1 << TCP_LISTEN | 1 << TCP_ESTABLISHED,
		},
	};
	static struct nlmsghdr answer[32768 / sizeof(struct nlmsghdr)];
	ssize_t got;
	int more = 1;

	if (write(fd, &ask, sizeof(ask)) != sizeof(ask))
		return -errno;
	while (more > 0) {
		got = read(fd, answer, sizeof(answer));
		if (got < 0)
			return -errno;
		more = take_messages(sockets, answer, got);
	}
	return more;
}

static int by_inode(const void *a, const void *b)
{
	u32 x = ((const struct tcp_socket *)a)->inode, y = ((const struct tcp_socket *)b)->inode;

	return (x > y) - (x < y);
}

/* For people. Numbers of inodes grow on each processor for itself. */
static int by_port(const void *a, const void *b)
{
	const struct session *x = &((const struct tcp_socket *)a)->ends;
	const struct session *y = &((const struct tcp_socket *)b)->ends;

	return x->local_port - y->local_port			 ?:
		       x->family - y->family			 ?:
		       memcmp(x->peer, y->peer, sizeof(x->peer)) ?:
								   x->peer_port - y->peer_port;
}

/* Give the sockets that a process holds its name. */
static void name_process(struct tcp_sockets *sockets, const char *pid)
{
	char path[64], link[64], name[32] = "";
	struct dirent *entry;
	FILE *file;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	if (!fds)
		return;
	while ((entry = readdir(fds))) {
		ssize_t length = readlinkat(dirfd(fds), entry->d_name, link, sizeof(link) - 1);
		struct tcp_socket key, *one;

		if (length < 0)
			continue;
		link[length] = '\0';
		if (sscanf(link, "socket:[%u]", &key.inode) != 1)
			continue;
		one = bsearch(&key, sockets->one, sockets->count, sizeof(key), by_inode);
		if (!one)
			continue;
		snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
		file = *name ? NULL : fopen(path, "re");
		if (file) {
			if (!fgets(name, sizeof(name), file))
				*name = '\0';
			name[strcspn(name, "\n")] = '\0';
			fclose(file);
		}
		snprintf(one->process, sizeof(one->process), "%s", *name ? name : "?");
	}
	closedir(fds);
}

int sockets_read(struct tcp_sockets *sockets)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG), error;
	struct dirent *entry;
	DIR *proc;

	*sockets = (struct tcp_sockets){ 0 };
	if (fd < 0)
		return -errno;
	error = dump(fd, AF_INET, sockets) ?: dump(fd, AF_INET6, sockets);
	close(fd);
	if (error)
		return error;
	if (sockets->count)
		qsort(sockets->one, sockets->count, sizeof(*sockets->one), by_inode);
	proc = opendir("/proc");
	while (sockets->count && proc && (entry = readdir(proc)))
		if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
			name_process(sockets, entry->d_name);
	if (proc)
		closedir(proc);
	if (sockets->count)
		qsort(sockets->one, sockets->count, sizeof(*sockets->one), by_port);
	return 0;
}

bool sockets_serve(const struct tcp_sockets *sockets, u16 port)
{
	unsigned int i;

	for (i = 0; i < sockets->count; i++)
		if (sockets->one[i].listens && sockets->one[i].ends.local_port == port)
			return true;
	return false;
}

void sockets_free(struct tcp_sockets *sockets)
{
	free(sockets->one);
}
