/* SPDX-License-Identifier: GPL-2.0 */
/* What the files of the mailwall command share. */
#ifndef _COMMAND_H
#define _COMMAND_H

#include "edit.h"
#include "version.h"
#include <linux/mailwall.h>

/* Exit codes. */
#define EXIT_DONE 0
#define EXIT_REFUSED 1
#define EXIT_USAGE 2
/* "apply" changed something, or would have */
#define EXIT_CHANGED 3
/* whoever asks may not */
#define EXIT_PERMISSION 4
/* no module, or no device */
#define EXIT_ABSENT 5

/**
 * struct question - the options of "explain"
 * @flags: byte 13 of the TCP header
 * @connection: MAILWALL_CONNECTION_*
 * @data_offset: 32 bit words
 * @length: bytes from the TCP header on; -1: as long as the data offset says
 * @device: name of a network device, or NULL
 * @in: likewise, that a forwarded segment comes in by
 * @out: likewise, that it leaves by
 * @policy: name of a file with the policy that judges, NULL for the one in force
 * @walk: the whole connection
 */
struct question {
	u8 flags;
	u8 connection;
	u8 data_offset;
	int length;
	const char *device;
	const char *in;
	const char *out;
	const char *policy;
	bool walk;
};

/**
 * struct arguments - the command line, read
 * @words: what follows the command (and its verb)
 * @count: how many
 * @confirm: --confirm, 0 without
 * @extend: --extend, 0 without
 * @force: --force
 * @json: --json
 * @prometheus: --prometheus
 * @summary: --summary
 * @ways: --in and --out of "watch", as bits by enum mailwall_direction; 0: both
 * @port: --port, 0 without
 * @seconds: --for, 0 without
 * @check: --check
 * @diff: --diff
 * @add: --adm, --site and --gtw, with commas between
 * @question: the options of "explain"
 */
struct arguments {
	char **words;
	int count;
	u32 confirm;
	u32 extend;
	bool force;
	bool json;
	bool prometheus;
	bool summary;
	u8 ways;
	u16 port;
	u32 seconds;
	bool check;
	bool diff;
	char *add[3];
	struct question question;
};

/* text.c */

/* Room for an escaped item of a message. */
#define ESCAPED_TEXT 260

/**
 * say() - one line on stderr, after "mailwall: "
 * @fmt: as for printf(), without the newline
 */
__printf(1, 2) void say(const char *fmt, ...);

/**
 * refuse() - say why input is refused
 * @name: what was to be changed, "adm"
 * @c: from the code that the command shares with the module
 */
void refuse(const char *name, const struct mw_complaint *c);

/**
 * escape() - make any bytes printable
 * @s: bytes, not terminated
 * @length: how many; what does not fit ends in "..."
 * @text: filled in, terminated
 */
const char *escape(const char *s, size_t length, char text[ESCAPED_TEXT]);

/* Say so, and end the command. */
_Noreturn void out_of_memory(void);

/* calloc() that ends the command when there is no memory. */
void *allocate(size_t size);

/* reallocarray() likewise. */
void *reallocate(void *p, size_t count, size_t size);

/* What printf() would print, to be freed; likewise. */
__printf(1, 2) char *formatted(const char *fmt, ...);
__printf(1, 0) char *vformatted(const char *fmt, va_list args);

/**
 * print_wrapped() - words on stdout, broken between words
 * @text: words
 * @indent: column that the text starts at and that further lines start at
 * @width: columns of the output
 */
void print_wrapped(const char *text, int indent, int width);

/* Columns of stdout; a fixed number where it is no terminal. */
int output_width(void);

/**
 * row_print() - write a row as "22 ADM GTW"
 * @row: any
 * @text: filled in
 */
const char *row_print(const struct mailwall_row *row, char text[MW_PREFIX_TEXT]);

/* The row of the built-in table or of the policy with that one's port and direction; NULL: none. */
const struct mailwall_row *policy_row(const struct mw_spec *policy,
				      const struct mailwall_row *like);

