// SPDX-License-Identifier: GPL-2.0
/* The first start, and its undoing. */
#include "persist.h"
#include "sockets.h"
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

/* README of release 0.1.0 had it written. */
#define LIST_FILE "etc/modules-load.d/mailwall.conf"
/* Unless --confirm says another: enough to see whether a new session can be opened. */
#define CONFIRM_SECONDS 60

/*
 * Let it run in audit with this, so that nothing is denied and what would be is counted; one
 * that enforces goes on. Return: exit code.
 */
static int audit(const struct mw_spec *wanted)
{
	const struct arguments plain = { 0 };
	struct mw_spec running, policy = *wanted;
	int code = policy_running("enable", &running);

	if (code || running.mode == MAILWALL_ENFORCE)
		return code;
	policy.mode = MAILWALL_AUDIT;
	return policy_replace("enable", &policy, &plain);
}

/* Load it so that nothing is denied, whatever is configured. Return: exit code. */
static int load_in_audit(void)
{
	/* without the configuration: a mode= there and this one would be two */
	const char *const argv[] = { "modprobe", "-C", "/dev/null", "mailwall", "mode=audit", NULL };
	struct device device;

	if (!device_open(&device)) {
		device_close(&device);
		return EXIT_DONE;
	}
	if (!program_run(argv)) {
		puts("loaded in audit: nothing is denied yet");
		return EXIT_DONE;
	}
	say("enable: the module cannot be loaded: see above, \"dkms status mailwall\" and \"journalctl -k -g mailwall\"");
	return EXIT_REFUSED;
}

/* The row that opens a local port; NULL: none does. */
static const struct mailwall_row *row_of(const struct mw_spec *policy, u16 port)
{
	return policy_row(policy, &(struct mailwall_row){ .port = port, .target = MAILWALL_GTW });
}

static bool judges_this(const struct mw_spec *policy)
{
	u16 i;

	for (i = 0; i < policy->gtw_count; i++)
		if (policy->gtw[i].kind == MAILWALL_GTW_THIS)
			return true;
	return false;
}

static void show_listening(const struct mw_spec *policy, const struct tcp_sockets *sockets)
{
	unsigned int i, j;

	puts("\nlistens here:");
	for (i = 0; i < sockets->count; i++) {
		const struct tcp_socket *one = &sockets->one[i];
		const struct mailwall_row *row = row_of(policy, one->ends.local_port);

		/* once for both families */
		for (j = 0; j < i && !(sockets->one[j].listens &&
				       sockets->one[j].ends.local_port == one->ends.local_port);
		     j++)
			;
		if (!one->listens || j < i)
			continue;
		printf("  %5u  %-15s  ", one->ends.local_port, one->process);
		if (row)
			printf("open to %s\n", mw_end_name(row->source));
		else
			printf("CLOSED TO ALL; to open it: --site %u:ADM:GTW, or %u:ANY:GTW\n",
			       one->ends.local_port, one->ends.local_port);
	}
}

static void show_cut(const struct mw_spec *policy, const struct tcp_sockets *sockets)
{
	struct sessions mine;
	bool any = false;
	unsigned int i, j;

	sessions_find(&mine);
	puts("\nconnected now, and cut by this:");
	for (i = 0; i < sockets->count; i++) {
		const struct tcp_socket *one = &sockets->one[i];
		const struct session *ends = &one->ends;
		char peer[MW_PREFIX_TEXT];
		unsigned int verdict;
		bool behind;

		if (one->listens || !memcmp(ends->peer, ends->local, sizeof(ends->peer)))
			continue;
		verdict = session_judge(policy, ends, &behind);
		if (!(verdict & MW_DENY))
			continue;
		any = true;
		mw_address_print(ends->family, ends->peer, peer);
		if (sockets_serve(sockets, ends->local_port)) {
			printf("  %s to %u here, %s", peer, ends->local_port, one->process);
			if (row_of(policy, ends->local_port))
				printf("; to keep it: --adm %s", peer);
			else
				printf("; to keep it: --site %u:ADM:GTW --adm %s", ends->local_port,
				       peer);
		} else {
			printf("  to %u at %s, %s; to keep it: --site %u:GTW:ANY", ends->peer_port,
			       peer, one->process, ends->peer_port);
		}
		for (j = 0; j < mine.count && !session_same(&mine.one[j], ends); j++)
			;
		puts(j == mine.count ? "" : "  <- YOUR SESSION");
	}
	if (!any)
		puts("  nothing");
}

/* Is the administrator still there? Return: "yes" was typed in time. */
static bool ask(u32 seconds)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char line[16] = "";
	ssize_t got;

	printf("In force for %u seconds. Open a second session now; if that works type yes: ",
	       seconds);
	fflush(stdout);
	if (poll(&input, 1, seconds * 1000) != 1)
		return false;
	got = read(STDIN_FILENO, line, sizeof(line) - 1);
	return got >= 3 && !strncmp(line, "yes", 3) && (got == 3 || line[3] == '\n');
}

