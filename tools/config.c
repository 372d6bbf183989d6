// SPDX-License-Identifier: GPL-2.0
/*
 * What modprobe and systemd-modules-load are told of the module, with file and line.
 * libkmod gives the merged result, and neither; so the files are read here, by the rules
 * of modprobe.d(5) and kmod's own reader.
 */
#include "persist.h"
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#define MODULE "mailwall"
#define BLANK " \t"

/* In the order of precedence: a name hides the same name further down. */
static const char *const modprobe_d[] = {
	OWN_DIRECTORY,	      "run/modprobe.d", "usr/local/lib/modprobe.d",
	"usr/lib/modprobe.d", "lib/modprobe.d",
};
static const char *const modules_load_d[] = {
	"etc/modules-load.d",	  "run/modules-load.d", "usr/local/lib/modules-load.d",
	"usr/lib/modules-load.d", "lib/modules-load.d",
};

int root_directory(void)
{
	static int fd = -1;

	if (fd < 0)
		fd = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd;
}

static char *read_descriptor(int fd, size_t *length)
{
	size_t size = 4096;
	char *text = allocate(size);
	ssize_t got;

	*length = 0;
	while ((got = read(fd, text + *length, size - 1 - *length)) > 0) {
		*length += got;
		if (*length < size - 1)
			continue;
		text = reallocate(text, size *= 2, 1);
	}
	if (got < 0) {
		free(text);
		return NULL;
	}
	text[*length] = '\0';
	return text;
}

char *read_bytes(int directory, const char *path, size_t *length)
{
	int fd = openat(directory, path, O_RDONLY | O_CLOEXEC), error;
	char *text;

	if (fd < 0)
		return NULL;
	text = read_descriptor(fd, length);
	error = errno;
	close(fd);
	errno = error;
	return text;
}

char *read_all(int directory, const char *path)
{
	size_t length;

	return read_bytes(directory, path, &length);
}

__printf(3, 4) static void remark(struct config *config, bool bad, const char *fmt, ...)
{
	struct remark *one;
	va_list args;

	config->remark = reallocate(config->remark, config->count + 1, sizeof(*one));
	one = &config->remark[config->count++];
	va_start(args, fmt);
	one->text = vformatted(fmt, args);
	va_end(args);
	one->bad = bad;
	config->bad += bad;
}

unsigned int logical_line(const char *text, size_t *at, char **line)
{
	unsigned int lines = 0;
	size_t length = 0;
	const char *s = text + *at;

	if (!*s)
		return 0;
	*line = allocate(strlen(s) + 1);
	for (; *s; s++) {
		if (*s == '\n') {
			lines++;
			s++;
			break;
		}
		/* a backslash vanishes, whatever follows it, as in kmod */
		if (*s == '\\' && s[1]) {
			s++;
			if (*s == '\n') {
				lines++;
				continue;
			}
		}
		(*line)[length++] = *s;
	}
	if (s[-1] != '\n')
		lines++;
	*at = s - text;
	return lines;
}

bool is_own_line(const char *line)
{
	static const char own[] = "options";
	const char *s = line + strspn(line, BLANK);

	if (strncmp(s, own, strlen(own)) || !strchr(BLANK, s[strlen(own)]))
		return false;
	s += strlen(own);
	s += strspn(s, BLANK);
	return strcspn(s, BLANK) == strlen(MODULE) && !strncmp(s, MODULE, strlen(MODULE));
}

/*
 * Take "NAME=VALUE" off as the kernel's next_arg() does: blanks part words save within
 * quotes, which go. @value: NULL where there is none. Return: false at the end.
 */
static bool next_parameter(char **s, char **name, char **value)
{
	bool quoted = false;
	char *c, *end;

	*s += strspn(*s, " \t\n\v\f\r");
	if (!**s)
		return false;
	*name = *s;
	*value = NULL;
	if (**s == '"') {
		quoted = true;
		++*name;
	}
	for (c = *name; *c && (quoted || !isspace((unsigned char)*c)); c++) {
		if (*c == '"')
			quoted = !quoted;
		if (*c == '=' && !*value)
			*value = c;
	}
	*s = *c ? c + 1 : c;
	*c = '\0';
	end = c;
	if (end > *name && end[-1] == '"' && ((*name)[-1] == '"' || (*value && (*value)[1] == '"')))
		end[-1] = '\0';
	if (*value) {
		*(*value)++ = '\0';
		*value += **value == '"';
	}
	return true;
}

/* @where: file and line */
static void read_parameter(struct config *config, const char *where, const char *name,
			   const char *value)
{
	char text[ESCAPED_TEXT], item[ESCAPED_TEXT];
	struct mw_complaint c;
	int error;

	config->options = true;
	escape(name, strlen(name), text);
	if (!value) {
		remark(config, true,
		       "%s: \"%s\" is no parameter: write NAME=VALUE; items of one value have commas between, and no blank",
		       where, text);
		return;
	}
	error = mw_load_set(&config->load, name, strlen(name), value, &c);
	if (!error)
		return;
	escape(c.item, c.length, item);
	if (error == -ENOENT && c.item == name)
		remark(config, true, "%s: \"%s\": %s", where, item, c.cure);
	else
		remark(config, true, "%s: %s \"%s\": %s", where, text, item, c.cure);
}

