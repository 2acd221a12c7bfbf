// SPDX-License-Identifier: LGPL-2.1-or-later
// Opening files of evidence, and reading what is there of them.
#include "src/phys/io.h"
#include "tests/unit/mem_io.h"

#include <criterion/criterion.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char *refusal(const char *path, enum err_code code)
{
	struct io *io = NULL;
	struct err *e = io_open_file(path, &io);

	cr_assert_not_null(e, "%s was opened", path);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_eq(strncmp(e->msg, path, strlen(path)), 0, "no path in: %s", e->msg);
	return e->msg;
}

Test(io, reads_end_where_the_file_ends)
{
	struct io *io;
	char buf[8] = "........";
	size_t got;

	cr_assert_null(io_open_file(mem_path("abcdefg", 7), &io));
	cr_assert_eq(io->size, 7);
	cr_assert_null(io_read(io, 4, buf, 8, &got));
	cr_assert_eq(got, 3);
	cr_assert_eq(memcmp(buf, "efg.....", 8), 0);
	cr_assert_null(io_read(io, 7, buf, 8, &got));
	cr_assert_eq(got, 0);
	cr_assert_null(io_read(io, UINT64_MAX, buf, 8, &got));
	cr_assert_eq(got, 0);
	io_close(io);
}

Test(io, read_all_makes_an_error_of_less)
{
	struct io *io;
	char buf[8];

	cr_assert_null(io_open_file(mem_path("abcdefg", 7), &io));
	cr_assert_null(io_read_all(io, 0, buf, 7));
	struct err *e = io_read_all(io, 5, buf, 4);
	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_IO);
	cr_assert_not_null(strstr(e->msg, io->path));
	io_close(io);
}

Test(io, refuses_a_directory)
{
	cr_assert_not_null(strstr(refusal("/tmp", ERR_IO), "directory"));
}

Test(io, refuses_what_is_not_there)
{
	cr_assert_not_null(strstr(refusal("/nonexistent/image", ERR_IO), "no such file"));
	cr_assert_not_null(strstr(refusal("/dev/null/image", ERR_IO), "no such file"));
}

Test(io, refuses_an_empty_file)
{
	cr_assert_not_null(strstr(refusal(mem_path("", 0), ERR_FORMAT), "empty"));
}

Test(io, refuses_devices)
{
	cr_assert_not_null(strstr(refusal("/dev/zero", ERR_IO), "character device"));
}

Test(io, does_not_wait_for_a_pipe, .timeout = 10)
{
	char dir[] = "/tmp/vmiscan-test-XXXXXX", path[64];

	cr_assert_not_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/pipe", dir);
	cr_assert_eq(mkfifo(path, 0600), 0);
	char *msg = refusal(path, ERR_IO);
	(void)unlink(path);
	(void)rmdir(dir);
	cr_assert_not_null(strstr(msg, "pipe"));
}

Test(io, says_when_permission_is_missing)
{
	char path[] = "/tmp/vmiscan-test-XXXXXX";
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, "x", 1) == 1 && fchmod(fd, 0) == 0);
	(void)close(fd);
	bool mortal = geteuid() != 0 || seteuid(65534) == 0; // root may read everything
	struct io *io;
	struct err *e = io_open_file(path, &io);
	bool back = getuid() == geteuid() || seteuid(0) == 0;
	(void)unlink(path);
	cr_assert(mortal && back);
	cr_assert_not_null(e);
	cr_assert_eq(e->code, ERR_IO);
	cr_assert_not_null(strstr(e->msg, "no permission"));
}

Test(io, leaves_the_access_time_alone)
{
	char path[] = "/tmp/vmiscan-test-XXXXXX", c;
	struct timespec old[2] = {{1000, 0}, {2000, 0}};
	struct stat st;
	struct io *io;
	int fd = mkstemp(path);

	cr_assert(fd >= 0 && write(fd, "x", 1) == 1 && futimens(fd, old) == 0);
	(void)close(fd);
	cr_assert_null(io_open_file(path, &io));
	cr_assert_null(io_read_all(io, 0, &c, 1));
	io_close(io);
	cr_assert_eq(stat(path, &st), 0);
	(void)unlink(path);
	cr_assert_eq(st.st_atim.tv_sec, 1000);
}
