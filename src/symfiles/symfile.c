// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens a file of symbols and has a child read it.
#include "src/symfiles/symfile.h"

#include "src/base/fds.h"
#include "src/base/scope.h"
#include "src/base/vec.h"
#include "src/symfiles/cache.h"
#include "src/symfiles/child.h"
#include "src/symfiles/convert.h"
#include "src/symfiles/identity.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>

enum { HEAP = 768 << 20, READ_STEP = 1 << 20, READ_MOST = 512 << 20 };

static const uint64_t LARGEST = UINT64_C(8) << 30; // vmlinux with DWARF has 0.7 GB

struct job {
	int fd;
	size_t size;
	const struct type_wants *wants;
};

// Files of /proc and /sys can't be mapped, and do not know their size.
static uint8_t *read_file(const struct job *j, size_t *n)
{
	VEC(uint8_t) bytes = {0};
	ssize_t got;

	do {
		bytes.at = mem_grow(bytes.at, bytes.n + READ_STEP, 1);
		got = read(j->fd, bytes.at + bytes.n, READ_STEP);
		bytes.n += got > 0 ? (size_t)got : 0;
	} while (got > 0 && bytes.n < READ_MOST);
	*n = bytes.n;
	return bytes.at;
}

// Runs in the child, which ends with it: nothing is given back.
static struct err *work(void *arg, struct profile **out)
{
	const struct job *j = arg;
	size_t n = j->size;
	uint8_t *bytes = MAP_FAILED;

	if (n)
		bytes = mmap(NULL, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE, j->fd,
			     0);
	if (bytes == MAP_FAILED)
		bytes = read_file(j, &n);
	return convert(bytes, n, j->wants, out);
}

static struct err *check(const char *path, const struct stat *st)
{
	if (!S_ISREG(st->st_mode))
		return err_new(ERR_NO_KERNEL, "%s: is not a file; give a vmlinux or the like",
			       path);
	if ((uint64_t)st->st_size > LARGEST)
		return err_new(ERR_NO_KERNEL, "%s: is larger than 8 GiB, which no kernel's file is",
			       path);
	return NULL;
}

static char *build_id_of(int fd, const char *path, uint64_t size)
{
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 0); // which the io closes

	if (copy < 0)
		return NULL;
	struct io *io = io_from_fd(copy, path, size, NULL);
	char *id = identity_build_id(io);
	io_close(io);
	return id;
}

// From the cache, or made by a child, and then kept.
static struct err *load(int fd, const char *path, const struct stat *st,
			const struct type_wants *wants, struct profile **out)
{
	_cleanup_free_ char *id = build_id_of(fd, path, (uint64_t)st->st_size);
	const struct cache_key key = {id, wants->key, (uint64_t)st->st_size,
				      (uint64_t)st->st_mtim.tv_sec * 1000000000 +
					      (uint64_t)st->st_mtim.tv_nsec};
	struct job j = {fd, (size_t)st->st_size, wants};
	const struct child_limits limits = {.memory = HEAP + (uint64_t)st->st_size};

	if (id && cache_get(&key, out))
		return NULL;
	TRY(child_run(work, &j, fd, wants->key, &limits, out));
	if (id)
		cache_put(&key, *out);
	return NULL;
}

static struct err *open_and_load(const char *path, const struct type_wants *wants,
				 struct mem_held *held, struct profile **out)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;

	fds_holds(held, fd);
	if (fd < 0 || fstat(fd, &st) != 0)
		return err_errno(ERR_NO_KERNEL, "%s: can't be opened", path);
	TRY(check(path, &st));
	struct err *e = load(fd, path, &st, wants, out);
	return e ? err_wrap(e, "%s", path) : NULL;
}

struct err *symfile_load(const char *path, const struct type_wants *wants, struct profile **out)
{
	struct mem_held *held = fds_hold();
	struct err *e = open_and_load(path, wants, held, out);

	mem_let_go(held);
	if (e)
		return e;
	(*out)->types_path = (*out)->btf ? mem_strdup(path) : NULL;
	(*out)->symbols_path = (*out)->symbols ? mem_strdup(path) : NULL;
	return NULL;
}
