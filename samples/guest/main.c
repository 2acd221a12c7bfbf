/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* One executable under many names: the name it is called by picks the part it plays. */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <string.h>

struct part {
	const char *name;
	actor_main *main;
};

static const struct part parts[] = {
#define ACTOR(name, idea) {#name, name##_main},
	ACTORS
#undef ACTOR
	{"workload", workload_main},
	{"collect", collect_main},
	{"network", network_main},
};

int main(int argc, char **argv)
{
	/* Some actors are started with an argv that says nothing: then the environment names them.
	 */
	extern char **environ;
	const char *name = program_invocation_short_name;

	for (char **e = environ; *e; e++)
		if (strncmp(*e, "ACTOR=", 6) == 0)
			name = *e + 6;
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++)
		if (strcmp(name, parts[i].name) == 0)
			return parts[i].main(argc, argv);
	die("no part is called %s", name);
}
