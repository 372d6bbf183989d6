// SPDX-License-Identifier: GPL-2.0
/*
 * Whole transactions and bulk transfer between two network namespaces, a process in
 * each: stack SERVER_NS CLIENT_NS ADDRESS PORT transactions|bulk COUNT
 *
 * Prints nanoseconds (instructions, where the machine counts so) for each
 * transaction (socket, connect, request, response, close), or for each MiB.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <err.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MESSAGE 512 /* a request, a response */
#define WARM 20 /* transactions before it counts */
#define WARM_MIB 4
#define MIB (1 << 20)

static char buffer[64 * 1024];
static struct sockaddr_storage address;
static socklen_t address_length;

static void enter(const char *name)
{
	char path[256];
	int fd;

	/* the gateway is the initial one */
	if (!strcmp(name, "gtw"))
		snprintf(path, sizeof(path), "/proc/1/ns/net");
	else
		snprintf(path, sizeof(path), "/run/netns/%s", name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || setns(fd, CLONE_NEWNET))
		err(1, "%s", path);
	close(fd);
}

static void parse(const char *text, int port)
{
	struct sockaddr_in *in = (void *)&address;
	struct sockaddr_in6 *in6 = (void *)&address;

	if (inet_pton(AF_INET, text, &in->sin_addr) == 1) {
		in->sin_family = AF_INET;
		in->sin_port = htons(port);
		address_length = sizeof(*in);
	} else if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons(port);
		address_length = sizeof(*in6);
	} else {
		errx(2, "no address: %s", text);
	}
}

static void send_all(int fd, size_t length)
{
	while (length) {
		size_t piece = length < sizeof(buffer) ? length : sizeof(buffer);
		ssize_t n = write(fd, buffer, piece);

		if (n <= 0)
			err(1, "write");
		length -= n;
	}
}

static void receive_all(int fd, size_t length)
{
	while (length) {
		size_t piece = length < sizeof(buffer) ? length : sizeof(buffer);
		ssize_t n = read(fd, buffer, piece);

		if (n <= 0)
			err(1, "read");
		length -= n;
	}
}

static void serve(int listener, int bulk, long count)
{
	long i;

	if (bulk) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			err(1, "accept");
		for (i = 0; i < 2; i++) { /* to warm up, and to count */
			receive_all(fd, (i ? count : WARM_MIB) * (size_t)MIB);
			send_all(fd, 1);
		}
		close(fd);
		return;
	}
	for (i = 0; i <= WARM + count; i++) {
		int fd = accept(listener, NULL, NULL);

		if (fd < 0)
			err(1, "accept");
		receive_all(fd, MESSAGE);
		send_all(fd, MESSAGE);
		if (read(fd, buffer, sizeof(buffer)) != 0)
			err(1, "the client did not close");
		close(fd);
	}
}

static int dial(void)
{
	int fd = socket(address.ss_family, SOCK_STREAM, 0);

	if (fd < 0 || connect(fd, (void *)&address, address_length))
		err(1, "connect");
	return fd;
}

static double now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1e9 + t.tv_nsec;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

/* From the start of each transaction to that of the next, so that what the server does
 * late counts too; of these the median, which timer interrupts do not touch. */
static double ask_transactions(long count)
{
	double *took = calloc(count, sizeof(*took)), start = 0, end;
	long i;

	if (!took)
		err(1, "calloc");
	for (i = 0; i <= WARM + count; i++) {
		int fd;

		end = now();
		if (i > WARM)
			took[i - WARM - 1] = end - start;
		start = end;
		fd = dial();
		send_all(fd, MESSAGE);
		receive_all(fd, MESSAGE);
		close(fd);
	}
	qsort(took, count, sizeof(*took), compare);
	return took[count / 2];
}

static double ask_bulk(long count)
{
	double start = 0;
	int i, fd = dial();

	for (i = 0; i < 2; i++) {
		start = now();
		send_all(fd, (i ? count : WARM_MIB) * (size_t)MIB);
		receive_all(fd, 1);
	}
	start = now() - start;
	close(fd);
	return start / count;
}

int main(int argc, char **argv)
{
	int listener, on = 1, bulk, status;
	long count;
	pid_t client;

	if (argc != 7)
		errx(2, "usage: stack SERVER_NS CLIENT_NS ADDRESS PORT transactions|bulk COUNT");
	parse(argv[3], atoi(argv[4]));
	bulk = !strcmp(argv[5], "bulk");
	count = atol(argv[6]);

	enter(argv[1]);
	listener = socket(address.ss_family, SOCK_STREAM, 0);
	if (listener < 0 || setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(listener, (void *)&address, address_length) || listen(listener, 128))
		err(1, "listen");
	client = fork();
	if (client < 0)
		err(1, "fork");
	if (!client) {
		close(listener);
		enter(argv[2]);
		printf("%.1f\n", bulk ? ask_bulk(count) : ask_transactions(count));
		return 0;
	}
	serve(listener, bulk, count);
	if (waitpid(client, &status, 0) != client)
		err(1, "waitpid");
	return status ? 1 : 0;
}
