/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Starts the actors one after another, each when the one before has come to rest, and stays their
 * parent. */
#define _GNU_SOURCE
#include "guest.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *const actors[] = {
#define ACTOR(name, idea) #name,
	ACTORS
#undef ACTOR
};

static char *const plain_environment[] = {
	"PATH=/bin:/sbin", "HOME=/root", "OPTIONS=a=b c=d==e", "EMPTY=", NULL,
};

enum { LONG_ARGUMENTS = 40, LONG_ARGUMENT = 300 };

/* Three pages of arguments and two of environment; argv[0] is what ps would show. */
static void start_long(void)
{
	static char text[LONG_ARGUMENTS][LONG_ARGUMENT + 1];
	static char variables[LONG_ARGUMENTS][LONG_ARGUMENT + 1];
	char *argv[LONG_ARGUMENTS + 2] = {"long"};
	char *envp[LONG_ARGUMENTS + 2] = {"FIRST=1"};

	for (int i = 0; i < LONG_ARGUMENTS; i++) {
		memset(text[i], 'a' + i % 26, LONG_ARGUMENT);
		snprintf(text[i], sizeof(text[i]), "--argument-%02d", i);
		text[i][strlen(text[i])] = '=';
		memset(variables[i], 'A' + i % 26, LONG_ARGUMENT - 60);
		snprintf(variables[i], sizeof(variables[i]), "VARIABLE_%02d", i);
		variables[i][strlen(variables[i])] = '=';
		argv[i + 1] = text[i];
		envp[i + 1] = variables[i];
	}
	start_actor("long", argv, envp);
}

static void start_odd(void)
{
	char *argv[] = {
		"odd",
		"",
		"two words",
		"new\nline",
		"esc\x1b[31mred\x1b[0m",
		"\xff\xfe",
		"tab\tquote\"back\\slash",
		"gr\xc3\xbc\xc3\x9f",
		"",
		"last",
		NULL,
	};
	char *envp[] = {
		"ACTOR=odd",	  "A=1=2=3",   "NOVALUE",    "=noname",
		"RAW=\xff\x01\n", "DUP=first", "DUP=second", NULL,
	};

	start_actor("odd", argv, envp);
}

/* No argument at all: what argv[0] is then, is up to the kernel. */
static void start_hollow(void)
{
	char *argv[] = {NULL};
	char *envp[] = {"ACTOR=hollow", NULL};

	start_actor("hollow", argv, envp);
}

static void start_gone(void)
{
	char *argv[] = {"gone", "its", "file", "is", "deleted", NULL};

	copy_file("/proc/self/exe", "/tmp/gone", 0755);
	start_program("/tmp/gone", argv, plain_environment);
	CHECK(unlink("/tmp/gone"));
}

static void start_dynamic(void)
{
	char *argv[] = {"-dynamic", NULL};
	char *envp[] = {"ACTOR=dynamic", "LD_BIND_NOW=1", NULL};

	start_program("/data/bin/dynamic", argv, envp);
}

static void start_one(const char *name)
{
	char *argv[] = {(char *)name, "--level=2", "an argument", NULL};

	if (strcmp(name, "long") == 0)
		start_long();
	else if (strcmp(name, "odd") == 0)
		start_odd();
	else if (strcmp(name, "hollow") == 0)
		start_hollow();
	else if (strcmp(name, "gone") == 0)
		start_gone();
	else if (strcmp(name, "dynamic") == 0)
		start_dynamic();
	else
		start_actor(name, argv, plain_environment);
}

/* The executable gets a name for each actor, so that each has an exe and a comm of its own. */
static void name_actors(void)
{
	char path[256];

	for (size_t i = 0; i < sizeof(actors) / sizeof(actors[0]); i++) {
		snprintf(path, sizeof(path), ACTOR_DIR "%s", actors[i]);
		CHECK(link(ACTOR_DIR "guest", path));
	}
}

static void run_all(void *arg)
{
	const bool *spin = arg;

	/* What the kernel starts first has session and group 0, which nothing else has. */
	CHECK(setsid());
	for (size_t i = 0; i < sizeof(actors) / sizeof(actors[0]); i++)
		if (*spin || strcmp(actors[i], "spinner") != 0)
			start_one(actors[i]);
	rest_ready();
}

/* workload [spin] and what is the collector's business */
int workload_main(int argc, char **argv)
{
	bool spin = false;

	for (int i = 1; i < argc; i++)
		spin = spin || strcmp(argv[i], "spin") == 0;

	name_actors();
	CHECK(mkdir("/tmp/actors", 0777));
	CHECK(chmod("/tmp/actors", 0777));
	/* The parent returns once all is at rest; init adopts the child. */
	start_child(run_all, &spin);
	return 0;
}
