// SPDX-License-Identifier: GPL-2.0
/* Other programs, asked and run. */
#include "command.h"
#include <fcntl.h>
#include <jansson.h>
#include <spawn.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

/*
 * @output: end of the pipe; negative: nothing of the program's is turned elsewhere.
 * Return: 0, or the errno of posix_spawn().
 */
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
	if (output >= 0) {
		posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
		posix_spawn_file_actions_adddup2(&actions, output, STDOUT_FILENO);
		posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	}
	for (i = 0; error == ENOENT && i < ARRAY_SIZE(directories); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", directories[i], argv[0]);
		error = posix_spawn(pid, path, &actions, NULL, (char *const *)argv, environment);
	}
	posix_spawn_file_actions_destroy(&actions);
	return error;
}

/* Return: exit status, or -errno. */
static int end(pid_t pid)
{
	int status;

	return waitpid(pid, &status, 0) == pid && WIFEXITED(status) ? WEXITSTATUS(status) : -EIO;
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
	*status = error ? -error : end(pid);
	return text;
}

const char *json_text(const json_t *object, const char *key)
{
	return json_string_value(json_object_get(object, key)) ?: "";
}

json_t *program_ask_json(const char *const argv[], int *status)
{
	json_t *answer = NULL;
	char *text = program_ask(argv, status);

	/* nothing to list may be no JSON at all */
	if (!*status && (!text || !text[strspn(text, " \n")]))
		answer = json_array();
	else if (!*status)
		answer = json_loads(text, 0, NULL);
	free(text);
	return answer;
}

int program_run(const char *const argv[])
{
	pid_t pid;
	int error;

	fflush(stdout);
	error = start(argv, -1, &pid);
	return error ? -error : end(pid);
}
