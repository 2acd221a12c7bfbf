/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One executable: the driver that obeys the host, and the programs that scenarios execute. */
#define _GNU_SOURCE
#include "scenario.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct scenario {
	const char *name;
	void (*play)(void);
};

static const struct scenario scenarios[] = {
#define SCENARIO(name, idea) {#name, name##_scenario},
	SCENARIOS
#undef SCENARIO
};

static FILE *control;

static void say(const char *text)
{
	fputs(text, control);
	fflush(control);
}

/* Plays a scenario in a process of its own, whose name says that it is part of one. */
static void play(const char *name)
{
	char text[16]; /* TASK_COMM_LEN */
	int status;

	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		if (strcmp(scenarios[i].name, name) == 0) {
			int pid = (int)CHECK(fork());
			if (pid == 0) {
				snprintf(text, sizeof(text), "i-%.12s", name);
				prctl(PR_SET_NAME, text);
				scenarios[i].play();
				exit(0);
			}
			CHECK(waitpid(pid, &status, 0));
			say(status == 0 ? "done\n" : "failed\n");
			return;
		}
	say("unknown\n");
}

/* "ADDRESS TYPE NAME" lines of /proc/kallsyms whose names are wanted; modules' own are not. */
static void symbols(char *wanted)
{
	FILE *all = fopen("/proc/kallsyms", "re");
	char line[512], address[32], name[256], key[280], module[8];

	if (all == NULL)
		die("no /proc/kallsyms");
	while (fgets(line, sizeof(line), all) != NULL) {
		int n = sscanf(line, "%31s %*s %255s %7s", address, name, module);

		snprintf(key, sizeof(key), " %s ", name);
		if (n == 2 && strstr(wanted, key) != NULL)
			fprintf(control, "%s %s\n", address, name);
	}
	fclose(all);
	say("done\n");
}

static void obey(char *line, const char *file)
{
	char *end = strchr(line, '\n');

	if (end != NULL)
		*end = '\0';
	if (strncmp(line, "symbols ", 8) == 0) {
		symbols(line + 7);
	} else if (strcmp(line, "types") == 0) {
		copy_file("/sys/kernel/btf/vmlinux", file, 0600);
		say("done\n");
	} else if (strncmp(line, "play ", 5) == 0) {
		play(line + 5);
	} else {
		say("unknown\n");
	}
}

static int drive(const char *port, const char *file)
{
	static char line[8192];
	int fd = (int)CHECK(open(port, O_RDWR | O_CLOEXEC));
	FILE *orders = fdopen(dup(fd), "re");

	control = fdopen(fd, "we");
	if (orders == NULL || control == NULL)
		die("no control port");
	say("ready\n");
	for (;;)
		if (fgets(line, sizeof(line), orders) != NULL)
			obey(line, file);
		else
			usleep(10000);
}

int main(int argc, char **argv)
{
	if (strcmp(program_invocation_short_name, "driver") == 0 && argc == 3)
		return drive(argv[1], argv[2]);
	here();
	return 0;
}
