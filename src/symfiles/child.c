// SPDX-License-Identifier: LGPL-2.1-or-later
// fork, work, and one answer through a pipe: a profile's bytes, or an error.
#include "src/symfiles/child.h"

#include "src/base/fds.h"
#include "src/base/mem.h"
#include "src/base/scope.h"
#include "src/base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { DEFAULT_MEMORY = 768 << 20, DEFAULT_CPU_S = 60, DEFAULT_PATIENCE_S = 300 };

// The first byte of an answer. An error's code is the next one, then its words.
enum { ANSWER_PROFILE = 'P', ANSWER_ERROR = 'E' };

// --- in the child ---

static int answer_fd = -1; // for the handler that has no argument

static void write_all(const void *bytes, size_t n)
{
	const char *at = bytes;

	while (n > 0) {
		ssize_t done = write(answer_fd, at, n);
		if (done < 0 && errno == EINTR)
			continue;
		if (done <= 0)
			_exit(1); // nobody listens
		at += done;
		n -= (size_t)done;
	}
}

static _Noreturn void answer_error(enum err_code code, const char *words)
{
	const char head[2] = {ANSWER_ERROR, (char)code};

	write_all(head, sizeof(head));
	write_all(words, strlen(words));
	_exit(0);
}

static void out_of_memory(size_t asked)
{
	(void)asked;
	answer_error(ERR_LIMIT, "it takes more memory than reading a file of symbols may");
}

// What broke out of its reader has no terminal to write to.
static void give_up_terminal(void)
{
	int nothing = open("/dev/null", O_RDONLY | O_CLOEXEC);

	for (int fd = 0; fd < 3; fd++)
		if (nothing < 0 || dup2(nothing, fd) < 0)
			(void)close(fd);
}

// Its parent has no right to end it: the clock does.
static void end_in_time(unsigned patience_s)
{
	sigset_t bell;

	(void)signal(SIGALRM, SIG_DFL);
	(void)sigemptyset(&bell);
	(void)sigaddset(&bell, SIGALRM);
	(void)sigprocmask(SIG_UNBLOCK, &bell, NULL);
	(void)alarm(patience_s);
}

static _Noreturn void answer(child_work *work, void *arg, int fd, uint64_t key,
			     const struct child_limits *limits, uint64_t addresses)
{
	static const char head = ANSWER_PROFILE;
	struct profile *p;
	size_t n;

	mem_on_exhausted(out_of_memory);
	mem_set_limit(mem_in_use() + limits->memory);
	give_up_terminal();
	fds_close_but(3, fd, answer_fd);
	end_in_time(limits->patience_s);
	sandbox_enter_child(limits, addresses);
	const struct err *e = work(arg, &p);
	if (e)
		answer_error(e->code, e->msg);
	const uint8_t *bytes = profile_write(p, key, &n);
	write_all(&head, 1);
	write_all(bytes, n);
	_exit(0);
}

// --- in the parent ---

typedef VEC(uint8_t) byte_vec;

