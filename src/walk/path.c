// SPDX-License-Identifier: LGPL-2.1-or-later
// Names of files: fs/d_path.c of the kernel, over memory that may lie.
#include "src/walk/path.h"

#include <inttypes.h>
#include <string.h>

// A name can be longer than NAME_MAX on FUSE; a path component is always shorter than PATH_MAX.
// Files can lie deeper than PATH_MAX, but not much deeper by accident.
enum { MAX_COMPONENT = 4096, MAX_STEPS = 4096, MAX_NAME = 64 * 1024, FIRST_ROOM = 256 };

// File systems without a mount point, whose names d_dname makes: include/uapi/linux/magic.h. The
// functions themselves are static, so the super block's magic number tells which one it is.
enum {
	MAGIC_SOCKFS = 0x534f434b,
	MAGIC_PIPEFS = 0x50495045,
	MAGIC_ANON_INODE = 0x09041934,
	MAGIC_NSFS = 0x6e736673,
	MAGIC_PIDFS = 0x50494446,
	MAGIC_DMABUF = 0x444d4142,
};

// A text that grows at its front, in the row arena.
struct front {
	struct arena *arena;
	char *buf;
	size_t at, cap; // the text is buf[at .. cap), the last byte its NUL
};

static void front_init(struct front *f, struct arena *arena)
{
	*f = (struct front){arena, arena_alloc(arena, FIRST_ROOM), FIRST_ROOM - 1, FIRST_ROOM};
	f->buf[f->at] = '\0';
}

// Room for n more bytes at the front; where they go.
static char *front_add(struct front *f, size_t n)
{
	if (n > f->at) {
		size_t used = f->cap - f->at, cap = 2 * f->cap + n;
		char *buf = arena_alloc(f->arena, cap);
		memcpy(buf + cap - used, f->buf + f->at, used);
		f->buf = buf;
		f->at = cap - used;
		f->cap = cap;
	}
	f->at -= n;
	return f->buf + f->at;
}

static bool add_component(struct walk *w, struct front *f, uint64_t dentry)
{
	uint64_t name_va = k_field_va(w->k, dentry, F(dentry, d_name)), name, len;

	if (!k_get(w->k, name_va, F(qstr, name), &name) ||
	    !k_get(w->k, name_va, F(qstr, len), &len) || len >= MAX_COMPONENT ||
	    f->cap - f->at + len > MAX_NAME)
		return false;
	char *at = front_add(f, len + 1);
	*at = '/';
	return k_read(w->k, name, at + 1, len);
}

static char *front_text(struct front *f)
{
	if (f->at == f->cap - 1)
		*front_add(f, 1) = '/';
	return f->buf + f->at;
}

bool kpath_read(struct walk *w, uint64_t va, struct kpath *out)
{
	return va && k_get(w->k, va, F(path, mnt), &out->mnt) &&
	       k_get(w->k, va, F(path, dentry), &out->dentry) && k_plausible(w->k, out->mnt) &&
	       k_plausible(w->k, out->dentry);
}

static bool is_root(struct walk *w, uint64_t dentry)
{
	return k_or0(w->k, dentry, F(dentry, d_parent)) == dentry;
}

// d_unlinked() of include/linux/dcache.h.
static bool is_unlinked(struct walk *w, uint64_t dentry)
{
	uint64_t pprev;

	return k_get(w->k, dentry, F(dentry, d_hash_pprev), &pprev) && pprev == 0 &&
	       !is_root(w, dentry);
}

// --- names that d_dname makes ---

static char *bare_name(struct walk *w, uint64_t dentry)
{
	struct front f;

	front_init(&f, &w->row);
	return add_component(w, &f, dentry) ? front_text(&f) + 1 : NULL;
}

static char *with_inode(struct walk *w, const char *what, uint64_t inode)
{
	uint64_t ino;

	if (!k_get(w->k, inode, F(inode, i_ino), &ino))
		return NULL;
	return arena_printf(&w->row, "%s:[%" PRIu64 "]", what, ino);
}

// i_private is the ns_common; its ops name the kind (fs/nsfs.c; d_fsdata held the ops until 6.9).
static char *namespace_name(struct walk *w, uint64_t inode)
{
	uint64_t ns = k_or0(w->k, inode, F(inode, i_private));
	uint64_t ops = k_or0(w->k, ns, F(ns_common, ops));
	uint64_t name = k_or0(w->k, ops, F(proc_ns_operations, name));
	char *kind = name ? k_string(w->k, &w->row, name, 32) : NULL;

	return kind ? with_inode(w, kind, inode) : NULL;
}

static char *dmabuf_name(struct walk *w, uint64_t dentry)
{
	uint64_t buffer = k_or0(w->k, dentry, F(dentry, d_fsdata));
	uint64_t name = k_or0(w->k, buffer, F(dma_buf, name));
	char *given = name ? k_string(w->k, &w->row, name, 64) : NULL;
	char *file = bare_name(w, dentry);

	return file ? arena_printf(&w->row, "/%s:%s", file, given ? given : "") : NULL;
}

static char *anon_inode_name(struct walk *w, uint64_t dentry)
{
	char *name = bare_name(w, dentry);

	return name ? arena_printf(&w->row, "anon_inode:%s", name) : NULL;
}

