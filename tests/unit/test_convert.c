// SPDX-License-Identifier: LGPL-2.1-or-later
// Symbol files that are text, and packed kernels, from bytes written by hand.
#include "src/base/mem.h"
#include "src/symfiles/convert.h"
#include "src/symfiles/unpack.h"
#include "symbols/btf.h"
#include "symbols/symtab.h"

#include <criterion/criterion.h>

#include <stdio.h>
#include <string.h>

#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

static const char *const types[] = {"task_struct"};
static const char *const constants[] = {"NR_ACTIVE"};
static const struct type_wants wants = {types, constants, 1, 1, 1};

static struct err *take(const void *text, size_t n, struct profile **out)
{
	uint8_t *copy = memcpy(mem_alloc(n), text, n);
	struct err *e = convert(copy, n, &wants, out);

	mem_free(copy);
	return e;
}

static void refused(const char *text, const char *why)
{
	struct profile *p;
	struct err *e = take(text, strlen(text), &p);

	cr_assert_not_null(e, "taken: %.60s", text);
	cr_expect(strstr(e->msg, why), "\"%s\" is not in \"%s\"", why, e->msg);
}

// --- System.map ---

enum { LINES = 1200, LINE = 64 };

static char *many_lines(uint64_t step)
{
	char *text = mem_zalloc(LINES, LINE), *at = text;

	for (unsigned i = 0; i < LINES; i++)
		at += snprintf(at, LINE, "%016llx T symbol_%u\n",
			       (unsigned long long)(step ? 0xffffffff81000000 + i * step : 0), i);
	return text;
}

Test(system_map, is_read)
{
	char *text = many_lines(16);
	char *more = mem_printf("%sffffffffa0000000 t helper\t[module]\n", text);
	struct symbol_want want[] = {{.name = "symbol_5"}, {.name = "helper"}};
	struct profile *p = NULL;

	cr_assert_null(take(more, strlen(more), &p));
	cr_assert_str_eq(p->symbols_source, "System.map");
	cr_assert_eq(symtab_count(p->symbols), LINES);
	symtab_resolve(p->symbols, want, 2);
	cr_assert(want[0].found && want[0].va == 0xffffffff81000050 && want[0].type == 'T');
	cr_assert_not(want[1].found, "a module's");
	profile_free(p);
	mem_free(text);
	mem_free(more);
}

Test(system_map, stubs_and_zeros_are_told)
{
	char *zeros = many_lines(0);

	refused(zeros, "kptr_restrict");
	refused("ffffffffffffffff B The real System.map is in the linux-image-<version>-dbg "
		"package\n",
		"The real System.map is in the linux-image-<version>-dbg package");
	refused("ffffffff81000000 T _text\n", "too few");
	refused("ffffffff81000000 T _text\nnonsense\n", "line 2");
	mem_free(zeros);
}

// --- ISF ---

#define ISF_HEAD                                                                                   \
	"{\"metadata\":{\"format\":\"6.2.0\",\"producer\":{\"name\":\"dwarf2json\"}},"             \
	"\"base_types\":{\"int\":{\"size\":4,\"signed\":true,\"kind\":\"int\",\"endian\":"         \
	"\"little\"},\"unsigned int\":{\"size\":4,\"signed\":false,\"kind\":\"int\"},"             \
	"\"char\":{\"size\":1,\"signed\":true,\"kind\":\"char\"},\"pointer\":{\"size\":8,"         \
	"\"signed\":false,\"kind\":\"int\"},\"void\":{\"size\":0,\"kind\":\"void\"}},"
#define BASE(name)		  "{\"kind\":\"base\",\"name\":\"" name "\"}"
#define FIELD(name, type, offset) "\"" name "\":{\"type\":" type ",\"offset\":" offset "}"
#define POINTER(to)		  "{\"kind\":\"pointer\",\"subtype\":" to "}"
#define BITS(at, n)                                                                                \
	"{\"kind\":\"bitfield\",\"bit_position\":" at ",\"bit_length\":" n                         \
	",\"type\":" BASE("unsigned int") "}"

