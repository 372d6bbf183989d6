// SPDX-License-Identifier: GPL-2.0
/*
 * "try": a change that waits, and the question at the terminal whether it stays.
 *
 * The kernel counts the seconds. What ends this program otherwise, a cut session above
 * all, leaves the change to it.
 */
#include "command.h"
#include <poll.h>
#include <signal.h>
#include <unistd.h>

static volatile sig_atomic_t interrupted;

static void interrupt(int signal)
{
	(void)signal;
	interrupted = 1;
}

bool try_possible(void)
{
	if (isatty(STDIN_FILENO))
		return true;
	say("try: asks at a terminal, and standard input is none: write --confirm=SECONDS without \"try\", then \"mailwall confirm\" in time");
	return false;
}

/* Return: exit code. */
static int finish(const struct device *device, bool keep)
{
	int error = keep ? device_confirm(device, 0) : device_revert(device);

	putchar('\n');
	if (error)
		return device_failed(error, keep ? "confirm" : "revert");
	puts(keep ? "confirmed: the change stays" : "reverted: all is as it was");
	return keep ? EXIT_DONE : EXIT_REFUSED;
}

/* Nothing waits any more: what became of it? */
static int ended(const struct mw_spec *now, u64 generation)
{
	bool kept = now->generation == generation;

	puts(kept ? "\nconfirmed from elsewhere: the change stays" :
		    "\nreverted: its time ran out, or somebody took it back");
	return kept ? EXIT_DONE : EXIT_REFUSED;
}

/* Does a line come within a second? Return: 1, 0, or -1 if none ever will. */
static int answered(void)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	char answer[256];
	ssize_t got;

	if (poll(&input, 1, 1000) <= 0)
		return 0;
	got = read(STDIN_FILENO, answer, sizeof(answer));
	return got > 0 ? 1 : -1;
}

/* Return: exit code. */
static int count_down(const struct device *device)
{
	struct mw_spec policy;
	u64 generation = 0;
	int error, answer;

	for (;;) {
		error = device_get(device, &policy);
		if (error)
			return device_failed(error, "try");
		generation = generation ?: policy.generation;
		if (!policy.confirm || policy.generation != generation)
			return ended(&policy, generation);
		printf("\rreverts in %u seconds  ", policy.confirm);
		fflush(stdout);
		answer = answered();
		if (interrupted || answer > 0)
			return finish(device, !interrupted);
		if (answer < 0) {
			say("try: the terminal is gone: the change reverts unless \"mailwall confirm\" comes from elsewhere");
			return EXIT_REFUSED;
		}
	}
}

int try_wait(void)
{
	const struct sigaction action = { .sa_handler = interrupt };
	struct device device;
	struct mw_spec policy;
	int code = device_ready(&device), error;

	if (code)
		return code;
	error = device_get(&device, &policy);
	/* otherwise it was so already */
	if (error || policy.confirm) {
		sigaction(SIGINT, &action, NULL);
		puts("Open a second SSH session now: if it comes up, the change is sound. Enter keeps the change, Ctrl-C undoes it.");
		code = count_down(&device);
	}
	device_close(&device);
	return code;
}
