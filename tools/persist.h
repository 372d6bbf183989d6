/* SPDX-License-Identifier: GPL-2.0 */
/* What the next boot loads: read as modprobe reads it, compared, written. */
#ifndef _PERSIST_H
#define _PERSIST_H

#include "command.h"
#include "load.h"

/* The administrator's own file, from the root directory on. */
#define OWN_DIRECTORY "etc/modprobe.d"
#define OWN_NAME "mailwall.conf"
#define OWN_FILE "/" OWN_DIRECTORY "/" OWN_NAME

/* config.c */

/**
 * struct remark - what is to be said of the configuration
 * @bad: it is wrong; else it is worth knowing
 * @text: file, line, what it is, and the cure
 */
struct remark {
	bool bad;
	char *text;
};

/**
 * struct config - what modprobe and systemd-modules-load are told of the module
 * @load: parameters as the module would read them; what it would refuse is left out
 * @options: there are parameters
 * @listed: it is loaded at boot by a list
 * @elsewhere: where there are parameters that are not in the administrator's own file;
 *             empty if nowhere
 * @bad: how many of @remark are bad
 * @count: remarks
 * @remark: in the order of files and lines
 */
struct config {
	struct mw_load load;
	bool options;
	bool listed;
	char elsewhere[ESCAPED_TEXT + 32];
	unsigned int bad;
	unsigned int count;
	struct remark *remark;
};

/**
 * config_read() - read the configuration
 * @config: filled in
 * @own: file to be read in place of OWN_FILE, "-" for standard input, or NULL
 *
 * Return: 0, or an exit code after it has said why @own cannot be read.
 */
int config_read(struct config *config, const char *own);

/* The same of one file alone, wherever it is meant for. */
int config_read_file(struct config *config, const char *own);
void config_free(struct config *config);

/* Say what is wrong, and the rest too if @all. */
void config_say(const struct config *config, bool all);

/* Would a boot load the module at all? mailwall.service loads it where there are options. */
static inline bool config_exists(const struct config *config)
{
	return config->options || config->listed;
}

/* The root directory, open: all files of the configuration are reached from it. */
int root_directory(void);

/**
 * logical_line() - the next line as modprobe reads it
 * @text: whole file, terminated
 * @at: offset to begin at; set to the one behind the line
 * @line: set to the line without continuations, to be freed
 *
 * Return: physical lines in it, 0 at the end.
 */
unsigned int logical_line(const char *text, size_t *at, char **line);

/* Is this line "options mailwall ..."? */
bool is_own_line(const char *line);

/* All of a file from @directory on, terminated, to be freed; NULL with errno set. */
char *read_all(int directory, const char *path);

/* The same where it may hold any bytes; @length: how many. */
char *read_bytes(int directory, const char *path, size_t *length);

/* persist.c */

/**
 * struct lines - a policy, a line for each thing that the administrator sets
 * @count: lines
 * @line: "mode enforce", "site 22 ADM GTW"
 */
struct lines {
	unsigned int count;
	char line[4 + MAILWALL_ADM_MAX + MAILWALL_SITE_MAX + MAILWALL_GTW_MAX][MW_PREFIX_TEXT + 8];
};

void policy_lines(const struct mw_spec *policy, struct lines *lines);

/* Do both say the same? The order of items tells nothing. */
bool policy_same(const struct mw_spec *a, const struct mw_spec *b);

/* Does the next boot bring what runs? @config: as read by config_read() */
bool policy_saved(const struct mw_spec *policy, const struct config *config);

/* The same in one line of words. */
const char *persist_state(const struct mw_spec *policy, const struct config *config);

/* Tell on stdout that a policy that was just set is not saved, if so. */
void persist_tell(const struct mw_spec *policy);

/* Is this the network namespace whose policy the load parameters set? */
bool persist_here(void);

/**
 * persist_write() - make a policy the next boot's
 * @policy: policy
 * @config: what there is; its confirm and flows are kept
 *
 * Return: exit code; it has then said why.
 */
int persist_write(const struct mw_spec *policy, const struct config *config);

/* The policy of the host that runs; Return: exit code, it has then said why. */
int policy_running(const char *name, struct mw_spec *policy);

/* Take our own line out of the administrator's file. Return: exit code. */
int persist_remove(void);

/* boot.c */

/**
 * struct kernel - an installed kernel, and what it would load
 * @release: its own
 * @module: release of the module that modprobe finds there, NULL where there is none
 * @signer: who signed that, NULL if nobody
 * @problem: why it is not as it should be, with the cure; NULL if it is
 * @guarded: the module will load
 * @newest: the one that boot loaders take
 */
struct kernel {
	char *release;
	char *module;
	char *signer;
	char *problem;
	bool guarded;
	bool newest;
};

/**
 * struct boot - what the next boot finds
 * @listed: a list loads the module
 * @unit: mailwall.service is enabled, which loads what is configured and checks it
 * @problem: why not, with the cure; NULL if there is nothing to say
 * @count: kernels
 * @kernel: the newest first
 */
struct boot {
	bool listed;
	bool unit;
	const char *problem;
	unsigned int count;
	struct kernel *kernel;
};

/* @config: as read by config_read() */
void boot_read(struct boot *boot, const struct config *config);
void boot_free(struct boot *boot);

/* Print what is not as it should be, a line each, in the layout of "status". */
void boot_show(const struct config *config);

/* "status --check": one line, and an exit code as monitoring plugins have it. */
int status_check(void);

/* check.c, persist.c, enable.c: each runs a command and returns its exit code */
int check(const struct arguments *args);
int save(const struct arguments *args);
int reload(const struct arguments *args);
int diff(const struct arguments *args);
int apply(const struct arguments *args);
int enable(const struct arguments *args);
int disable(const struct arguments *args);

/* edit.c */

/**
 * policy_replace() - set the whole policy, as a change by command
 * @name: for messages
 * @wanted: policy
 * @args: --confirm and --force
 *
 * Return: exit code.
 */
int policy_replace(const char *name, const struct mw_spec *wanted, const struct arguments *args);

#endif /* _PERSIST_H */
