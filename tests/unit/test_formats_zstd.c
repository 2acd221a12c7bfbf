// SPDX-License-Identifier: LGPL-2.1-or-later
// Images compressed with zstd: whole, in pieces, damaged, and without a trace on disk.
#include "src/base/bytes.h"
#include "src/base/mem.h"
#include "tests/unit/mem_io.h"

#include <criterion/criterion.h>

#include <dirent.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <zstd.h>

enum { SIZE = 1 << 20, FRAME = 1 << 16 };

// Memory: noise, with every other 32 KiB zero.
static uint8_t *content(void)
{
	uint8_t *c = mem_alloc(SIZE);

	noise_fill(0, c, SIZE);
	for (size_t i = 0; i < SIZE; i += 1 << 16)
		memset(c + i, 0, 1 << 15);
	return c;
}

static void add_frame(struct blob *out, const void *bytes, size_t n, bool checksum)
{
	size_t max = ZSTD_compressBound(n);
	uint8_t *buf = mem_alloc(max);
	ZSTD_CCtx *ctx = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(ctx, ZSTD_c_checksumFlag, checksum);
	size_t size = ZSTD_compress2(ctx, buf, max, bytes, n);
	cr_assert_not(ZSTD_isError(size));
	blob_append(out, buf, size);
	ZSTD_freeCCtx(ctx);
	mem_free(buf);
}

static void put32(struct blob *b, uint32_t v)
{
	blob_append(b, &v, 4);
}

// The low half of XXH64, as libzstd has it: the end of a frame with a check sum.
static uint32_t checksum_of(const void *bytes, size_t n)
{
	struct blob frame = {0};
	uint32_t sum;

	add_frame(&frame, bytes, n, true);
	memcpy(&sum, frame.at + frame.n - 4, 4);
	blob_fini(&frame);
	return sum;
}

static struct blob seekable(const uint8_t *bytes, size_t n, size_t frame, bool checksums)
{
	struct blob out = {0}, table = {0};
	size_t count = 0, entry = checksums ? 12 : 8;

	for (size_t i = 0; i < n; i += frame, count++) {
		size_t before = out.n, part = frame < n - i ? frame : n - i;
		add_frame(&out, bytes + i, part, false);
		put32(&table, (uint32_t)(out.n - before));
		put32(&table, (uint32_t)part);
		if (checksums)
			put32(&table, checksum_of(bytes + i, part));
	}
	put32(&out, 0x184D2A5E);
	put32(&out, (uint32_t)(count * entry + 9));
	blob_append(&out, table.at, table.n);
	put32(&out, (uint32_t)count);
	blob_append(&out, checksums ? "\x80" : "\0", 1);
	put32(&out, 0x8F92EAB1);
	blob_fini(&table);
	return out;
}

static struct image *open_blob(const struct blob *b)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_null(e, "%s", e ? e->msg : "");
	return img;
}

static void refused(const struct blob *b, enum err_code code, const char *word)
{
	struct image *img;
	struct err *e = open_bytes(b->at, b->n, &img);

	cr_assert_not_null(e);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, word), "no \"%s\" in: %s", word, e->msg);
}

static void has_content(struct image *img, const uint8_t *c, size_t n)
{
	uint8_t *buf = mem_alloc(n);

	cr_assert_eq(img->io->size, n);
	for (size_t i = 0; i + 8 <= n; i += 40961)
		cr_assert(physmem_read(img->mem, i, buf, 8) && memcmp(buf, c + i, 8) == 0);
	cr_assert_eq(physmem_read_bulk(img->mem, 0, buf, n), n);
	cr_assert_eq(memcmp(buf, c, n), 0);
	mem_free(buf);
}

