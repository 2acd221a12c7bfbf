// SPDX-License-Identifier: LGPL-2.1-or-later
// Memory, arenas, maps, cursors and errors: what everything else stands on.
#include "src/base/arena.h"
#include "src/base/bytes.h"
#include "src/base/err.h"
#include "src/base/mem.h"
#include "src/base/text.h"
#include "src/base/u64map.h"
#include "src/base/vec.h"

#include <criterion/criterion.h>

#include <errno.h>
#include <setjmp.h>
#include <stdalign.h>
#include <string.h>

// --- memory ---

static jmp_buf out_of_memory;
static volatile size_t refused;

static void refuse(size_t asked)
{
	refused = asked;
	longjmp(out_of_memory, 1);
}

Test(mem, what_was_given_back_is_no_longer_counted)
{
	size_t before = mem_in_use();
	void *p = mem_alloc(1000);

	cr_expect_geq(mem_in_use(), before + 1000);
	p = mem_grow(p, 5000, 1);
	cr_expect_geq(mem_in_use(), before + 5000);
	mem_free(p);
	cr_expect_eq(mem_in_use(), before);
	mem_free(NULL);
}

Test(mem, a_limit_ends_in_the_handler_not_in_null)
{
	mem_on_exhausted(refuse);
	mem_set_limit(1 << 20);
	if (setjmp(out_of_memory) == 0) {
		mem_free(mem_alloc(1 << 21));
		cr_assert_fail("more than the limit was given");
	}
	cr_expect_eq(refused, 1 << 21);
}

Test(mem, growing_counts_against_the_limit_only_by_what_it_adds)
{
	char *p = mem_alloc(700 << 10);

	mem_on_exhausted(refuse);
	mem_set_limit(1 << 20);
	p = mem_grow(p, 900 << 10, 1);
	if (setjmp(out_of_memory) == 0) {
		mem_free(mem_grow(p, 2 << 20, 1));
		cr_assert_fail("more than the limit was given");
	}
	mem_free(p);
}

Test(mem, a_product_that_overflows_is_refused)
{
	mem_on_exhausted(refuse);
	if (setjmp(out_of_memory) == 0) {
		mem_free(mem_zalloc(SIZE_MAX / 8, 16));
		cr_assert_fail("an overflow was given");
	}
	if (setjmp(out_of_memory) == 0) {
		mem_free(mem_grow(NULL, SIZE_MAX / 8, 16));
		cr_assert_fail("an overflow was given");
	}
	cr_expect_eq(refused, SIZE_MAX);
}

static void use_up(struct mem_pool *pool)
{
	struct arena a = {0};
	char *kept = mem_strdup("kept");

	kept = mem_grow(kept, 100, 1);
	cr_expect_str_eq(kept, "kept");
	mem_free(mem_zalloc(10, 10));
	for (;;)
		memset(arena_alloc(&a, 100000), 1, 100000);
	(void)pool;
}

Test(mem, a_pool_ends_where_it_is_told_and_gives_all_back)
{
	struct mem_pool pool = {.limit = 1 << 20};
	size_t before = mem_in_use();

	for (int round = 0; round < 2; round++) {
		mem_pool_enter(&pool);
		if (setjmp(pool.escape) == 0)
			use_up(&pool);
		cr_expect_gt(pool.in_use, 500000);
		mem_pool_fini(&pool);
		cr_expect_eq(pool.in_use, 0);
		pool.limit = 1 << 20;
	}
	cr_expect_eq(mem_in_use(), before, "nothing of it was the process's");
	char *outside = mem_strdup("outside");
	cr_expect_gt(mem_in_use(), before);
	mem_free(outside);
}

Test(mem, after_the_limit_the_handler_may_still_allocate)
{
	mem_on_exhausted(refuse);
	mem_set_limit(mem_in_use());
	if (setjmp(out_of_memory) == 0) {
		mem_free(mem_alloc(4096));
		cr_assert_fail("more than the limit was given");
	}
	mem_free(mem_alloc(4096));
}

// --- arenas ---

Test(arena, every_piece_is_aligned_and_apart)
{
	struct arena a = {0};
	char *last = NULL;

	for (size_t n = 0; n < 3000; n++) {
		char *p = arena_alloc(&a, n % 100);
		cr_assert_eq((uintptr_t)p % alignof(max_align_t), 0);
		cr_assert(p != last || (n - 1) % 100 == 0);
		memset(p, (int)n, n % 100);
		last = p;
	}
	arena_fini(&a);
}

