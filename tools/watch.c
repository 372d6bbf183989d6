// SPDX-License-Identifier: GPL-2.0
/*
 * "watch": denied segments as they come, through nfnetlink_log. By libmnl, for which the
 * oldest distributions with these kernels have all that is asked of it.
 */
#include "denial.h"
#include <arpa/inet.h>
#include <inttypes.h>
#include <jansson.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter/nfnetlink.h>
#include <linux/netfilter/nfnetlink_log.h>
#include <poll.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

/* Look so often, in milliseconds, whether the policy still logs to our group. */
#define LOOK_AGAIN 2000

/* What waits to be read while a flood comes. */
#define RECEIVE_BUFFER (1 << 20)

/* A request and its answer, or what packets come before that. */
#define REQUEST_BUFFER 65536

/**
 * struct watch - what "watch" has open and has seen
 * @args: command line
 * @socket: to nfnetlink_log
 * @group: of it
 * @signals: a descriptor for those that end it
 * @next: sequence number that comes next
 * @lost: segments that the kernel could not hand over
 * @overrun: some were lost since the last one came, nobody knows how many
 * @end: CLOCK_MONOTONIC seconds at which it ends, 0 for never
 */
struct watch {
	const struct arguments *args;
	struct mnl_socket *socket;
	u16 group;
	int signals;
	u32 next;
	u64 lost;
	bool overrun;
	time_t end;
};

static u32 request_number;

/* Send a request and wait for its answer. Return: 0, or -errno. */
static int ask(struct watch *watch, struct nlmsghdr *request)
{
	char buffer[REQUEST_BUFFER];
	ssize_t length;

	if (mnl_socket_sendto(watch->socket, request, request->nlmsg_len) < 0)
		return -errno;
	for (;;) {
		length = mnl_socket_recvfrom(watch->socket, buffer, sizeof(buffer));
		if (length < 0)
			return -errno;
		/* packets may come before the answer to what was asked after the group */
		if (((struct nlmsghdr *)buffer)->nlmsg_seq != request->nlmsg_seq ||
		    ((struct nlmsghdr *)buffer)->nlmsg_type != NLMSG_ERROR)
			continue;
		return mnl_cb_run(buffer, length, request->nlmsg_seq,
				  mnl_socket_get_portid(watch->socket), NULL, NULL) < 0 ?
			       -errno :
			       0;
	}
}

static struct nlmsghdr *request_new(void *buffer, u16 group)
{
	struct nlmsghdr *request = mnl_nlmsg_put_header(buffer);
	struct nfgenmsg *header;

	request->nlmsg_type = NFNL_SUBSYS_ULOG << 8 | NFULNL_MSG_CONFIG;
	request->nlmsg_flags = NLM_F_REQUEST | NLM_F_ACK;
	request->nlmsg_seq = ++request_number;
	header = mnl_nlmsg_put_extra_header(request, sizeof(*header));
	header->nfgen_family = AF_UNSPEC;
	header->version = NFNETLINK_V0;
	header->res_id = htons(group);
	return request;
}

static int bind_group(struct watch *watch)
{
	const struct nfulnl_msg_config_cmd command = { .command = NFULNL_CFG_CMD_BIND };
	const struct nfulnl_msg_config_mode mode = {
		.copy_range = htonl(DENIAL_COPY),
		.copy_mode = NFULNL_COPY_PACKET,
	};
	char buffer[REQUEST_BUFFER];
	struct nlmsghdr *request = request_new(buffer, watch->group);

	mnl_attr_put(request, NFULA_CFG_CMD, sizeof(command), &command);
	mnl_attr_put(request, NFULA_CFG_MODE, sizeof(mode), &mode);
	/* hundredths of a second until it hands over what it has */
	mnl_attr_put_u32(request, NFULA_CFG_TIMEOUT, htonl(10));
	/* numbers without a gap, unless some are lost */
	mnl_attr_put_u16(request, NFULA_CFG_FLAGS, htons(NFULNL_CFG_F_SEQ));
	return ask(watch, request);
}

/* The kernel says EPERM too where another program reads the group. */
static bool is_read(u16 group)
{
	FILE *file = fopen("/proc/self/net/netfilter/nfnetlink_log", "re");
	unsigned int other;
	bool found = false;

	while (file && !found && fscanf(file, "%u%*[^\n]", &other) == 1)
		found = other == group;
	if (file)
		fclose(file);
	return found;
}

static int complain(const struct watch *watch, int error)
{
	if (error == -EPERM && is_read(watch->group))
		error = -EBUSY;
	switch (error) {
	case -EPERM:
		say("watch: reading denied segments takes CAP_NET_ADMIN: run this as root, such as with sudo");
		break;
	case -EBUSY:
		say("watch: another program reads group %u of nfnetlink_log (see /proc/net/netfilter/nfnetlink_log): end it, or choose another group: mailwall log nflog:%u",
		    watch->group, watch->group < 65535 ? watch->group + 1 : 0);
		break;
	case -EINVAL:
	case -EOPNOTSUPP:
	case -EPROTONOSUPPORT:
		say("watch: the kernel has no nfnetlink_log: modprobe nfnetlink_log; a kernel without it (CONFIG_NETFILTER_NETLINK_LOG) has only \"mailwall log kernel\" and dmesg");
		break;
	default:
		say("watch: cannot read group %u of nfnetlink_log: %s", watch->group,
		    strerror(-error));
	}
	return EXIT_REFUSED;
}

