// SPDX-License-Identifier: LGPL-2.1-or-later
// A bit a byte and mark, set by a pread() that the linker puts in place of the system's.
#include "tests/damage/marks.h"

#include "src/base/mem.h"

#include <sys/stat.h>
#include <sys/types.h>

static struct {
	uint8_t *bits[MARKS];
	uint64_t size;
	enum mark as;
	ino_t inode;
	dev_t device;
} marks;

void marks_begin(int fd, uint64_t size)
{
	struct stat st = {0};

	(void)fstat(fd, &st);
	marks.size = size;
	marks.inode = st.st_ino;
	marks.device = st.st_dev;
	for (int i = 0; i < MARKS; i++)
		marks.bits[i] = mem_zalloc(size / 8 + 1, 1);
}

void marks_as(enum mark mark)
{
	marks.as = mark;
}

bool marks_has(uint64_t at, enum mark mark)
{
	return marks.bits[mark][at / 8] >> at % 8 & 1;
}

void marks_end(void)
{
	marks.size = 0;
	for (int i = 0; i < MARKS; i++)
		mem_free(marks.bits[i]);
}

static void note(int fd, uint64_t from, uint64_t n)
{
	struct stat st;

	if (marks.size == 0 || fstat(fd, &st) != 0 || st.st_ino != marks.inode ||
	    st.st_dev != marks.device)
		return;
	for (uint64_t at = from; at < from + n && at < marks.size; at++)
		marks.bits[marks.as][at / 8] |= (uint8_t)(1U << at % 8);
}

ssize_t __real_pread64(int fd, void *buf, size_t n, off_t off);
ssize_t __wrap_pread64(int fd, void *buf, size_t n, off_t off);

ssize_t __wrap_pread64(int fd, void *buf, size_t n, off_t off)
{
	ssize_t got = __real_pread64(fd, buf, n, off);

	if (got > 0)
		note(fd, (uint64_t)off, (uint64_t)got);
	return got;
}
