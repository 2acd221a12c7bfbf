// SPDX-License-Identifier: LGPL-2.1-or-later
// file: every name of the dentry cache below the root of the first process, mounts on the way
// included.
#include "src/walk/dentry.h"
#include "src/walk/files.h"
#include "src/walk/mount_points.h"

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

enum {
	DENTRIES_A_PAGE = 64, // more than fit in one: they have at least 112 bytes
	MAX_PATH = 64 * 1024, // folders can lie deeper than PATH_MAX, 4096
	MAX_LINK = 4096,
	PATHS = 16 << 20,   // bytes of all paths together, and as much again as
	PATHS_A_PAGE = 256, // names of a usual length have in memory
};

struct folder {
	struct kpath at;
	const char *path; // without a slash at the end
};

struct context {
	struct walk *w;
	struct mount_points mounts;
	struct opt_text mount_namespace;
	VEC(struct folder) folders; // that are still to be walked
	struct folder folder;	    // under way
	struct arena paths;
	uint64_t budget, path_bytes; // dentries, and bytes of paths, that may still come
};

static struct opt_text fs_type(struct walk *w, uint64_t sb)
{
	return col_string(w, k_or0(w->k, sb, F(super_block, s_type)), F(file_system_type, name),
			  64);
}

// File systems of which each name is made up when somebody asks, as often as somebody does.
static bool is_made_up(struct walk *w, uint64_t dentry)
{
	static const char *const types[] = {
		"proc",	  "sysfs",	"cgroup",      "cgroup2",  "debugfs",	 "tracefs",
		"devpts", "securityfs", "binfmt_misc", "configfs", "fusectl",	 "efivarfs",
		"pstore", "bpf",	"mqueue",      "nsfs",	   "rpc_pipefs", "autofs",
	};

	struct opt_text own = fs_type(w, k_or0(w->k, dentry, F(dentry, d_sb)));

	for (size_t i = 0; own.p && i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(own.p, types[i]) == 0)
			return true;
	return false;
}

// --- a row ---

static const char *type_text(uint64_t mode)
{
	switch (mode & S_IFMT) {
	case S_IFREG:
		return "regular";
	case S_IFDIR:
		return "directory";
	case S_IFLNK:
		return "symlink";
	case S_IFCHR:
		return "character";
	case S_IFBLK:
		return "block";
	case S_IFIFO:
		return "fifo";
	case S_IFSOCK:
		return "socket";
	default:
		return "unknown";
	}
}

static struct opt_int seconds(struct opt_int ns)
{
	int64_t s = ns.v / 1000000000;

	return (struct opt_int){ns.set, ns.v % 1000000000 < 0 ? s - 1 : s};
}

// MKDEV() of include/linux/kdev_t.h in, makedev() of the C library out.
static struct opt_int device(struct walk *w, uint64_t sb)
{
	uint64_t dev;

	if (!k_get(w->k, sb, F(super_block, s_dev), &dev))
		return (struct opt_int){0};
	uint64_t major = dev >> 20 & 0xfff, minor = dev & 0xfffff;
	return some_int((int64_t)((minor & 0xff) | major << 8 | (minor & 0xfff00) << 12));
}

static void mode_columns(struct walk *w, uint64_t inode, struct row_file *row)
{
	uint64_t mode, bits;

	if (k_get(w->k, inode, F(inode, i_mode), &mode)) {
		row->mode = row_printf(w, "%04o", (unsigned)(mode & 07777));
		row->type = some_text(type_text(mode));
		row->symlink = some_int(S_ISLNK(mode));
		if (S_ISLNK(mode))
			row->symlink_target_path = col_string(w, inode, F(inode, i_link), MAX_LINK);
	}
	if (k_get(w->k, inode, F(inode, i_blkbits), &bits) && bits < 31)
		row->block_size = some_int(INT64_C(1) << bits);
}

static void emit(const struct context *c, const struct folder *f, const char *name, uint64_t inode)
{
	struct walk *w = c->w;
	uint64_t sb = k_or0(w->k, inode, F(inode, i_sb));
	const char *folder = c->folder.path;
	struct row_file row = {
		.path = some_text(*f->path ? f->path : "/"),
		.directory = some_text(*folder ? folder : "/"),
		.filename = some_text(name),
		.inode = col_int(w, inode, F(inode, i_ino)),
		.uid = col_int(w, inode, F(inode, i_uid)),
		.gid = col_int(w, inode, F(inode, i_gid)),
		.device = device(w, sb),
		.size = col_int(w, inode, F(inode, i_size)),
		.atime = seconds(
			inode_time(w, inode, F(inode, i_atime_sec), F(inode, i_atime_nsec))),
		.mtime = seconds(
			inode_time(w, inode, F(inode, i_mtime_sec), F(inode, i_mtime_nsec))),
		.ctime = seconds(
			inode_time(w, inode, F(inode, i_ctime_sec), F(inode, i_ctime_nsec))),
		.hard_links = col_int(w, inode, F(inode, i_nlink)),
		.pid_with_namespace = some_int(0),
		.mount_namespace_id = c->mount_namespace,
		.fs_type = fs_type(w, sb),
		.dentry_addr = some_addr(f->at.dentry),
		.inode_addr = some_addr(inode),
	};

	mode_columns(w, inode, &row);
	WALK_EMIT(w, file, &row);
}

