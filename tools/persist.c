// SPDX-License-Identifier: GPL-2.0
/* The policy that runs and the one that the next boot loads: compared, each made the other. */
#include "persist.h"
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

/* What stands above the line that "save" writes. */
#define COMMENT "# Written by \"mailwall save\", which replaces this line and no other:\n"

__printf(2, 3) static void add_line(struct lines *lines, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(lines->line[lines->count++], sizeof(*lines->line), fmt, args);
	va_end(args);
}

void policy_lines(const struct mw_spec *policy, struct lines *lines)
{
	char text[MW_PREFIX_TEXT];
	u16 i;

	lines->count = 0;
	add_line(lines, "mode %s", mode_print(policy->mode, text));
	for (i = 0; i < policy->gtw_count; i++) {
		mw_gtw_print(&policy->gtw[i], text);
		add_line(lines, "gtw %s", text);
	}
	for (i = 0; i < policy->adm_count; i++) {
		mw_prefix_print(&policy->adm[i], text);
		add_line(lines, "adm %s", text);
	}
	for (i = 0; i < policy->site_count; i++)
		add_line(lines, "site %s", row_print(&policy->site[i], text));
	mw_spec_print_log(policy, text);
	add_line(lines, "log %s", text);
}

static bool has_line(const struct lines *lines, const char *line)
{
	unsigned int i;

	for (i = 0; i < lines->count; i++)
		if (!strcmp(lines->line[i], line))
			return true;
	return false;
}

/* Print what only one of them has, with its sign; Return: how many lines. */
static unsigned int print_only(const struct lines *here, const struct lines *other, char sign)
{
	unsigned int i, count = 0;

	for (i = 0; i < here->count; i++) {
		if (has_line(other, here->line[i]))
			continue;
		count++;
		if (sign)
			printf("%c%s\n", sign, here->line[i]);
	}
	return count;
}

/* In how many lines do they differ? @print: them, with their signs */
static unsigned int differences(const struct lines *was, const struct lines *is, bool print)
{
	unsigned int count = print_only(was, is, print ? '-' : 0);

	return count + print_only(is, was, print ? '+' : 0);
}

bool policy_same(const struct mw_spec *a, const struct mw_spec *b)
{
	struct lines of_a, of_b;

	policy_lines(a, &of_a);
	policy_lines(b, &of_b);
	return !differences(&of_a, &of_b, false);
}

bool persist_here(void)
{
	struct stat own, host;

	/* who may not look at process 1 cannot change a policy either */
	return stat("/proc/self/ns/net", &own) || stat("/proc/1/ns/net", &host) ||
	       (own.st_ino == host.st_ino && own.st_dev == host.st_dev);
}

bool policy_saved(const struct mw_spec *policy, const struct config *config)
{
	return config_exists(config) && !config->bad && policy_same(policy, &config->load.spec);
}

const char *persist_state(const struct mw_spec *policy, const struct config *config)
{
	if (config->bad)
		return "no: the configuration of the next boot is wrong: see \"mailwall check\"";
	if (!config_exists(config))
		return "no: nothing is configured, so no boot loads the module: \"mailwall save\"";
	if (!policy_saved(policy, config))
		return "no: the next boot loads another policy: see \"mailwall diff\"";
	return "yes: the next boot loads what runs";
}

void persist_tell(const struct mw_spec *policy)
{
	struct config config;

	if (!persist_here())
		return;
	config_read(&config, NULL);
	if (!policy_saved(policy, &config))
		puts("not saved: the next boot has another policy: keep this one with \"mailwall save\"");
	config_free(&config);
}

int policy_running(const char *name, struct mw_spec *policy)
{
	if (!persist_here()) {
		say("%s: this is not the host's network namespace, and only the host's policy is loaded at boot: run it on the host",
		    name);
		return EXIT_REFUSED;
	}
	return device_policy(name, policy);
}

/* What may be taken back is not saved. */
static bool waits(const char *name, const struct mw_spec *policy)
{
	if (policy->confirm)
		say("%s: a change waits %u more seconds to be confirmed: \"mailwall confirm\" or \"mailwall revert\" first",
		    name, policy->confirm);
	return policy->confirm;
}

