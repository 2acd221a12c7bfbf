// SPDX-License-Identifier: LGPL-2.1-or-later
// Compares the memory that vmiscan sees in an image with the guest's physical memory as a judge
// saved it (offset = physical address), page by page, and counts.
//
// usage: same_memory MEMORY START-END[,START-END...] [vmiscan's options] IMAGE
// Only these ranges are compared: elsewhere are devices, which each container shows in its own way.
#include "src/base/mem.h"
#include "src/cli/options.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct count {
	uint64_t pages, different, absent;
	uint64_t first_different, first_absent;
};

static void judge_page(struct physmem *mem, int fd, uint64_t pa, struct count *c)
{
	uint8_t want[PAGE_SIZE], got[PAGE_SIZE];

	if (pread(fd, want, sizeof(want), (off_t)pa) != (ssize_t)sizeof(want)) {
		(void)fprintf(stderr, "the judge's file ends before 0x%" PRIx64 "\n", pa);
		exit(1);
	}
	c->pages++;
	if (!physmem_read(mem, pa, got, sizeof(got))) {
		if (!c->absent++)
			c->first_absent = pa;
	} else if (memcmp(want, got, sizeof(got)) != 0 && !c->different++) {
		c->first_different = pa;
	}
}

static void judge_ranges(struct physmem *mem, int fd, const char *ranges, struct count *c)
{
	uint64_t start, end;

	for (const char *p = ranges; p; p = strchr(p, ',')) {
		p += *p == ',';
		if (sscanf(p, "%" SCNx64 "-%" SCNx64, &start, &end) != 2) {
			(void)fprintf(stderr, "not a range: %s\n", p);
			exit(2);
		}
		for (uint64_t pa = start; pa < end; pa += PAGE_SIZE)
			judge_page(mem, fd, pa, c);
	}
}

static void fail(const struct err *e)
{
	(void)fprintf(stderr, "%s\n", e->msg);
	exit(1);
}

int main(int argc, char **argv)
{
	struct options o;
	struct progress progress = {0};
	struct analysis a;
	struct count c = {0};
	struct err *e;

	int fd = argc > 3 ? open(argv[1], O_RDONLY | O_CLOEXEC) : -1;
	if (fd < 0) {
		(void)fprintf(stderr, "usage: same_memory MEMORY RANGES [options] IMAGE\n");
		return 2;
	}
	const char *ranges = argv[2];
	argv[2] = argv[0];
	if ((e = options_parse(&o, argc - 2, argv + 2)))
		fail(e);
	const struct analysis_options asked = options_of_analysis(&o, &progress);
	analysis_init(&a, &asked);
	if ((e = analysis_open(&a)))
		fail(e);
	// Where the file does not record the layout, the kernel decides it.
	if (image_hole_unknown(a.image) && (e = analysis_find_kernel(&a)))
		fail(e);
	judge_ranges(a.image->mem, fd, ranges, &c);
	(void)printf("{\"pages\": %" PRIu64 ", \"different\": %" PRIu64 ", \"absent\": %" PRIu64
		     ", \"first_different\": %" PRIu64 ", \"first_absent\": %" PRIu64 "}\n",
		     c.pages, c.different, c.absent, c.first_different, c.first_absent);
	analysis_fini(&a);
	options_fini(&o);
	(void)close(fd);
	return 0;
}
