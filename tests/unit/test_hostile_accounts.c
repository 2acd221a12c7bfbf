// SPDX-License-Identifier: LGPL-2.1-or-later
// A real guest in whose passwd lines are odd, in the page that its page cache has of it.
#include "src/walk/cached_file.h"
#include "src/walk/dentry.h"
#include "tests/unit/patched_image.h"

#include <criterion/criterion.h>

#include <string.h>

static uint64_t inode, page, pa;

static void find_passwd(void)
{
	patched_begin();
	inode = cached_inode(&patched.w, "etc/passwd");
	uint64_t pages = FIELD_VA(READ(inode, inode, i_mapping), address_space, i_pages);
	if (!inode || !xa_load(patched.k, pages, 0, &page, NULL) ||
	    !k_page_pa(patched.k, page, &pa))
		cr_skip_test("the image has no page of /etc/passwd");
}

TestSuite(hostile, .init = find_passwd, .fini = patched_close, .timeout = 120);

static void walk_with(const char *text, size_t n, uint64_t size)
{
	patch_pa(pa, text, n);
	patch_field(inode, F(inode, i_size), size);
	patched_walk_kept();
}

static const char *value(size_t i, const char *column)
{
	return row_log_value(&patched.log, TABLE_users, i, column);
}

Test(hostile, lines_as_the_c_library_takes_them)
{
	static const char text[] = "few:x:00000000000000012:7\n"
				   " \tblank:x: 13:7:::\n"
				   "nul:x:14:7:\0:::\n"
				   "few:x:15\n"
				   "huge:x:99999999999999999999999999:7:::\n"
				   "last:x:4294967295:7:a:/b:/c";

	walk_with(text, sizeof(text) - 1, sizeof(text) - 1);
	cr_assert_eq(patched.log.n[TABLE_users], 4);
	cr_expect_str_eq(value(0, "uid"), "12");
	cr_expect_str_eq(value(0, "shell"), "");
	cr_expect_str_eq(value(1, "username"), "blank");
	cr_expect_str_eq(value(1, "uid"), "13");
	cr_expect_str_eq(value(2, "username"), "nul");
	cr_expect_str_eq(value(3, "uid"), "4294967295");
	cr_expect_str_eq(value(3, "shell"), "/c");
	cr_expect(row_log_problem(&patched.log, TABLE_users, "line 4 of /etc/passwd"));
	cr_expect(row_log_problem(&patched.log, TABLE_users, "line 5 of /etc/passwd"));
	cr_expect(row_log_problem(&patched.log, TABLE_user_groups, "line 5 of /etc/passwd"));
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_users), "partial");
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_user_groups), "partial");
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_groups), "complete");
}

Test(hostile, the_line_where_a_file_is_cut_is_not_taken)
{
	static const char whole[] = "whole:x:1:1\n", cut[] = "cut:x:1:1";
	char text[PAGE_SIZE];

	memset(text, '\n', sizeof(text));
	patch_pa(pa, text, sizeof(text));
	patch_pa(pa + PAGE_SIZE - strlen(cut), cut, strlen(cut));
	walk_with(whole, strlen(whole), 2ULL * PAGE_SIZE);
	cr_expect_eq(patched.log.n[TABLE_users], 1);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_users), "partial");
}

Test(hostile, a_page_that_is_not_uptodate_is_no_content)
{
	patch_field(page, F(page, flags), 0);
	patched_walk_kept();
	cr_expect_eq(patched.log.n[TABLE_users], 0);
	cr_expect_str_eq(row_log_status(&patched.log, TABLE_users), "unavailable");
}

// On /etc lies what is mounted on it in the mount of the root, and nothing that is elsewhere.
Test(hostile, a_mount_is_where_its_parent_is)
{
	uint64_t proc = patched_address(TABLE_mounts, "path", "/proc", "mount_addr");
	uint64_t sys = patched_address(TABLE_mounts, "path", "/sys", "mount_addr");

	patch_field(proc, F(mount, mnt_mountpoint),
		    dentry_child(&patched.w, cached_root(&patched.w), "etc"));
	patched_walk_kept();
	cr_expect_eq(patched.log.n[TABLE_users], 0);
	patch_field(proc, F(mount, mnt_parent), sys);
	patched_walk_kept();
	cr_expect_gt(patched.log.n[TABLE_users], 0);
	cr_expect_eq(patched.log.n[TABLE_users], patched.honest[TABLE_users]);
}
