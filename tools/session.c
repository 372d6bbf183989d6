// SPDX-License-Identifier: GPL-2.0
/*
 * Does a change cut the SSH session that it is made from?
 *
 * sshd leaves the addresses in $SSH_CONNECTION; sudo takes it away, but the login
 * shell above still has it. What runs in tmux or screen may be looked at from another
 * session by now: any of the same login. The proposed policy is judged here, by the
 * code that the module would judge it by.
 */
#include "sockets.h"
#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <linux/major.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define VARIABLE "SSH_CONNECTION="
/* A tree of processes is not deeper than this between a login and its sudo. */
#define ANCESTORS_MAX 32

int address_unmap(int family, u8 address[16])
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (family != AF_INET6 || memcmp(address, mapped, sizeof(mapped)))
		return family;
	memcpy(address, address + 12, 4);
	memset(address + 4, 0, 12);
	return AF_INET;
}

/* "ADDRESS" with a zone or IPv4-mapped, as sshd may write it; Return: family or -1 */
static int read_address(char *s, u8 address[16])
{
	s[strcspn(s, "%")] = '\0';
	return address_unmap(mw_address_parse(s, strlen(s), address), address);
}

/* "PEER PEER-PORT LOCAL LOCAL-PORT" */
static bool session_read(const char *value, struct session *session)
{
	char peer[64], local[64];
	int family;

	if (sscanf(value, "%63s %hu %63s %hu", peer, &session->peer_port, local,
		   &session->local_port) != 4)
		return false;
	family = read_address(peer, session->peer);
	if (family < 0 || read_address(local, session->local) != family)
		return false;
	session->family = family;
	return true;
}

static char *file_read(const char *path, size_t size, size_t *length)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *text;
	ssize_t got;

	*length = 0;
	if (fd < 0)
		return NULL;
	text = allocate(size);
	while (*length < size - 1 && (got = read(fd, text + *length, size - 1 - *length)) > 0)
		*length += got;
	close(fd);
	return text;
}

/* The variable in the environment that a process was started with. */
static bool session_of_process(int pid, struct session *session)
{
	size_t length, at = 0;
	bool found = false;
	char path[32], *text;

	snprintf(path, sizeof(path), "/proc/%d/environ", pid);
	text = file_read(path, 1 << 20, &length);
	while (text && !found && at < length) {
		if (!strncmp(text + at, VARIABLE, strlen(VARIABLE)))
			found = session_read(text + at + strlen(VARIABLE), session);
		at += strlen(text + at) + 1;
	}
	free(text);
	return found;
}

/* @terminal: the device of its terminal, or NULL; Return: its parent, or 0 */
static int parent_of(int pid, int *terminal)
{
	char path[32], *text, *end;
	int parent = 0, device = 0;
	size_t length;

	snprintf(path, sizeof(path), "/proc/%d/stat", pid);
	text = file_read(path, 4096, &length);
	/* the name in parentheses may hold anything */
	end = text ? strrchr(text, ')') : NULL;
	if (!end || sscanf(end, ") %*c %d %*d %*d %d", &parent, &device) != 2)
		parent = 0;
	if (terminal)
		*terminal = device;
	free(text);
	return parent;
}

/* On a terminal that somebody sees by way of a program, not on the console or on none. */
static bool has_pseudo_terminal(void)
{
	int terminal;

	return parent_of(getpid(), &terminal) && major(terminal) >= UNIX98_PTY_SLAVE_MAJOR &&
	       major(terminal) < UNIX98_PTY_SLAVE_MAJOR + UNIX98_PTY_MAJOR_COUNT;
}

/* Who logged in (proc(5), loginuid): sudo does not change it. Return: all ones if nobody did. */
static u32 login_of(int pid)
{
	char path[40], *text;
	size_t length;
	u32 uid = ~0U;

	snprintf(path, sizeof(path), "/proc/%d/loginuid", pid);
	text = file_read(path, 32, &length);
	if (text && length)
		uid = strtoul(text, NULL, 10);
	free(text);
	return uid;
}

/*
 * Is there a socket for the session in this network namespace? A shell in tmux may
 * remember a session that ended, and "ip netns exec" leads away from the session.
 */
static bool session_here(struct session *session, const char *path, u8 family)
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };
	u8 local[16] = { 0 }, peer[16] = { 0 };
	unsigned int at = 0, words = family == AF_INET6 ? 4 : 1, local_port, peer_port, state, i;
	char line[512], text[2][33];
	FILE *file = fopen(path, "re");
	bool found = false;

	if (!file)
		return false;
	if (family == AF_INET6 && session->family == AF_INET) {
		memcpy(local, mapped, at = sizeof(mapped));
		memcpy(peer, mapped, sizeof(mapped));
	}
	memcpy(local + at, session->local, 16 - at);
	memcpy(peer + at, session->peer, 16 - at);
	while (!found && fgets(line, sizeof(line), file)) {
		if (sscanf(line,
			   " %*u: %32[0-9A-F]:%4x %32[0-9A-F]:%4x %x %*x:%*x %*x:%*x %*x %*u %*u %u",
			   text[0], &local_port, text[1], &peer_port, &state, &session->inode) != 6)
			continue;
		found = state == TCP_ESTABLISHED && local_port == session->local_port &&
			peer_port == session->peer_port && strlen(text[0]) == words * 8 &&
			strlen(text[1]) == words * 8;
		/* words of the address in host order, each */
		for (i = 0; found && i < 2 * words; i++) {
			const u8 *address = (i < words ? local : peer) + i % words * 4;
			char word[9];
			u32 value;

			memcpy(&value, address, sizeof(value));
			snprintf(word, sizeof(word), "%08X", value);
			found = !memcmp(text[i / words] + i % words * 8, word, 8);
		}
	}
	fclose(file);
	return found;
}