Test(arena, a_piece_larger_than_a_block_gets_its_own)
{
	struct arena a = {0};
	char *small = arena_strndup(&a, "before", 6), *large = arena_alloc(&a, 1 << 20);

	memset(large, 'x', 1 << 20);
	cr_expect_str_eq(small, "before");
	cr_expect_str_eq(arena_printf(&a, "%s-%d", small, 7), "before-7");
	arena_fini(&a);
}

Test(arena, reset_gives_memory_back_but_for_a_block)
{
	size_t before = mem_in_use();
	struct arena a = {0};

	for (int i = 0; i < 100; i++)
		memset(arena_alloc(&a, 50000), 1, 50000);
	arena_reset(&a);
	cr_expect_lt(mem_in_use() - before, 100 << 10);
	cr_expect_eq(a.used, 0);
	arena_fini(&a);
	cr_expect_eq(mem_in_use(), before);
}

Test(arena, a_size_that_wraps_around_is_refused)
{
	struct arena a = {0};

	mem_on_exhausted(refuse);
	for (size_t n = 1; n < 64; n++)
		if (setjmp(out_of_memory) == 0) {
			void *volatile p = arena_alloc(&a, SIZE_MAX - n);
			(void)p;
			cr_assert_fail("SIZE_MAX - %zu bytes were given", n);
		}
	arena_fini(&a);
}

Test(arena, text_of_no_length_is_empty_text)
{
	struct arena a = {0};

	cr_expect_str_eq(arena_strndup(&a, "abc", 0), "");
	cr_expect_str_eq(arena_printf(&a, "%s", ""), "");
	arena_fini(&a);
}

// --- maps ---

Test(u64map, holds_each_key_once_with_its_first_value)
{
	struct u64map m = {0};

	cr_expect_null(u64map_get(&m, 0), "an empty map has nothing, not even 0");
	cr_expect(u64map_add(&m, 0, 7));
	cr_expect(u64map_add(&m, UINT64_MAX, 8));
	cr_expect_not(u64map_add(&m, 0, 9));
	cr_expect_eq(*u64map_get(&m, 0), 7);
	cr_expect_eq(*u64map_get(&m, UINT64_MAX), 8);
	cr_expect_null(u64map_get(&m, 1));
	cr_expect_eq(m.n, 2);
	u64map_fini(&m);
}

Test(u64map, keeps_all_while_it_grows)
{
	struct u64map m = {0};

	for (uint64_t i = 0; i < 100000; i++)
		cr_assert(u64map_add(&m, 0xffff888000000000 + i * 4096, i));
	for (uint64_t i = 0; i < 100000; i++)
		cr_assert_eq(*u64map_get(&m, 0xffff888000000000 + i * 4096), i);
	cr_expect_null(u64map_get(&m, 0xffff888000000001));
	u64map_clear(&m);
	cr_expect_eq(m.n, 0);
	cr_expect_null(u64map_get(&m, 0xffff888000000000));
	u64map_fini(&m);
}

Test(vec, grows_and_is_empty_again)
{
	VEC(int) v = {0};
	int *p, sum = 0;

	for (int i = 0; i < 1000; i++)
		vec_push(&v, i);
	vec_foreach (p, &v)
		sum += *p;
	cr_expect_eq(sum, 999 * 1000 / 2);
	vec_fini(&v);
	cr_expect_eq(v.n, 0);
	cr_expect_null(v.at);
}

// --- bytes ---

Test(bytes, loads_are_little_endian_at_any_alignment)
{
	const uint8_t b[] = {0xff, 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x88};

	cr_expect_eq(le16(b + 1), 0x0201);
	cr_expect_eq(le32(b + 1), 0x04030201);
	cr_expect_eq(le64(b + 1), 0x8807060504030201);
	for (size_t n = 0; n <= 8; n++)
		cr_expect_eq(le_n(b + 1, n), n ? le64(b + 1) << (64 - 8 * n) >> (64 - 8 * n) : 0);
}

Test(bytes, a_cursor_never_leaves_its_bytes)
{
	const uint8_t b[] = {1, 0, 0, 0, 2, 0};
	struct cursor c = cursor_over(b, sizeof(b));
	const uint8_t *p;
	uint32_t v;

	cr_expect(cursor_u32(&c, &v));
	cr_expect_eq(v, 1);
	cr_expect_not(cursor_u32(&c, &v), "only 2 bytes are left");
	cr_expect_eq(cursor_left(&c), 2, "a failed take does not move");
	cr_expect_not(cursor_take(&c, UINT64_MAX, &p));
	cr_expect(cursor_take(&c, 2, &p));
	cr_expect_eq(p, b + 4);
	cr_expect(cursor_take(&c, 0, &p));
	cr_expect_not(cursor_take(&c, 1, &p));
}

// --- errors ---

