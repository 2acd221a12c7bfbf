// SPDX-License-Identifier: LGPL-2.1-or-later
// What a process can't do any more once it is in the sandbox, each tried in a process of its own.
#include "src/sandbox/sandbox.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

// A folder with in/evidence, which is only read, and out/, which is written to.
static char dir[64];

static void make_file(const char *path)
{
	int fd = open(path, O_WRONLY | O_CREAT, 0600);

	cr_assert_eq(write(fd, "x", 1), 1);
	(void)close(fd);
}

static void enter_directory(void)
{
	(void)snprintf(dir, sizeof(dir), "/tmp/vmiscan-test-XXXXXX");
	cr_assert_not_null(mkdtemp(dir));
	cr_assert_eq(chdir(dir), 0);
	cr_assert_eq(mkdir("in", 0700) | mkdir("out", 0700), 0);
	make_file("in/evidence");
	make_file("in/other");
	make_file("out/temporary");
}

static void leave_directory(void)
{
	char command[128];

	cr_assert_eq(chdir("/"), 0);
	(void)snprintf(command, sizeof(command), "rm -rf %s", dir);
	cr_assert_eq(system(command), 0);
}

TestSuite(sandbox, .init = enter_directory, .fini = leave_directory);

static void enter_first(void)
{
	struct sandbox_needs n = {.opens = true, .forks = true};
	char words[SANDBOX_WORDS];

	sandbox_read(&n, "in/evidence");
	sandbox_read(&n, "in/nothing-of-that-name");
	sandbox_write(&n, "out");
	sandbox_enter(&n, words);
	sandbox_needs_fini(&n);
}

static void enter_second(void)
{
	struct sandbox_needs n = {0};
	char words[SANDBOX_WORDS];

	sandbox_write(&n, "out");
	sandbox_enter(&n, words);
	sandbox_needs_fini(&n);
}

static void enter_both(void)
{
	enter_first();
	enter_second();
}

enum { DONE = 0, REFUSED = 1, KILLED = 2 };

// What comes of an act: it is done where it gives true.
static int outcome(void (*enter)(void), bool (*act)(void))
{
	int status;
	pid_t child = fork();

	if (child == 0) {
		enter();
		_exit(act() ? DONE : REFUSED);
	}
	cr_assert_eq(waitpid(child, &status, 0), child);
	if (WIFSIGNALED(status)) {
		cr_assert_eq(WTERMSIG(status), SIGSYS, "signal %d", WTERMSIG(status));
		return KILLED;
	}
	return WEXITSTATUS(status);
}

static void outside(void)
{
}

// --- the acts ---

static bool opens(const char *path, int flags)
{
	return open(path, flags | O_CLOEXEC, 0600) >= 0;
}

static bool read_evidence(void)
{
	return opens("in/evidence", O_RDONLY);
}

static bool read_another_file(void)
{
	return opens("in/other", O_RDONLY);
}

static bool read_passwords(void)
{
	return opens("/etc/passwd", O_RDONLY);
}

static bool write_evidence(void)
{
	return opens("in/evidence", O_RDWR);
}

static bool remove_evidence(void)
{
	return unlink("in/evidence") == 0;
}

static bool put_beside_evidence(void)
{
	return opens("in/new", O_WRONLY | O_CREAT);
}

static bool list_folder(void)
{
	return opens(".", O_RDONLY | O_DIRECTORY);
}

static bool make_output(void)
{
	return opens("out/new", O_RDWR | O_CREAT | O_EXCL);
}

static bool name_output(void)
{
	return rename("out/temporary", "out/final") == 0 &&
	       rename("out/final", "out/temporary") == 0;
}

static bool name_output_elsewhere(void)
{
	return rename("out/temporary", "in/final") == 0;
}

static bool remove_output(void)
{
	return unlink("out/temporary") == 0;
}

static bool make_socket(void)
{
	return socket(AF_INET, SOCK_STREAM, 0) >= 0;
}

static bool make_local_socket(void)
{
	int ends[2];

	return socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0;
}

static bool become_program(void)
{
	char name[] = "true";
	char *const args[] = {name, NULL}, *const nothing[] = {NULL};

	(void)execve("/bin/true", args, nothing);
	return false; // where it could, /bin/true ends with DONE
}

static bool begin_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return child > 0 && waitpid(child, NULL, 0) == child;
}

static bool make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		    0) != MAP_FAILED;
}

static bool make_memory(void)
{
	char *p = malloc(64 << 20);

	return p && memset(p, 1, 64 << 20);
}