Test(zstd, unpacks_one_frame)
{
	uint8_t *c = content();
	struct blob b = {0};

	add_frame(&b, c, SIZE, true);
	struct image *img = open_blob(&b);
	cr_assert_str_eq(img->compression, "zstd");
	cr_assert_str_eq(img->fmt->name, "raw");
	cr_assert_not(img->truncated);
	has_content(img, c, SIZE);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

// pzstd writes a skippable frame first; `cat a.zst b.zst` is a file, too.
Test(zstd, unpacks_several_frames_and_skips_others)
{
	uint8_t *c = content();
	struct blob b = {0};

	blob_append(&b, "\x50\x2a\x4d\x18\4\0\0\0skip", 12);
	add_frame(&b, c, SIZE / 2, false);
	blob_append(&b, "\x5f\x2a\x4d\x18\0\0\0\0", 8);
	add_frame(&b, c + SIZE / 2, SIZE / 2, true);
	struct image *img = open_blob(&b);
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	has_content(img, c, SIZE);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, reads_the_seekable_format_at_random)
{
	uint8_t *c = content();

	for (int checksums = 0; checksums < 2; checksums++) {
		struct blob b = seekable(c, SIZE - 4096, FRAME, checksums);
		struct image *img = open_blob(&b);
		cr_assert_str_eq(img->compression, "zstd-seekable");
		has_content(img, c, SIZE - 4096);
		image_close(img);
		blob_fini(&b);
	}
	mem_free(c);
}

Test(zstd, frames_in_the_scratch_file_are_found_again)
{
	// 160 frames, more than are kept in memory.
	uint8_t *c = content();
	struct blob b = seekable(c, SIZE, 6560, true);
	struct image *img = open_blob(&b);

	for (int round = 0; round < 3; round++)
		has_content(img, c, SIZE);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, the_seekable_format_works_without_a_scratch_file)
{
	uint8_t *c = content();
	struct blob b = seekable(c, SIZE, 6560, false);

	(void)setenv("TMPDIR", "/nonexistent", 1);
	struct image *img = open_blob(&b);
	cr_assert_str_eq(img->compression, "zstd-seekable");
	has_content(img, c, SIZE);
	has_content(img, c, SIZE);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

// The damage is in frame 5; without check sums only what zstd itself notices is found.
Test(zstd, a_damaged_frame_is_absent_and_the_others_are_there)
{
	uint8_t *c = content(), buf[8];
	struct blob b = seekable(c, SIZE, FRAME, true);
	size_t off = 0;

	for (size_t i = 0; i < 5; i++)
		off += le32(b.at + b.n - 9 - 16 * (size_t)12 + 12 * i);
	b.at[off + 20000] ^= 0x10;
	struct image *img = open_blob(&b);
	cr_assert(physmem_read(img->mem, 4 * FRAME + 40000, buf, 8));
	cr_assert_not(physmem_read(img->mem, 5 * FRAME + 40000, buf, 8));
	cr_assert(physmem_read(img->mem, 6 * FRAME + 40000, buf, 8));
	cr_assert_eq(memcmp(buf, c + (size_t)6 * FRAME + 40000, 8), 0);
	cr_assert_eq(physmem_stats(img->mem).unreadable, 1);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, a_seek_table_that_does_not_fit_is_not_used)
{
	uint8_t *c = content();
	struct blob b = seekable(c, SIZE, FRAME, false);

	b.at[b.n - 9 - 4] ^= 1; // the size of the last frame
	b.at[b.n - 9 - 8] ^= 1;
	struct image *img = open_blob(&b);
	cr_assert_str_eq(img->compression, "zstd");
	cr_assert_not(img->truncated);
	has_content(img, c, SIZE);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, large_frames_are_unpacked)
{
	size_t n = 9 << 20;
	uint8_t *c = mem_zalloc(n, 1);

	noise_fill(0, c, SIZE);
	struct blob b = seekable(c, n, n, true);
	struct image *img = open_blob(&b);
	cr_assert_str_eq(img->compression, "zstd");
	has_content(img, c, n);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, a_cut_file_keeps_what_was_unpacked)
{
	uint8_t *c = content(), buf[8];
	struct blob b = {0};

	add_frame(&b, c, SIZE, true);
	b.n = b.n * 3 / 4;
	struct image *img = open_blob(&b);
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "ends too early"));
	cr_assert(img->io->size >= SIZE / 2 && img->io->size < SIZE);
	cr_assert(physmem_read(img->mem, SIZE / 2 - 8, buf, 8));
	cr_assert_eq(memcmp(buf, c + SIZE / 2 - 8, 8), 0);
	cr_assert_not(physmem_read(img->mem, SIZE - 8, buf, 8));
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, damage_keeps_what_was_before_it)
{
	uint8_t *c = content();
	struct blob b = {0};

	add_frame(&b, c, SIZE / 2, true);
	size_t second = b.n;
	add_frame(&b, c, SIZE / 2, true);
	memset(b.at + second, 0x55, 8);
	struct image *img = open_blob(&b);
	cr_assert(img->truncated);
	has_content(img, c, SIZE / 2);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, a_wrong_check_sum_is_told)
{
	uint8_t *c = content();
	struct blob b = {0};

	add_frame(&b, c, SIZE, true);
	b.at[b.n - 1] ^= 1;
	struct image *img = open_blob(&b);
	cr_assert(img->truncated);
	cr_assert_not_null(strstr(img->truncated_why, "checksum"), "%s", img->truncated_why);
	image_close(img);
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, a_stream_that_yields_nothing_is_an_error)
{
	struct blob b = {0};

	blob_append(&b, "\x28\xb5\x2f\xfd", 4);
	refused(&b, ERR_FORMAT, "nothing can be unpacked");
	blob_append(&b, "\xff\xff\xff\xff\xff\xff\xff\xff\xff", 9);
	refused(&b, ERR_FORMAT, "nothing can be unpacked");
	b.n = 0;
	add_frame(&b, "", 0, false);
	refused(&b, ERR_FORMAT, "it is empty");
	blob_fini(&b);
}