// All others have simple_dname(): memfd, System V and anonymous shared memory, secretmem, aio.
static char *simple_name(struct walk *w, uint64_t dentry, bool *deleted)
{
	char *name = bare_name(w, dentry);

	*deleted = name != NULL;
	return name ? name - 1 : NULL;
}

static char *pseudo_name(struct walk *w, uint64_t dentry, bool *deleted)
{
	uint64_t inode = k_or0(w->k, dentry, F(dentry, d_inode));
	uint64_t sb = k_or0(w->k, dentry, F(dentry, d_sb));

	switch (k_or0(w->k, sb, F(super_block, s_magic))) {
	case MAGIC_SOCKFS:
		return with_inode(w, "socket", inode);
	case MAGIC_PIPEFS:
		return with_inode(w, "pipe", inode);
	case MAGIC_ANON_INODE:
		return anon_inode_name(w, dentry);
	case MAGIC_NSFS:
		return namespace_name(w, inode);
	case MAGIC_PIDFS: // as it was when pidfds were anonymous inodes: fs/pidfs.c says why
		return arena_strndup(&w->row, "anon_inode:[pidfd]", 18);
	case MAGIC_DMABUF:
		return dmabuf_name(w, dentry);
	default:
		return simple_name(w, dentry, deleted);
	}
}

// A namespace bound to a file has a mount: then its dentry is the mount's root, and it has a path.
static bool is_pseudo(struct walk *w, struct kpath path)
{
	uint64_t ops = k_or0(w->k, path.dentry, F(dentry, d_op));

	if (!ops || !k_or0(w->k, ops, F(dentry_operations, d_dname)))
		return false;
	return !is_root(w, path.dentry) ||
	       path.dentry != k_or0(w->k, path.mnt, F(vfsmount, mnt_root));
}

// --- names by place ---

enum climb { CLIMB_TOP, CLIMB_ESCAPED, CLIMB_BROKEN };

// From the root of a mount to where it is mounted; false at the top of all mounts.
static bool leave_mount(struct walk *w, struct kpath *at)
{
	uint64_t mount = k_container(w->k, at->mnt, F(mount, mnt));
	uint64_t parent = k_or0(w->k, mount, F(mount, mnt_parent));

	if (parent == mount)
		return false;
	at->dentry = k_or0(w->k, mount, F(mount, mnt_mountpoint));
	at->mnt = k_field_va(w->k, parent, F(mount, mnt));
	return true;
}

// __prepend_path(): up to root, or to the top of the mounts if that is not on the way.
static enum climb climb(struct walk *w, struct kpath at, struct kpath root, struct front *f)
{
	uint64_t mnt_root = k_or0(w->k, at.mnt, F(vfsmount, mnt_root)), parent;

	for (int i = 0; i < MAX_STEPS; i++) {
		if (!k_plausible(w->k, at.dentry) || !k_plausible(w->k, at.mnt) ||
		    !k_plausible(w->k, mnt_root))
			return CLIMB_BROKEN;
		if (at.dentry == root.dentry && at.mnt == root.mnt)
			return CLIMB_TOP;
		if (at.dentry == mnt_root) {
			if (!leave_mount(w, &at))
				return CLIMB_TOP;
			mnt_root = k_or0(w->k, at.mnt, F(vfsmount, mnt_root));
			continue;
		}
		if (!k_get(w->k, at.dentry, F(dentry, d_parent), &parent))
			return CLIMB_BROKEN;
		if (parent == at.dentry)
			return CLIMB_ESCAPED;
		if (!add_component(w, f, at.dentry))
			return CLIMB_BROKEN;
		at.dentry = parent;
	}
	return CLIMB_BROKEN;
}

char *path_name(struct walk *w, struct kpath path, struct kpath root, bool *deleted)
{
	struct front f;

	*deleted = false;
	if (is_pseudo(w, path))
		return pseudo_name(w, path.dentry, deleted);
	*deleted = is_unlinked(w, path.dentry);
	front_init(&f, &w->row);
	switch (climb(w, path, root, &f)) {
	case CLIMB_TOP:
		return front_text(&f);
	case CLIMB_ESCAPED: // what was climbed so far is dropped, as the kernel does
		return arena_strndup(&w->row, "/", 1);
	case CLIMB_BROKEN:
		break;
	}
	return NULL;
}

char *dentry_name(struct walk *w, uint64_t dentry)
{
	uint64_t parent;
	struct front f;

	front_init(&f, &w->row);
	for (int i = 0; i < MAX_STEPS; i++) {
		if (!k_plausible(w->k, dentry) ||
		    !k_get(w->k, dentry, F(dentry, d_parent), &parent))
			return NULL;
		if (parent == dentry)
			return front_text(&f);
		if (!add_component(w, &f, dentry))
			return NULL;
		dentry = parent;
	}
	return NULL;
}

struct opt_text col_device(struct walk *w, uint64_t dev)
{
	// MKDEV() of include/linux/kdev_t.h; fs/proc/task_mmu.c prints it so
	return row_printf(w, "%02" PRIx64 ":%02" PRIx64, dev >> 20, dev & 0xfffff);
}

struct opt_text path_as_printed(struct walk *w, const char *name, bool deleted)
{
	return some_text(name && deleted ? arena_printf(&w->row, "%s (deleted)", name) : name);
}
