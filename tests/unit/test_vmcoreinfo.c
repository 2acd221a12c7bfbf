// SPDX-License-Identifier: LGPL-2.1-or-later
// VMCOREINFO: lines of each form, and text that only looks like it.
#include "symbols/vmcoreinfo.h"

#include "src/base/mem.h"

#include <criterion/criterion.h>

#include <string.h>

static const char text[] = "OSRELEASE=6.1.0-55-amd64\n"
			   "BUILD-ID=0a1b2c\n"
			   "PAGESIZE=4096\n"
			   "SYMBOL(swapper_pg_dir)=ffffffff82810000\n"
			   "SYMBOL(bad)=ffffffff8281000g\n"
			   "SYMBOL(long)=1ffffffff82810000\n"
			   "SYMBOL(empty)=\n"
			   "OFFSET(list_head.next)=8\n"
			   "SIZE(page)=64\n"
			   "SIZE(page)=65\n"
			   "SIZE(huge)=4294967296\n"
			   "LENGTH(zone.free_area)=11\n"
			   "NUMBER(phys_base)=-16777216\n"
			   "NUMBER(least)=-9223372036854775808\n"
			   "NUMBER(most)=9223372036854775807\n"
			   "NUMBER(over)=9223372036854775808\n"
			   "NUMBER(VA_BITS)=0x30\n"
			   "NUMBER(KERNELPACMASK)=0xff7f000000000000\n"
			   "NUMBER(dashes)=--1\n"
			   "NUMBER(sign)=-\n"
			   "NUMBER(prefix)=0x\n"
			   "KERNELOFFSET=1c00000\n"
			   "no line of ours\n"
			   "=\n"
			   "\n"
			   "CRASHTIME=1\n"
			   "SYMBOL(cut)=ffff";

static struct vmcoreinfo v;

static void setup(void)
{
	cr_assert(vmcoreinfo_init(&v, text, sizeof(text)));
}

TestSuite(vmcoreinfo, .init = setup);

Test(vmcoreinfo, strings)
{
	char buf[16];
	size_t len;

	cr_assert(vmcoreinfo_string(&v, "OSRELEASE", buf, sizeof(buf)));
	cr_assert_str_eq(buf, "6.1.0-55-amd64");
	cr_assert(vmcoreinfo_string(&v, "BUILD-ID", buf, 7));
	cr_assert_str_eq(buf, "0a1b2c");
	cr_assert_not(vmcoreinfo_string(&v, "BUILD-ID", buf, 6), "would not fit");
	cr_assert_not(vmcoreinfo_string(&v, "BUILD", buf, sizeof(buf)));
	cr_assert(vmcoreinfo_get(&v, "PAGESIZE", &len) && len == 4);
	cr_assert(vmcoreinfo_get(&v, "SYMBOL(empty)", &len) && len == 0);
	cr_assert(vmcoreinfo_get(&v, "", &len) && len == 0);
	cr_assert_null(vmcoreinfo_get(&v, "no line of ours", &len));
}

Test(vmcoreinfo, symbols)
{
	uint64_t va = 1;

	cr_assert(vmcoreinfo_symbol(&v, "swapper_pg_dir", &va) && va == 0xffffffff82810000);
	cr_assert(vmcoreinfo_hex(&v, "KERNELOFFSET", &va) && va == 0x1c00000);
	cr_assert_not(vmcoreinfo_symbol(&v, "bad", &va));
	cr_assert_not(vmcoreinfo_symbol(&v, "long", &va));
	cr_assert_not(vmcoreinfo_symbol(&v, "empty", &va));
	cr_assert_not(vmcoreinfo_symbol(&v, "none", &va));
	cr_assert_not(vmcoreinfo_symbol(&v, "cut", &va), "a line without its end");
	cr_assert_not(vmcoreinfo_hex(&v, "OSRELEASE", &va));
	cr_assert_eq(va, 0x1c00000, "misses leave it alone");
}

static void is_number(const char *name, int64_t expected)
{
	int64_t value;

	cr_assert(vmcoreinfo_number(&v, name, &value), "%s", name);
	cr_assert_eq(value, expected, "%s is %lld", name, (long long)value);
}

Test(vmcoreinfo, numbers)
{
	static const char *const none[] = {"over", "dashes", "sign", "prefix", "none"};
	int64_t value;

	is_number("phys_base", -16777216);
	is_number("least", INT64_MIN);
	is_number("most", INT64_MAX);
	is_number("VA_BITS", 48);
	is_number("KERNELPACMASK", (int64_t)0xff7f000000000000);
	for (size_t i = 0; i < sizeof(none) / sizeof(none[0]); i++)
		cr_assert_not(vmcoreinfo_number(&v, none[i], &value), "%s", none[i]);
}