/* The makers' words for a built-in row, NULL for any other. */
const char *row_description(const struct mailwall_row *row);

/* Name of a mode, a number where a newer module has one that we do not know. */
const char *mode_print(unsigned int mode, char text[MW_PREFIX_TEXT]);

/* device.c, abi1.c */

/**
 * struct device - the device, open
 * @fd: descriptor
 * @version: of the module behind it: of today's ABI, or of ABI 1
 */
struct device {
	int fd;
	struct mailwall_version version;
};

/**
 * struct counts - what the module has counted for its own host, or for all gateways behind
 * @denied: by enum mailwall_direction and enum mailwall_reason
 * @would_deny: the same in audit mode
 * @row_count: rows in @row
 * @row: the built-in rows, of which a newer module may have others than we, then site
 *       rows
 */
struct counts {
	u64 denied[2][MAILWALL_REASONS];
	u64 would_deny[2][MAILWALL_REASONS];
	unsigned int row_count;
	struct mailwall_row_counters *row;
};

/**
 * struct counters - what the module has counted
 * @generation: policy whose rows and gateways these are
 * @log_held: denials that the kernel log's rate limit held back
 * @here: for its own host
 * @behind: for all gateways behind; without rows where there never were any
 * @gtw_count: items in @gtw; 0 where the module does not count them
 * @gtw: what each item of the list of gateways saw
 * @flows_noted: as in struct mailwall_counters
 * @flows_evicted: likewise
 * @flows_missed: likewise
 */
struct counters {
	u64 generation;
	u64 log_held;
	struct counts here;
	struct counts behind;
	unsigned int gtw_count;
	struct mailwall_gtw_counters *gtw;
	u64 flows_noted;
	u64 flows_evicted;
	u64 flows_missed;
};

/**
 * device_open() - open the device and read its version
 * @device: filled in on success; of any ABI
 *
 * Return: 0, or -errno; -EPROTO if it does not answer as mailwall.
 */
int device_open(struct device *device);
void device_close(const struct device *device);

/**
 * device_complain() - say why device_open() failed, and the cure
 * @error: what it returned
 *
 * Return: exit code.
 */
int device_complain(int error);

/**
 * device_ready() - open the device and check that we speak its ABI
 * @device: filled in on success
 *
 * Return: 0, or an exit code after it has said why not.
 */
int device_ready(struct device *device);

/**
 * device_policy() - read the policy in force through a device that is opened for it
 * @name: for messages
 * @policy: filled in on success
 *
 * Return: 0, or an exit code after it has said why not.
 */
int device_policy(const char *name, struct mw_spec *policy);

/* Say so and return false unless we speak the module's ABI, or ABI 1. */
bool device_abi_fits(const struct mailwall_version *version);

/**
 * device_abi_knows() - can the module of the older ABI be asked for this?
 * @device: device
 * @what: what is asked, for messages
 *
 * Return: false after it has said which of the two is old.
 */
bool device_abi_knows(const struct device *device, const char *what);

/* These return 0, or -errno. */
int device_get(const struct device *device, struct mw_spec *policy);
int device_set(const struct device *device, const struct mw_spec *policy);
int device_counters(const struct device *device, struct counters *counters);
/* counters as device_counters() left them, or zeros */
void counters_free(struct counters *counters);
int device_explain(const struct device *device, struct mailwall_explain *explain);
int device_confirm(const struct device *device, u32 extend);
int device_revert(const struct device *device);

/* Say what an error of one of them means, and the cure. Return: exit code. */
int device_failed(int error, const char *what);

/* sysfs.c: what any user may read */

/**
 * sysfs_read() - read an attribute whole
 * @name: of the attribute
 *
 * Return: terminated text to be freed, or NULL.
 */
char *sysfs_read(const char *name);

/* Read the version from sysfs. Return: false if it is not there. */
bool sysfs_version(struct mailwall_version *version);

/* program.c */

