// SPDX-License-Identifier: LGPL-2.1-or-later
// VM state in snapshots inside qcow2 images.
#include "tests/unit/qcow2_build.h"
#include "tests/unit/qemu_build.h"

#include <criterion/criterion.h>

#include <string.h>

enum { PAGES = 24, PAGE_BYTES = 4096, ENTRIES_AT = Q2_CLUSTER };

static struct err *open_named(const struct blob *b, const char *snapshot, struct image **img)
{
	const struct fmt_options opts = {.snapshot = snapshot};

	*img = NULL;
	return image_open(mem_path(b->at, b->n), &opts, img);
}

// A stream whose pages compress: page i is filled with first + i, but for its own noise in front.
static void stream(struct blob *b, uint8_t first)
{
	const struct q_block block = {"pc.ram", PAGES * PAGE_BYTES};
	uint8_t page[PAGE_BYTES];

	q_head(b, "pc-i440fx-7.2");
	q_ram(b, &block, 1);
	q_section(b, 2, Q_RAM);
	for (unsigned i = 0; i < PAGES; i++) {
		memset(page, (int)(first + i), sizeof(page));
		noise_fill(i, page, 64);
		q_record(b, i * PAGE_BYTES, Q_PAGE, "pc.ram");
		blob_append(b, page, sizeof(page));
	}
	q_be(b, Q_EOS, 8);
	q_footer(b, Q_RAM);
	q_ram_end(b);
	q_devices(b, 16 << 20, 0);
	q_end(b, true);
}

static void is_state(struct image *img, uint8_t first)
{
	uint8_t page[PAGE_BYTES];

	for (unsigned i = 0; i < PAGES; i++) {
		cr_assert(physmem_read(img->mem, i * PAGE_BYTES, page, sizeof(page)));
		cr_assert_eq(page[0], noise_at(i));
		cr_assert_eq(page[64], (uint8_t)(first + i), "page %u", i);
		cr_assert_eq(page[4095], (uint8_t)(first + i));
	}
	cr_assert_eq(img->n_vcpus, 1);
}

static void opens(enum q2_kind kind)
{
	struct blob b = {0}, s = {0};
	struct image *img;

	stream(&s, 10);
	q2_image(&b, kind, s.at, s.n);
	struct err *e = open_named(&b, NULL, &img);
	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(img->fmt->name, "qcow2");
	cr_assert_not(img->truncated, "%s", img->truncated_why);
	is_state(img, 10);
	image_close(img);
	blob_fini(&s);
	blob_fini(&b);
}

Test(qcow2, plain_clusters)
{
	opens(Q2_PLAIN);
}

Test(qcow2, clusters_by_zlib)
{
	opens(Q2_ZLIB);
}

Test(qcow2, clusters_by_zstd)
{
	opens(Q2_ZSTD);
}

// Three snapshots: "one" and "two" with state, "disk" without.
static void three(struct blob *b)
{
	struct blob s1 = {0}, s2 = {0};
	size_t table = ENTRIES_AT;
	uint32_t n1, n2;

	stream(&s1, 10);
	stream(&s2, 100);
	q2_head(b, Q2_PLAIN);
	uint64_t l1 = q2_state(b, Q2_PLAIN, s1.at, s1.n, &n1);
	uint64_t l2 = q2_state(b, Q2_PLAIN, s2.at, s2.n, &n2);
	q2_table(b, 3, table);
	q2_entry(b, &table, "1", "one", 2000, l1, n1, s1.n);
	q2_entry(b, &table, "2", "disk", 3000, l1, n1, 0);
	q2_entry(b, &table, "3", "two", 2001, l2, n2, s2.n);
	blob_fini(&s1);
	blob_fini(&s2);
}

Test(qcow2, several_snapshots)
{
	struct blob b = {0};
	struct image *img;

	three(&b);
	cr_assert_null(open_named(&b, NULL, &img), "the newest that has state");
	is_state(img, 100);
	const struct image_fact *f = img->facts;
	cr_assert_str_eq(f->name, "Version");
	f = f->next;
	cr_assert_str_eq(f->name, "Snapshot");
	cr_assert_eq(strncmp(f->value, "two (number 3, ", 15), 0);
	cr_assert_str_eq(f->next->name, "Also has");
	image_close(img);
	cr_assert_null(open_named(&b, "one", &img));
	is_state(img, 10);
	image_close(img);
	cr_assert_null(open_named(&b, "3", &img));
	is_state(img, 100);
	image_close(img);
	blob_fini(&b);
}

