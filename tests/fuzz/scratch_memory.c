// SPDX-License-Identifier: LGPL-2.1-or-later
// Scratch files in memory, in place of formats/scratch.c: a fuzz target that makes a file for each
// input spends its time in the kernel.
#include "formats/scratch.h"

#include "src/base/mem.h"

#include <string.h>

// Under a fuzzer no content is larger (formats/unpack_limits.h), but by one step of unpacking.
enum { FILES = 4, FILE_MAX = 256 << 10 };

static struct file {
	bool used;
	size_t n; // bytes that are not zeros since they were never written
	uint8_t bytes[FILE_MAX];
} files[FILES];

void scratch_ready(size_t n)
{
	(void)n;
}

struct err *scratch_init(struct scratch *s)
{
	s->dir = "memory";
	for (s->fd = 0; s->fd < FILES && files[s->fd].used;)
		s->fd++;
	if (s->fd == FILES) {
		s->fd = -1;
		return err_new(ERR_IO, "no more scratch files");
	}
	files[s->fd].used = true;
	return NULL;
}

static void give_up(int fd)
{
	memset(files[fd].bytes, 0, files[fd].n);
	files[fd].n = 0;
	files[fd].used = false;
}

void scratch_fini(struct scratch *s)
{
	if (s->fd >= 0)
		give_up(s->fd);
	s->fd = -1;
}

struct err *scratch_write(struct scratch *s, uint64_t off, const void *buf, size_t n)
{
	struct file *f = &files[s->fd];

	if (off > FILE_MAX || n > FILE_MAX - off)
		return err_new(ERR_IO, "the scratch file is full");
	memcpy(f->bytes + off, buf, n);
	if (off + n > f->n)
		f->n = (size_t)off + n;
	return NULL;
}

bool scratch_read(struct scratch *s, uint64_t off, void *buf, size_t n)
{
	if (off > FILE_MAX || n > FILE_MAX - off)
		return false;
	memcpy(buf, files[s->fd].bytes + off, n);
	return true;
}

struct err *scratch_set_size(struct scratch *s, uint64_t size)
{
	(void)s;
	return size <= FILE_MAX ? NULL : err_new(ERR_IO, "the scratch file is full");
}

struct file_io {
	struct io io;
	int fd;
};

static struct err *read_file(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	struct scratch s = {.fd = ((struct file_io *)io)->fd};

	*got = scratch_read(&s, off, buf, n) ? n : 0;
	return NULL;
}

static void close_file(struct io *io)
{
	give_up(((struct file_io *)io)->fd);
}

static const struct io_ops ops = {read_file, close_file};

struct io *scratch_io(struct scratch *s, const char *path, uint64_t size)
{
	struct file_io *f = mem_alloc(sizeof(*f));

	*f = (struct file_io){{&ops, mem_strdup(path), size}, s->fd};
	s->fd = -1;
	return &f->io;
}