static int keep(const struct mw_spec *wanted, const struct config *config)
{
	int code = persist_write(wanted, config);
	struct config now;

	if (!code) {
		puts("saved in " OWN_FILE ", which mailwall.service loads at boot");
		config_read(&now, NULL);
		boot_show(&now);
		config_free(&now);
	}
	return code;
}

static int enforce(const struct mw_spec *wanted, const struct config *config,
		   const struct arguments *args)
{
	struct arguments change = { .confirm = args->confirm ?: CONFIRM_SECONDS, .force = true };
	struct mw_spec running;
	struct device device;
	int code, error;

	code = policy_running("enable", &running);
	if (code)
		return code;
	if (policy_same(&running, wanted) && !running.confirm)
		return keep(wanted, config);
	code = policy_replace("enable", wanted, &change);
	if (code)
		return code;
	if (!ask(change.confirm)) {
		say("enable: not confirmed: it is taken back, and nothing was saved");
		if (!device_ready(&device)) {
			device_revert(&device);
			device_close(&device);
		}
		return EXIT_REFUSED;
	}
	error = device_ready(&device);
	if (error)
		return error;
	error = device_confirm(&device, 0);
	device_close(&device);
	if (error)
		return device_failed(error, "enable");
	return keep(wanted, config);
}

/* What runs, or else what is configured, with what the command line adds. Return: exit code. */
static int build(const struct arguments *args, struct config *config, struct mw_spec *wanted)
{
	static const struct {
		const char *name;
		mw_edit_t edit;
	} part[] = { { "adm", mw_edit_adm }, { "site", mw_edit_site }, { "gtw", mw_edit_gtw } };
	struct mw_complaint c;
	struct device device;
	unsigned int i;

	config_read(config, NULL);
	config_say(config, false);
	if (config->bad) {
		say("enable: correct this first");
		return EXIT_REFUSED;
	}
	*wanted = config->load.spec;
	if (!device_open(&device)) {
		device_close(&device);
		if (policy_running("enable", wanted))
			return EXIT_REFUSED;
	}
	wanted->confirm = 0;
	wanted->mode = MAILWALL_ENFORCE;
	for (i = 0; i < ARRAY_SIZE(part); i++) {
		char *text;
		int error;

		if (!args->add[i])
			continue;
		text = formatted("+%s", args->add[i]);
		error = part[i].edit(wanted, text, strlen(text), &c);
		if (error)
			refuse(part[i].name, &c);
		free(text);
		if (error)
			return EXIT_REFUSED;
	}
	return EXIT_DONE;
}

int enable(const struct arguments *args)
{
	const struct arguments guard = { .force = args->force };
	struct tcp_sockets sockets;
	struct config config;
	struct mw_spec wanted;
	int code, error;

	if (!persist_here()) {
		say("enable: this is not the host's network namespace: run it on the host");
		return EXIT_REFUSED;
	}
	code = build(args, &config, &wanted) ?: load_in_audit() ?: audit(&wanted);
	if (code)
		goto out;
	code = EXIT_REFUSED;
	error = sockets_read(&sockets);
	if (error) {
		say("enable: cannot ask the kernel for sockets (is the module tcp_diag missing?): %s",
		    strerror(-error));
		goto out;
	}
	if (judges_this(&wanted)) {
		show_listening(&wanted, &sockets);
		show_cut(&wanted, &sockets);
		putchar('\n');
	}
	sockets_free(&sockets);
	if (session_guard(&wanted, &guard, "enable"))
		code = enforce(&wanted, &config, args);
	else
		say("enable: the policy is as it was, and nothing was saved");
out:
	config_free(&config);
	return code;
}

int disable(const struct arguments *args)
{
	const char *const argv[] = { "modprobe", "-r", "-C", "/dev/null", "mailwall", NULL };
	struct device device;
	int code;

	(void)args;
	if (!persist_here()) {
		say("disable: this is not the host's network namespace: run it on the host");
		return EXIT_REFUSED;
	}
	code = persist_remove();
	if (code)
		return code;
	if (unlinkat(root_directory(), LIST_FILE, 0) && errno != ENOENT) {
		say("/" LIST_FILE ": %s", strerror(errno));
		return EXIT_REFUSED;
	}
	puts("no boot loads it any more");
	if (device_open(&device))
		return EXIT_DONE;
	device_close(&device);
	if (program_run(argv)) {
		say("disable: the module cannot be unloaded, and is in force until the next boot: \"mailwall mode off\" ends that");
		return EXIT_REFUSED;
	}
	puts("unloaded: nothing is judged, all ports are as other firewalls leave them");
	return EXIT_DONE;
}
