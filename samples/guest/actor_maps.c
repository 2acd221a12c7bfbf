/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Every kind of mapping, and a second process that shares some. */
#define _GNU_SOURCE
#include "guest.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/mman.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#ifndef PR_SET_VMA
#define PR_SET_VMA	     0x53564d41
#define PR_SET_VMA_ANON_NAME 0
#endif
#ifndef MADV_PAGEOUT
#define MADV_PAGEOUT 21
#endif

#define DIR "/tmp/actors/maps/"
/* Of 4 KiB on x86; arm64 has kernels with larger ones, too. */
#define PAGE ((size_t)getpagesize())
enum { LARGEST_PAGE = 64 << 10, HUGE_PAGE = 2 << 20 };

static char *map(size_t length, int protection, int flags, int fd, const char *what)
{
	return check_map(mmap(NULL, length, protection, flags, fd, 0), what);
}

static char *map_anonymous(size_t pages, int protection, int flags, const char *what)
{
	return map(pages * PAGE, protection, MAP_ANONYMOUS | flags, -1, what);
}

/* Each page tells which it is. */
static void mark_pages(char *start, size_t pages, const char *what)
{
	for (size_t i = 0; i < pages; i++)
		snprintf(start + i * PAGE, PAGE, "%s page %zu", what, i);
}

static int make_file(const char *path, int pages)
{
	char page[LARGEST_PAGE];
	int fd = (int)CHECK(open(path, O_RDWR | O_CREAT | O_TRUNC, 0600));

	for (int i = 0; i < pages; i++) {
		memset(page, 'A' + i, PAGE);
		CHECK(write(fd, page, PAGE));
	}
	return fd;
}

static void map_files(void)
{
	int fd = make_file(DIR "mapped", 6);
	char *p;

	p = map(6 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, "private file");
	mark_pages(p, 1, "copied");
	(void)*(volatile char *)(p + 2 * PAGE);
	p = map(6 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, "shared file");
	mark_pages(p + PAGE, 1, "shared");
	p = check_map(mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd, 3 * PAGE),
		      "executable file");
	(void)*(volatile char *)p;
	close(fd);
	fd = make_file(DIR "mapped-deleted", 2);
	p = map(2 * PAGE, PROT_READ, MAP_SHARED, fd, "deleted file");
	(void)*(volatile char *)p;
	close(fd);
	CHECK(unlink(DIR "mapped-deleted"));
}

static void map_memory(void)
{
	char *p = map_anonymous(8, PROT_READ | PROT_WRITE, MAP_PRIVATE, "anonymous");

	mark_pages(p, 3, "anonymous");
	(void)*(volatile char *)(p + 5 * PAGE); /* the zero page */
	p = map_anonymous(4, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE,
			  "writable and executable");
	mark_pages(p, 2, "W+X");
	p = map_anonymous(16, PROT_NONE, MAP_PRIVATE | MAP_NORESERVE, "no access");
	CHECK(mprotect(p + 4 * PAGE, PAGE, PROT_READ | PROT_WRITE));
	mark_pages(p + 4 * PAGE, 1, "island");
	/* Once touched, then closed: present without access. */
	p = map_anonymous(2, PROT_READ | PROT_WRITE, MAP_PRIVATE, "closed");
	mark_pages(p, 2, "closed");
	CHECK(mprotect(p, 2 * PAGE, PROT_NONE));
	p = map_anonymous(4, PROT_READ | PROT_WRITE, MAP_PRIVATE, "locked");
	CHECK(mlock(p, 4 * PAGE));
	mark_pages(p, 1, "locked");
	p = map_anonymous(2, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_GROWSDOWN, "growing");
	mark_pages(p, 1, "growing");
	p = map_anonymous(3, PROT_READ | PROT_WRITE, MAP_PRIVATE, "dontfork");
	CHECK(madvise(p, 3 * PAGE, MADV_DONTFORK));
	mark_pages(p, 3, "not in the child");
	p = map_anonymous(3, PROT_READ, MAP_PRIVATE, "read only");
	/* Untouched, and far larger than the machine. */
	map((size_t)1 << (sizeof(long) > 4 ? 36 : 30), PROT_READ | PROT_WRITE,
	    MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, "vast");
}

/* Names are there since 5.17, if the kernel was built for them. */
static void map_named(void)
{
	char *p = map_anonymous(2, PROT_READ | PROT_WRITE, MAP_PRIVATE, "named");

	mark_pages(p, 1, "named");
	(void)prctl(PR_SET_VMA, PR_SET_VMA_ANON_NAME, p, 2 * PAGE, "a named mapping");
}

static void map_huge(void)
{
	char *p = map(HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB,
		      -1, "hugetlb");
	char *start;

	mark_pages(p, 3, "hugetlb");
	/* A transparent one needs an aligned 2 MiB. */
	p = map(2 * HUGE_PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		"transparent");
	start = (char *)(((uintptr_t)p + HUGE_PAGE - 1) & ~(uintptr_t)(HUGE_PAGE - 1));
	/* Real-time kernels have none. */
	(void)madvise(start, HUGE_PAGE, MADV_HUGEPAGE);
	mark_pages(start, 3, "transparent huge");
}

/* A 1 GiB page, where the guest was booted with one to spare. */
static void map_gigantic(void)
{
	char *p = mmap(NULL, 1L << 30, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_HUGETLB | MAP_HUGE_1GB, -1, 0);

	if (p != MAP_FAILED)
		mark_pages(p, 2, "gigantic");
}

static void map_shared(void)
{
	char *p = map_anonymous(4, PROT_READ | PROT_WRITE, MAP_SHARED, "shared anonymous");
	int fd = (int)CHECK(memfd_create("shared memory", 0));

	mark_pages(p, 2, "shared anonymous");
	CHECK(ftruncate(fd, 4 * PAGE));
	p = map(4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, "memfd");
	mark_pages(p, 2, "memfd");
}

/* Goes to swap where the guest has some. */
static void map_swapped(void)
{
	char *p = map_anonymous(32, PROT_READ | PROT_WRITE, MAP_PRIVATE, "swapped");

	mark_pages(p, 32, "swapped");
	(void)madvise(p, 24 * PAGE, MADV_PAGEOUT);
}

int maps_main(int argc, char **argv)
{
	(void)argc;
	(void)argv;
	CHECK(mkdir(DIR, 0755));
	map_files();
	map_memory();
	map_named();
	map_huge();
	map_gigantic();
	map_shared();
	map_swapped();
	/* The child's pages are ours until one of us writes. */
	if (fork_quiet() == 0) {
		prctl(PR_SET_NAME, "maps-child");
		rest();
	}
	rest_ready();
}
