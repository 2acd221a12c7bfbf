// SPDX-License-Identifier: LGPL-2.1-or-later
// A library that is loaded before all others (LD_PRELOAD) and does what one would that broke out of
// a reader of images: it tries to change the file VICTIM, and writes to BREAK_OUT_LOG what came of
// it, "MOMENT ACT done" or "refused" a line.
//
// The moments are the first read in the sandbox, and the sync at the end, when all files are open;
// without a sandbox there is only the second one.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *victim;
static int log_fd = -1;
static pid_t reader; // who has the output's name to give is not whom it got into

__attribute__((constructor)) static void begin(void)
{
	const char *log = getenv("BREAK_OUT_LOG");

	victim = getenv("VICTIM");
	reader = getpid();
	if (log && victim)
		log_fd = open(log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
}

// --- the acts; the last two leave no victim ---

static bool set_times(void)
{
	return utimensat(AT_FDCWD, victim, NULL, 0) == 0;
}

static bool open_to_write(void)
{
	return close(open(victim, O_RDWR | O_CLOEXEC)) == 0;
}

static bool open_to_append(void)
{
	return close(open(victim, O_WRONLY | O_APPEND | O_CLOEXEC)) == 0;
}

static bool give_second_name(void)
{
	char name[4096];

	(void)snprintf(name, sizeof(name), "%s.link", victim);
	return link(victim, name) == 0;
}

static bool put_beside(void)
{
	char name[4096];

	(void)snprintf(name, sizeof(name), "%s.new", victim);
	return close(open(name, O_WRONLY | O_CREAT | O_CLOEXEC, 0666)) == 0;
}

static bool set_mode(void)
{
	return chmod(victim, 0600) == 0;
}

static bool look_for_parent(void)
{
	return kill(getppid(), 0) == 0;
}

static bool empty_by_opening(void)
{
	return close(open(victim, O_RDONLY | O_TRUNC | O_CLOEXEC)) == 0;
}

static bool empty(void)
{
	return truncate(victim, 0) == 0;
}

static bool rename_it(void)
{
	char name[4096];

	(void)snprintf(name, sizeof(name), "%s.moved", victim);
	return rename(victim, name) == 0 && rename(name, victim) == 0;
}

static bool remove_it(void)
{
	return unlink(victim) == 0;
}

#define ACT(name)                                                                                  \
	{                                                                                          \
#name, name                                                                        \
	}

static const struct {
	const char *name;
	bool (*act)(void);
} acts[] = {ACT(set_times),  ACT(open_to_write), ACT(open_to_append),  ACT(give_second_name),
	    ACT(put_beside), ACT(set_mode),	 ACT(look_for_parent), ACT(empty_by_opening),
	    ACT(empty),	     ACT(rename_it),	 ACT(remove_it)};

static void try_all(const char *moment)
{
	char line[128];

	for (size_t i = 0; log_fd >= 0 && i < sizeof(acts) / sizeof(acts[0]); i++) {
		bool done = acts[i].act();
		int n = snprintf(line, sizeof(line), "%s %s %s\n", moment, acts[i].name,
				 done ? "done" : "refused");
		if (write(log_fd, line, (size_t)n) != n)
			abort();
	}
}

// --- the moments ---

static void *next_of(const char *name)
{
	void *f = dlsym(RTLD_NEXT, name);

	if (!f)
		abort();
	return f;
}

ssize_t pread64(int fd, void *p, size_t n, off64_t at)
{
	static ssize_t (*next)(int, void *, size_t, off64_t);
	static bool tried;

	if (!next)
		*(void **)&next = next_of("pread64");
	if (!tried && prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1) {
		tried = true;
		try_all("first");
	}
	return next(fd, p, n, at);
}

int fsync(int fd)
{
	static int (*next)(int);
	static bool tried;

	if (!next)
		*(void **)&next = next_of("fsync");
	if (!tried && getpid() == reader) {
		tried = true;
		try_all("second");
	}
	return next(fd);
}