static const char isf[] = ISF_HEAD
	"\"user_types\":{\"task_struct\":{\"size\":64,\"fields\":{" FIELD("pid", BASE("int"), "0") "," FIELD(
		"in_execve", BITS("3", "2"),
		"4") "," FIELD("comm",
			       "{\"count\":16,\"kind\":\"array\",\"subtype\":" BASE("char") "}",
			       "8") "," FIELD("parent",
					      POINTER("{\"kind\":\"struct\",\"name\":\"task_"
						      "struct\"}"),
					      "24") "," FIELD("list",
							      "{\"kind\":\"struct\",\"name\":"
							      "\"list_head\"}",
							      "32") ","
								    "\"unnamed_field_30\":{"
								    "\"type\":{\"kind\":\"union\","
								    "\"name\":\"unnamed_1\"},"
								    "\"anonymous\":"
								    "true,\"offset\":48}},\"kind\":"
								    "\"struct\"},"
								    "\"list_head\":{\"size\":16,"
								    "\"fields\":{" FIELD("next", POINTER(BASE("void")), "0") "," FIELD(
									    "prev",
									    POINTER(BASE("void")),
									    "8") "},\"kind\":"
										 "\"struct\"},"
										 "\"unnamed_1\":{"
										 "\"size\":4,"
										 "\"fields\":"
										 "{" FIELD(
											 "inner",
											 BASE("in"
											      "t"),
											 "0") "},"
											      "\"ki"
											      "nd\""
											      ":\"u"
											      "nion"
											      "\"}}"
											      ","
											      "\"en"
											      "ums"
											      "\":{"
											      "\"it"
											      "ems"
											      "\":{"
											      "\"si"
											      "ze\""
											      ":4,"
											      "\"ba"
											      "se\""
											      ":\"i"
											      "nt\""
											      ",\"c"
											      "onst"
											      "ants"
											      "\":{"
											      "\"NR"
											      "_LOW"
											      "\":-"
											      "2,"
											      "\"NR"
											      "_ACT"
											      "IVE"
											      "\":"
											      "7}}}"
											      ","
											      "\"sy"
											      "mbol"
											      "s\":"
											      "{\"i"
											      "nit_"
											      "task"
											      "\":{"
											      "\"ty"
											      "pe\""
											      ":{"
											      "\"ki"
											      "nd\""
											      ":\"s"
											      "truc"
											      "t\","
											      "\"na"
											      "me\""
											      ":\"t"
											      "ask_"
											      "stru"
											      "ct\""
											      "},"
											      "\"ad"
											      "dres"
											      "s\":"
											      "1844"
											      "6744"
											      "0716"
											      "0000"
											      "0000"
											      "},"
											      "\"li"
											      "nux_"
											      "bann"
											      "er\""
											      ":{"
											      "\"ad"
											      "dres"
											      "s\":"
											      "1844"
											      "6744"
											      "0715"
											      "8000"
											      "0000"
											      ","
											      "\"co"
											      "nsta"
											      "nt_"
											      "data"
											      "\":"
											      "\"TG"
											      "ludX"
											      "ggdm"
											      "Vyc2"
											      "lvbi"
											      "A2Lj"
											      "EgKG"
											      "EpIC"
											      "MxCg"
											      "A="
											      "\"}}"
											      "}";

Test(isf, is_read)
{
	struct profile *p = NULL;
	struct btf_field f;
	int64_t value;
	uint64_t va;
	struct err *e = take(isf, sizeof(isf) - 1, &p);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(p->banner, "Linux version 6.1 (a) #1");
	cr_assert(btf_member(p->btf, "task_struct", "pid", &f) && f.off == 0 && f.is_signed);
	cr_assert(btf_member(p->btf, "task_struct", "in_execve", &f));
	cr_assert(f.off == 4 && f.bit_off == 3 && f.bit_size == 2);
	cr_assert(btf_member(p->btf, "task_struct", "comm[3]", &f) && f.off == 11);
	cr_assert(btf_member(p->btf, "task_struct", "parent", &f) && f.is_pointer);
	cr_assert_str_eq(f.target, "task_struct");
	cr_assert(btf_member(p->btf, "task_struct", "list.prev", &f) && f.off == 40);
	cr_assert(btf_member(p->btf, "task_struct", "inner", &f) && f.off == 48);
	cr_assert(btf_enum_value(p->btf, NULL, "NR_ACTIVE", &value) && value == 7);
	cr_assert(symtab_find(p->symbols, "init_task", &va) && va == 18446744071600000000ULL);
	profile_free(p);
}