/* The options, as modprobe.d(5) writes them. To be freed. */
static char *options_line(const struct mw_spec *policy, const struct config *config)
{
	static const char *const list[] = { "gtw", "adm", "site" };
	struct lines lines;
	char *line = NULL, *c;
	size_t size, i, j;
	FILE *file = open_memstream(&line, &size);

	if (!file)
		out_of_memory();
	policy_lines(policy, &lines);
	/* enforce is what there is without, and "modprobe mailwall mode=audit" must go on to work */
	fprintf(file, "options mailwall");
	if (policy->mode != MAILWALL_ENFORCE)
		fprintf(file, " mode=%s", lines.line[0] + strlen("mode "));
	for (i = 0; i < ARRAY_SIZE(list); i++) {
		char before = '=';

		if (!strcmp(list[i], "gtw") && !mw_spec_is_behind(policy))
			continue;
		for (j = 0; j < lines.count; j++) {
			if (strncmp(lines.line[j], list[i], strlen(list[i])))
				continue;
			if (before == '=')
				fprintf(file, " %s", list[i]);
			for (c = lines.line[j] + strlen(list[i]) + 1; *c; c++)
				if (*c == ' ')
					*c = ':';
			fprintf(file, "%c%s", before, lines.line[j] + strlen(list[i]) + 1);
			before = ',';
		}
	}
	if (policy->log)
		fprintf(file, " log=%s", lines.line[lines.count - 1] + strlen("log "));
	if (config->load.flows != MW_FLOWS_DEFAULT)
		fprintf(file, " flows=%u", config->load.flows);
	/* with any other mode the module would refuse it */
	if (config->load.spec.confirm && policy->mode == MAILWALL_ENFORCE)
		fprintf(file, " confirm=%u", config->load.spec.confirm);
	fflush(file);
	/* a line without a parameter is none to modprobe */
	fprintf(file, "%s\n", strchr(line, '=') ? "" : " mode=enforce");
	if (fclose(file))
		out_of_memory();
	return line;
}

/*
 * The file's text with the line in place of the first of ours, and without the others; at
 * the end where there was none. @own: NULL for none at all. To be freed.
 */
static char *replace_line(const char *text, const char *own)
{
	char *result = allocate(strlen(text) + strlen(COMMENT) + strlen(own ?: "") + 2), *line;
	size_t at = 0, start = 0, length = 0;
	bool done = !own;

	for (; logical_line(text, &at, &line); start = at) {
		bool ours = is_own_line(line);

		free(line);
		if (ours && !own && length >= strlen(COMMENT) &&
		    !memcmp(result + length - strlen(COMMENT), COMMENT, strlen(COMMENT)))
			length -= strlen(COMMENT);
		if (ours && done)
			continue;
		if (!ours) {
			memcpy(result + length, text + start, at - start);
			length += at - start;
			continue;
		}
		done = true;
		if (length < strlen(COMMENT) ||
		    memcmp(result + length - strlen(COMMENT), COMMENT, strlen(COMMENT)))
			length += sprintf(result + length, COMMENT);
		length += sprintf(result + length, "%s", own);
	}
	if (!done) {
		if (length && result[length - 1] != '\n')
			result[length++] = '\n';
		length += sprintf(result + length, COMMENT "%s", own);
	}
	result[length] = '\0';
	return result;
}

