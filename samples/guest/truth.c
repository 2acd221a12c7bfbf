/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads files of the guest and writes them out as a tar stream. */
#define _GNU_SOURCE
#include "truth.h"

#include "guest.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BLOCK = 512, WRITE_SIZE = 32768 };

/* POSIX.1-1988 ustar header. */
struct ustar {
	char name[100], mode[8], uid[8], gid[8], size[12], mtime[12], chksum[8], typeflag;
	char linkname[100], magic[6], version[2], uname[32], gname[32], devmajor[8], devminor[8];
	char prefix[155], pad[12];
};
_Static_assert(sizeof(struct ustar) == BLOCK, "a tar header is one block");

static int tar_fd = -1;
static char pending[WRITE_SIZE];
static size_t pending_length;

void text_clear(struct text *t)
{
	t->length = 0;
}

static void text_reserve(struct text *t, size_t more)
{
	if (t->length + more <= t->room)
		return;
	t->room = (t->length + more) * 2;
	t->data = realloc(t->data, t->room);
	if (t->data == NULL)
		die("out of memory");
}

void text_add(struct text *t, const void *data, size_t length)
{
	text_reserve(t, length);
	memcpy(t->data + t->length, data, length);
	t->length += length;
}

void text_format(struct text *t, const char *fmt, ...)
{
	char line[1024];
	va_list args;
	int n;

	va_start(args, fmt);
	n = vsnprintf(line, sizeof(line), fmt, args);
	va_end(args);
	if (n < 0 || (size_t)n >= sizeof(line))
		die("line too long: %s", fmt);
	text_add(t, line, (size_t)n);
}

void text_escape(struct text *t, const char *data, size_t length)
{
	for (size_t i = 0; i < length; i++) {
		unsigned char c = (unsigned char)data[i];

		if (c < 0x20 || c >= 0x7f || c == '\\')
			text_format(t, "\\x%02x", c);
		else
			text_add(t, &c, 1);
	}
}

bool text_read(struct text *t, const char *path)
{
	/* Not every file of sysfs may be waited for, e.g. a trace pipe. */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t n;

	text_clear(t);
	if (fd < 0)
		return false;
	do {
		text_reserve(t, 65536);
		n = read(fd, t->data + t->length, 65536);
		if (n > 0)
			t->length += (size_t)n;
	} while (n > 0);
	close(fd);
	return n == 0;
}

bool text_link(struct text *t, const char *path)
{
	char target[4096];
	ssize_t n = readlink(path, target, sizeof(target));

	if (n < 0)
		return false;
	text_escape(t, target, (size_t)n);
	return true;
}

static void tar_flush(void)
{
	size_t done = 0;

	while (done < pending_length)
		done += (size_t)CHECK(write(tar_fd, pending + done, pending_length - done));
	pending_length = 0;
}

static void tar_write(const void *data, size_t length)
{
	const char *p = data;

	while (length > 0) {
		size_t n = WRITE_SIZE - pending_length;

		if (n > length)
			n = length;
		memcpy(pending + pending_length, p, n);
		pending_length += n;
		p += n;
		length -= n;
		if (pending_length == WRITE_SIZE)
			tar_flush();
	}
}

static void tar_header(const char *name, size_t size)
{
	struct ustar h = {0};
	unsigned sum = 0;
	const unsigned char *bytes = (const unsigned char *)&h;

	if (strlen(name) > sizeof(h.name))
		die("tar name too long: %s", name);
	memcpy(h.name, name, strlen(name));
	memcpy(h.mode, "0000644", 8);
	memcpy(h.uid, "0000000", 8);
	memcpy(h.gid, "0000000", 8);
	snprintf(h.size, sizeof(h.size), "%011zo", size);
	memcpy(h.mtime, "00000000000", 12);
	memset(h.chksum, ' ', sizeof(h.chksum));
	h.typeflag = '0';
	memcpy(h.magic, "ustar", 6);
	memcpy(h.version, "00", 2);
	for (size_t i = 0; i < sizeof(h); i++)
		sum += bytes[i];
	snprintf(h.chksum, sizeof(h.chksum), "%06o", sum);
	tar_write(&h, sizeof(h));
}

static void tar_put(const char *name, const struct text *content)
{
	static const char zeros[BLOCK];

	tar_header(name, content->length);
	tar_write(content->data, content->length);
	tar_write(zeros, (BLOCK - content->length % BLOCK) % BLOCK);
}

void tar_open(int fd)
{
	tar_fd = fd;
}

void tar_add(const struct text *content, const char *fmt, ...)
{
	char name[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	tar_put(name, content);
}

void tar_file(const char *source, const char *fmt, ...)
{
	static struct text content;
	char name[256];
	va_list args;

	va_start(args, fmt);
	vsnprintf(name, sizeof(name), fmt, args);
	va_end(args);
	if (text_read(&content, source))
		tar_put(name, &content);
}

void each_entry(const char *path, void (*each)(const char *name, void *arg), void *arg)
{
	DIR *folder = opendir(path);
	struct dirent *entry;

	if (folder == NULL)
		return;
	while ((entry = readdir(folder)) != NULL)
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			each(entry->d_name, arg);
	closedir(folder);
}

struct tree {
	const char *source, *name;
	int depth;
};

static void tar_tree_entry(const char *entry, void *arg)
{
	const struct tree *tree = arg;
	char source[512], name[256];
	struct stat st;

	snprintf(source, sizeof(source), "%s/%s", tree->source, entry);
	snprintf(name, sizeof(name), "%s/%s", tree->name, entry);
	if (lstat(source, &st) != 0)
		return;
	if (S_ISREG(st.st_mode) && (st.st_mode & 0444) != 0)
		tar_file(source, "%s", name);
	else if (S_ISDIR(st.st_mode) && tree->depth > 0)
		tar_tree(source, name, tree->depth - 1);
}

void tar_tree(const char *source, const char *name, int depth)
{
	struct tree tree = {.source = source, .name = name, .depth = depth};

	each_entry(source, tar_tree_entry, &tree);
}

void tar_close(void)
{
	static const char zeros[2 * BLOCK];

	tar_write(zeros, sizeof(zeros));
	tar_flush();
}
