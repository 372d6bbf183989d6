// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/mailwall and its sysfs files where no module can be loaded: a library for
 * LD_PRELOAD that gives the command the ABI, over the code that the module shares.
 *
 * $FAKE_DIR is a directory: "state" keeps the policy from one command to the
 * next, "connections" holds lines "LOCAL PORT PEER PORT", "rival" a line for each
 * SET_POLICY before which another administrator is to make a change ("adm
 * +192.0.2.1", or "-" for none), "tcp" and "tcp6" stand for the files in
 * /proc/self/net. What shall go wrong is in the environment:
 * $FAKE_OPEN, an errno for open(); $FAKE_SYSFS=none; $FAKE_ABI; $FAKE_RELEASE;
 * $FAKE_FAIL, "SET_POLICY=EPERM".
 */
#include "policy.h"
#include "version.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/mailwall"
#define SYSFS "/sys/class/misc/mailwall/"
#define PROC "/proc/self/net/"

struct state {
	struct mw_spec policy;
	struct mw_spec fallback;
	u64 generation;
	u64 deadline; /* milliseconds, 0: nothing waits */
};

static const struct {
	const char *name;
	int number;
} errors[] = {
	{ "EPERM", EPERM },	{ "ENOENT", ENOENT }, { "EACCES", EACCES }, { "EBUSY", EBUSY },
	{ "EINVAL", EINVAL },	{ "ENOTTY", ENOTTY }, { "ENOMEM", ENOMEM }, { "ENXIO", ENXIO },
	{ "ENODATA", ENODATA }, { "EIO", EIO },	      { "ESTALE", ESTALE },
};

static int error_number(const char *name)
{
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(errors); i++)
		if (!strcmp(errors[i].name, name))
			return errors[i].number;
	fprintf(stderr, "fake device: no error %s\n", name);
	abort();
}

#define REAL(function, ...)                                               \
	({                                                                \
		static typeof(&function) real;                            \
		if (!real)                                                \
			real = (typeof(real))dlsym(RTLD_NEXT, #function); \
		real(__VA_ARGS__);                                        \
	})

static const char *in_directory(const char *name)
{
	static char path[4096];
	const char *directory = getenv("FAKE_DIR");

	if (!directory) {
		fprintf(stderr, "fake device: FAKE_DIR is not set\n");
		abort();
	}
	snprintf(path, sizeof(path), "%s/%s", directory, name);
	return path;
}

static int real_open(const char *path, int flags, mode_t mode)
{
	return REAL(open, path, flags, mode);
}

/* State */

static u64 now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000ULL + t.tv_nsec / 1000000;
}