/* Whole or not at all: a power failure leaves the old file or the new one. */
static int write_whole(int directory, const char *text)
{
	static const char name[] = OWN_NAME ".new";
	struct stat old = { .st_mode = 0644 };
	bool there = !fstatat(directory, OWN_NAME, &old, AT_SYMLINK_NOFOLLOW);
	size_t left = strlen(text);
	int fd, error = 0;

	if (there && !S_ISREG(old.st_mode))
		return -ELOOP;
	/* modprobe does not read a name like this */
	unlinkat(directory, name, 0);
	fd = openat(directory, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (fd < 0)
		return -errno;
	if ((there && fchown(fd, old.st_uid, old.st_gid)) || fchmod(fd, old.st_mode & 07777))
		error = -errno;
	while (!error && left) {
		ssize_t wrote = write(fd, text, left);

		if (wrote < 0 && errno != EINTR)
			error = -errno;
		else if (wrote > 0)
			text += wrote, left -= wrote;
	}
	if (!error && fsync(fd))
		error = -errno;
	if (close(fd) && !error)
		error = -errno;
	if (!error && renameat(directory, name, directory, OWN_NAME))
		error = -errno;
	if (error)
		unlinkat(directory, name, 0);
	else if (fsync(directory))
		error = -errno;
	return error;
}

/* @own: the line, NULL to take it out. Return: exit code. */
static int rewrite(const char *own)
{
	char *text, *result;
	int directory, error;

	directory = openat(root_directory(), OWN_DIRECTORY, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (directory < 0) {
		say("/" OWN_DIRECTORY ": %s: is kmod installed?", strerror(errno));
		return EXIT_REFUSED;
	}
	/* one at a time: the file is read and written */
	flock(directory, LOCK_EX);
	text = read_all(directory, OWN_NAME);
	if (!text && errno != ENOENT) {
		error = -errno;
	} else {
		result = replace_line(text ?: "", own);
		if (!strcmp(text ?: "", result))
			error = 0;
		else if (*result)
			error = write_whole(directory, result);
		else
			error = unlinkat(directory, OWN_NAME, 0) ? -errno : 0;
		free(result);
	}
	free(text);
	close(directory);
	switch (-error) {
	case 0:
		return EXIT_DONE;
	case ELOOP:
		say(OWN_FILE
		    ": is no plain file: put a plain one there, or write the options yourself");
		break;
	case EACCES:
	case EPERM:
		say(OWN_FILE ": permission denied: run the command as root, such as with sudo");
		break;
	default:
		say(OWN_FILE ": cannot be written, and is as it was: %s", strerror(-error));
	}
	return EXIT_REFUSED;
}

int persist_write(const struct mw_spec *policy, const struct config *config)
{
	char *own;
	int code;

	if (*config->elsewhere) {
		say("save: %s has options of mailwall too, and a parameter that is given twice keeps the module out: move them to " OWN_FILE
		    ", which save writes",
		    config->elsewhere);
		return EXIT_REFUSED;
	}
	own = options_line(policy, config);
	code = rewrite(own);
	free(own);
	return code;
}

int persist_remove(void)
{
	return rewrite(NULL);
}

int save(const struct arguments *args)
{
	struct config config;
	struct mw_spec policy;
	int code = policy_running("save", &policy);

	(void)args;
	if (code)
		return code;
	if (waits("save", &policy))
		return EXIT_REFUSED;
	config_read(&config, NULL);
	code = persist_write(&policy, &config);
	config_free(&config);
	if (code)
		return code;
	printf("saved in " OWN_FILE "\n");
	/* what is wrong in other files is wrong still */
	config_read(&config, NULL);
	config_say(&config, false);
	code = config.bad ? EXIT_REFUSED : EXIT_DONE;
	config_free(&config);
	return code;
}

/* Return: exit code; the configuration must be sound. */
static int persistent(const char *name, const char *own, struct config *config)
{
	int code = config_read(config, own);

	if (code)
		return code;
	config_say(config, false);
	if (!config->bad && !own && !config_exists(config))
		say("%s: nothing is saved: \"mailwall save\" saves what runs", name);
	else if (!config->bad)
		return EXIT_DONE;
	else
		say("%s: nothing was changed: correct it, and try again", name);
	config_free(config);
	return EXIT_REFUSED;
}

int reload(const struct arguments *args)
{
	struct config config;
	struct mw_spec policy;
	int code = policy_running("reload", &policy);

	if (!code)
		code = persistent("reload", NULL, &config);
	if (code)
		return code;
	code = policy_replace("reload", &config.load.spec, args);
	config_free(&config);
	return code;
}

int diff(const struct arguments *args)
{
	struct lines saved = { .count = 0 }, run;
	struct config config;
	struct mw_spec policy;
	bool differ;
	int code = policy_running("diff", &policy);

	(void)args;
	if (code)
		return code;
	config_read(&config, NULL);
	config_say(&config, false);
	if (config_exists(&config))
		policy_lines(&config.load.spec, &saved);
	policy_lines(&policy, &run);
	differ = differences(&saved, &run, true);
	code = differ || config.bad ? EXIT_REFUSED : EXIT_DONE;
	config_free(&config);
	return code;
}

int apply(const struct arguments *args)
{
	struct config wanted, config;
	struct mw_spec policy;
	struct lines want, run;
	bool same_running, same_saved;
	int code = policy_running("apply", &policy);

	if (!code && waits("apply", &policy))
		code = EXIT_REFUSED;
	if (!code)
		code = persistent("apply", args->words[0], &wanted);
	if (code)
		return code;
	config_read(&config, NULL);
	policy_lines(&wanted.load.spec, &want);
	policy_lines(&policy, &run);
	same_running = !differences(&run, &want, args->diff);
	same_saved = config.options && !config.bad &&
		     policy_same(&config.load.spec, &wanted.load.spec) &&
		     config.load.flows == wanted.load.flows &&
		     config.load.spec.confirm == wanted.load.spec.confirm;
	config_free(&config);
	if (!args->check && !same_running)
		code = policy_replace("apply", &wanted.load.spec, args);
	if (!args->check && !code && !same_saved)
		code = persist_write(&wanted.load.spec, &wanted);
	config_free(&wanted);
	if (code)
		return code;
	return same_running && same_saved ? EXIT_DONE : EXIT_CHANGED;
}
