// SPDX-License-Identifier: LGPL-2.1-or-later
// Files of evidence: opened read-only, read by pread() alone, so that nothing can trap or change.
#include "src/phys/io.h"

#include "src/base/fds.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdbool.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

struct file_io {
	struct io io;
	int fd;
	void (*give_back)(int fd);
	struct mem_held *held;
};

// What a bad sector or a lost network share answers: the bytes are not there, the rest may be.
static bool means_hole(int error)
{
	return error == EIO || error == ENXIO || error == ENODATA || error == ESTALE ||
	       error == ETIMEDOUT || error == EREMOTEIO || error == EBADMSG || error == EUCLEAN;
}

static struct err *file_read(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	const struct file_io *f = (struct file_io *)io;
	size_t done = 0;

	*got = 0;
	while (done < n) {
		unsigned long long at = off + done;
		ssize_t r = pread(f->fd, (char *)buf + done, n - done, (off_t)at);
		if (r < 0 && errno == EINTR)
			continue;
		if (r < 0 && !means_hole(errno))
			return err_errno(ERR_IO, "%s: can't be read at byte %llu", io->path, at);
		if (r <= 0)
			break;
		done += (size_t)r;
	}
	*got = done;
	return NULL;
}

static void close_fd(int fd)
{
	(void)close(fd);
}

static void file_close(struct io *io)
{
	const struct file_io *f = (struct file_io *)io;

	mem_let_go(f->held);
	f->give_back(f->fd);
}

static const struct io_ops file_ops = {file_read, file_close};

static struct err *refuse_kind(const char *path, mode_t mode)
{
	if (S_ISREG(mode) || S_ISBLK(mode))
		return NULL;
	if (S_ISDIR(mode))
		return err_new(ERR_IO, "%s: is a directory; give the file of the snapshot itself",
			       path);
	return err_new(
		ERR_IO,
		"%s: is a %s, which can't be read at random; copy it to a file and give that", path,
		S_ISFIFO(mode)	 ? "pipe"
		: S_ISSOCK(mode) ? "socket"
				 : "character device");
}

static struct err *refuse_open(const char *path)
{
	if (errno == ENOENT || errno == ENOTDIR)
		return err_new(ERR_IO, "%s: there is no such file", path);
	if (errno == EACCES || errno == EPERM)
		return err_new(ERR_IO,
			       "%s: no permission to read it; run as its owner or as root, "
			       "or copy it to where you may",
			       path);
	return err_errno(ERR_IO, "%s: can't be opened", path);
}

// O_NOATIME leaves the evidence's access time alone; only the owner and root may ask for it.
// O_NONBLOCK is for a file that was replaced by a pipe since it was looked at.
static int open_quietly(const char *path)
{
	const int flags = O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK;
	int fd = open(path, flags | O_NOATIME);

	return fd < 0 && errno == EPERM ? open(path, flags) : fd;
}

static struct err *size_of(const char *path, int fd, uint64_t *size)
{
	struct stat st;

	if (fstat(fd, &st) != 0)
		return err_errno(ERR_IO, "%s", path);
	TRY(refuse_kind(path, st.st_mode));
	*size = (uint64_t)st.st_size;
	if (S_ISBLK(st.st_mode) && ioctl(fd, BLKGETSIZE64, size) != 0)
		return err_errno(ERR_IO, "%s: the device does not give its size", path);
	if (*size == 0)
		return err_new(ERR_FORMAT,
			       "%s: is empty; was the snapshot or its copy interrupted?", path);
	return NULL;
}

static struct err *take(int fd, const char *path, struct io **out)
{
	uint64_t size = 0;
	struct err *e = size_of(path, fd, &size);

	if (e)
		(void)close(fd);
	else
		*out = io_from_fd(fd, path, size, NULL);
	return e;
}

struct err *io_open_file(const char *path, struct io **out)
{
	struct stat st;

	// Looked at before it is opened: opening a pipe waits, opening some devices acts.
	if (stat(path, &st) != 0)
		return refuse_open(path);
	TRY(refuse_kind(path, st.st_mode));
	struct mem_held *held = fds_hold();
	int fd = open_quietly(path);
	fds_holds(held, fd);
	struct err *e = fd < 0 ? refuse_open(path) : take(fd, path, out);
	mem_let_go(held);
	return e;
}

struct io *io_from_fd(int fd, const char *path, uint64_t size, void (*give_back)(int fd))
{
	struct file_io *f = mem_alloc(sizeof(*f));

	*f = (struct file_io){.io = {&file_ops, mem_strdup(path), size},
			      .fd = fd,
			      .give_back = give_back ? give_back : close_fd,
			      .held = fds_hold()};
	fds_holds(f->held, fd);
	return &f->io;
}

struct err *io_read(struct io *io, uint64_t off, void *buf, size_t n, size_t *got)
{
	*got = 0;
	if (off >= io->size)
		return NULL;
	if (n > io->size - off)
		n = (size_t)(io->size - off);
	return io->ops->read(io, off, buf, n, got);
}

struct err *io_read_all(struct io *io, uint64_t off, void *buf, size_t n)
{
	size_t got;

	TRY(io_read(io, off, buf, n, &got));
	if (got < n)
		return err_new(ERR_IO, "%s: %zu bytes are needed at byte %llu, %zu can be read",
			       io->path, n, (unsigned long long)off, got);
	return NULL;
}

void io_close(struct io *io)
{
	if (!io)
		return;
	io->ops->close(io);
	mem_free(io->path);
	mem_free(io);
}
