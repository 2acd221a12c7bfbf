/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Processes that are not what their name, arguments or file say. */
#define _GNU_SOURCE
#include "guest.h"

#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

/* Arguments lie side by side, the environment after them. */
static void overwrite_arguments(int argc, char **argv, const char *text)
{
	char *end = argv[argc - 1] + strlen(argv[argc - 1]) + 1;
	size_t room = (size_t)(end - argv[0]);

	memset(argv[0], 0, room);
	strncpy(argv[0], text, room - 1);
}

int renamed_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	prctl(PR_SET_NAME, "other-name");
	rest_ready();
}

int disguised_main(int argc, char **argv)
{
	overwrite_arguments(argc, argv, "[kworker/0:1]");
	prctl(PR_SET_NAME, "kworker/0:1");
	rest_ready();
}

int hollow_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	prctl(PR_SET_NAME, "[kworker/0:1]");
	rest_ready();
}

int odd_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	prctl(PR_SET_NAME, "a\n\x1b[1m\xff) S 1 ");
	rest_ready();
}

int long_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	rest_ready();
}

int dynamic_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	CHECK(chdir("/data/bin"));
	CHECK(open("/data/text", O_RDWR));
	rest_ready();
}

/* Who started us unlinks the file; the working directory goes, too. */
int gone_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	CHECK(mkdir("/tmp/gone-dir", 0755));
	CHECK(chdir("/tmp/gone-dir"));
	CHECK(rmdir("/tmp/gone-dir"));
	rest_ready();
}

/* Runs twice: as a file, then as a memfd of the same bytes. */
int memfdexe_main(int argc, char **argv)
{
	char *envp[] = {"ACTOR=memfdexe", "SECOND=1", NULL};
	extern char **environ;
	char block[65536];
	int in, out;
	ssize_t n;

	(void)argc;
	if (environ[0] != NULL && environ[1] != NULL && strcmp(environ[1], "SECOND=1") == 0)
		rest_ready();
	in = (int)CHECK(open("/proc/self/exe", O_RDONLY | O_CLOEXEC));
	out = (int)CHECK(memfd_create("payload", MFD_CLOEXEC));
	while ((n = CHECK(read(in, block, sizeof(block)))) > 0)
		CHECK(write(out, block, (size_t)n));
	argv[0] = "/usr/sbin/sshd";
	return (int)CHECK(fexecve(out, argv, envp));
}
