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
		.ends.inode = msg->idiag_inode,
		.listens = msg->idiag_state == TCP_LISTEN,
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
	u32 x = ((const struct tcp_socket *)a)->ends.inode;
	u32 y = ((const struct tcp_socket *)b)->ends.inode;

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

bool process_sockets(const char *pid, bool (*found)(void *context, u32 inode), void *context)
{
	char path[64], link[64];
	struct dirent *entry;
	bool stop = false;
	u32 inode;
	DIR *fds;

	snprintf(path, sizeof(path), "/proc/%.16s/fd", pid);
	fds = opendir(path);
	while (!stop && fds && (entry = readdir(fds))) {
		ssize_t length = readlinkat(dirfd(fds), entry->d_name, link, sizeof(link) - 1);

		if (length < 0)
			continue;
		link[length] = '\0';
		stop = sscanf(link, "socket:[%u]", &inode) == 1 && found(context, inode);
	}
	if (fds)
		closedir(fds);
	return stop;
}

struct named {
	struct tcp_sockets *sockets;
	char name[32];
};

/* Give a socket the name of the process that holds it. */
static bool name_socket(void *context, u32 inode)
{
	const struct tcp_socket key = { .ends.inode = inode };
	struct named *named = context;
	struct tcp_socket *one =
		bsearch(&key, named->sockets->one, named->sockets->count, sizeof(key), by_inode);

	if (one)
		snprintf(one->process, sizeof(one->process), "%s", named->name);
	return false;
}

static void name_process(struct tcp_sockets *sockets, const char *pid)
{
	struct named named = { .sockets = sockets };
	char path[64];
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%.16s/comm", pid);
	file = fopen(path, "re");
	if (!file)
		return;
	if (fgets(named.name, sizeof(named.name), file)) {
		named.name[strcspn(named.name, "\n")] = '\0';
		process_sockets(pid, name_socket, &named);
	}
	fclose(file);
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
