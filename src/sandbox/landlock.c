// SPDX-License-Identifier: LGPL-2.1-or-later
// Which files, by Landlock's path rules. The C library has no calls for it, and headers lag behind
// kernels: numbers are those of the kernel's include/uapi/linux/landlock.h, 6.15, each masked by
// the version that the kernel reports.
#include "src/sandbox/sandbox.h"

#include "src/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#ifndef SYS_landlock_create_ruleset
#define SYS_landlock_create_ruleset 444
#define SYS_landlock_add_rule	    445
#define SYS_landlock_restrict_self  446
#endif

enum { CREATE_RULESET_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	READ_FILE = 1 << 2,
	READ_DIR = 1 << 3,
	REMOVE_FILE = 1 << 5,
	MAKE_REG = 1 << 8,
	TRUNCATE = 1 << 14,
	IOCTL_DEV = 1 << 15,
	OF_VERSION_1 = (1 << 13) - 1,
	REFER = 1 << 13,
	OF_FILES = EXECUTE | WRITE_FILE | READ_FILE | TRUNCATE | IOCTL_DEV, // not of folders
	READING = READ_FILE | READ_DIR | IOCTL_DEV, // a block device is asked for its size
	WRITING = READ_FILE | READ_DIR | WRITE_FILE | TRUNCATE | MAKE_REG | REMOVE_FILE,
};

struct ruleset_attr {
	uint64_t handled_access_fs, handled_access_net, scoped;
};

struct path_beneath_attr {
	uint64_t allowed_access;
	int32_t parent_fd;
} __attribute__((packed));

int landlock_version(void)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0, CREATE_RULESET_VERSION);

	return version > 0 ? (int)version : 0;
}

// All that this version knows is taken away, what rules give back excepted.
static struct ruleset_attr all_of(int version)
{
	struct ruleset_attr a = {.handled_access_fs = OF_VERSION_1};

	if (version >= 2)
		a.handled_access_fs |= REFER;
	if (version >= 3)
		a.handled_access_fs |= TRUNCATE;
	if (version >= 4)
		a.handled_access_net = 3; // bind and connect of TCP
	if (version >= 5)
		a.handled_access_fs |= IOCTL_DEV;
	if (version >= 6)
		a.scoped = 3; // abstract sockets and signals to processes outside
	return a;
}

// A file that is not there, or that can't be reached, can't be opened later either.
static bool is_out_of_reach(int error)
{
	return error == ENOENT || error == ENOTDIR || error == EACCES || error == ELOOP;
}

// False where the rule that is needed can't be had.
static bool allow(int rules, const char *path, uint64_t access)
{
	_cleanup_close_ int fd = open(path, O_PATH | O_CLOEXEC);
	struct path_beneath_attr rule = {access, fd};
	struct stat st;

	if (fd < 0)
		return is_out_of_reach(errno);
	if (fstat(fd, &st) == 0 && !S_ISDIR(st.st_mode))
		rule.allowed_access &= OF_FILES;
	return syscall(SYS_landlock_add_rule, rules, RULE_PATH_BENEATH, &rule, 0) == 0;
}

static bool allow_needs(int rules, const struct sandbox_needs *n, uint64_t handled)
{
	bool done = true;

	for (size_t i = 0; done && n->opens && i < n->read.n; i++)
		done = allow(rules, n->read.at[i], READING & handled);
	for (size_t i = 0; done && n->opens && i < n->write.n; i++)
		done = allow(rules, n->write.at[i], WRITING & handled);
	if (done && SANITIZED) // they read /proc at the end, and the program to name what is in it
		done = allow(rules, "/", READING & handled);
	return done;
}

const char *landlock_enter(const struct sandbox_needs *n, int version)
{
	const struct ruleset_attr a = all_of(version);
	_cleanup_close_ int rules = (int)syscall(SYS_landlock_create_ruleset, &a, sizeof(a), 0);

	if (rules < 0 || !allow_needs(rules, n, a.handled_access_fs) ||
	    syscall(SYS_landlock_restrict_self, rules, 0) != 0)
		return strerror(errno);
	return NULL;
}