/* Return: 0, or the exit code after it has said why. */
static int open_group(struct watch *watch)
{
	int size = RECEIVE_BUFFER, error = 0;

	watch->socket = mnl_socket_open(NETLINK_NETFILTER);
	if (!watch->socket || mnl_socket_bind(watch->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		error = -errno;
	else
		error = bind_group(watch);
	if (error)
		return complain(watch, error);
	/* without the right to it the usual size has to do */
	setsockopt(mnl_socket_get_fd(watch->socket), SOL_SOCKET, SO_RCVBUFFORCE, &size,
		   sizeof(size));
	return EXIT_DONE;
}

/*
 * Return: the exit code, after it has said why nothing comes where that is so. A policy is not
 * changed from here: who reads must not be what makes the kernel log.
 */
static int policy_logs(struct watch *watch, const struct mw_spec *policy)
{
	char text[MW_PREFIX_TEXT];

	if (policy->log == MAILWALL_LOG_NFLOG) {
		watch->group = policy->log_group;
		return EXIT_DONE;
	}
	mw_spec_print_log(policy, text);
	say("watch: denied segments are logged %s (log %s), not where they can be read as they come: first \"mailwall log nflog\", afterwards \"mailwall log %s\"",
	    policy->log == MAILWALL_LOG_KERNEL ? "to the kernel's log" : "nowhere", text, text);
	return EXIT_REFUSED;
}

/* Does it still come to us? */
static int look_again(const struct watch *watch)
{
	struct mw_spec policy;
	char text[MW_PREFIX_TEXT];

	if (device_policy("watch", &policy))
		return EXIT_REFUSED;
	if (policy.log == MAILWALL_LOG_NFLOG && policy.log_group == watch->group)
		return EXIT_DONE;
	mw_spec_print_log(&policy, text);
	say("watch: somebody has set the log to %s, nothing more comes", text);
	return EXIT_REFUSED;
}

static bool is_wanted(const struct arguments *args, const struct denial *denial)
{
	if (args->ways && !(args->ways & 1 << denial->direction))
		return false;
	return !args->port || (denial->has_ports &&
			       (denial->port[0] == args->port || denial->port[1] == args->port));
}

static void tell_lost(struct watch *watch, u64 number)
{
	watch->lost += number;
	if (watch->args->summary)
		return;
	if (watch->args->json)
		json_line(json_pack("{s:I}", "lost", (json_int_t)number));
	else
		printf("(%" PRIu64 " lost: they came faster than they were read)\n",
		       (uint64_t)number);
}

static int take(const struct nlmsghdr *message, void *data)
{
	struct watch *watch = data;
	struct denial denial;
	int kind = denial_read(message, &denial);

	if (kind < 0)
		return MNL_CB_OK;
	/* it counts to 2^32 and begins anew */
	if (denial.sequence != watch->next)
		tell_lost(watch, (u32)(denial.sequence - watch->next));
	watch->next = denial.sequence + 1;
	watch->overrun = false;
	if (!kind || !is_wanted(watch->args, &denial))
		return MNL_CB_OK;
	if (watch->args->summary)
		summary_count(&denial);
	else if (watch->args->json)
		denial_show_json(&denial);
	else
		denial_show(&denial);
	return MNL_CB_OK;
}

/* Return: 0 to go on, or -errno. */
static int receive(struct watch *watch)
{
	/* a message of the kernel's is at most a page and what one packet takes */
	static char buffer[65536 + DENIAL_COPY];
	ssize_t length = mnl_socket_recvfrom(watch->socket, buffer, sizeof(buffer));

	if (length < 0 && errno == ENOBUFS) {
		watch->overrun = true;
		return 0;
	}
	if (length < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -errno;
	if (mnl_cb_run(buffer, length, 0, 0, take, watch) < 0)
		return -errno;
	/* whoever reads us has it now, or is gone */
	return fflush(stdout) ? -errno : 0;
}

static time_t monotonic(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec;
}

static int loop(struct watch *watch)
{
	struct pollfd fds[] = {
		{ .fd = watch->signals, .events = POLLIN },
		{ .fd = mnl_socket_get_fd(watch->socket), .events = POLLIN },
	};
	time_t looked = monotonic();
	int error;

	for (;;) {
		if (poll(fds, ARRAY_SIZE(fds), LOOK_AGAIN / 2) < 0 && errno != EINTR)
			return complain(watch, -errno);
		if (fds[0].revents || (watch->end && monotonic() >= watch->end))
			return EXIT_DONE;
		if (fds[1].revents) {
			error = receive(watch);
			if (error == -EPIPE)
				return EXIT_DONE;
			if (error)
				return complain(watch, error);
		}
		if (monotonic() - looked < LOOK_AGAIN / 1000)
			continue;
		looked = monotonic();
		if (look_again(watch))
			return EXIT_REFUSED;
	}
}

static int catch_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	/* "watch | head" ends like one that is done */
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC);
}

static void finish(struct watch *watch)
{
	if (watch->overrun)
		tell_lost(watch, 1);
	if (!watch->args->summary)
		return;
	summary_show(watch->args->json);
	if (watch->args->json)
		json_line(json_pack("{s:I}", "lost", (json_int_t)watch->lost));
	else if (watch->lost)
		printf("%" PRIu64 " lost: they came faster than they were read\n",
		       (uint64_t)watch->lost);
}

int watch(const struct arguments *args)
{
	struct watch watch = { .args = args };
	struct mw_spec policy;
	int code = device_policy("watch", &policy)	?:
			   policy_logs(&watch, &policy) ?:
							  open_group(&watch);

	if (!code) {
		if (policy.mode == MAILWALL_OFF)
			say("note: the mode is off, so that nothing is denied");
		watch.signals = catch_signals();
		watch.end = args->seconds ? monotonic() + args->seconds : 0;
		code = loop(&watch);
		finish(&watch);
		close(watch.signals);
	}
	if (watch.socket)
		mnl_socket_close(watch.socket);
	return code;
}
