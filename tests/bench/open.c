// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens an image as far as its physical memory, and says what that took: what a container costs
// before a kernel is looked for. Reads are those that the system counted for this process.
#include "formats/fmt.h"

#include <stdio.h>
#include <string.h>

struct reads {
	unsigned long long bytes, calls;
};

// Zeros where the system does not count.
static struct reads reads_so_far(void)
{
	FILE *f = fopen("/proc/self/io", "r");
	struct reads r = {0};
	char name[32];
	unsigned long long n;

	while (f && fscanf(f, "%31s %llu", name, &n) == 2)
		if (strcmp(name, "rchar:") == 0)
			r.bytes = n;
		else if (strcmp(name, "syscr:") == 0)
			r.calls = n;
	if (f)
		(void)fclose(f);
	return r;
}

int main(int argc, char **argv)
{
	struct image *img;
	size_t n;

	if (argc != 2)
		return 2;
	struct reads before = reads_so_far();
	struct err *e = image_open(argv[1], NULL, &img);
	struct reads after = reads_so_far();
	if (e) {
		(void)fprintf(stderr, "%s\n", e->msg);
		return 3;
	}
	(void)physmem_runs(img->mem, &n);
	(void)printf("%s %llu %llu %zu\n", img->fmt->name, after.bytes - before.bytes,
		     after.calls - before.calls, n);
	image_close(img);
	return 0;
}
