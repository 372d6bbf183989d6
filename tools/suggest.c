// SPDX-License-Identifier: GPL-2.0
/* "suggest": site rows for what this host does now, by its sockets and its configuration. */
#include "persist.h"
#include "sockets.h"
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

/**
 * struct suggested - rows, each with its reason
 * @policy: the rows, beside those that are there already
 * @there: how many are there already
 * @why: why the others are suggested, by their place in @policy
 */
struct suggested {
	struct mw_spec policy;
	unsigned int there;
	char why[MAILWALL_SITE_MAX][80];
};

__printf(5, 6) static void suggest_row(struct suggested *rows, u16 port, u8 source, u8 target,
				       const char *fmt, ...)
{
	struct mw_spec *policy = &rows->policy;
	const struct mailwall_row row = { .port = port, .source = source, .target = target };
	va_list args;

	if (policy_row(policy, &row) || policy->site_count == MAILWALL_SITE_MAX)
		return;
	va_start(args, fmt);
	vsnprintf(rows->why[policy->site_count], sizeof(rows->why[0]), fmt, args);
	va_end(args);
	policy->site[policy->site_count++] = row;
}

/*
 * What listens is for ADM: whoever wants it open to the world says so. An outbound connection
 * is one whose local port nobody serves.
 */
static void suggest_sockets(struct suggested *rows, const struct tcp_sockets *sockets)
{
	unsigned int i;

	for (i = 0; i < sockets->count; i++) {
		const struct tcp_socket *one = &sockets->one[i];
		const struct session *ends = &one->ends;
		char peer[MW_PREFIX_TEXT];

		if (one->listens) {
			suggest_row(rows, ends->local_port, MAILWALL_ADM, MAILWALL_GTW,
				    "%s listens", one->process);
		} else if (!sockets_serve(sockets, ends->local_port) &&
			   memcmp(ends->peer, ends->local, sizeof(ends->peer))) {
			mw_address_print(ends->family, ends->peer, peer);
			suggest_row(rows, ends->peer_port, MAILWALL_GTW, MAILWALL_ANY,
				    "%s is connected to %s", one->process, peer);
		}
	}
}

static FILE *open_file(int directory, const char *name)
{
	int fd = openat(directory, name, O_RDONLY | O_CLOEXEC);

	return fd < 0 ? NULL : fdopen(fd, "r");
}

/* Does a line of the file begin with this word and have that text in it? */
static bool file_says(int directory, const char *name, const char *word, const char *text)
{
	FILE *file = open_file(directory, name);
	bool says = false;
	char line[512];

	while (file && !says && fgets(line, sizeof(line), file))
		says = !strncmp(line + strspn(line, " \t"), word, strlen(word)) &&
		       strstr(line, text);
	if (file)
		fclose(file);
	return says;
}

static void suggest_source(struct suggested *rows, int directory, const char *name)
{
	static const struct {
		const char *scheme;
		u16 port;
	} archive[] = { { "http:", 80 }, { "https:", 443 } };
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(archive); i++)
		if (file_says(directory, name, "deb", archive[i].scheme) ||
		    file_says(directory, name, "URIs:", archive[i].scheme))
			suggest_row(rows, archive[i].port, MAILWALL_GTW, MAILWALL_ANY,
				    "package archive, %.40s", name);
}

/* What the host does now and then, so that no socket shows it. */
static void suggest_files(struct suggested *rows)
{
	int root = root_directory(), sources;
	struct dirent *entry;
	DIR *stream;

	if (file_says(root, "etc/resolv.conf", "nameserver", ""))
		suggest_row(rows, 53, MAILWALL_GTW, MAILWALL_ANY, "DNS over TCP, /etc/resolv.conf");
	suggest_source(rows, root, "etc/apt/sources.list");
	sources = openat(root, "etc/apt/sources.list.d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	stream = sources < 0 ? NULL : fdopendir(sources);
	while (stream && (entry = readdir(stream)))
		suggest_source(rows, sources, entry->d_name);
	if (stream)
		closedir(stream);
	if (!faccessat(root, "etc/letsencrypt", F_OK, 0)) {
		suggest_row(rows, 80, MAILWALL_ANY, MAILWALL_GTW,
			    "Let's Encrypt asks here (HTTP-01), /etc/letsencrypt");
		suggest_row(rows, 443, MAILWALL_GTW, MAILWALL_ANY,
			    "Let's Encrypt is asked, /etc/letsencrypt");
	}
}

int suggest(const struct arguments *args)
{
	struct suggested rows = { 0 };
	struct tcp_sockets sockets;
	struct device device;
	char text[MW_PREFIX_TEXT];
	int error;
	u16 i;

	(void)args;
	if (!device_open(&device)) {
		error = device_get(&device, &rows.policy);
		device_close(&device);
		if (error)
			return device_failed(error, "suggest");
	}
	rows.there = rows.policy.site_count;
	error = sockets_read(&sockets);
	if (error) {
		say("suggest: the kernel does not tell of sockets: %s", strerror(-error));
		return EXIT_REFUSED;
	}
	suggest_files(&rows);
	suggest_sockets(&rows, &sockets);
	sockets_free(&sockets);
	if (rows.there == rows.policy.site_count) {
		puts("# nothing that no row covers");
		return EXIT_DONE;
	}
	for (i = rows.there; i < rows.policy.site_count; i++)
		printf("%-16s # %s\n", row_print(&rows.policy.site[i], text), rows.why[i]);
	fputs("# take out what you do not want; ADM may be ANY:\n# mailwall site add", stdout);
	for (i = rows.there; i < rows.policy.site_count; i++)
		printf(" %s", row_print(&rows.policy.site[i], text));
	putchar('\n');
	return EXIT_DONE;
}