/* Would the policy of this network namespace judge its segments? */
static bool session_judged(struct session *session)
{
	/* from this host to itself: over a loopback device */
	if (!memcmp(session->peer, session->local, sizeof(session->peer)))
		return false;
	return (session->family == AF_INET &&
		session_here(session, "/proc/self/net/tcp", AF_INET)) ||
	       session_here(session, "/proc/self/net/tcp6", AF_INET6);
}

bool session_same(const struct session *a, const struct session *b)
{
	return a->family == b->family && a->peer_port == b->peer_port &&
	       a->local_port == b->local_port && !memcmp(a->peer, b->peer, sizeof(a->peer)) &&
	       !memcmp(a->local, b->local, sizeof(a->local));
}

/* The one that the command came from. */
static bool session_own(struct session *session)
{
	const char *value = getenv("SSH_CONNECTION");
	int pid = getpid(), i;

	if (value && session_read(value, session) && session_judged(session))
		return true;
	for (i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		pid = parent_of(pid, NULL);
		if (pid > 1 && session_of_process(pid, session) && session_judged(session))
			return true;
	}
	return false;
}

static bool is_inode(void *context, u32 inode)
{
	return inode == *(const u32 *)context;
}

/* Does a process above, its sshd, hold the session's socket? */
static bool session_is_above(struct session *session)
{
	int pid = getpid(), i;
	char name[16];

	for (i = 0; i < ANCESTORS_MAX && pid > 1; i++) {
		pid = parent_of(pid, NULL);
		snprintf(name, sizeof(name), "%d", pid);
		if (process_sockets(name, is_inode, &session->inode))
			return true;
	}
	return false;
}

static void sessions_of_login(struct sessions *sessions)
{
	u32 login = login_of(getpid());
	DIR *proc = opendir("/proc");
	struct dirent *entry;
	unsigned int i;

	while (proc && (entry = readdir(proc)) && sessions->count < SESSIONS_MAX) {
		struct session *one = &sessions->one[sessions->count];
		int pid = atoi(entry->d_name);

		if (pid <= 0 || login_of(pid) != login || !session_of_process(pid, one))
			continue;
		for (i = 0; i < sessions->count && !session_same(&sessions->one[i], one); i++)
			;
		if (i == sessions->count && session_judged(one))
			sessions->count++;
	}
	if (proc)
		closedir(proc);
}

void sessions_find(struct sessions *sessions)
{
	sessions->own = session_own(&sessions->one[0]);
	sessions->count = sessions->own;
	if (has_pseudo_terminal() && !(sessions->own && session_is_above(&sessions->one[0])))
		sessions_of_login(sessions);
}

static bool held(const void *context)
{
	(void)context;
	return true;
}

/* Verdict of mw_policy_judge() on its segments this way or that, for one of the two. */
static unsigned int session_judge_for(const struct mw_policy *policy, u8 direction, bool behind,
				      const struct session *session)
{
	const __be16 own = htons(session->local_port), far = htons(session->peer_port);
	const struct mw_segment seg = {
		.direction = direction,
		.ipv6 = session->family == AF_INET6,
		.behind = behind,
		.flags = MW_ACK,
		.local = behind ? &far : &own,
		.remote = behind ? &own : &far,
		.peer = behind ? session->local : session->peer,
	};

	return mw_policy_judge(policy, &seg, held, NULL);
}

unsigned int session_judge(const struct mw_spec *spec, const struct session *session, bool *behind)
{
	struct mw_gateways *g = mw_spec_is_behind(spec) ? allocate(sizeof(*g)) : NULL;
	struct mw_policy *policy = allocate(sizeof(*policy));
	/* by addresses alone: who knows by which device the session comes */
	const struct mw_path path = {
		.place = MW_PLACE_HOST,
		.ipv6 = session->family == AF_INET6,
		.to_host = true,
		.source = session->peer,
		.target = session->local,
	};
	u8 site[MAILWALL_SITE_MAX], gtw[MAILWALL_GTW_MAX], i;
	unsigned int verdict = 0;
	struct mw_ends ends;

	for (i = 0; i < ARRAY_SIZE(site); i++)
		site[i] = MW_SITE_SLOT + i;
	for (i = 0; i < ARRAY_SIZE(gtw); i++)
		gtw[i] = MW_NOBODY + 1 + i;
	mw_policy_build(policy, spec, site);
	mw_policy_set_gateways(policy, g, gtw);
	ends = mw_gateways_ends(g, &path);
	for (i = 0; i < 4 && !(verdict & MW_DENY); i++) {
		u8 direction = i % 2 ? MAILWALL_OUT : MAILWALL_IN;

		*behind = i / 2;
		if (*behind ? ends.from : ends.to_this)
			verdict = session_judge_for(policy, direction, *behind, session);
	}
	free(g);
	free(policy);
	return verdict;
}