// --- the tree ---

static bool too_much(struct context *c, uint64_t addr, const char *what)
{
	walk_problem(c->w, ERROR, TABLE_file, 0, addr, "%s: the rest is left out", what);
	c->budget = 0;
	return false;
}

// A folder is walked later.
static void add_folder(struct context *c, const struct folder *f)
{
	const char *path = arena_strndup(&c->paths, f->path, strlen(f->path));

	vec_push(&c->folders, ((struct folder){f->at, path}));
}

static bool is_folder(struct walk *w, uint64_t inode)
{
	uint64_t mode;

	return k_get(w->k, inode, F(inode, i_mode), &mode) && S_ISDIR(mode);
}

// What is at a place in the tree: a row, and if it is a folder more to walk. False when there has
// been too much.
static bool visit_place(struct context *c, const struct folder *f, const char *name)
{
	uint64_t inode = k_or0(c->w->k, f->at.dentry, F(dentry, d_inode));
	uint64_t bytes = strlen(f->path) + 1;

	if (bytes > c->path_bytes)
		return too_much(c, f->at.dentry, "longer paths than can be true");
	c->path_bytes -= bytes;
	if (inode && is_folder(c->w, inode) && !is_made_up(c->w, f->at.dentry))
		add_folder(c, f);
	if (inode)
		emit(c, f, name, inode);
	return true;
}

// The path of an entry of the folder under way, in `path` of MAX_PATH + 1 bytes.
static bool make_path(const struct context *c, uint64_t dentry, const char *name, char *path)
{
	int n = snprintf(path, MAX_PATH + 1, "%s/%s", c->folder.path, name);

	if (n <= MAX_PATH)
		return true;
	walk_problem(c->w, WARNING, TABLE_file, 0, dentry, "a path is too long to be one");
	return false;
}

// An entry says whose it is, and its name has neither a slash nor an end before its end.
static bool read_name(const struct context *c, uint64_t dentry, char name[MAX_DENTRY_NAME + 1])
{
	size_t n = dentry_text(c->w, dentry, name);

	name[n] = '\0';
	if (n && strlen(name) == n && !strchr(name, '/') &&
	    k_or0(c->w->k, dentry, F(dentry, d_parent)) == c->folder.at.dentry)
		return true;
	walk_problem(c->w, ERROR, TABLE_file, 0, dentry, "an entry of a folder that can't be one");
	return false;
}

static bool visit_entry(void *arg, uint64_t dentry)
{
	struct context *c = arg;
	char name[MAX_DENTRY_NAME + 1], path[MAX_PATH + 1];

	if (walk_is_full(c->w, TABLE_file) || --c->budget == 0)
		return too_much(c, dentry, "more names than there is memory for");
	if (!dentry_inode(c->w, dentry) || !read_name(c, dentry, name) ||
	    !make_path(c, dentry, name, path))
		return true;
	struct folder f = {{c->folder.at.mnt, dentry}, path};
	mount_points_cross(&c->mounts, &f.at);
	return visit_place(c, &f, name);
}

static void walk_folder(struct context *c)
{
	c->folder = c->folders.at[--c->folders.n];
	enum iter_end end = dentry_each(c->w, c->folder.at.dentry, c->budget, visit_entry, c);
	if (end != ITER_MORE)
		walk_check_end(c->w, TABLE_file, 0, c->folder.at.dentry, end,
			       "the entries of a folder");
}

static struct opt_text mount_namespace(struct walk *w)
{
	const struct task *first = tasks_first(w->tasks);
	uint64_t inum, ns = first ? k_or0(w->k, first->nsproxy, F(nsproxy, mnt_ns)) : 0;

	if (!ns || !k_get(w->k, ns, F(mnt_namespace, ns_inum), &inum))
		return (struct opt_text){0};
	return some_text(arena_printf(&w->run, "%llu", (unsigned long long)inum));
}

static void run(struct walk *w)
{
	struct context c = {
		.w = w,
		.mount_namespace = mount_namespace(w),
		.budget = w->ram_pages * DENTRIES_A_PAGE,
		.path_bytes = PATHS + w->ram_pages * PATHS_A_PAGE,
	};
	struct folder root = {files_reader_root(w), ""};

	c.folder = root;
	mount_points_find(w, &c.mounts);
	if (!root.at.dentry)
		walk_unavailable(w, TABLE_file, "the root of the first process can't be read");
	else
		(void)visit_place(&c, &root, "");
	while (c.folders.n && c.budget)
		walk_folder(&c);
	vec_fini(&c.folders);
	arena_fini(&c.paths);
	mount_points_fini(&c.mounts);
}

const struct extractor walk_file = {
	.name = "file",
	.tables = {TABLE_file},
	.n_tables = 1,
	.needs = {F(dentry, d_parent), F(dentry, d_inode), F(dentry, d_name),
		  F(dentry, d_hash_pprev), F(inode, i_mode)},
	.n_needs = 5,
	.run = run,
};