static void refused(const struct blob *b, const char *snapshot, enum err_code code,
		    const char *words)
{
	struct image *img;
	struct err *e = open_named(b, snapshot, &img);

	cr_assert_not_null(e, "opened, though: %s", words);
	cr_assert_eq(e->code, code, "%s", e->msg);
	cr_assert_not_null(strstr(e->msg, words), "no \"%s\" in: %s", words, e->msg);
}

Test(qcow2, a_name_that_is_none)
{
	struct blob b = {0};

	three(&b);
	refused(&b, "disk", ERR_USAGE, "disk");
	refused(&b, "four", ERR_USAGE, "four");
	blob_fini(&b);
}

// An image with n bytes at off changed is refused.
static void refused_with(size_t off, const char *bytes, size_t n, enum err_code code,
			 const char *words)
{
	struct blob b = {0}, s = {0};

	stream(&s, 10);
	q2_image(&b, Q2_PLAIN, s.at, s.n);
	memcpy(b.at + off, bytes, n);
	refused(&b, NULL, code, words);
	blob_fini(&s);
	blob_fini(&b);
}

#define REFUSED(off, bytes, code, words) refused_with(off, bytes, sizeof(bytes) - 1, code, words)

Test(qcow2, headers_that_are_refused)
{
	REFUSED(4, "\0\0\0\1", ERR_UNSUPPORTED, "version 1");
	REFUSED(4, "\0\0\0\4", ERR_UNSUPPORTED, "version 4");
	REFUSED(32, "\0\0\0\1", ERR_UNSUPPORTED, "AES");
	REFUSED(32, "\0\0\0\2", ERR_UNSUPPORTED, "LUKS");
	REFUSED(79, "\4", ERR_UNSUPPORTED, "another file");
	REFUSED(79, "\x40", ERR_UNSUPPORTED, "unknown features");
	REFUSED(20, "\0\0\0\x08", ERR_FORMAT, "clusters");
	REFUSED(20, "\xff\xff\xff\xff", ERR_FORMAT, "clusters");
	REFUSED(60, "\0\0\0\0", ERR_UNSUPPORTED, "without saved VM state");
	REFUSED(60, "\xff\xff\xff\xff", ERR_LIMIT, "snapshots");
	REFUSED(64, "\xff\xff\xff\xff\xff\xff\xff\xf8", ERR_FORMAT, "cut");
}

Test(qcow2, entries_that_are_refused)
{
	REFUSED(ENTRIES_AT, "\xff\xff\xff\xff\xff\xff\xff\xff", ERR_FORMAT, "L1");
	REFUSED(ENTRIES_AT + 8, "\xff\xff\xff\xff", ERR_FORMAT, "L1");
	REFUSED(ENTRIES_AT + 8, "\0\0\0\0", ERR_FORMAT, "L1");
	REFUSED(ENTRIES_AT + 36, "\xff\xff\xff\xff", ERR_FORMAT, "cut");
	REFUSED(ENTRIES_AT + 48, "\x7f\xff\xff\xff\xff\xff\xff\xff", ERR_FORMAT, "L1");
	REFUSED(ENTRIES_AT + 40, "\0\0\0\0\0\0\0\0", ERR_UNSUPPORTED, "without saved VM state");
}

Test(qcow2, a_state_of_2_to_the_60_bytes)
{
	struct blob b = {0}, s = {0};
	struct image *img;

	stream(&s, 10);
	q2_image(&b, Q2_PLAIN, s.at, s.n);
	memcpy(b.at + ENTRIES_AT + 40, "\x10\0\0\0\0\0\0\0", 8);
	cr_assert_null(open_named(&b, NULL, &img));
	is_state(img, 10);
	image_close(img);
	blob_fini(&s);
	blob_fini(&b);
}

// Every cut is an error or a damaged image, never anything else.
Test(qcow2, cuts)
{
	struct blob b = {0}, s = {0};
	struct image *img;

	stream(&s, 10);
	q2_image(&b, Q2_ZLIB, s.at, s.n);
	for (size_t n = 1; n < b.n; n += n < 9000 ? 1 : 509) {
		const struct blob cut = {b.at, n, n};
		if (!open_named(&cut, NULL, &img))
			image_close(img);
	}
	blob_fini(&s);
	blob_fini(&b);
}
