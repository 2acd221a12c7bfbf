// SPDX-License-Identifier: LGPL-2.1-or-later
// What can't be known of a task that is being born, executing a program or dying, in words.
#include "src/walk/lifecycle.h"

static const struct {
	unsigned bit;
	const char *words;
} lost_words[] = {
	{LOST_MEMORY, "memory, executable, arguments, environment, mappings"},
	{LOST_FILES, "files"},
	{LOST_DIRECTORIES, "directories"},
	{LOST_NAMESPACES, "namespaces"},
	{LOST_STACK, "kernel stack"},
	{LOST_CGROUP, "control group"},
	{LOST_RUNS, "CPU and run times: it has not run yet"},
	{LOST_OWN_NAME, "name and program of its own: its parent's are shown"},
	{LOST_NEW_NAME, "new name and credentials: those of the old program may be shown"},
	{LOST_ARGUMENTS, "arguments, environment"},
	{LOST_TO_THREADS, "nothing of the process: it is read from a live thread"},
};

const char *lifecycle_missing(struct arena *a, unsigned lost)
{
	const char *text = NULL;

	for (size_t i = 0; i < sizeof(lost_words) / sizeof(lost_words[0]); i++)
		if (lost & lost_words[i].bit)
			text = text ? arena_printf(a, "%s, %s", text, lost_words[i].words)
				    : lost_words[i].words;
	return text;
}