/**
 * struct advice - what may be done first, so that a change does not cut the session
 * @adm: prefix to add to ADM, or NULL
 * @site: row to add, or NULL
 */
struct advice {
	const char *adm;
	const char *site;
};

static bool edit_adds(struct mw_spec *spec, mw_edit_t edit, const char *item)
{
	struct mw_complaint complaint;
	char text[MW_PREFIX_TEXT + 1];

	if (!item)
		return true;
	snprintf(text, sizeof(text), "+%s", item);
	return !edit(spec, text, strlen(text), &complaint);
}

static bool session_kept(const struct mw_spec *spec, const struct session *session)
{
	bool behind;

	return spec->mode != MAILWALL_ENFORCE || !(session_judge(spec, session, &behind) & MW_DENY);
}

/* Is the advice taken, and the change then made, without a refusal? */
static bool advice_helps(const struct mw_spec *before, const struct redo *redo,
			 const struct session *session, const struct advice *advice)
{
	struct mw_complaint complaint;
	struct mw_spec spec = *before;

	if (!edit_adds(&spec, mw_edit_adm, advice->adm) ||
	    !edit_adds(&spec, mw_edit_site, advice->site))
		return false;
	if (!redo)
		return session_kept(&spec, session);
	return session_kept(&spec, session) &&
	       !redo->edit(&spec, redo->text, strlen(redo->text), &complaint) &&
	       session_kept(&spec, session);
}

/* Only what the next refusal does not take back is recommended. */
static void advise(const struct mw_spec *policy, const struct redo *redo,
		   const struct session *session, bool behind)
{
	char address[MW_PREFIX_TEXT], row[MW_PREFIX_TEXT];
	const struct advice advices[] = {
		{ address, NULL },
		{ NULL, row },
		{ address, row },
	};
	unsigned int i;

	/* the peer as rows have it */
	mw_address_print(session->family, behind ? session->local : session->peer, address);
	snprintf(row, sizeof(row), "%u %s", session->local_port, behind ? "GTW ANY" : "ADM GTW");
	for (i = 0; i < ARRAY_SIZE(advices); i++)
		if (advice_helps(redo ? redo->before : policy, redo, session, &advices[i]))
			break;
	if (i == ARRAY_SIZE(advices)) {
		say("to keep it: this change itself takes away what lets %s reach port %u: leave that in",
		    address, session->local_port);
		return;
	}
	/* first what works alone: with ADM empty a row for it lets nobody in */
	if (advices[i].adm)
		say(redo ? "to keep it: mailwall adm add %s" : "to keep it, ADM must hold %s",
		    address);
	if (!advices[i].site)
		return;
	mw_address_print(session->family, session->peer, address);
	if (redo && behind)
		say("to keep it: mailwall site add %s, since %s is a gateway", row, address);
	else if (redo)
		say("to keep it: mailwall site add %s", row);
	else
		say("to keep it, the site rows must have \"%s\"", row);
}

bool session_guard(const struct mw_spec *policy, const struct arguments *args, const char *name)
{
	return session_guard_edit(policy, args, name, NULL);
}

bool session_guard_edit(const struct mw_spec *policy, const struct arguments *args,
			const char *name, const struct redo *redo)
{
	char peer[MW_PREFIX_TEXT];
	struct sessions sessions;
	const struct session *cut = NULL;
	unsigned int verdict = 0, i;
	const char *whose;
	bool behind, own;

	if (policy->mode != MAILWALL_ENFORCE)
		return true;
	sessions_find(&sessions);
	for (i = 0; i < sessions.count && !cut; i++) {
		verdict = session_judge(policy, &sessions.one[i], &behind);
		if (verdict & MW_DENY)
			cut = &sessions.one[i];
	}
	if (!cut)
		return true;
	own = sessions.own && cut == &sessions.one[0];
	whose = own ? "the SSH session" : "an SSH session of this login";
	mw_address_print(cut->family, cut->peer, peer);
	if (args->confirm) {
		say("warning: this cuts %s from %s to port %u; it comes back in %u seconds unless somebody confirms from elsewhere",
		    whose, peer, cut->local_port, args->confirm);
		return true;
	}
	if (args->force) {
		say("warning: this cuts %s from %s to port %u", whose, peer, cut->local_port);
		return true;
	}
	say("%s: this would cut %s, from %s to port %u (%s): nothing was changed", name,
	    own ? "the SSH session in use" : whose, peer, cut->local_port,
	    mw_reason_name(verdict & ~MW_DENY));
	advise(policy, redo, cut, behind);
	say("to try it with a way back: the same after \"mailwall try\", or with --confirm=60 and \"mailwall confirm\" in time; to do it all the same: --force");
	return false;
}