/**
 * program_ask() - run a program of the system
 * @argv: its name and arguments, NULL at the end
 * @status: filled in: exit status, negative where it did not run
 *
 * Return: what it prints, to be freed; NULL if that is nothing
 */
char *program_ask(const char *const argv[], int *status);

/* The same of JSON. Return: a reference, an empty array for nothing; NULL if it is no JSON. */
struct json_t *program_ask_json(const char *const argv[], int *status);

/* The text that an object has by this name, "" if it has none. */
const char *json_text(const struct json_t *object, const char *key);

/* Run one that says itself what it has to say. Return: exit status, negative where it did not run. */
int program_run(const char *const argv[]);

/* passes.c */

/**
 * struct passing - a way by which packets pass by, or one that could not be looked for
 * @item: of the list of gateways; empty where it is of none
 * @kind: what it is, one word: "flowtable", "xdp"; "unknown" if it was not looked for
 * @text: the item, what happens there, and the cure
 */
struct passing {
	char item[MW_PREFIX_TEXT];
	char kind[16];
	char *text;
};

struct passes {
	unsigned int count;
	struct passing *one;
};

/**
 * passes_find() - look for ways by which packets pass by mailwall's hooks
 * @policy: whose gateways behind this host are looked at; for the host itself there is
 *          nothing to look for
 * @found: empty; filled in
 */
void passes_find(const struct mw_spec *policy, struct passes *found);
void passes_free(struct passes *found);

/* dnat.c */

/**
 * dnat_of_console() - look for a rule by which this host publishes the Management Console
 * @policy: whose gateways behind this host may be published; without any nothing is looked for
 *
 * Return: the first one in words, with the cure, to be freed; NULL if there is none, or neither nft
 * nor iptables
 */
char *dnat_of_console(const struct mw_spec *policy);

/* try.c */

/* Seconds that "try" waits without --confirm. */
#define TRY_SECONDS 60

/* Is there somebody to ask? Return: false after it has said that there is not. */
bool try_possible(void);

/**
 * try_wait() - count down at the terminal while a change waits
 *
 * Enter confirms it, Ctrl-C reverts it.
 *
 * Return: exit code; EXIT_REFUSED if the change did not stay.
 */
int try_wait(void);

/* edit.c, show.c, json.c, explain.c, watch.c, suggest.c, bugreport.c: each runs a command and returns its exit code */
int adm_show(const struct arguments *args);
int adm_set(const struct arguments *args);
int adm_add(const struct arguments *args);
int adm_remove(const struct arguments *args);
int adm_clear(const struct arguments *args);
int site_show(const struct arguments *args);
int site_set(const struct arguments *args);
int site_add(const struct arguments *args);
int site_remove(const struct arguments *args);
int site_clear(const struct arguments *args);
int gtw_show(const struct arguments *args);
int gtw_set(const struct arguments *args);
int gtw_add(const struct arguments *args);
int gtw_remove(const struct arguments *args);
int mode(const struct arguments *args);
int logging(const struct arguments *args);
int confirm(const struct arguments *args);
int revert(const struct arguments *args);
int status(const struct arguments *args);
int version(const struct arguments *args);
int explain_in(const struct arguments *args);
int explain_out(const struct arguments *args);
int explain_forward(const struct arguments *args);
int watch(const struct arguments *args);
int suggest(const struct arguments *args);
int bug_report(const struct arguments *args);

/**
 * struct report - what status shows
 * @version: of the module; its ABI is 0 where there is none
 * @complete: false if only sysfs could be read: then only @version, @mode and the
 *            rows of @counters hold anything
 * @mode: name of the mode; empty where it is not known
 * @policy: policy in force
 * @counters: its counters, the built-in rows without a count where only sysfs could be
 *            read
 * @passes: what passes by
 * @missing: why it is not complete, and the cure
 */
struct report {
	struct mailwall_version version;
	bool complete;
	char mode[MW_PREFIX_TEXT];
	struct mw_spec policy;
	struct counters counters;
	struct passes passes;
	const char *missing;
};

/* Is this row of the report the administrator's own? The module may have other rows than we. */
bool report_is_site(const struct report *report, unsigned int row);