static int64_t now_ms(void)
{
	struct timespec t;

	(void)clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

// One more piece of the answer; false at its end.
static bool read_some(int fd, byte_vec *out)
{
	if (out->n == out->cap) {
		out->cap = out->cap ? out->cap * 2 : 1 << 20;
		out->at = mem_grow(out->at, out->cap, 1);
	}
	ssize_t n = read(fd, out->at + out->n, out->cap - out->n);
	if (n > 0)
		out->n += (size_t)n;
	return n > 0 || (n < 0 && errno == EINTR);
}

// The answer, if it comes in time, and is none without end.
static void listen_to(int fd, unsigned patience_s, byte_vec *out)
{
	int64_t end = now_ms() + (int64_t)patience_s * 1000;

	for (int64_t left; (left = end - now_ms()) > 0 && out->n <= PROFILE_LARGEST;) {
		struct pollfd p = {.fd = fd, .events = POLLIN};
		int ready = poll(&p, 1, left < 1000 ? (int)left : 1000);
		if (ready > 0 && !read_some(fd, out))
			return;
	}
}

static struct err *why_it_died(int signal)
{
	if (signal == SIGXCPU || signal == SIGALRM || signal == SIGPIPE || signal == SIGKILL)
		return err_new(ERR_LIMIT,
			       "reading it took too long or gave too much, and was stopped");
	if (signal == SIGSYS)
		return err_new(ERR_FORMAT, "reading it led to a forbidden system call: it is made "
					   "to attack its readers, or damaged");
	return err_new(ERR_FORMAT, "reading it crashed (%s): it is damaged", strsignal(signal));
}

static struct err *take_error(const byte_vec *a)
{
	enum err_code code =
		a->n > 1 && a->at[1] < ERR_INTERNAL ? (enum err_code)a->at[1] : ERR_FORMAT;
	size_t n = a->n > 2 ? a->n - 2 : 0;

	return err_new(code, "%.*s", n < 900 ? (int)n : 900, n ? (const char *)a->at + 2 : "");
}

static struct err *take_answer(const byte_vec *a, uint64_t key, int status, struct profile **out)
{
	if (WIFSIGNALED(status))
		return why_it_died(WTERMSIG(status));
	if (a->n > 0 && a->at[0] == ANSWER_ERROR)
		return take_error(a);
	if (a->n == 0 || a->at[0] != ANSWER_PROFILE)
		return err_new(ERR_FORMAT, "reading it came to no end");
	return profile_read(a->at + 1, a->n - 1, key, out);
}

static int wait_for(pid_t child)
{
	int status = 0;

	while (waitpid(child, &status, 0) < 0 && errno == EINTR)
		;
	return status;
}

static struct child_limits with_defaults(const struct child_limits *l)
{
	return (struct child_limits){l->memory ? l->memory : DEFAULT_MEMORY,
				     l->cpu_s ? l->cpu_s : DEFAULT_CPU_S,
				     l->patience_s ? l->patience_s : DEFAULT_PATIENCE_S};
}

// Nobody reads its answer any more, of which it learns when it writes.
static void give_up_child(void *pid)
{
	(void)wait_for((pid_t)(intptr_t)pid);
}

// A child, and the pipe that it answers through; both end with the memory that its answer takes.
struct asked {
	pid_t pid;
	int from;
	struct mem_held *process, *pipe;
};

static struct err *not_begun(const struct asked *c, const char *why)
{
	struct err *e = err_errno(ERR_IO, "%s", why);

	mem_let_go(c->pipe);
	mem_let_go(c->process);
	if (c->from > 0)
		(void)close(c->from);
	return e;
}

static struct err *hear(const struct asked *c, uint64_t key, unsigned patience_s,
			struct profile **out)
{
	byte_vec a = {0};

	listen_to(c->from, patience_s, &a);
	mem_let_go(c->pipe);
	(void)close(c->from);
	mem_let_go(c->process);
	struct err *e = take_answer(&a, key, wait_for(c->pid), out);
	vec_fini(&a);
	return e;
}

struct err *child_run(child_work *work, void *arg, int fd, uint64_t key,
		      const struct child_limits *limits, struct profile **out)
{
	const struct child_limits l = with_defaults(limits);
	const uint64_t addresses = sandbox_addresses();
	struct asked c = {.process = mem_hold(give_up_child), .pipe = fds_hold()};
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) != 0)
		return not_begun(&c, "no pipe");
	c.pid = fork();
	if (c.pid == 0) {
		(void)close(ends[0]);
		answer_fd = ends[1];
		answer(work, arg, fd, key, &l, addresses);
	}
	(void)close(ends[1]);
	c.from = ends[0];
	fds_holds(c.pipe, c.from);
	if (c.pid < 0)
		return not_begun(&c, "no process to read it in");
	mem_holds(c.process, (void *)(intptr_t)c.pid);
	return hear(&c, key, l.patience_s, out);
}
