// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest whose dentry cache is a lie.
#include "src/walk/dentry.h"
#include "tests/unit/patched_image.h"

#include <criterion/criterion.h>

#include <string.h>

#define NOWHERE 0xffffc90000000000ULL

TestSuite(hostile_names, .init = patched_begin, .fini = patched_close, .timeout = 120);

static uint64_t dentry_of(const char *path)
{
	return patched_address(TABLE_file, "path", path, "dentry_addr");
}

// The link of a folder to its first entry, and of an entry to the next.
static uint64_t first_link(uint64_t folder)
{
	return k_has(patched.k, F(dentry, d_children)) ? FIELD_VA(folder, dentry, d_children)
						       : FIELD_VA(folder, dentry, d_subdirs);
}

static uint64_t own_link(uint64_t dentry)
{
	return k_has(patched.k, F(dentry, d_sib)) ? FIELD_VA(dentry, dentry, d_sib)
						  : FIELD_VA(dentry, dentry, d_child);
}

Test(hostile_names, entries_in_a_circle)
{
	uint64_t passwd = dentry_of("/etc/passwd");

	patch_u64(own_link(passwd), own_link(passwd));
	patched_walk_soon();
	patched_expect_partial(TABLE_file, "circle");
	cr_expect_leq(patched.log.n[TABLE_file], patched.honest[TABLE_file]);
}

Test(hostile_names, entries_that_are_nowhere)
{
	patch_u64(first_link(dentry_of("/etc")), NOWHERE);
	patched_walk_soon();
	patched_expect_partial(TABLE_file, "memory that is not there");
	cr_expect_lt(patched.log.n[TABLE_file], patched.honest[TABLE_file]);
}

// Its entries say that they are another folder's.
Test(hostile_names, a_folder_with_the_entries_of_another)
{
	uint64_t etc = dentry_of("/etc"), first = 0;

	cr_assert(k_ptr(patched.k, first_link(dentry_of("/")), &first));
	patch_u64(first_link(etc), first);
	patched_walk_soon();
	patched_expect_partial(TABLE_file, "can't be one");
}

// The root is in itself, and says so: it is the only one that is its own parent.
Test(hostile_names, folders_without_end)
{
	uint64_t root = dentry_of("/"), qstr = FIELD_VA(root, dentry, d_name), first = 0;

	cr_assert(k_ptr(patched.k, first_link(root), &first));
	patch_u64(first_link(root), own_link(root));
	patch_u64(own_link(root), first);
	patch_bytes(READ(qstr, qstr, name), "x", 1);
	patch_field(root, F(dentry, d_hash_pprev), root);
	patched_walk_soon();
	patched_expect_partial(TABLE_file, "longer paths than can be true");
	cr_expect_gt(patched.log.n[TABLE_file], patched.honest[TABLE_file]);
}

static void rename_passwd(const char *name, size_t n, uint64_t len)
{
	uint64_t qstr = FIELD_VA(dentry_of("/etc/passwd"), dentry, d_name);

	patch_bytes(READ(qstr, qstr, name), name, n);
	patch_u32(FIELD_VA(qstr, qstr, len), (uint32_t)len);
	patched_walk_soon();
	patched_expect_partial(TABLE_file, "can't be one");
	cr_expect_eq(patched.log.n[TABLE_file], patched.honest[TABLE_file] - 1);
}

Test(hostile_names, a_name_with_a_slash)
{
	rename_passwd("a/bcde", 6, 6);
}

Test(hostile_names, a_name_with_an_end)
{
	rename_passwd("a\0bcde", 6, 6);
}

Test(hostile_names, a_name_longer_than_any)
{
	rename_passwd("passwd", 6, UINT32_MAX);
}

Test(hostile_names, no_name)
{
	rename_passwd("passwd", 6, 0);
}

Test(hostile_names, an_inode_that_is_nowhere)
{
	patch_field(dentry_of("/etc/passwd"), F(dentry, d_inode), NOWHERE);
	patched_walk_soon();
	patched_expect_partial(TABLE_file, "found nothing");
	cr_expect_eq(patched.log.n[TABLE_file], patched.honest[TABLE_file]);
}

Test(hostile_names, mounts_on_each_other)
{
	uint64_t proc = patched_address(TABLE_mounts, "path", "/proc", "mount_addr");
	uint64_t sys = patched_address(TABLE_mounts, "path", "/sys", "mount_addr");
	uint64_t proc_root = READ(FIELD_VA(proc, mount, mnt), vfsmount, mnt_root);
	uint64_t sys_root = READ(FIELD_VA(sys, mount, mnt), vfsmount, mnt_root);

	patch_field(sys, F(mount, mnt_parent), proc);
	patch_field(sys, F(mount, mnt_mountpoint), proc_root);
	patch_field(proc, F(mount, mnt_parent), sys);
	patch_field(proc, F(mount, mnt_mountpoint), sys_root);
	patched_walk_soon();
	cr_expect_gt(patched.log.n[TABLE_file], 0);
}
