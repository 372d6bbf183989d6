// SPDX-License-Identifier: GPL-2.0
/*
 * /dev/mailwall and its sysfs files where no module can be loaded: a library for
 * LD_PRELOAD that gives the command the ABI, over the code that the module shares.
 * With $FAKE_MODULE=0.1.0 it is a module of that release, which speaks ABI 1.
 *
 * $FAKE_DIR is a directory: "state" keeps the policy from one command to the
 * next, "connections" holds lines "LOCAL PORT PEER PORT", "flows" the same with a DEVICE
 * for gateways behind, "routes" lines "ADDRESS DEVICE", "rival" a line for each
 * SET_POLICY before which another administrator is to make a change ("adm
 * +192.0.2.1", or "-" for none), "tcp" and "tcp6" stand for the files in
 * /proc/self/net, "system" for the root
 * directory of the configuration; while "unloaded" is there the module is not. $FAKE_PROGRAMS is a directory that stands for /usr/sbin. What shall go wrong is in the environment:
 * $FAKE_OPEN, an errno for open(); $FAKE_SYSFS=none; $FAKE_ABI; $FAKE_RELEASE;
 * $FAKE_FAIL, "SET_POLICY=EPERM". $FAKE_ROW=PORT: the module has a row more in its
 * table than we, and a reason more; $FAKE_LATE: a row comes between the question how
 * many there are and the one for them.
 * "nflog" holds what nfnetlink_log sends, each with its length before it; a length of 0
 * is a receive buffer that ran over, and behind the last one comes SIGTERM.
 * $FAKE_NFLOG is an errno for its answer; with $FAKE_LOG_OFF somebody sets log=off in place of it.
 */
#include "abi1.h"
#include "answer.h"
#include <arpa/inet.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <libmnl/libmnl.h>
#include <net/if.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define DEVICE "/dev/mailwall"
#define SYSFS "/sys/class/misc/mailwall/"
#define PROC "/proc/self/net/"
#define PROGRAMS "/usr/sbin/"

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
	{ "EPERM", EPERM },	      { "ENOENT", ENOENT }, { "EACCES", EACCES },
	{ "EBUSY", EBUSY },	      { "EINVAL", EINVAL }, { "ENOTTY", ENOTTY },
	{ "ENOMEM", ENOMEM },	      { "ENXIO", ENXIO },   { "ENODATA", ENODATA },
	{ "ENOSPC", ENOSPC },	      { "EIO", EIO },	    { "ESTALE", ESTALE },
	{ "EOPNOTSUPP", EOPNOTSUPP },
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
	state->policy.gtw_count = 1;
	state->policy.gtw[0].kind = MAILWALL_GTW_THIS;
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
	mw_edit_t edit;
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
	edit = !strncmp(line, "adm ", 4) ? mw_edit_adm :
	       !strncmp(line, "gtw ", 4) ? mw_edit_gtw :
					   mw_edit_site;
	if (edit(&state->policy, text, strlen(text), &complaint)) {
		fprintf(stderr, "fake device: rival: %s\n", complaint.cure);
		abort();
	}
	state->generation++;
	state_write(state);
}

/* Calls */

static bool is_old(void)
{
	return getenv("FAKE_MODULE");
}

static int set_spec(struct state *state, const struct mw_spec *asked)
{
	struct mw_spec policy = *asked;
	struct mw_complaint complaint;
	char text[MW_PREFIX_TEXT];
	int error;

	rival(state);
	if (state->deadline && !(policy.confirm && !is_old()))
		return -EBUSY;
	if (policy.generation != state->generation)
		return -ESTALE;
	error = mw_spec_normalise(&policy, &complaint, text);
	if (error)
		return error;
	if (policy.confirm && !state->deadline)
		state->fallback = state->policy;
	if (policy.confirm)
		state->deadline = now() + policy.confirm * 1000ULL;
	state->policy = policy;
	state->generation++;
	return 0;
}

static u32 seconds_left(const struct state *state)
{
	return state->deadline ? (state->deadline - now() + 999) / 1000 : 0;
}

/* Rows */

static unsigned int built_in_rows(void)
{
	return MW_TABLE_ROWS + !!getenv("FAKE_ROW");
}