// Cut anywhere it is broken JSON; with a byte changed it is that, or something.
Test(isf, survives_damage)
{
	struct profile *p;
	char *text = mem_strdup(isf);

	for (size_t cut = 1; cut < sizeof(isf) - 1; cut++)
		cr_assert_not_null(take(isf, cut, &p), "cut at %zu", cut);
	for (size_t at = 0; at < sizeof(isf) - 1; at++)
		for (int change = 1; change < 256; change += 61) {
			text[at] = (char)(isf[at] ^ change);
			if (!take(text, sizeof(isf) - 1, &p))
				profile_free(p);
			text[at] = isf[at];
		}
	mem_free(text);
}

Test(isf, that_embeds_itself_ends)
{
	static const char loop[] =
		ISF_HEAD "\"user_types\":{\"task_struct\":{\"size\":8,\"fields\":{" FIELD(
			"self", "{\"kind\":\"struct\",\"name\":\"task_struct\"}",
			"0") "},\"kind\":\"struct\"}},\"enums\":{},\"symbols\":{}}";
	struct profile *p = NULL;
	struct btf_field f;

	cr_assert_null(take(loop, sizeof(loop) - 1, &p));
	cr_assert_not(btf_member(p->btf, "task_struct", "self.self", &f));
	profile_free(p);
}

// They would be taken for places among the constants.
Test(isf, has_no_fields_in_an_enum)
{
	static const char mixed[] =
		ISF_HEAD "\"user_types\":{\"task_struct\":{\"size\":8,\"kind\":\"struct\","
			 "\"fields\":{}}},"
			 "\"enums\":{\"e\":{\"size\":4,\"fields\":{" FIELD("x", BASE("int"),
									   "0") "}}},"
										"\"symbols\":{}}";
	struct profile *p = NULL;
	int64_t value;

	cr_assert_null(take(mixed, sizeof(mixed) - 1, &p));
	cr_assert_not(btf_enum_value(p->btf, NULL, "x", &value));
	profile_free(p);
}

// --- packed ---

#ifdef HAVE_ZSTD
static void put_u32(uint8_t *at, uint32_t v)
{
	for (int i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> 8 * i);
}

// A bzImage whose payload is these bytes, packed with zstd, and the size behind it.
static uint8_t *bzimage(const void *content, size_t n, size_t *size)
{
	size_t room = ZSTD_compressBound(n), start = 3 * 512 + 64;
	uint8_t *image = mem_zalloc(start + room + 4, 1);
	size_t packed = ZSTD_compress(image + start, room, content, n, 1);

	cr_assert_not(ZSTD_isError(packed));
	memcpy(image + 0x202, "HdrS", 4);
	image[0x1f1] = 2; // sectors
	image[0x206] = 0x0f;
	image[0x207] = 2;
	put_u32(image + 0x248, 64);
	put_u32(image + 0x24c, (uint32_t)packed + 4);
	put_u32(image + start + packed, (uint32_t)n);
	*size = start + packed + 4;
	return image;
}

Test(vmlinuz, is_unpacked)
{
	struct profile *p = NULL;
	size_t n;
	uint8_t *image = bzimage(isf, sizeof(isf) - 1, &n);
	struct err *e = take(image, n, &p);

	cr_assert_null(e, "%s", e ? e->msg : "");
	cr_assert_str_eq(p->types_source, "ISF");
	profile_free(p);
	for (size_t cut = 0; cut < n; cut++)
		cr_assert_not_null(take(image, cut, &p), "cut at %zu", cut);
	mem_free(image);
}

Test(unpack, is_bounded_and_checked)
{
	size_t n = UNPACK_BYTES_MOST / 2, room = ZSTD_compressBound(n), size = 0;
	uint8_t *zeros = mem_zalloc(n, 1), *packed = mem_alloc(room), *out;
	size_t one = ZSTD_compress(packed, room, zeros, n, 1);

	mem_free(zeros);
	cr_assert_null(unpack_bytes(packed, one, &out, &size));
	cr_assert_eq(size, n);
	mem_free(out);
	packed[one / 2] ^= 0xff;
	cr_assert_not_null(unpack_bytes(packed, one, &out, &size));
	mem_free(packed);
}
#endif

Test(convert, what_is_nothing_is_told)
{
	refused("root:x:0:0:root:/root:/bin/bash\n", "it is no vmlinux");
	refused("\177ELFxxxxxxxxxxxxxxxxxxxxxxxx", "ELF");
	refused("\xeb\x9f\x01\x01 big-endian, this one", "big-endian");
	refused("{\"a\": 1", "broken JSON");
	refused("{}", "no structure");
}
