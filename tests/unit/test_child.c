// SPDX-License-Identifier: LGPL-2.1-or-later
// The process that reads hostile files: whatever becomes of it, the caller gets an answer.
#include "src/base/mem.h"
#include "src/symfiles/child.h"

#include <criterion/criterion.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { KEY = 7 };

static struct err *answers(void *arg, struct profile **out)
{
	*out = profile_new();
	(*out)->banner = mem_strdup(arg);
	return NULL;
}

static struct err *fails(void *arg, struct profile **out)
{
	(void)out;
	return err_new(ERR_UNSUPPORTED, "%s", (const char *)arg);
}

static struct err *crashes(void *arg, struct profile **out)
{
	(void)out;
	(void)raise(*(const int *)arg);
	return NULL;
}

static struct err *ends(void *arg, struct profile **out)
{
	(void)arg;
	(void)out;
	_exit(0);
}

static struct err *goes_on(void *arg, struct profile **out)
{
	(void)out;
	while (*(volatile int *)arg)
		;
	return NULL;
}

static struct err *swallows(void *arg, struct profile **out)
{
	(void)arg;
	(void)out;
	for (int i = 0; i < 4096; i++)
		memset(mem_alloc(1 << 20), 1, 1 << 20);
	return err_new(ERR_INTERNAL, "it had 4 GiB");
}

static struct err *opens_a_socket(void *arg, struct profile **out)
{
	*out = profile_new();
	*(int *)arg = socket(AF_INET, SOCK_STREAM, 0);
	return NULL;
}

static struct err *tries_a_file(void *arg, struct profile **out)
{
	(void)out;
	if (fopen(arg, "rb"))
		return err_new(ERR_INTERNAL, "it was opened");
	return err_new(ERR_UNSUPPORTED, "it was not");
}

static struct err *run(child_work *work, void *arg, const struct child_limits *limits,
		       struct profile **out)
{
	static const struct child_limits defaults;

	return child_run(work, arg, -1, KEY, limits ? limits : &defaults, out);
}

Test(child, hands_back_a_profile)
{
	char words[] = "Linux version 1";
	struct profile *p = NULL;
	struct err *e = run(answers, words, NULL, &p);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(p->banner, words);
	profile_free(p);
}

Test(child, hands_back_an_error)
{
	char words[] = "no such luck";
	struct profile *p;
	struct err *e = run(fails, words, NULL, &p);

	cr_assert(e && e->code == ERR_UNSUPPORTED);
	cr_assert_str_eq(e->msg, words);
}

Test(child, that_crashes_is_an_error)
{
	static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGFPE, SIGILL};
	struct profile *p;

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		int signal = signals[i];
		struct err *e = run(crashes, &signal, NULL, &p);
		cr_assert(e && e->code == ERR_FORMAT, "signal %d", signal);
	}
}

Test(child, that_says_nothing_is_an_error)
{
	struct profile *p;
	struct err *e = run(ends, NULL, NULL, &p);

	cr_assert(e && strstr(e->msg, "no end"));
}

Test(child, that_hangs_is_stopped)
{
	const struct child_limits by_cpu = {.cpu_s = 1}, by_clock = {.patience_s = 1};
	struct profile *p;
	int forever = 1;

	struct err *e = run(goes_on, &forever, &by_cpu, &p);
	cr_assert(e && e->code == ERR_LIMIT && strstr(e->msg, "too long"));
	e = run(goes_on, &forever, &by_clock, &p);
	cr_assert(e && e->code == ERR_LIMIT);
}

Test(child, that_takes_all_memory_is_stopped)
{
	const struct child_limits little = {.memory = 64 << 20};
	struct profile *p;
	struct err *e = run(swallows, NULL, &little, &p);

	cr_assert(e && e->code == ERR_LIMIT, "%s", e ? e->msg : "no error");
}

Test(child, may_open_nothing)
{
	struct profile *p = NULL;
	char path[] = "/etc/passwd";
	int fd;
	struct err *e = run(tries_a_file, path, NULL, &p);

	cr_assert(e && e->code != ERR_INTERNAL, "%s", e ? e->msg : "");
	if (!seccomp_is_there())
		cr_skip_test("no seccomp in this build or system");
	e = run(opens_a_socket, &fd, NULL, &p);
	cr_assert(e && strstr(e->msg, "forbidden"), "%s", e ? e->msg : "no error");
}

Test(child, of_another_key_is_not_believed)
{
	char words[] = "x";
	struct profile *p = NULL;
	size_t n;

	cr_assert_null(run(answers, words, NULL, &p));
	uint8_t *bytes = profile_write(p, KEY + 1, &n);
	profile_free(p);
	cr_assert_not_null(profile_read(bytes, n, KEY, &p));
	mem_free(bytes);
}
