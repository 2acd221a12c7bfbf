// SPDX-License-Identifier: LGPL-2.1-or-later
// Limits of the kernel for a process that reads a file for its parent: no files, no processes, so
// much memory and time; with libseccomp no system call but those of malloc() and write().
#include "src/sandbox/sandbox.h"

#include "src/base/scope.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/resource.h>

uint64_t sandbox_addresses(void)
{
	_cleanup_close_ int fd = open("/proc/self/statm", O_RDONLY | O_CLOEXEC);
	char text[32] = "";

	if (fd < 0 || read(fd, text, sizeof(text) - 1) < 0)
		return 0;
	return strtoull(text, NULL, 10) * (uint64_t)sysconf(_SC_PAGESIZE);
}

void sandbox_enter_child(const struct child_limits *l, uint64_t addresses)
{
	if (!SANITIZED)
		sandbox_limit(RLIMIT_AS, addresses + l->memory);
	sandbox_limit(RLIMIT_CPU, l->cpu_s);
	sandbox_limit(RLIMIT_CORE, 0);
	sandbox_limit(RLIMIT_FSIZE, 0);
	sandbox_limit(RLIMIT_NPROC, 0);
	sandbox_limit(RLIMIT_NOFILE, 0); // those that are open stay so
	(void)seccomp_enter_child();
}