Test(err, each_layer_prepends_its_part)
{
	struct err *e = err_new(ERR_FORMAT, "byte %d is wrong", 7);

	e = err_wrap(e, "header");
	e = err_wrap(e, "%s.elf", "a");
	cr_expect_str_eq(e->msg, "a.elf: header: byte 7 is wrong");
	cr_expect_eq(e->code, ERR_FORMAT);
}

Test(err, a_message_that_is_too_long_loses_its_end)
{
	char part[401];

	memset(part, 'x', 400);
	part[400] = '\0';
	struct err *e = err_new(ERR_IO, "the end");
	for (int i = 0; i < 10; i++) {
		e = err_wrap(e, "%d%s", i, part);
		cr_assert_lt(strlen(e->msg), sizeof(e->msg));
	}
	cr_expect_eq(e->msg[0], '9', "the last prefix is there");
	cr_expect_eq(strlen(e->msg), sizeof(e->msg) - 1);
}

Test(err, a_prefix_that_is_too_long_alone_is_cut)
{
	char part[3000];

	memset(part, 'x', sizeof(part));
	part[sizeof(part) - 1] = '\0';
	for (size_t n = 1010; n < 1030; n++) {
		struct err *e = err_wrap(err_new(ERR_IO, "%s", "the end"), "%.*s", (int)n, part);
		cr_assert_lt(strlen(e->msg), sizeof(e->msg));
		cr_assert_eq(e->msg[0], 'x');
	}
}

Test(err, a_failed_call_says_why)
{
	errno = ENOENT;
	struct err *e = err_errno(ERR_IO, "%s", "file");
	cr_expect_str_eq(e->msg, "file: No such file or directory");
}

Test(err, a_failed_call_with_a_long_name_stays_inside)
{
	char name[5000];

	memset(name, 'n', sizeof(name));
	name[sizeof(name) - 1] = '\0';
	errno = EACCES;
	struct err *e = err_errno(ERR_IO, "%s", name);
	cr_expect_eq(strlen(e->msg), sizeof(e->msg) - 1);
}

// --- text, beyond test_text.c ---

static bool is_plain(const char *s)
{
	for (; *s; s++)
		if ((unsigned char)*s < 0x20 || *s == 0x7f)
			return false;
	return true;
}

Test(text, no_pair_of_bytes_acts_on_a_terminal_or_leaves_utf8)
{
	struct arena a = {0};

	for (unsigned v = 0; v < 0x10000; v++) {
		const char pair[2] = {(char)(v >> 8), (char)v};
		const char *out = text_for_terminal(&a, pair, 2);
		size_t n = strlen(out);
		cr_assert(is_plain(out), "%04x", v);
		for (size_t i = 0, len; i < n; i += len)
			cr_assert((len = text_utf8_len(out + i, n - i)), "%04x", v);
		arena_reset(&a);
	}
	arena_fini(&a);
}

Test(text, every_overlong_form_is_bytes)
{
	char form[4];

	for (unsigned c = 0; c < 0x80; c++) {
		form[0] = (char)(0xc0 | c >> 6);
		form[1] = (char)(0x80 | (c & 0x3f));
		cr_assert_eq(text_utf8_len(form, 2), 0);
	}
	for (unsigned c = 0; c < 0x800; c++) {
		form[0] = (char)0xe0;
		form[1] = (char)(0x80 | c >> 6);
		form[2] = (char)(0x80 | (c & 0x3f));
		cr_assert_eq(text_utf8_len(form, 3), 0);
	}
	for (unsigned c = 0; c < 0x10000; c++) {
		form[0] = (char)0xf0;
		form[1] = (char)(0x80 | c >> 12);
		form[2] = (char)(0x80 | (c >> 6 & 0x3f));
		form[3] = (char)(0x80 | (c & 0x3f));
		cr_assert_eq(text_utf8_len(form, 4), 0);
	}
}

Test(text, every_character_that_turns_text_around_is_shown)
{
	static const char *const bidi[] = {
		"\xd8\x9c",	// U+061C
		"\xe2\x80\x8e", // U+200E
		"\xe2\x80\x8f", "\xe2\x80\xaa", "\xe2\x80\xab", "\xe2\x80\xac", "\xe2\x80\xad",
		"\xe2\x80\xae", // U+202E
		"\xe2\x81\xa6", // U+2066
		"\xe2\x81\xa7", "\xe2\x81\xa8",
		"\xe2\x81\xa9", // U+2069
	};
	struct arena a = {0};

	for (size_t i = 0; i < sizeof(bidi) / sizeof(*bidi); i++) {
		const char *out = text_for_terminal(&a, bidi[i], strlen(bidi[i]));
		cr_expect_eq(strncmp(out, "\\u{", 3), 0, "%zu: %s", i, out);
	}
	arena_fini(&a);
}
