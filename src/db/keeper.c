// SPDX-License-Identifier: LGPL-2.1-or-later
// The order is a byte in a pipe, or the pipe's end; the answer is the exit status, an errno.
#include "src/db/keeper.h"

#include "src/base/fds.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

// --- in the keeper ---

// Not every file system knows RENAME_NOREPLACE.
static bool rename_new(const char *from, const char *to)
{
	if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
		return true;
	if (errno != EINVAL && errno != ENOSYS)
		return false;
	return access(to, F_OK) != 0 && rename(from, to) == 0;
}

static int give_name(const struct kept *f)
{
	if (f->replace ? rename(f->path, f->name) != 0 : !rename_new(f->path, f->name))
		return errno;
	if (f->dir_fd >= 0)
		(void)fsync(f->dir_fd); // some file systems can't; the name is there all the same
	return 0;
}

static bool is_to_be_named(int from)
{
	char order;
	ssize_t n;

	do
		n = read(from, &order, 1);
	while (n < 0 && errno == EINTR);
	return n == 1;
}

// No signal ends it: that is its maker's to say, who may be in the middle of something.
static _Noreturn void keep(const struct kept *f, int from)
{
	fds_close_but(0, from, f->dir_fd);
	int e = is_to_be_named(from) ? give_name(f) : ECANCELED;

	if (e)
		(void)unlink(f->path);
	_exit(e);
}

// --- in its maker ---

bool keeper_begin(struct keeper *k, const struct kept *file)
{
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return false;
	pid_t pid = fork();
	if (pid == 0)
		keep(file, ends[0]);
	int e = errno;
	(void)close(ends[0]);
	if (pid < 0)
		(void)close(ends[1]);
	k->to = ends[1];
	k->pid = pid > 0 ? pid : 0;
	errno = e;
	return pid > 0;
}

// What a signal finds here while it waits, the handler's keeper_remove() waits for, too.
static int end(struct keeper *k)
{
	int status = 0;

	(void)close(k->to);
	while (waitpid(k->pid, &status, 0) < 0 && errno == EINTR)
		;
	k->pid = 0;
	return WIFEXITED(status) ? WEXITSTATUS(status) : ECHILD;
}

// A keeper that somebody ended is no reason to be ended by SIGPIPE.
static bool tell(const struct keeper *k)
{
	struct sigaction ignore = {.sa_handler = SIG_IGN}, before;
	ssize_t n;

	(void)sigaction(SIGPIPE, &ignore, &before);
	do
		n = write(k->to, "n", 1);
	while (n < 0 && errno == EINTR);
	int e = errno;
	(void)sigaction(SIGPIPE, &before, NULL);
	errno = e;
	return n == 1;
}

int keeper_name(struct keeper *k)
{
	int told = tell(k) ? 0 : errno, e = end(k);

	return told ? told : e;
}

void keeper_remove(struct keeper *k)
{
	if (k->pid)
		(void)end(k);
}