Test(zstd, a_huge_window_is_refused_with_advice)
{
	// Magic, no flags, window 2^31: RFC 8878, 3.1.1.1.
	static const uint8_t frame[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 3, 0, 0, 0, 0, 0};
	struct blob b = {0};

	blob_append(&b, frame, sizeof(frame));
	refused(&b, ERR_UNSUPPORTED, "--long=31");
	blob_fini(&b);
}

Test(zstd, compressed_twice_is_refused)
{
	struct blob once = {0}, twice = {0};

	add_frame(&once, "memory", 6, false);
	add_frame(&twice, once.at, once.n, false);
	refused(&twice, ERR_UNSUPPORTED, "compressed twice, the second time with zstd");
	blob_fini(&once);
	blob_fini(&twice);
}

// --- The scratch file ---

static size_t entries(const char *dir)
{
	DIR *d = opendir(dir);
	size_t n = 0;

	cr_assert_not_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

Test(zstd, nothing_can_be_seen_in_tmpdir)
{
	char dir[] = "/tmp/vmiscan-test-XXXXXX";
	uint8_t *c = content();
	struct blob b = {0};

	cr_assert_not_null(mkdtemp(dir));
	(void)setenv("TMPDIR", dir, 1);
	add_frame(&b, c, SIZE, true);
	struct image *img = open_blob(&b);
	size_t n = entries(dir);
	image_close(img);
	(void)rmdir(dir);
	cr_assert_eq(n, 2); // . and ..
	blob_fini(&b);
	mem_free(c);
}

Test(zstd, a_scratch_directory_that_is_full_or_missing_is_named)
{
	struct rlimit tiny = {64 << 10, 64 << 10};
	uint8_t *c = content();
	struct blob b = {0};

	add_frame(&b, c, SIZE, true);
	(void)setenv("TMPDIR", "/nonexistent", 1);
	refused(&b, ERR_IO, "/nonexistent");
	(void)setenv("TMPDIR", "/var/tmp", 1);
	const char *path = mem_path(b.at, b.n);
	(void)signal(SIGXFSZ, SIG_IGN);
	cr_assert_eq(setrlimit(RLIMIT_FSIZE, &tiny), 0);
	struct image *img;
	struct err *e = image_open(path, NULL, &img);
	cr_assert_not_null(e);
	cr_assert_not_null(strstr(e->msg, "/var/tmp"), "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, "TMPDIR"), "%s", e->msg);
	blob_fini(&b);
	mem_free(c);
}

// Blocks on disk of the open file of this size.
static blkcnt_t blocks_of(off_t size)
{
	struct stat st;

	for (int fd = 3; fd < 64; fd++)
		if (fstat(fd, &st) == 0 && st.st_size == size)
			return st.st_blocks;
	return -1;
}

// 1 GiB of zeros in 32 KiB: the disk must not notice.
Test(zstd, zeros_stay_sparse)
{
	uint8_t *zeros = mem_zalloc(1, 64 << 20);
	struct blob one = {0}, b = {0};

	add_frame(&one, zeros, 64 << 20, false);
	mem_free(zeros);
	for (int i = 0; i < 16; i++)
		blob_append(&b, one.at, one.n);
	struct image *img = open_blob(&b);
	cr_assert_eq(img->io->size, 1 << 30);
	blkcnt_t blocks = blocks_of(1 << 30);
	cr_assert(blocks >= 0 && blocks < 64, "%lld", (long long)blocks);
	image_close(img);
	blob_fini(&one);
	blob_fini(&b);
}

Test(zstd, survives_random_damage)
{
	uint8_t *c = content();
	struct blob b = seekable(c, SIZE / 4, 8192, true), copy = {0};
	struct image *img;
	uint64_t x = 1;
	uint8_t *buf = mem_alloc(SIZE);

	for (int i = 0; i < 1500; i++) {
		blob_put(&copy, 0, b.at, b.n);
		x = x * 6364136223846793005ULL + 1442695040888963407ULL;
		size_t at = (x >> 33) % (i % 2 ? 600 : b.n);
		copy.at[i % 4 ? copy.n - 1 - at : at] = (uint8_t)(x >> 25);
		if (open_bytes(copy.at, copy.n - (i % 5 ? 0 : (x >> 20) % 64), &img))
			continue;
		(void)physmem_read_bulk(img->mem, 0, buf, SIZE);
		image_close(img);
	}
	mem_free(buf);
	blob_fini(&copy);
	blob_fini(&b);
	mem_free(c);
}
