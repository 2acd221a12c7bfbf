// SPDX-License-Identifier: LGPL-2.1-or-later
// process_open_files: what /proc/PID/fd and fdinfo show.
#include "src/walk/files.h"

#include <string.h>
#include <sys/stat.h>

enum { O_CLOEXEC_BIT = 02000000 }; // include/uapi/asm-generic/fcntl.h

struct context {
	struct walk *w;
	struct kpath root;
};

static bool starts(const char *s, const char *prefix)
{
	return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

// The kind of an inode that looks regular, or has no type at all, by the name that its file system
// gives it: "anon_inode:[eventpoll]", "/memfd:NAME", "net:[4026531840]".
static const char *named_type(const char *path)
{
	if (starts(path, "anon_inode:") || starts(path, "pidfd:"))
		return "anon_inode";
	if (starts(path, "/memfd:"))
		return "memfd";
	return path && path[0] != '/' && strchr(path, '[') ? "namespace" : NULL;
}

static const char *type_text(uint64_t mode, const char *path)
{
	const char *named = named_type(path);

	switch (mode & S_IFMT) {
	case 0: // anonymous inodes have none before 6.15
	case S_IFREG:
		return named ? named : mode ? "regular" : "other";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "link";
	case S_IFCHR:
		return "char";
	case S_IFBLK:
		return "block";
	case S_IFSOCK:
		return "socket";
	case S_IFIFO:
		return starts(path, "pipe:") ? "pipe" : "fifo";
	default:
		return "other";
	}
}

static struct opt_int is_deleted(const char *path, bool deleted)
{
	return path && path[0] == '/' ? some_int(deleted) : (struct opt_int){0};
}

// Time of an inode. The nanoseconds of i_ctime have a flag of their own in bit 31 since 6.13
// (4e40eff0b573, I_CTIME_QUERIED).
struct opt_int inode_time(struct walk *w, uint64_t inode, enum field sec, enum field nsec)
{
	const int64_t billion = 1000000000;
	uint64_t s, ns;
	int64_t sum;

	if (!k_get(w->k, inode, sec, &s) || !k_get(w->k, inode, nsec, &ns))
		return (struct opt_int){0};
	ns &= INT32_MAX;
	if (ns >= (uint64_t)billion || __builtin_mul_overflow((int64_t)s, billion, &sum) ||
	    __builtin_add_overflow(sum, (int64_t)ns, &sum))
		return (struct opt_int){0};
	return some_int(sum);
}

static void emit_file(void *arg, const struct open_file *f)
{
	struct context *c = arg;
	struct walk *w = c->w;
	struct kernel *k = w->k;
	struct kpath path;
	bool deleted = false;
	char *name = NULL;
	uint64_t mode = 0, flags;
	bool has_mode = k_get(k, f->inode, F(inode, i_mode), &mode);
	uint64_t sb = k_or0(k, f->inode, F(inode, i_sb)), dev;

	if (kpath_read(w, k_field_va(k, f->file, F(file, f_path)), &path))
		name = path_name(w, path, c->root, &deleted);
	struct row_process_open_files row = {
		.pid = task_pid(f->task),
		.fd = some_int((int64_t)f->fd),
		.path = path_as_printed(w, name, deleted),
		.file_addr = some_addr(f->file),
		.position = col_int(w, f->file, F(file, f_pos)),
		.inode = col_int(w, f->inode, F(inode, i_ino)),
		.size = col_int(w, f->inode, F(inode, i_size)),
		.deleted = is_deleted(name, deleted),
		.cloexec = some_int(f->cloexec),
		.uid = col_int(w, f->inode, F(inode, i_uid)),
		.gid = col_int(w, f->inode, F(inode, i_gid)),
		.atime_ns = inode_time(w, f->inode, F(inode, i_atime_sec), F(inode, i_atime_nsec)),
		.mtime_ns = inode_time(w, f->inode, F(inode, i_mtime_sec), F(inode, i_mtime_nsec)),
		.ctime_ns = inode_time(w, f->inode, F(inode, i_ctime_sec), F(inode, i_ctime_nsec)),
		.task_addr = some_addr(f->task->addr),
	};
	if (has_mode) {
		row.mode = some_int((int64_t)mode);
		row.type = some_text(type_text(mode, name));
	}
	// fdinfo adds O_CLOEXEC from the table: fs/proc/fd.c seq_show()
	if (k_get(k, f->file, F(file, f_flags), &flags))
		row.flags = some_int((int64_t)((flags & ~(uint64_t)O_CLOEXEC_BIT) |
					       (f->cloexec ? O_CLOEXEC_BIT : 0)));
	if (k_get(k, sb, F(super_block, s_dev), &dev))
		row.device = col_device(w, dev);
	WALK_EMIT(w, process_open_files, &row);
}

static void run(struct walk *w)
{
	struct context c = {w, files_reader_root(w)};

	files_each(w, TABLE_process_open_files, emit_file, &c);
}

const struct extractor walk_open_files = {
	.name = "open_files",
	.tables = {TABLE_process_open_files},
	.n_tables = 1,
	.needs = {F(files_struct, fdt), F(fdtable, fd), F(fdtable, max_fds), F(file, f_path),
		  F(file, f_inode)},
	.n_needs = 5,
	.run = run,
};