static void read_options(struct config *config, const char *where, bool own, char *rest)
{
	char *name, *value;

	if (!own && !*config->elsewhere)
		snprintf(config->elsewhere, sizeof(config->elsewhere), "%s", where);
	while (next_parameter(&rest, &name, &value))
		read_parameter(config, where, name, value);
}

/* softdep MODULE pre: MODULE... post: MODULE... */
static void read_softdep(struct config *config, const char *where, const char *module, char *rest)
{
	char *word;

	if (!strcmp(module, MODULE)) {
		remark(config, false, "%s: softdep: other modules are loaded with mailwall: %s",
		       where, rest ?: "");
		return;
	}
	while ((word = strsep(&rest, BLANK)))
		if (!strcmp(word, MODULE))
			remark(config, false,
			       "%s: softdep: mailwall is loaded with %s, and enforces from then on",
			       where, module);
}

static void read_line(struct config *config, const char *where, bool own, char *line)
{
	static const char *const known[] = { "alias",	"blacklist", "config",	"include",
					     "install", "remove",    "softdep", "weakdep" };
	char *rest = line + strspn(line, BLANK), *command, *module, text[ESCAPED_TEXT];
	unsigned int i;

	if (*line == '#' || !*rest)
		return;
	command = strsep(&rest, BLANK);
	rest = rest ? rest + strspn(rest, BLANK) : NULL;
	module = strsep(&rest, BLANK);
	rest = rest ? rest + strspn(rest, BLANK) : NULL;
	if (!strcmp(command, "options")) {
		if (module && !strcmp(module, MODULE) && rest && *rest)
			read_options(config, where, own, rest);
		else if (module && !strcmp(module, MODULE))
			remark(config, true,
			       "%s: no parameters: write \"options mailwall NAME=VALUE...\"",
			       where);
		else if (own)
			remark(config, !module || !strncasecmp(module, "mail", 4),
			       "%s: these are the options of \"%s\": mailwall's are written \"options mailwall NAME=VALUE...\"",
			       where, escape(module ?: "", strlen(module ?: ""), text));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(known) && strcmp(command, known[i]); i++)
		;
	if (i == ARRAY_SIZE(known)) {
		if (own || (module && !strcmp(module, MODULE)))
			remark(config, true,
			       "%s: \"%s\" is nothing that modprobe knows, so it leaves the line out: write \"options mailwall NAME=VALUE...\"",
			       where, escape(command, strlen(command), text));
		return;
	}
	if (!module)
		return;
	if (!strcmp(command, "softdep"))
		read_softdep(config, where, module, rest);
	if (strcmp(module, MODULE))
		return;
	if (!strcmp(command, "blacklist"))
		remark(config, true,
		       "%s: mailwall is blacklisted, so no boot loads it: remove the line", where);
	if (!strcmp(command, "install"))
		remark(config, true,
		       "%s: this command is run in place of loading mailwall: remove the line",
		       where);
}

static void read_modprobe_file(struct config *config, const char *path, bool own, const char *text)
{
	char where[ESCAPED_TEXT + 32], shown[ESCAPED_TEXT], *line;
	unsigned int number = 1, lines;
	size_t at = 0;

	escape(path, strlen(path), shown);
	while ((lines = logical_line(text, &at, &line))) {
		snprintf(where, sizeof(where), "%s:%u", shown, number);
		read_line(config, where, own, line);
		number += lines;
		free(line);
	}
}

/* What loads the module before mailwall.service does. */
static void note_list(struct config *config, const char *where)
{
	config->listed = true;
	remark(config, false,
	       "%s: this list loads the module before mailwall.service has checked what is written: take mailwall out of it",
	       where);
}

/* One module to a line; # and ; begin a comment. */
static void read_load_list(struct config *config, const char *path, bool own, const char *text)
{
	char *copy = strdup(text), *rest = copy, *line, shown[ESCAPED_TEXT], other[ESCAPED_TEXT];
	bool listed = false;

	*other = '\0';
	while (rest && (line = strsep(&rest, "\n"))) {
		line += strspn(line, " \t\r");
		line[strcspn(line, " \t\r")] = '\0';
		if (!strcmp(line, MODULE))
			listed = true;
		else if (*line && !strchr("#;", *line))
			escape(line, strlen(line), other);
	}
	free(copy);
	if (listed)
		note_list(config, escape(path, strlen(path), shown));
	if (own && !listed && *other)
		remark(config, true,
		       "%s: the list has \"%s\" and not mailwall: write mailwall on a line of its own",
		       escape(path, strlen(path), shown), other);
}

struct found {
	const char *directory;
	char name[256];
};

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct found *)a)->name, ((const struct found *)b)->name);
}

typedef void (*reader_t)(struct config *config, const char *path, bool own, const char *text);

