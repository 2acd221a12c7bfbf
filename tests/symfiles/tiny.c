// SPDX-License-Identifier: LGPL-2.1-or-later
// A vmlinux of a few kB: DWARF, symbols, build id and banner. It is never run.
#include "tests/symfiles/tiny.h"

extern struct task_struct init_task;
extern const char linux_banner[];
extern enum zone_stat_item items[];

struct task_struct init_task = {.comm = "swapper"};
enum zone_stat_item items[2];
const char linux_banner[] =
	"Linux version 6.1.0-tiny (nobody@nowhere) (a compiler, a linker) #1 SMP 2026-11-26\n";

int main(void)
{
	return (int)init_task.flags + linux_banner[0] + (int)items[0];
}
