// SPDX-License-Identifier: LGPL-2.1-or-later
// The order of it: no way to gain rights, then files, then limits, then system calls.
#include "src/sandbox/sandbox.h"

#include "src/base/mem.h"

#include <stdio.h>
#include <sys/prctl.h>
#include <sys/resource.h>

void sandbox_read(struct sandbox_needs *n, const char *path)
{
	if (path)
		vec_push(&n->read, mem_strdup(path));
}

void sandbox_write(struct sandbox_needs *n, const char *path)
{
	if (path)
		vec_push(&n->write, mem_strdup(path));
}

void sandbox_needs_fini(struct sandbox_needs *n)
{
	for (size_t i = 0; i < n->read.n; i++)
		mem_free(n->read.at[i]);
	for (size_t i = 0; i < n->write.n; i++)
		mem_free(n->write.at[i]);
	vec_fini(&n->read);
	vec_fini(&n->write);
}

void sandbox_limit(int what, uint64_t most)
{
	const struct rlimit l = {most, most};

	(void)setrlimit((__rlimit_resource_t)what, &l);
}

// The memory holds the guest's secrets: no core file of it, and no look into it by other processes
// once /proc/self/fd need not be read any more. A sanitizer opens files at the end.
static void set_limits(const struct sandbox_needs *n)
{
	sandbox_limit(RLIMIT_CORE, 0);
	if (!n->forks)
		sandbox_limit(RLIMIT_NPROC, 0);
	if (n->opens || SANITIZED)
		return;
	sandbox_limit(RLIMIT_NOFILE, 0); // those that are open stay so
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

static void describe(char words[static SANDBOX_WORDS], int landlock, const char *no_landlock,
		     const char *no_seccomp)
{
	int n = SANDBOX_WORDS;

	if (!no_landlock && !no_seccomp)
		(void)snprintf(words, n, "Landlock %d and seccomp", landlock);
	else if (!no_landlock)
		(void)snprintf(words, n, "Landlock %d; no seccomp (%s)", landlock, no_seccomp);
	else if (!no_seccomp)
		(void)snprintf(words, n, "seccomp; no Landlock (%s)", no_landlock);
	else
		(void)snprintf(words, n, "no Landlock (%s), no seccomp (%s)", no_landlock,
			       no_seccomp);
}

void sandbox_enter(const struct sandbox_needs *n, char words[static SANDBOX_WORDS])
{
	// Neither of the two may be had without it.
	const char *refused =
		prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0 ? NULL : "no_new_privs was refused";
	int version = landlock_version();
	const char *no_landlock = refused ? refused : landlock_enter(n, version);

	set_limits(n);
	describe(words, version, no_landlock, refused ? refused : seccomp_enter(n));
}

void sandbox_kinds(char words[static SANDBOX_WORDS])
{
	int version = landlock_version();

	if (version)
		(void)snprintf(words, SANDBOX_WORDS, "Landlock %d, %s", version,
			       seccomp_is_there() ? "seccomp" : "no seccomp");
	else
		(void)snprintf(words, SANDBOX_WORDS, "no Landlock, %s",
			       seccomp_is_there() ? "seccomp" : "no seccomp");
}
