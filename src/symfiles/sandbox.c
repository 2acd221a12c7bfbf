// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits of the kernel: no files, no processes, so much memory and time; with libseccomp no system
// call but those of malloc() and write().
#include "src/symfiles/child.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__)
#define SANITIZED 1 // it needs terabytes of addresses, and calls of its own
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#define SANITIZED 1
#endif
#endif

#ifdef HAVE_SECCOMP
#include <seccomp.h>
#endif

#ifndef SANITIZED
// Bytes of address space that the process has, from the kernel's own count.
static rlim_t addresses_in_use(void)
{
	char text[32] = "";
	int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return 0;
	if (read(fd, text, sizeof(text) - 1) < 0)
		text[0] = '\0';
	(void)close(fd);
	return (rlim_t)strtoull(text, NULL, 10) * (rlim_t)sysconf(_SC_PAGESIZE);
}
#endif

static void limit(__rlimit_resource_t what, rlim_t most)
{
	const struct rlimit l = {most, most};

	(void)setrlimit(what, &l);
}

static void set_limits(const struct child_limits *l)
{
#ifndef SANITIZED
	limit(RLIMIT_AS, addresses_in_use() + l->memory);
#endif
	limit(RLIMIT_CPU, l->cpu_s);
	limit(RLIMIT_CORE, 0);
	limit(RLIMIT_FSIZE, 0);
	limit(RLIMIT_NPROC, 0);
	limit(RLIMIT_NOFILE, 0); // those that are open stay so
}

#if defined(HAVE_SECCOMP) && !defined(SANITIZED)
// sysinfo is qsort()'s.
static void allow_computing(void)
{
	static const int allowed[] = {
		SCMP_SYS(read),		  SCMP_SYS(write),	SCMP_SYS(brk),
		SCMP_SYS(mmap),		  SCMP_SYS(munmap),	SCMP_SYS(mremap),
		SCMP_SYS(mprotect),	  SCMP_SYS(madvise),	SCMP_SYS(futex),
		SCMP_SYS(sysinfo),	  SCMP_SYS(getrandom),	SCMP_SYS(clock_gettime),
		SCMP_SYS(exit),		  SCMP_SYS(exit_group), SCMP_SYS(rt_sigreturn),
		SCMP_SYS(restart_syscall)};
	scmp_filter_ctx filter = seccomp_init(SCMP_ACT_KILL_PROCESS);

	if (!filter)
		return;
	for (size_t i = 0; i < sizeof(allowed) / sizeof(allowed[0]); i++)
		(void)seccomp_rule_add(filter, SCMP_ACT_ALLOW, allowed[i], 0);
	(void)seccomp_load(filter);
	seccomp_release(filter);
}
#endif

void sandbox_enter(const struct child_limits *limits)
{
	set_limits(limits);
#if defined(HAVE_SECCOMP) && !defined(SANITIZED)
	allow_computing();
#endif
}

const char *sandbox_kinds(void)
{
#if defined(HAVE_SECCOMP) && !defined(SANITIZED)
	return "rlimits, seccomp";
#else
	return "rlimits";
#endif
}
