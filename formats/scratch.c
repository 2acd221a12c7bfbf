// SPDX-License-Identifier: LGPL-2.1-or-later
// Scratch files: made without a name (O_TMPFILE), or else unlinked at once; written sparsely.
#include "formats/scratch.h"

#include "src/base/fds.h"
#include "src/base/mem.h"
#include "src/base/scope.h"
#include "src/base/vec.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { BLOCK = 4096 };

static int open_and_unlink(const char *dir)
{
	_cleanup_free_ char *path = mem_printf("%s/vmiscan-XXXXXX", dir);
	int fd = mkostemp(path, O_CLOEXEC);

	if (fd >= 0)
		(void)unlink(path);
	return fd;
}

// TMPDIR is the user's to point at a larger disk, so an empty one counts as none.
static const char *folder(void)
{
	const char *dir = secure_getenv("TMPDIR");

	return dir && *dir ? dir : P_tmpdir;
}

static int make(void)
{
	int fd = open(folder(), O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);

	return fd < 0 ? open_and_unlink(folder()) : fd;
}

// --- in advance ---

static struct {
	VEC(int) all, idle;
	int why; // there are no more: an errno, 0 if nobody failed to make one
} ready;

void scratch_ready(size_t n)
{
	while (ready.all.n < n) {
		int fd = make();
		ready.why = fd < 0 ? errno : 0;
		if (fd < 0)
			return;
		vec_push(&ready.all, fd);
		vec_push(&ready.idle, fd);
	}
}

static bool is_of_those(int fd)
{
	for (size_t i = 0; i < ready.all.n; i++)
		if (ready.all.at[i] == fd)
			return true;
	return false;
}

static int take(void)
{
	if (ready.idle.n)
		return ready.idle.at[--ready.idle.n];
	if (ready.why)
		errno = ready.why;
	return ready.why ? -1 : make();
}

// One that can't be emptied is no use to the next who needs one.
static void give_back(int fd)
{
	if (is_of_those(fd) && ftruncate(fd, 0) == 0)
		vec_push(&ready.idle, fd);
	else if (!is_of_those(fd))
		(void)close(fd);
}

// --- one of them ---

struct err *scratch_init(struct scratch *s)
{
	s->dir = folder();
	s->held = fds_hold();
	s->fd = take();
	fds_holds(s->held, s->fd);
	if (s->fd >= 0)
		return NULL;
	struct err *e = err_errno(ERR_IO,
				  "no file for the unpacked image can be made in %s (set TMPDIR to "
				  "another directory, or unpack the image yourself)",
				  s->dir);
	scratch_fini(s);
	return e;
}

void scratch_fini(struct scratch *s)
{
	mem_let_go(s->held);
	s->held = NULL;
	if (s->fd >= 0)
		give_back(s->fd);
	s->fd = -1;
}

static bool is_zero(const uint8_t *p, size_t n)
{
	return p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static struct err *refuse_write(const struct scratch *s)
{
	return err_errno(ERR_IO,
			 "the unpacked image does not fit into %s (set TMPDIR to a directory with "
			 "more space)",
			 s->dir);
}

static struct err *write_all(struct scratch *s, uint64_t off, const uint8_t *p, size_t n)
{
	while (n > 0) {
		ssize_t w = pwrite(s->fd, p, n, (off_t)off);
		if (w < 0 && errno == EINTR)
			continue;
		if (w < 0)
			return refuse_write(s);
		off += (uint64_t)w;
		p += w;
		n -= (size_t)w;
	}
	return NULL;
}

// The length of the leading blocks that are all zero, or all not; n > 0.
static size_t stretch(const uint8_t *p, uint64_t off, size_t n, bool *zero)
{
	size_t at = 0;

	while (at < n) {
		size_t room = BLOCK - (off + at) % BLOCK, part = room < n - at ? room : n - at;
		bool z = is_zero(p + at, part);
		if (at == 0)
			*zero = z;
		if (z != *zero)
			break;
		at += part;
	}
	return at;
}

struct err *scratch_write(struct scratch *s, uint64_t off, const void *buf, size_t n)
{
	const uint8_t *p = buf;

	while (n > 0) {
		bool zero = false;
		size_t part = stretch(p, off, n, &zero);
		if (!zero)
			TRY(write_all(s, off, p, part));
		off += part;
		p += part;
		n -= part;
	}
	return NULL;
}

bool scratch_read(struct scratch *s, uint64_t off, void *buf, size_t n)
{
	while (n > 0) {
		ssize_t r = pread(s->fd, buf, n, (off_t)off);
		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return false;
		off += (uint64_t)r;
		buf = (uint8_t *)buf + r;
		n -= (size_t)r;
	}
	return true;
}

struct err *scratch_set_size(struct scratch *s, uint64_t size)
{
	return ftruncate(s->fd, (off_t)size) == 0 ? NULL : refuse_write(s);
}

struct io *scratch_io(struct scratch *s, const char *path, uint64_t size)
{
	struct io *io = io_from_fd(s->fd, path, size, give_back);

	s->fd = -1;
	scratch_fini(s);
	return io;
}
