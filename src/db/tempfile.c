// SPDX-License-Identifier: LGPL-2.1-or-later
// Temporary names, their removal on every way out, and the sweep of what a killed run left.
//
// A temporary file is .vmiscan-PID-RANDOM.tmp and locked (flock) while its run lives. The sweep
// takes only names of that form whose process is gone and whose lock is free: the lock covers pids
// of another pid namespace or host, the pid the moment between creation and lock.
#include "src/db/tempfile.h"

#include "src/base/scope.h"
#include "src/db/keeper.h"
#include "src/db/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>

#define TEMP_PREFIX ".vmiscan-"
#define TEMP_SUFFIX ".tmp"

enum { MAX_TRIES = 100 };

struct tempfile {
	char *name, *dir, *path;
	int fd, dir_fd;
	bool replace;
};

// Of the one file, for the handler that has no argument.
static struct keeper keeper;

// Also of one that nobody came back to, because memory ended in the middle of it.
static void remove_abandoned(void)
{
	keeper_remove(&keeper);
}

static void remove_and_die(int sig)
{
	remove_abandoned();
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

// A signal that was ignored when we came (nohup) stays so.
static void remove_on_signals(void)
{
	static const int signals[] = {SIGHUP, SIGINT, SIGTERM};
	struct sigaction old, mine = {.sa_handler = remove_and_die};

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
		if (sigaction(signals[i], NULL, &old) == 0 && old.sa_handler == SIG_DFL)
			(void)sigaction(signals[i], &mine, NULL);
}

static void remove_at_exit(void)
{
	static bool registered;

	if (!registered)
		registered = atexit(remove_abandoned) == 0;
}

// --- the sweep ---

// The process that made a temporary file of this name, or 0 if it is none of ours.
static pid_t maker_of(const char *name)
{
	size_t n = strlen(name), fixed = strlen(TEMP_PREFIX) + strlen(TEMP_SUFFIX);
	char *end;

	if (n <= fixed || strncmp(name, TEMP_PREFIX, strlen(TEMP_PREFIX)) != 0 ||
	    strcmp(name + n - strlen(TEMP_SUFFIX), TEMP_SUFFIX) != 0)
		return 0;
	long pid = strtol(name + strlen(TEMP_PREFIX), &end, 10);
	return *end == '-' && pid > 0 && pid < INT32_MAX ? (pid_t)pid : 0;
}

static bool is_alive(pid_t pid)
{
	return kill(pid, 0) == 0 || errno != ESRCH;
}

static void sweep_one(int dir_fd, const char *name)
{
	_cleanup_close_ int fd = openat(dir_fd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(dir_fd, name, 0);
}

static void scope_closedir(DIR **d)
{
	if (*d)
		(void)closedir(*d);
}

static void sweep(int dir_fd)
{
	int fd = openat(dir_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	_cleanup_(scope_closedir) DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *e;

	while (dir && (e = readdir(dir))) {
		pid_t pid = maker_of(e->d_name);
		if (pid && !is_alive(pid))
			sweep_one(dir_fd, e->d_name);
	}
}

// --- the file ---

static bool try_create(struct tempfile *t)
{
	unsigned r = 0;

	(void)!getrandom(&r, sizeof(r), GRND_NONBLOCK);
	mem_free(t->path);
	t->path = mem_printf("%s/" TEMP_PREFIX "%ld-%08x" TEMP_SUFFIX, t->dir, (long)getpid(), r);
	t->fd = open(t->path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
	return t->fd >= 0;
}

static struct err *create(struct tempfile *t)
{
	for (int tries = 0; tries < MAX_TRIES && !try_create(t); tries++)
		if (errno != EEXIST)
			break;
	if (t->fd < 0)
		return err_new(ERR_OUTPUT,
			       "%s: can't create a file in %s: %s; choose another place with -o",
			       t->name, t->dir, strerror(errno));
	(void)flock(t->fd, LOCK_EX | LOCK_NB);
	return NULL;
}

static struct err *keep(struct tempfile *t)
{
	const struct kept file = {t->path, t->name, t->dir_fd, t->replace};

	if (keeper_begin(&keeper, &file))
		return NULL;
	struct err *e = err_errno(ERR_OUTPUT, "%s: no process to give it its name", t->name);
	(void)unlink(t->path);
	return e;
}

// No signal comes between the two, whose handler would find nobody to remove the file.
static struct err *create_and_keep(struct tempfile *t)
{
	sigset_t all, before;

	(void)sigfillset(&all);
	(void)sigprocmask(SIG_SETMASK, &all, &before);
	struct err *e = create(t);
	if (!e)
		e = keep(t);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return e;
}

struct err *tempfile_new(const char *name, bool replace, struct tempfile **out)
{
	struct tempfile *t = mem_zalloc(1, sizeof(*t));

	remove_abandoned();
	t->name = mem_strdup(name);
	t->dir = output_folder(name);
	t->replace = replace;
	t->fd = -1;
	t->dir_fd = open(t->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (t->dir_fd >= 0)
		sweep(t->dir_fd);
	remove_on_signals();
	remove_at_exit();
	struct err *e = create_and_keep(t);
	if (e) {
		tempfile_free(t);
		return e;
	}
	*out = t;
	return NULL;
}

const char *tempfile_path(const struct tempfile *t)
{
	return t->path;
}

static struct err *cannot(const struct tempfile *t, const char *what)
{
	return err_new(ERR_OUTPUT, "%s: can't %s: %s; choose another place with -o", t->name, what,
		       strerror(errno));
}

struct err *tempfile_write(struct tempfile *t, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(t->fd, p, n);
		if (done < 0 && errno != EINTR)
			return cannot(t, "write to the disk");
		p += done > 0 ? done : 0;
		n -= done > 0 ? (size_t)done : 0;
	}
	return NULL;
}

struct err *tempfile_commit(struct tempfile *t)
{
	if (fsync(t->fd) != 0)
		return cannot(t, "write to the disk");
	errno = keeper_name(&keeper);
	return errno ? cannot(t, "give the finished file its name") : NULL;
}

void tempfile_free(struct tempfile *t)
{
	if (!t)
		return;
	keeper_remove(&keeper);
	if (t->fd >= 0)
		(void)close(t->fd);
	if (t->dir_fd >= 0)
		(void)close(t->dir_fd);
	mem_free(t->path);
	mem_free(t->dir);
	mem_free(t->name);
	mem_free(t);
}
