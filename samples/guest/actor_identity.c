/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Who a process is: users, groups, capabilities, audit ids. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <sys/fsuid.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static void set_login(const char *uid)
{
	CHECK(write_file("/proc/self/loginuid", uid));
}

int user_main(int argc, char **argv)
{
	static const gid_t groups[] = {1000, 24, 27, 100};
	struct rlimit files = {100, 200};

	(void)argc;
	(void)argv;
	set_login("1000");
	CHECK(setrlimit(RLIMIT_NOFILE, &files));
	CHECK(setgroups(sizeof(groups) / sizeof(groups[0]), groups));
	CHECK(setresgid(1000, 1000, 1000));
	CHECK(setresuid(1000, 1000, 1000));
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0));
	CHECK(chdir("/home/user"));
	umask(077);
	rest_ready();
}

/* All capabilities but a few go; the ids stay for their own calls. */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2] = {{0}};
	const unsigned kept = 1U << CAP_NET_ADMIN | 1U << CAP_SETUID;

	data[0].permitted = kept;
	data[0].effective = 1U << CAP_NET_ADMIN;
	data[0].inheritable = 1U << CAP_NET_ADMIN;
	CHECK(syscall(SYS_capset, &header, data));
	CHECK(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, CAP_NET_ADMIN, 0, 0));
}

int ids_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	set_login("1001");
	CHECK(prctl(PR_CAPBSET_DROP, CAP_SYS_BOOT, 0, 0, 0));
	CHECK(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0));
	CHECK(setresgid(2001, 2002, 2003));
	CHECK(setresuid(1001, 1002, 1003));
	drop_capabilities();
	setfsgid(2001);
	setfsuid(1001);
	rest_ready();
}