/* What an item of the report's list of gateways saw; NULL where the module does not say. */
const struct mailwall_gtw_counters *report_seen(const struct report *report, unsigned int item);

/* prometheus.c: print on stdout, return the exit code */
int prometheus_status(const struct report *report);

/* json.c: print on stdout, return the exit code */

/* Number of docs/status.schema.json: another one where what was there means something else. */
#define STATUS_SCHEMA 1

int json_status(const struct report *report);
struct json_t;
/* One object as a page of its own. Return: exit code. */
int json_print(struct json_t *object);
/* One object as one line, which is then let go. */
void json_line(struct json_t *object);
/* MAILWALL_FATE_* as JSON has it. */
const char *verdict_name(u8 fate);
int json_version(const struct mailwall_version *version);
int json_explain(const struct mailwall_explain *explain, const char *words, const char *outcome);

/* explain.c */

/* Name of a device, "?" where it is gone or was never there. */
const char *device_name(u32 ifindex, char name[MW_PREFIX_TEXT]);

/**
 * parse_flags() - read "SYN,ACK", "none"
 * @s: terminated
 * @flags: filled in
 *
 * Return: false if a name is no flag.
 */
bool parse_flags(const char *s, u8 *flags);

/* Write flags as "SYN+ACK". */
const char *flags_print(u8 flags, char text[MW_PREFIX_TEXT]);

/* session.c */

/**
 * struct session - a remote login
 * @family: AF_INET or AF_INET6
 * @peer: address of the other side
 * @peer_port: its port, host order
 * @local: address of this side
 * @local_port: port of this side
 * @inode: by which /proc names its socket; 0 where no process has it any more
 */
struct session {
	u8 family;
	u8 peer[16];
	u16 peer_port;
	u8 local[16];
	u16 local_port;
	u32 inode;
};

/* Nobody works over more than these at once. */
#define SESSIONS_MAX 64

/**
 * struct sessions - what a change must not cut
 * @own: @one[0] is the session that the command came from
 * @count: how many
 * @one: the sessions
 */
struct sessions {
	bool own;
	unsigned int count;
	struct session one[SESSIONS_MAX];
};

/**
 * sessions_find() - the SSH sessions that the command may be watched from
 * @sessions: filled in
 *
 * That is the one that it came from. Where no process above holds that session's socket and
 * there is a pseudo terminal, as in tmux and screen, others may look at it by now: then all of
 * the same login (loginuid). Only those count whose segments the policy of this network
 * namespace would judge.
 */
void sessions_find(struct sessions *sessions);

bool session_same(const struct session *a, const struct session *b);

/* An IPv4-mapped address becomes IPv4, of which what is behind is zero. Return: its family. */
int address_unmap(int family, u8 address[16]);

/**
 * session_judge() - what happens to a connection's segments, both ways
 * @spec: policy
 * @session: its ends
 * @behind: set if the verdict is for the gateway behind this host that it comes from
 *
 * Return: the first denial, or an allowing verdict, of mw_policy_judge().
 */
unsigned int session_judge(const struct mw_spec *spec, const struct session *session, bool *behind);

/**
 * session_guard() - would a policy cut the session in use, or one that may be it?
 * @policy: the policy that is about to be set
 * @args: --force and --confirm
 * @name: the change, for messages
 *
 * Return: false if the change must not be made; it has then said why.
 */
bool session_guard(const struct mw_spec *policy, const struct arguments *args, const char *name);

/**
 * struct redo - how a policy came about, so that it can be made again on top of advice
 * @before: the policy in force
 * @edit: what is done to it
 * @text: with what
 */
struct redo {
	const struct mw_spec *before;
	mw_edit_t edit;
	const char *text;
};

/* The same for an edit: what is recommended is tried first. @redo: NULL for a whole policy. */
bool session_guard_edit(const struct mw_spec *policy, const struct arguments *args,
			const char *name, const struct redo *redo);

#endif /* _COMMAND_H */
