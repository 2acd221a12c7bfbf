// SPDX-License-Identifier: LGPL-2.1-or-later
// Files in memory: blobs to build them, an io over them, paths to open them by.
#include "tests/unit/mem_io.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

void blob_put(struct blob *b, size_t off, const void *bytes, size_t n)
{
	if (off + n > b->cap) {
		size_t cap = 2 * (off + n) + 64;
		b->at = mem_grow(b->at, cap, 1);
		memset(b->at + b->cap, 0, cap - b->cap);
		b->cap = cap;
	}
	if (n > 0)
		memcpy(b->at + off, bytes, n);
	if (off + n > b->n)
		b->n = off + n;
}

void blob_append(struct blob *b, const void *bytes, size_t n)
{
	blob_put(b, b->n, bytes, n);
}

void blob_fini(struct blob *b)
{
	mem_free(b->at);
	*b = (struct blob){0};
}

struct mem_io {
	struct io io;
	uint8_t *bytes;
	uint64_t bad_off, bad_n;
	unsigned reads;
};

static struct err *mem_read(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	struct mem_io *m = (struct mem_io *)io;

	m->reads++;
	if (m->bad_n && off < m->bad_off + m->bad_n && off + n > m->bad_off)
		n = off < m->bad_off ? (size_t)(m->bad_off - off) : 0;
	memcpy(buf, m->bytes + off, n);
	*got = n;
	return NULL;
}

static void mem_close(struct io *io)
{
	mem_free(((struct mem_io *)io)->bytes);
}

static const struct io_ops mem_ops = {mem_read, mem_close};

struct io *mem_io_new(const void *bytes, size_t n)
{
	struct mem_io *m = mem_zalloc(1, sizeof(*m));

	m->io = (struct io){&mem_ops, mem_strdup("memory"), n};
	m->bytes = memcpy(mem_alloc(n), bytes, n);
	return &m->io;
}

void mem_io_break(struct io *io, uint64_t off, uint64_t n)
{
	struct mem_io *m = (struct mem_io *)io;

	m->bad_off = off;
	m->bad_n = n;
}

unsigned mem_io_reads(const struct io *io)
{
	return ((const struct mem_io *)io)->reads;
}

const char *mem_path(const void *bytes, size_t n)
{
	static char path[64];
	static int fd = -1;

	if (fd >= 0)
		(void)close(fd);
	fd = memfd_create("image", MFD_CLOEXEC);
	cr_assert(fd >= 0);
	for (size_t done = 0; done < n;) {
		ssize_t w = write(fd, (const char *)bytes + done, n - done);
		cr_assert(w > 0);
		done += (size_t)w;
	}
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	return path;
}

struct err *open_bytes(const void *bytes, size_t n, struct image **out)
{
	*out = NULL;
	return image_open(mem_path(bytes, n), NULL, out);
}

uint8_t noise_at(uint64_t i)
{
	uint64_t h = (i + 1) * 0x9e3779b97f4a7c15ULL;

	h ^= h >> 29;
	h *= 0xbf58476d1ce4e5b9ULL;
	return (uint8_t)(h >> 56);
}

void noise_fill(uint64_t from, void *buf, size_t n)
{
	for (size_t i = 0; i < n; i++)
		((uint8_t *)buf)[i] = noise_at(from + i);
}