static struct mailwall_row row_of(const struct state *state, unsigned int i)
{
	if (i < MW_TABLE_ROWS)
		return mw_table[i].row;
	if (i < built_in_rows())
		return (struct mailwall_row){
			.port = atoi(getenv("FAKE_ROW")),
			.source = MAILWALL_ANY,
			.target = MAILWALL_GTW,
		};
	return state->policy.site[i - built_in_rows()];
}

/* Every counter has a value of its own. */
#define HELD 7
#define OPENINGS(i) (1 + (i))
#define SEGMENTS(i) (100 + (i))
#define BYTES(i) (12345678900ULL + (i))
#define DENIED(direction, reason) (1000 + 10 * (direction) + (reason))
#define WOULD_DENY(direction, reason) (2000 + 10 * (direction) + (reason))
#define BEHIND 500 /* so much more for gateways behind */
#define SEEN_IN(i) (3000 + (i))
#define SEEN_OUT(i) (4000 + (i))
#define FLOWS 5000

/* Devices: lo, two cables, and a bridge with two ports */

static const struct {
	const char *name;
	int bridge;
} devices[] = { { "none", 0 }, { "lo", 0 },   { "wan0", 0 }, { "gw0", 0 },
		{ "br0", 0 },  { "tap0", 4 }, { "tap1", 4 } };

unsigned int if_nametoindex(const char *name)
{
	unsigned int i;

	for (i = 1; i < ARRAY_SIZE(devices); i++)
		if (!strcmp(devices[i].name, name))
			return i;
	return 0;
}

char *if_indextoname(unsigned int index, char name[IF_NAMESIZE])
{
	return index && index < ARRAY_SIZE(devices) ? strcpy(name, devices[index].name) : NULL;
}

/* Explain */

static bool same_address(const u8 *address, const char *text)
{
	u8 other[16];

	return mw_address_parse(text, strlen(text), other) > 0 && !memcmp(address, other, 16);
}

/* Of the lines "ADDRESS DEVICE" in "routes" */
static int route_of(const u8 *address)
{
	FILE *file = REAL(fopen, in_directory("routes"), "r");
	char text[64], device[16];
	int found = 0;

	while (file && fscanf(file, "%63s %15s", text, device) == 2)
		if (same_address(address, text))
			found = if_nametoindex(device);
	if (file)
		fclose(file);
	return found;
}

static bool connected(const void *context, bool behind, int ifindex)
{
	const struct mailwall_explain *ex = context;
	char local[64], peer[64], device[16];
	unsigned int local_port, peer_port;
	bool found = false;
	FILE *file;

	file = REAL(fopen, in_directory(behind ? "flows" : "connections"), "r");
	while (file && fscanf(file, "%63s %u %63s %u", local, &local_port, peer, &peer_port) == 4) {
		if (behind && fscanf(file, "%15s", device) != 1)
			abort();
		found |= local_port == ex->target_port && peer_port == ex->source_port &&
			 same_address(ex->target, local) && same_address(ex->source, peer) &&
			 (!behind || (int)if_nametoindex(device) == ifindex);
	}
	if (file)
		fclose(file);
	return found;
}

static bool may_note(const void *context, bool bridged, int ifindex)
{
	const struct mailwall_explain *ex = context;

	return bridged || route_of(ex->source) == ifindex;
}

/* Return: is it a loopback device? */
static bool find_device(const u8 *address, bool look, u32 *ifindex, int *at_ip, int *port)
{
	if (!*ifindex && look)
		*ifindex = route_of(address);
	*at_ip = devices[*ifindex].bridge ?: (int)*ifindex;
	*port = devices[*ifindex].bridge ? *ifindex : 0;
	return *ifindex == 1;
}