// Asked of no file at all, since it acts where it is allowed.
static bool type_into_terminal(void)
{
	char c = 'x';

	return ioctl(-1, TIOCSTI, &c) == 0 || errno == EBADF;
}

static bool get_rights_back(void)
{
	const struct rlimit l = {64, 64};

	return setrlimit(RLIMIT_NOFILE, &l) == 0;
}

// --- what comes of them ---

// Who forbids it. With a sanitizer seccomp is off, and all files may be read.
enum guard { LANDLOCK, LANDLOCK_ON_READING, SECCOMP };

static bool is_there(enum guard g)
{
	if (g == SECCOMP)
		return seccomp_is_there();
	return landlock_version() > 0 && !(SANITIZED && g == LANDLOCK_ON_READING);
}

struct expectation {
	const char *what;
	bool (*act)(void);
	bool first, second; // done in the first, and in the second sandbox
	enum guard guard;
};

#define ACT(act, ...)                                                                              \
	{                                                                                          \
#act, act, __VA_ARGS__                                                             \
	}

// clang-format off
static const struct expectation expectations[] = {
	ACT(read_evidence,         true,  false, LANDLOCK_ON_READING),
	ACT(read_another_file,     false, false, LANDLOCK_ON_READING),
	ACT(read_passwords,        false, false, LANDLOCK_ON_READING),
	ACT(list_folder,           false, false, LANDLOCK_ON_READING),
	ACT(write_evidence,        false, false, LANDLOCK),
	ACT(remove_evidence,       false, false, LANDLOCK),
	ACT(put_beside_evidence,   false, false, LANDLOCK),
	ACT(name_output_elsewhere, false, false, LANDLOCK),
	ACT(make_output,           true,  false, LANDLOCK),
	ACT(name_output,           true,  true,  LANDLOCK),
	ACT(remove_output,         true,  true,  LANDLOCK),
	ACT(become_program,        false, false, LANDLOCK),
	ACT(begin_process,         true,  false, SECCOMP),
	ACT(make_socket,           false, false, SECCOMP),
	ACT(make_local_socket,     false, false, SECCOMP),
	ACT(make_code,             false, false, SECCOMP),
	ACT(make_memory,           true,  true,  SECCOMP),
	ACT(type_into_terminal,    false, false, SECCOMP),
	ACT(get_rights_back,       true,  false, SECCOMP),
};
// clang-format on

static void expect(const struct expectation *e, void (*enter)(void), bool done)
{
	int got;

	make_file("in/evidence");
	make_file("out/temporary");
	got = outcome(enter, e->act);
	(void)unlink("out/new");
	(void)unlink("in/new");
	(void)unlink("in/final");
	if (done || is_there(e->guard))
		cr_expect_eq(got == DONE, done, "%s came to %d", e->what, got);
}

enum { N_EXPECTATIONS = sizeof(expectations) / sizeof(expectations[0]) };

Test(sandbox, everything_can_be_done_outside)
{
	for (size_t i = 0; i < N_EXPECTATIONS; i++)
		expect(&expectations[i], outside, true);
}

Test(sandbox, leaves_the_named_files_and_nothing_else)
{
	for (size_t i = 0; i < N_EXPECTATIONS; i++)
		expect(&expectations[i], enter_first, expectations[i].first);
}

Test(sandbox, leaves_no_file_once_all_are_open)
{
	for (size_t i = 0; i < N_EXPECTATIONS; i++)
		expect(&expectations[i], enter_both, expectations[i].second);
}

Test(sandbox, ends_who_asks_for_a_socket_or_a_program)
{
	if (!seccomp_is_there())
		cr_skip_test("no seccomp in this build or system");
	cr_expect_eq(outcome(enter_first, make_socket), KILLED);
	cr_expect_eq(outcome(enter_first, become_program), KILLED);
	cr_expect_eq(outcome(enter_both, make_socket), KILLED);
}

static bool same_kinds(const char *a, const char *b, const char *lack)
{
	return !strstr(a, lack) == !strstr(b, lack);
}

static bool say_what_is_in_force(void)
{
	const struct sandbox_needs n = {0};
	char kinds[SANDBOX_WORDS], words[SANDBOX_WORDS];

	sandbox_kinds(kinds);
	sandbox_enter(&n, words);
	return same_kinds(kinds, words, "no Landlock") && same_kinds(kinds, words, "no seccomp");
}

Test(sandbox, says_what_is_in_force)
{
	cr_expect_eq(outcome(outside, say_what_is_in_force), DONE);
}