static bool ends_in_conf(const char *name)
{
	size_t length = strlen(name);

	return length > 5 && !strcmp(name + length - 5, ".conf");
}

/* Every *.conf, those of all directories in the order of their names. */
static void read_directories(struct config *config, const char *const *directory, size_t count,
			     bool own_elsewhere, reader_t read)
{
	struct found *found = NULL;
	size_t n = 0, i, j;

	for (i = 0; i < count; i++) {
		int fd = openat(root_directory(), directory[i], O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *stream = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *entry;

		while (stream && (entry = readdir(stream))) {
			if (!i && !strcmp(entry->d_name, MODULE))
				remark(config, true,
				       "/%s/%s is not read, since its name does not end in .conf: rename it to %s.conf",
				       directory[i], entry->d_name, entry->d_name);
			if (!ends_in_conf(entry->d_name))
				continue;
			for (j = 0; j < n && strcmp(found[j].name, entry->d_name); j++)
				;
			if (j < n)
				continue;
			found = reallocate(found, n + 1, sizeof(*found));
			found[n].directory = directory[i];
			snprintf(found[n++].name, sizeof(found->name), "%s", entry->d_name);
		}
		if (stream)
			closedir(stream);
	}
	if (n)
		qsort(found, n, sizeof(*found), by_name);
	for (i = 0; i < n; i++) {
		bool own = !strcmp(found[i].name, OWN_NAME) && found[i].directory == directory[0];
		char path[512], *text;

		if (own && own_elsewhere)
			continue;
		snprintf(path, sizeof(path), "/%s/%s", found[i].directory, found[i].name);
		text = read_all(root_directory(), path + 1);
		if (text)
			read(config, path, own, text);
		else if (own || errno != ENOENT)
			remark(config, true, "%s: cannot be read: %s", path, strerror(errno));
		free(text);
	}
	free(found);
}

static bool in_list(const char *list, const char *name)
{
	for (; *list; list += strcspn(list, ",") + !!list[strcspn(list, ",")])
		if (strcspn(list, ",") == strlen(name) && !strncmp(list, name, strlen(name)))
			return true;
	return false;
}

static void read_command_line(struct config *config)
{
	static const char where[] = "kernel command line";
	char *text = read_all(root_directory(), "proc/cmdline"), *rest = text, *name, *value;

	while (rest && next_parameter(&rest, &name, &value)) {
		if (!strncmp(name, MODULE ".", strlen(MODULE ".")))
			read_parameter(config, where, name + strlen(MODULE "."), value);
		if (value &&
		    (!strcmp(name, "module_blacklist") || !strcmp(name, "modprobe.blacklist")) &&
		    in_list(value, MODULE))
			remark(config, true, "%s: THE MODULE IS KEPT OUT by %s=%s: boot without it",
			       where, name, value);
		if (value && !strcmp(name, "modules_load") && in_list(value, MODULE))
			note_list(config, where);
		if (!strncmp(name, MODULE ".", strlen(MODULE ".")) && !*config->elsewhere)
			snprintf(config->elsewhere, sizeof(config->elsewhere), "%s", where);
	}
	free(text);
}

/* What parameters say together. */
static void check_load(struct config *config)
{
	struct mw_complaint c;
	const char *name;

	if (mw_load_check(&config->load, &name, &c)) {
		remark(config, true, "%s: %s", name, c.cure);
		config->load.spec.confirm = 0;
	}
}

/* Return: exit code. */
static int read_own(struct config *config, const char *own)
{
	char name[ESCAPED_TEXT];
	size_t length;
	char *text = strcmp(own, "-") ? read_all(AT_FDCWD, own) :
					read_descriptor(STDIN_FILENO, &length);

	if (!text) {
		say("%s: %s", escape(own, strlen(own), name), strerror(errno));
		return EXIT_REFUSED;
	}
	read_modprobe_file(config, own, true, text);
	free(text);
	return EXIT_DONE;
}

int config_read_file(struct config *config, const char *own)
{
	int code;

	*config = (struct config){ .load = MW_LOAD_DEFAULT };
	code = read_own(config, own);
	if (!code)
		check_load(config);
	return code;
}

int config_read(struct config *config, const char *own)
{
	int code;

	*config = (struct config){ .load = MW_LOAD_DEFAULT };
	code = own ? read_own(config, own) : EXIT_DONE;
	if (code)
		return code;
	read_directories(config, modprobe_d, ARRAY_SIZE(modprobe_d), own, read_modprobe_file);
	read_command_line(config);
	check_load(config);
	read_directories(config, modules_load_d, ARRAY_SIZE(modules_load_d), false, read_load_list);
	return EXIT_DONE;
}

void config_free(struct config *config)
{
	unsigned int i;

	for (i = 0; i < config->count; i++)
		free(config->remark[i].text);
	free(config->remark);
}

void config_say(const struct config *config, bool all)
{
	unsigned int i;

	for (i = 0; i < config->count; i++)
		if (all || config->remark[i].bad)
			say("%s%s", config->remark[i].bad ? "" : "note: ", config->remark[i].text);
}