static int explain(const struct state *state, struct mailwall_explain *ex)
{
	struct mw_gateways *g = mw_spec_is_behind(&state->policy) ? calloc(1, sizeof(*g)) : NULL;
	bool forward = ex->hook == MAILWALL_HOOK_FORWARD, in = ex->direction == MAILWALL_IN;
	struct mw_policy *policy = calloc(1, sizeof(*policy));
	struct mw_asked asked = { .connected = connected, .may_note = may_note, .context = ex };
	u8 site[MAILWALL_SITE_MAX], gtw[MAILWALL_GTW_MAX], i;
	bool loopback = false;

	if (ex->size != sizeof(*ex) || ex->hook > MAILWALL_HOOK_FORWARD ||
	    (!forward && ex->out_ifindex) || (forward && !in) || ex->direction > MAILWALL_OUT ||
	    ex->data_offset > 15 || (ex->family != AF_INET && ex->family != AF_INET6) ||
	    ex->connection > MAILWALL_CONNECTION_HELD)
		return -EINVAL;
	for (i = 0; i < ARRAY_SIZE(site); i++)
		site[i] = MW_SITE_SLOT + i;
	for (i = 0; i < ARRAY_SIZE(gtw); i++)
		gtw[i] = MW_NOBODY + 1 + i;
	mw_policy_build(policy, &state->policy, site);
	mw_policy_set_gateways(policy, g, gtw);
	for (i = 0; g && i < g->ports; i++)
		mw_gateways_resolve(g, i, if_nametoindex(policy->spec.gtw[g->port_item[i]].device));
	if (forward || in)
		loopback |= find_device(ex->source, forward || g, &ex->ifindex, &asked.in,
					&asked.in_port);
	if (forward || !in)
		loopback |= find_device(ex->target, forward || g,
					forward ? &ex->out_ifindex : &ex->ifindex, &asked.out,
					&asked.out_port);
	ex->answer_mode = state->policy.mode;
	ex->generation = state->generation;
	mw_answer(policy, loopback ? NULL : &asked, ex);
	free(g);
	free(policy);
	return 0;
}

static unsigned int abi(void)
{
	return getenv("FAKE_ABI") ? atoi(getenv("FAKE_ABI")) : is_old() ? 1 : MAILWALL_ABI;
}