static void state_write(const struct state *state)
{
	int fd = real_open(in_directory("state"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if (fd < 0 || write(fd, state, sizeof(*state)) != sizeof(*state))
		abort();
	close(fd);
}

static void state_revert(struct state *state)
{
	state->policy = state->fallback;
	state->deadline = 0;
	state->generation++;
}

static void state_read(struct state *state)
{
	int fd = real_open(in_directory("state"), O_RDONLY, 0);

	memset(state, 0, sizeof(*state));
	state->policy.mode = MAILWALL_ENFORCE;
	state->generation = 1;
	if (fd >= 0) {
		if (read(fd, state, sizeof(*state)) != sizeof(*state))
			abort();
		close(fd);
	}
	if (state->deadline && now() >= state->deadline)
		state_revert(state);
}

/* Take the first line of "rival" off and make the change that it says. */
static void rival(struct state *state)
{
	char path[4096], line[256], rest[4096] = "";
	struct mw_complaint complaint;
	char *text;
	FILE *file;

	snprintf(path, sizeof(path), "%s", in_directory("rival"));
	file = REAL(fopen, path, "r");
	if (!file)
		return;
	if (!fgets(line, sizeof(line), file)) {
		fclose(file);
		return;
	}
	rest[fread(rest, 1, sizeof(rest) - 1, file)] = '\0';
	fclose(file);
	file = REAL(fopen, path, "w");
	fputs(rest, file);
	fclose(file);
	if (*line == '-')
		return;
	text = strchr(line, ' ') + 1;
	if ((strncmp(line, "adm ", 4) ? mw_edit_site : mw_edit_adm)(
		    &state->policy, text, strlen(text), &complaint)) {
		fprintf(stderr, "fake device: rival: %s\n", complaint.cure);
		abort();
	}
	state->generation++;
	state_write(state);
}

/* Calls */

static int set_policy(struct state *state, const struct mw_spec *asked)
{
	struct mw_spec policy = *asked;
	struct mw_complaint complaint;
	char text[MW_PREFIX_TEXT];
	int error;

	rival(state);
	if (state->deadline)
		return -EBUSY;
	if (policy.generation != state->generation)
		return -ESTALE;
	error = mw_spec_normalise(&policy, &complaint, text);
	if (error)
		return error;
	if (policy.confirm) {
		state->fallback = state->policy;
		state->deadline = now() + policy.confirm * 1000ULL;
	}
	state->policy = policy;
	state->generation++;
	return 0;
}

static void get_policy(const struct state *state, struct mw_spec *policy)
{
	*policy = state->policy;
	policy->generation = state->generation;
	policy->confirm = state->deadline ? (state->deadline - now() + 999) / 1000 : 0;
}

/* Every counter has a value of its own. */
static void get_counters(const struct state *state, struct mailwall_counters *counters)
{
	unsigned int i, j;

	memset(counters, 0, sizeof(*counters));
	counters->generation = state->generation;
	counters->row_count = MW_TABLE_ROWS + state->policy.site_count;
	counters->log_held = 7;
	for (i = 0; i < counters->row_count; i++) {
		counters->row[i].row = i < MW_TABLE_ROWS ?
					       mw_table[i].row :
					       state->policy.site[i - MW_TABLE_ROWS];
		counters->row[i].openings = 1 + i;
		counters->row[i].segments = 100 + i;
		counters->row[i].bytes = 12345678900ULL + i;
	}
	for (i = 0; i < 2; i++) {
		for (j = 0; j < MAILWALL_REASONS; j++) {
			counters->denied[i][j] = 1000 + 10 * i + j;
			counters->would_deny[i][j] = 2000 + 10 * i + j;
		}
	}
}

static bool same_address(const u8 *address, const char *text)
{
	u8 other[16];

	return mw_address_parse(text, strlen(text), other) > 0 && !memcmp(address, other, 16);
}

static bool connected(const void *context)
{
	struct mailwall_explain *ex = (void *)context;
	char local[64], peer[64];
	unsigned int local_port, peer_port;
	FILE *file;

	ex->connection_found = ex->connection == MAILWALL_CONNECTION_HELD;
	if (ex->connection != MAILWALL_CONNECTION_ASK)
		return ex->connection_found;
	file = REAL(fopen, in_directory("connections"), "r");
	while (file && fscanf(file, "%63s %u %63s %u", local, &local_port, peer, &peer_port) == 4)
		if (local_port == ex->target_port && peer_port == ex->source_port &&
		    same_address(ex->target, local) && same_address(ex->source, peer))
			ex->connection_found = 1;
	if (file)
		fclose(file);
	return ex->connection_found;
}

static int explain(const struct state *state, struct mailwall_explain *ex)
{
	bool in = ex->direction == MAILWALL_IN;
	const __be16 local = htons(in ? ex->target_port : ex->source_port);
	const __be16 remote = htons(in ? ex->source_port : ex->target_port);
	struct mw_segment seg = {
		.direction = ex->direction,
		.ipv6 = ex->family == AF_INET6,
		.flags = ex->flags,
		.local = &local,
		.remote = &remote,
		.peer = in ? ex->source : ex->target,
	};
	u8 slot[MAILWALL_SITE_MAX], i;
	struct mw_policy *policy;
	unsigned int verdict;

	if (ex->hook || ex->direction > MAILWALL_OUT || ex->data_offset > 15 ||
	    (ex->family != AF_INET && ex->family != AF_INET6) ||
	    ex->connection > MAILWALL_CONNECTION_HELD)
		return -EINVAL;
	ex->reason = 0;
	ex->connection_found = 255;
	memset(&ex->row, 0, sizeof(ex->row));
	ex->mode = state->policy.mode;
	ex->generation = state->generation;
	ex->fate = MAILWALL_FATE_UNJUDGED;
	if (ex->ifindex == 1 || ex->mode == MAILWALL_OFF)
		return 0;
	policy = calloc(1, mw_policy_size(&state->policy));
	for (i = 0; i < ARRAY_SIZE(slot); i++)
		slot[i] = MW_SITE_SLOT + i;
	mw_policy_build(policy, &state->policy, slot);
	if (ex->segment_length < 20 || !mw_data_offset_valid(ex->data_offset, ex->segment_length))
		verdict = MW_DENY | MAILWALL_MALFORMED;
	else
		verdict = mw_policy_judge(policy, &seg, connected, ex);
	ex->fate = verdict & MW_DENY ? MAILWALL_FATE_DENY : MAILWALL_FATE_PASS;
	if (verdict & MW_DENY)
		ex->reason = verdict & ~MW_DENY;
	else
		ex->row = mw_row_of_slot(policy, verdict);
	free(policy);
	return 0;
}

static unsigned int abi(void)
{
	return getenv("FAKE_ABI") ? atoi(getenv("FAKE_ABI")) : MAILWALL_ABI;
}

static const char *release(void)
{
	return getenv("FAKE_RELEASE") ?: MAILWALL_RELEASE;
}

/* Is this call to fail, and how? */
static int planned(const char *name)
{
	const char *plan = getenv("FAKE_FAIL");
	size_t length = strlen(name);

	return plan && !strncmp(plan, name, length) && plan[length] == '=' ?
		       -error_number(plan + length + 1) :
		       0;
}

static int wait_over(struct state *state, bool keep)
{
	if (!state->deadline)
		return -ENODATA;
	if (keep)
		state->deadline = 0;
	else
		state_revert(state);
	return 0;
}

static int answer(unsigned long request, void *argument)
{
	struct mailwall_version *version = argument;
	struct state state;
	int error;

	state_read(&state);
	switch (request) {
	case MAILWALL_GET_VERSION:
		error = planned("GET_VERSION");
		memset(version, 0, sizeof(*version));
		version->abi = abi();
		snprintf(version->release, sizeof(version->release), "%s", release());
		return error;
	case MAILWALL_GET_POLICY:
		error = planned("GET_POLICY");
		get_policy(&state, argument);
		return error;
	case MAILWALL_SET_POLICY:
		error = planned("SET_POLICY") ?: set_policy(&state, argument);
		break;
	case MAILWALL_CONFIRM:
		error = planned("CONFIRM") ?: wait_over(&state, true);
		break;
	case MAILWALL_REVERT:
		error = planned("REVERT") ?: wait_over(&state, false);
		break;
	case MAILWALL_GET_COUNTERS:
		error = planned("GET_COUNTERS");
		get_counters(&state, argument);
		return error;
	case MAILWALL_EXPLAIN:
		return planned("EXPLAIN") ?: explain(&state, argument);
	default:
		return -ENOTTY;
	}
	if (!error)
		state_write(&state);
	return error;
}

int ioctl(int fd, unsigned long request, ...)
{
	void *argument;
	va_list args;
	int error;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (_IOC_TYPE(request) != MAILWALL_IOC)
		return REAL(ioctl, fd, request, argument);
	error = answer(request, argument);
	if (!error)
		return 0;
	errno = -error;
	return -1;
}

/* Files */

static int sysfs_open(const char *name)
{
	int fd = memfd_create(name, 0);
	struct state state;
	unsigned int i;

	if (getenv("FAKE_SYSFS")) {
		close(fd);
		errno = ENOENT;
		return -1;
	}
	state_read(&state);
	if (!strcmp(name, "version")) {
		dprintf(fd, "%s abi %u\n", release(), abi());
	} else if (!strcmp(name, "mode")) {
		dprintf(fd, "%s\n", mw_mode_name(state.policy.mode));
	} else if (!strcmp(name, "table")) {
		for (i = 0; i < MW_TABLE_ROWS; i++)
			dprintf(fd, "%u %s %s %s\n", mw_table[i].row.port,
				mw_end_name(mw_table[i].row.source),
				mw_end_name(mw_table[i].row.target), mw_table[i].description);
	} else {
		close(fd);
		errno = EACCES;
		return -1;
	}
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static int open_any(const char *path, int flags, mode_t mode)
{
	const char *plan = getenv("FAKE_OPEN");

	if (!strcmp(path, DEVICE)) {
		if (!plan)
			return real_open("/dev/null", flags, mode);
		errno = error_number(plan);
		return -1;
	}
	if (!strncmp(path, SYSFS, strlen(SYSFS)))
		return sysfs_open(path + strlen(SYSFS));
	return real_open(path, flags, mode);
}

int open(const char *path, int flags, ...)
{
	va_list args;
	mode_t mode = 0;

	if (flags & (O_CREAT | O_TMPFILE)) {
		va_start(args, flags);
		mode = va_arg(args, mode_t);
		va_end(args);
	}
	return open_any(path, flags, mode);
}

int open64(const char *path, int flags, ...)
{
	return open_any(path, flags, 0);
}

FILE *fopen(const char *path, const char *mode)
{
	if (!strncmp(path, PROC, strlen(PROC)))
		path = in_directory(path + strlen(PROC));
	return REAL(fopen, path, mode);
}

FILE *fopen64(const char *path, const char *mode)
{
	return fopen(path, mode);
}
