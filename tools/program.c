// SPDX-License-Identifier: GPL-2.0
/* Other programs, asked. */
#include "command.h"
#include <fcntl.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/* Return: 0, or the errno of posix_spawn(). @output: end of the pipe. */
static int start(const char *const argv[], int output, pid_t *pid)
{
	/* those of the system, whatever $PATH says: this runs as root */
	static const char *const directories[] = { "/usr/sbin", "/usr/bin", "/sbin", "/bin" };
	static char path_is[] = "PATH=/usr/sbin:/usr/bin:/sbin:/bin", locale_is[] = "LC_ALL=C";
	static char *const environment[] = { path_is, locale_is, NULL };
	posix_spawn_file_actions_t actions;
	int error = ENOENT;
	unsigned int i;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	for (i = 0; error == ENOENT && i < ARRAY_SIZE(directories); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", directories[i], argv[0]);
		error = posix_spawn(pid, path, &actions, NULL, (char *const *)argv, environment);
	}
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

char *program_ask(const char *const argv[], int *status)
{
	size_t size = 0;
	char *text = NULL;
	int ends[2], error;
	FILE *file;
	pid_t pid;

	*status = -EIO;
	if (pipe2(ends, O_CLOEXEC))
		return NULL;
	error = start(argv, ends[1], &pid);
	close(ends[1]);
	file = fdopen(ends[0], "r");
	if (file && getdelim(&text, &size, '\0', file) <= 0) {
		free(text);
		text = NULL;
	}
	if (file)
		fclose(file);
	else
		close(ends[0]);
	if (error)
		*status = -error;
	else if (waitpid(pid, status, 0) == pid)
		*status = WIFEXITED(*status) ? WEXITSTATUS(*status) : -EIO;
	return text;
}