static const char *release(void)
{
	return getenv("FAKE_RELEASE") ?: getenv("FAKE_MODULE") ?: MAILWALL_RELEASE;
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

static int wait_over(struct state *state, bool keep, u32 extend)
{
	if (!state->deadline)
		return -ENODATA;
	if (extend)
		state->deadline = now() + extend * 1000ULL;
	else if (keep)
		state->deadline = 0;
	else
		state_revert(state);
	return 0;
}

/* ABI 2 */

/* Tell how many items there are. Return: whether they can be given. */
static bool count_list(struct mailwall_list *list, u32 count)
{
	bool room = !list->stride || list->count >= count;

	list->count = count;
	return room;
}

static void *item(const struct mailwall_list *list, u32 i, size_t size)
{
	if (list->stride != size)
		abort();
	return (char *)(uintptr_t)list->items + i * size;
}

static int get_version(struct mailwall_version *version)
{
	if (version->size != sizeof(*version))
		return -EINVAL;
	version->abi = abi();
	snprintf(version->release, sizeof(version->release), "%s", release());
	return 0;
}

static int get_policy(const struct state *state, struct mailwall_policy *policy)
{
	const struct mw_spec *spec = &state->policy;
	unsigned int i;

	if (policy->size != sizeof(*policy))
		return -EINVAL;
	if (!count_list(&policy->adm, spec->adm_count) ||
	    !count_list(&policy->site, spec->site_count) ||
	    !count_list(&policy->gtw, spec->gtw_count))
		return -ENOSPC;
	for (i = 0; i < spec->adm_count; i++)
		memcpy(item(&policy->adm, i, sizeof(*spec->adm)), &spec->adm[i],
		       sizeof(*spec->adm));
	for (i = 0; i < spec->site_count; i++)
		memcpy(item(&policy->site, i, sizeof(*spec->site)), &spec->site[i],
		       sizeof(*spec->site));
	for (i = 0; i < spec->gtw_count; i++)
		memcpy(item(&policy->gtw, i, sizeof(*spec->gtw)), &spec->gtw[i],
		       sizeof(*spec->gtw));
	policy->mode = spec->mode;
	policy->log = spec->log;
	policy->log_group = spec->log_group;
	policy->generation = state->generation;
	policy->confirm = seconds_left(state);
	return 0;
}

static int set_policy(struct state *state, const struct mailwall_policy *policy)
{
	struct mw_spec spec = {
		.generation = policy->generation,
		.mode = policy->mode,
		.confirm = policy->confirm,
		.log = policy->log,
		.log_group = policy->log_group,
		.adm_count = policy->adm.count,
		.site_count = policy->site.count,
		.gtw_count = policy->gtw.count,
	};
	unsigned int i;

	if (policy->size != sizeof(*policy))
		return -EINVAL;
	for (i = 0; i < spec.adm_count; i++)
		memcpy(&spec.adm[i], item(&policy->adm, i, sizeof(*spec.adm)), sizeof(*spec.adm));
	for (i = 0; i < spec.site_count; i++)
		memcpy(&spec.site[i], item(&policy->site, i, sizeof(*spec.site)),
		       sizeof(*spec.site));
	for (i = 0; i < spec.gtw_count; i++)
		memcpy(&spec.gtw[i], item(&policy->gtw, i, sizeof(*spec.gtw)), sizeof(*spec.gtw));
	return set_spec(state, &spec);
}

static int get_counters(const struct state *state, struct mailwall_counters *counters)
{
	u32 of_each = built_in_rows() + state->policy.site_count;
	u32 kinds = mw_spec_is_behind(&state->policy) ? 2 : 1, rows = kinds * of_each, i;
	u32 known = kinds * 2 * MAILWALL_REASONS;
	u32 reasons = known + !!getenv("FAKE_ROW");
	bool asked = counters->row.stride;

	if (counters->size != sizeof(*counters))
		return -EINVAL;
	counters->log_held = HELD;
	counters->generation = state->generation;
	if (kinds > 1) {
		counters->flows_noted = FLOWS;
		counters->flows_evicted = FLOWS + 1;
		counters->flows_missed = FLOWS + 2;
	}
	if (!count_list(&counters->row, asked || !getenv("FAKE_LATE") ? rows : rows - 1) ||
	    !count_list(&counters->reason, reasons) ||
	    !count_list(&counters->gtw, state->policy.gtw_count))
		return -ENOSPC;
	for (i = 0; asked && i < rows; i++) {
		const struct mailwall_row_counters one = {
			.row = row_of(state, i % of_each),
			.behind = i / of_each,
			.openings = OPENINGS(i % of_each) + i / of_each * BEHIND,
			.segments = SEGMENTS(i % of_each) + i / of_each * BEHIND,
			.bytes = BYTES(i % of_each) + i / of_each * BEHIND,
		};

		memcpy(item(&counters->row, i, sizeof(one)), &one, sizeof(one));
	}
	for (i = 0; asked && i < reasons; i++) {
		/* one that is too many: a reason that we do not know */
		bool unknown = i == known;
		u8 direction = i / MAILWALL_REASONS % 2, behind = i / MAILWALL_REASONS / 2;
		u8 reason = unknown ? MAILWALL_REASONS : i % MAILWALL_REASONS;
		const struct mailwall_reason_counters one = {
			.direction = direction,
			.reason = reason,
			.behind = behind,
			.denied = DENIED(direction, reason) + behind * BEHIND,
			.would_deny = WOULD_DENY(direction, reason) + behind * BEHIND,
		};

		memcpy(item(&counters->reason, i, sizeof(one)), &one, sizeof(one));
	}
	for (i = 0; asked && i < state->policy.gtw_count; i++) {
		const struct mailwall_gtw_counters one = {
			.gtw = state->policy.gtw[i],
			.in = SEEN_IN(i),
			.out = SEEN_OUT(i),
		};

		memcpy(item(&counters->gtw, i, sizeof(one)), &one, sizeof(one));
	}
	return 0;
}

static int do_confirm(struct state *state, const struct mailwall_confirm *confirm)
{
	return confirm->size == sizeof(*confirm) ? wait_over(state, true, confirm->extend) :
						   -EINVAL;
}

static int answer(struct state *state, unsigned long request, void *argument)
{
	switch (request) {
	case MAILWALL_GET_VERSION:
		return planned("GET_VERSION") ?: get_version(argument);
	case MAILWALL_GET_POLICY:
		return planned("GET_POLICY") ?: get_policy(state, argument);
	case MAILWALL_SET_POLICY:
		return planned("SET_POLICY") ?: set_policy(state, argument);
	case MAILWALL_GET_COUNTERS:
		return planned("GET_COUNTERS") ?: get_counters(state, argument);
	case MAILWALL_EXPLAIN:
		return planned("EXPLAIN") ?: explain(state, argument);
	case MAILWALL_CONFIRM:
		return planned("CONFIRM") ?: do_confirm(state, argument);
	case MAILWALL_REVERT:
		return planned("REVERT") ?: wait_over(state, false, 0);
	default:
		return -ENOTTY;
	}
}

/* ABI 1 */

static int old_get_version(struct abi1_version *version)
{
	memset(version, 0, sizeof(*version));
	version->abi = abi();
	snprintf(version->release, sizeof(version->release), "%s", release());
	return 0;
}

static int old_get_policy(const struct state *state, struct abi1_policy *policy)
{
	const struct mw_spec *spec = &state->policy;

	memset(policy, 0, sizeof(*policy));
	policy->generation = state->generation;
	policy->mode = spec->mode;
	policy->confirm = seconds_left(state);
	policy->log = spec->log;
	policy->log_group = spec->log_group;
	policy->adm_count = spec->adm_count;
	policy->site_count = spec->site_count;
	memcpy(policy->adm, spec->adm, sizeof(policy->adm));
	memcpy(policy->site, spec->site, sizeof(policy->site));
	return 0;
}

static int old_set_policy(struct state *state, const struct abi1_policy *policy)
{
	struct mw_spec spec = {
		.generation = policy->generation,
		.mode = policy->mode,
		.confirm = policy->confirm,
		.log = policy->log,
		.log_group = policy->log_group,
		.adm_count = policy->adm_count,
		.site_count = policy->site_count,
		.gtw_count = 1,
	};

	if (policy->reserved)
		return -EINVAL;
	memcpy(spec.adm, policy->adm, sizeof(policy->adm));
	memcpy(spec.site, policy->site, sizeof(policy->site));
	return set_spec(state, &spec);
}

static int old_get_counters(const struct state *state, struct abi1_counters *counters)
{
	unsigned int i, j;

	memset(counters, 0, sizeof(*counters));
	counters->generation = state->generation;
	counters->row_count = ABI1_TABLE_ROWS + state->policy.site_count;
	counters->log_held = HELD;
	for (i = 0; i < counters->row_count; i++) {
		counters->row[i].row = row_of(state, i);
		counters->row[i].openings = OPENINGS(i);
		counters->row[i].segments = SEGMENTS(i);
		counters->row[i].bytes = BYTES(i);
	}
	for (i = 0; i < 2; i++) {
		for (j = 0; j < ABI1_REASONS; j++) {
			counters->denied[i][j] = DENIED(i, j);
			counters->would_deny[i][j] = WOULD_DENY(i, j);
		}
	}
	return 0;
}

static int old_answer(struct state *state, unsigned long request, void *argument)
{
	switch (request) {
	case ABI1_GET_VERSION:
		return planned("GET_VERSION") ?: old_get_version(argument);
	case ABI1_GET_POLICY:
		return planned("GET_POLICY") ?: old_get_policy(state, argument);
	case ABI1_SET_POLICY:
		return planned("SET_POLICY") ?: old_set_policy(state, argument);
	case ABI1_GET_COUNTERS:
		return planned("GET_COUNTERS") ?: old_get_counters(state, argument);
	case ABI1_CONFIRM:
		return planned("CONFIRM") ?: wait_over(state, true, 0);
	case ABI1_REVERT:
		return planned("REVERT") ?: wait_over(state, false, 0);
	default:
		return -ENOTTY;
	}
}

int ioctl(int fd, unsigned long request, ...)
{
	struct state state;
	void *argument;
	va_list args;
	int error;

	va_start(args, request);
	argument = va_arg(args, void *);
	va_end(args);
	if (_IOC_TYPE(request) != MAILWALL_IOC && _IOC_TYPE(request) != _IOC_TYPE(ABI1_CONFIRM))
		return REAL(ioctl, fd, request, argument);
	state_read(&state);
	error = is_old() ? old_answer(&state, request, argument) :
			   answer(&state, request, argument);
	if (!error) {
		state_write(&state);
		return 0;
	}
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
		for (i = 0; i < built_in_rows(); i++) {
			struct mailwall_row row = row_of(&state, i);

			dprintf(fd, "%u %s %s %s\n", row.port, mw_end_name(row.source),
				mw_end_name(row.target),
				i < MW_TABLE_ROWS ? mw_table[i].description : "of a newer module");
		}
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
		if (!access(in_directory("unloaded"), F_OK))
			plan = "ENOENT";
		if (!plan)
			return real_open("/dev/null", flags, mode);
		errno = error_number(plan);
		return -1;
	}
	if (!strcmp(path, "/")) {
		path = in_directory("system");
		mkdir(path, 0755);
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

/* Programs: those of a test are in /usr/sbin, and there are no others. */

int posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions,
		const posix_spawnattr_t *attributes, char *const argv[], char *const environment[])
{
	const char *programs = getenv("FAKE_PROGRAMS");
	char instead[4096];

	if (!programs || strncmp(path, PROGRAMS, strlen(PROGRAMS)))
		return ENOENT;
	snprintf(instead, sizeof(instead), "%s/%s", programs, path + strlen(PROGRAMS));
	return REAL(posix_spawn, pid, instead, actions, attributes, argv, environment);
}

/* nfnetlink_log */

static struct {
	int fd;
	struct nlmsghdr request; /* to be answered, if its length is not 0 */
} nflog;

struct mnl_socket *mnl_socket_open(int bus)
{
	nflog.fd = real_open(in_directory("nflog"), O_RDONLY, 0);
	return bus == NETLINK_NETFILTER && nflog.fd >= 0 ? (struct mnl_socket *)&nflog : NULL;
}

int mnl_socket_bind(struct mnl_socket *nl, unsigned int groups, pid_t pid)
{
	return (void *)nl == &nflog && !groups && pid == MNL_SOCKET_AUTOPID ? 0 : -1;
}

int mnl_socket_get_fd(const struct mnl_socket *nl)
{
	return (const void *)nl == &nflog ? nflog.fd : -1;
}

unsigned int mnl_socket_get_portid(const struct mnl_socket *nl)
{
	return (const void *)nl == &nflog ? 4711 : 0;
}

/* What is asked is there for the test to read. */
ssize_t mnl_socket_sendto(const struct mnl_socket *nl, const void *request, size_t length)
{
	int fd = real_open(in_directory("nflog.asked"), O_WRONLY | O_CREAT | O_TRUNC, 0600);

	if ((const void *)nl != &nflog || write(fd, request, length) != (ssize_t)length)
		abort();
	close(fd);
	memcpy(&nflog.request, request, sizeof(nflog.request));
	return length;
}

static ssize_t nflog_answer(void *buffer)
{
	struct nlmsghdr *answer = mnl_nlmsg_put_header(buffer);
	const char *error = getenv("FAKE_NFLOG");
	struct nlmsgerr *said;

	answer->nlmsg_type = NLMSG_ERROR;
	answer->nlmsg_seq = nflog.request.nlmsg_seq;
	answer->nlmsg_pid = 4711;
	said = mnl_nlmsg_put_extra_header(answer, sizeof(*said));
	said->error = error ? -error_number(error) : 0;
	said->msg = nflog.request;
	nflog.request.nlmsg_len = 0;
	return answer->nlmsg_len;
}

/* All is read: the command is ended, or somebody changes the policy. */
static ssize_t nflog_end(void)
{
	struct state state;

	if (getenv("FAKE_LOG_OFF")) {
		state_read(&state);
		state.policy.log = MAILWALL_LOG_OFF;
		state_write(&state);
		poll(NULL, 0, 100);
	} else {
		kill(getpid(), SIGTERM);
	}
	errno = EAGAIN;
	return -1;
}

ssize_t mnl_socket_recvfrom(const struct mnl_socket *nl, void *buffer, size_t size)
{
	u32 length;

	if ((const void *)nl != &nflog)
		abort();
	if (nflog.request.nlmsg_len)
		return nflog_answer(buffer);
	if (read(nflog.fd, &length, sizeof(length)) != sizeof(length))
		return nflog_end();
	if (!length) {
		errno = ENOBUFS;
		return -1;
	}
	if (length > size || read(nflog.fd, buffer, length) != length)
		abort();
	return length;
}

int mnl_socket_close(struct mnl_socket *nl)
{
	return (void *)nl == &nflog ? close(nflog.fd) : -1;
}
