/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starting, failing and resting: what every actor needs. */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { START_TIMEOUT_MS = 60000 };

void die(const char *fmt, ...)
{
	char text[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof(text), fmt, args);
	va_end(args);
	dprintf(STDERR_FILENO, "FAILED %s: %s\n", program_invocation_short_name, text);
	_exit(1);
}

long check(long result, const char *what, const char *file, int line)
{
	if (result < 0)
		die("%s:%d: %s: %s", file, line, what, strerror(errno));
	return result;
}

void *check_map(void *address, const char *what)
{
	if (address == MAP_FAILED)
		die("%s: %s", what, strerror(errno));
	return address;
}

void ready(void)
{
	if (write(READY_FD, "r", 1) != 1)
		die("nobody waits for us");
	close(READY_FD);
}

void rest(void)
{
	for (;;)
		pause();
}

void rest_ready(void)
{
	ready();
	rest();
}

int fork_quiet(void)
{
	int pid = (int)CHECK(fork());

	if (pid == 0)
		close(READY_FD);
	return pid;
}

/* Reads the one byte that means ready; end of file means that the child died. */
static void await_ready(int fd, const char *name)
{
	struct pollfd poller = {.fd = fd, .events = POLLIN};
	char byte;

	if (poll(&poller, 1, START_TIMEOUT_MS) != 1)
		die("%s is not ready in time", name);
	if (read(fd, &byte, 1) != 1)
		die("%s ended before it was ready", name);
	close(fd);
}

static int fork_with_pipe(int *reader)
{
	int ends[2];
	int pid;

	CHECK(pipe2(ends, O_CLOEXEC));
	pid = (int)CHECK(fork());
	if (pid == 0)
		CHECK(dup2(ends[1], READY_FD));
	close(ends[1]);
	*reader = ends[0];
	if (pid == 0)
		close(ends[0]);
	return pid;
}

int start_program(const char *path, char *const argv[], char *const envp[])
{
	int reader;
	int pid = fork_with_pipe(&reader);

	if (pid == 0) {
		execve(path, argv, envp);
		die("cannot execute %s: %s", path, strerror(errno));
	}
	await_ready(reader, path);
	return pid;
}

int start_actor(const char *name, char *const argv[], char *const envp[])
{
	char path[256];

	snprintf(path, sizeof(path), ACTOR_DIR "%s", name);
	return start_program(path, argv, envp);
}

int start_child(void (*body)(void *arg), void *arg)
{
	int reader;
	int pid = fork_with_pipe(&reader);

	if (pid == 0) {
		body(arg);
		_exit(0);
	}
	await_ready(reader, "child");
	return pid;
}

int write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	ssize_t done;

	if (fd < 0)
		return -1;
	done = write(fd, text, strlen(text));
	close(fd);
	return done == (ssize_t)strlen(text) ? 0 : -1;
}

void fill(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		die("short write: %s", strerror(errno));
}

void copy_file(const char *from, const char *to, int mode)
{
	static char block[65536];
	int in = (int)CHECK(open(from, O_RDONLY | O_CLOEXEC));
	int out = (int)CHECK(open(to, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode));
	ssize_t n;

	while ((n = CHECK(read(in, block, sizeof(block)))) > 0)
		CHECK(write(out, block, (size_t)n));
	close(in);
	close(out);
}
