// SPDX-License-Identifier: LGPL-2.1-or-later
// fork(), a pipe each, and one place that waits.
#include "src/cli/workers.h"

#include "src/base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

enum { PATIENCE_S = 5 }; // for children that were told to end

static const int ending[] = {SIGHUP, SIGINT, SIGTERM};

struct worker {
	pid_t pid;
	int from; // its answer
	size_t job;
};

struct pool {
	const struct workers *w;
	VEC(struct worker) running;
	sigset_t waited, before;
};

// The answer's way, in a child.
static int answer_fd = -1;
static size_t answer_size;

// --- in the child ---

void workers_answer(const void *answer)
{
	if (answer_fd >= 0)
		(void)!write(answer_fd, answer, answer_size);
	answer_fd = -1;
}

// It must not outlive its parent, and hears signals as any program does.
static void work(const struct pool *p, size_t job, int to, pid_t parent)
{
	void *answer = mem_zalloc(1, p->w->answer_size);

	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)sigprocmask(SIG_SETMASK, &p->before, NULL);
	if (getppid() != parent)
		_exit(EXIT_FAILURE);
	answer_fd = to;
	answer_size = p->w->answer_size;
	int status = p->w->work(p->w->arg, job, answer);
	workers_answer(answer);
	(void)fflush(stderr);
	_exit(status);
}

// --- in the parent ---

static struct err *begin(struct pool *p, size_t job)
{
	pid_t parent = getpid();
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return err_errno(ERR_INTERNAL, "no pipe");
	(void)fflush(NULL); // or the child would print it again
	pid_t pid = fork();
	if (pid == 0) {
		(void)close(ends[0]);
		work(p, job, ends[1], parent);
	}
	(void)close(ends[1]);
	if (pid < 0) {
		(void)close(ends[0]);
		return err_errno(ERR_INTERNAL, "no process");
	}
	vec_push(&p->running, ((struct worker){pid, ends[0], job}));
	return NULL;
}

static void end(struct pool *p, size_t i, int status)
{
	struct worker *worker = &p->running.at[i];
	void *answer = mem_zalloc(1, p->w->answer_size);
	bool whole = read(worker->from, answer, p->w->answer_size) == (ssize_t)p->w->answer_size;
	size_t job = worker->job;

	(void)close(worker->from);
	*worker = p->running.at[--p->running.n];
	p->w->done(p->w->arg, job,
		   WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status),
		   whole ? answer : NULL);
	mem_free(answer);
}

static void reap(struct pool *p)
{
	for (size_t i = 0; i < p->running.n;) {
		int status;
		if (waitpid(p->running.at[i].pid, &status, WNOHANG) == p->running.at[i].pid)
			end(p, i, status);
		else
			i++;
	}
}

// Until a child ends (0) or a signal ends us.
static int wait_for_one(struct pool *p)
{
	int signal = sigwaitinfo(&p->waited, NULL);

	if (signal == SIGCHLD)
		reap(p);
	return signal > 0 && signal != SIGCHLD ? signal : 0;
}

// Those that don't end leave a temporary file, which the next run removes.
static void stop_all(struct pool *p)
{
	const struct timespec patience = {.tv_sec = PATIENCE_S};
	sigset_t child;

	(void)sigemptyset(&child);
	(void)sigaddset(&child, SIGCHLD);
	for (size_t i = 0; i < p->running.n; i++)
		(void)kill(p->running.at[i].pid, SIGTERM);
	reap(p);
	while (p->running.n > 0 && sigtimedwait(&child, NULL, &patience) == SIGCHLD)
		reap(p);
	for (size_t i = 0; i < p->running.n; i++)
		(void)kill(p->running.at[i].pid, SIGKILL);
	while (p->running.n > 0) {
		int status;
		if (waitpid(p->running.at[0].pid, &status, 0) != p->running.at[0].pid)
			status = SIGKILL; // nobody knows how it ended: no success
		end(p, 0, status);
	}
}

// A signal that was ignored when we came (nohup) stays so; but of an ignored SIGCHLD nobody would
// hear, and no child could be waited for.
static void take_signals(struct pool *p)
{
	struct sigaction old;

	(void)signal(SIGCHLD, SIG_DFL);
	(void)sigemptyset(&p->waited);
	(void)sigaddset(&p->waited, SIGCHLD);
	for (size_t i = 0; i < sizeof(ending) / sizeof(ending[0]); i++)
		if (sigaction(ending[i], NULL, &old) == 0 && old.sa_handler != SIG_IGN)
			(void)sigaddset(&p->waited, ending[i]);
	(void)sigprocmask(SIG_BLOCK, &p->waited, &p->before);
}

struct err *workers_run(const struct workers *w, size_t n, int *signal)
{
	struct pool p = {.w = w};
	struct err *e = NULL;
	size_t begun = 0;

	*signal = 0;
	take_signals(&p);
	while (!e && !*signal && (begun < n || p.running.n > 0)) {
		if (begun < n && p.running.n < w->most)
			e = begin(&p, begun++);
		else
			*signal = wait_for_one(&p);
	}
	stop_all(&p);
	vec_fini(&p.running);
	(void)sigprocmask(SIG_SETMASK, &p.before, NULL);
	return e;
}

void workers_die(int sig)
{
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

size_t workers_cpus(void)
{
	cpu_set_t set;

	return sched_getaffinity(0, sizeof(set), &set) == 0 ? (size_t)CPU_COUNT(&set) : 1;
}