Test(vmcoreinfo, layouts)
{
	uint32_t n;

	cr_assert(vmcoreinfo_offset(&v, "list_head.next", &n) && n == 8);
	cr_assert(vmcoreinfo_size(&v, "page", &n) && n == 64);
	cr_assert(vmcoreinfo_length(&v, "zone.free_area", &n) && n == 11);
	cr_assert_not(vmcoreinfo_size(&v, "huge", &n));
	cr_assert_not(vmcoreinfo_size(&v, "list_head.next", &n));
}

Test(vmcoreinfo, keys_beyond_any_length)
{
	char name[1000];
	uint64_t va;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	cr_assert_not(vmcoreinfo_symbol(&v, name, &va));
}

Test(vmcoreinfo, text_that_is_none)
{
	char other[] = "OSRELEASE=6.1\0SYMBOL(x)=1\n";
	uint64_t va;

	cr_assert_not(vmcoreinfo_init(&v, other, sizeof(other)), "no newline before the NUL");
	cr_assert_not(vmcoreinfo_symbol(&v, "x", &va));
	cr_assert_not(vmcoreinfo_init(&v, "XSRELEASE=6.1\n", 14));
	cr_assert_not(vmcoreinfo_init(&v, "OSREL\n", 6));
	cr_assert_not(vmcoreinfo_init(&v, "", 0));
	cr_assert(vmcoreinfo_init(&v, "OSRELEASE=\n", 11));
}

Test(vmcoreinfo, cut_off_at_every_byte)
{
	for (size_t n = 0; n <= sizeof(text); n++) {
		char *part = mem_alloc(n); // so that a sanitizer sees a read beyond
		uint64_t va;
		memcpy(part, text, n);
		cr_assert_eq(vmcoreinfo_init(&v, part, n), n > strcspn(text, "\n"));
		(void)vmcoreinfo_symbol(&v, "swapper_pg_dir", &va);
		mem_free(part);
	}
}

static void put(char *at, const char *line)
{
	while (*line)
		*at++ = *line++;
}

Test(vmcoreinfo, no_more_than_64_kib)
{
	size_t n = VMCOREINFO_LARGEST + 4096, len;
	char *large = mem_alloc(n);

	memset(large, '\n', n);
	put(large, "OSRELEASE=x");
	put(large + VMCOREINFO_LARGEST, "LATE=1");
	cr_assert(vmcoreinfo_init(&v, large, n));
	cr_assert_eq(v.n, VMCOREINFO_LARGEST);
	cr_assert_null(vmcoreinfo_get(&v, "LATE", &len));
	mem_free(large);
}

static size_t put_note(uint8_t *note, uint32_t descsz)
{
	static const uint8_t head[] = "\x0b\0\0\0\0\0\0\0\0\0\0\0VMCOREINFO\0";

	memcpy(note, head, VMCOREINFO_NOTE_HEAD);
	memcpy(note + 4, &descsz, 4);
	memcpy(note + VMCOREINFO_NOTE_HEAD, text, sizeof(text));
	return VMCOREINFO_NOTE_HEAD + sizeof(text);
}

Test(vmcoreinfo, notes)
{
	uint8_t note[4096];
	size_t n = put_note(note, sizeof(text) - 1), len;

	cr_assert(vmcoreinfo_init_note(&v, note, n));
	cr_assert(vmcoreinfo_get(&v, "CRASHTIME", &len));
	put_note(note, 60); // the text ends there, whatever follows
	cr_assert(vmcoreinfo_init_note(&v, note, n));
	cr_assert_not(vmcoreinfo_get(&v, "CRASHTIME", &len));
	put_note(note, UINT32_MAX);
	cr_assert(vmcoreinfo_init_note(&v, note, n));
	for (size_t i = 0; i < VMCOREINFO_NOTE_HEAD; i++) {
		put_note(note, sizeof(text));
		note[i] ^= 1;
		// Of the header all but the size and the padding behind the name matters.
		cr_assert_eq(vmcoreinfo_init_note(&v, note, n), (i >= 4 && i < 8) || i == 23, "%zu",
			     i);
	}
	for (n = 0; n < VMCOREINFO_NOTE_HEAD + 11; n++)
		cr_assert_not(vmcoreinfo_init_note(&v, note, n));
}
