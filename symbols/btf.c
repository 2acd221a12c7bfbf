// SPDX-License-Identifier: LGPL-2.1-or-later
// Opens a BTF: the header, then one pass over the types that checks each record's length.
#include "symbols/btf.h"

#include "src/base/scope.h"
#include "symbols/btf_impl.h"

#include <inttypes.h>
#include <string.h>

static const struct btf_shape known_shapes[] = {
	[BTF_KIND_INT] = {4, 0, true},
	[BTF_KIND_PTR] = {0, 0, true},
	[BTF_KIND_ARRAY] = {12, 0, true},
	[BTF_KIND_STRUCT] = {0, BTF_MEMBER, true},
	[BTF_KIND_UNION] = {0, BTF_MEMBER, true},
	[BTF_KIND_ENUM] = {0, 8, true},
	[BTF_KIND_FWD] = {0, 0, true},
	[BTF_KIND_TYPEDEF] = {0, 0, true},
	[BTF_KIND_VOLATILE] = {0, 0, true},
	[BTF_KIND_CONST] = {0, 0, true},
	[BTF_KIND_RESTRICT] = {0, 0, true},
	[BTF_KIND_FUNC] = {0, 0, true},
	[BTF_KIND_FUNC_PROTO] = {0, 8, true},
	[BTF_KIND_VAR] = {4, 0, true},
	[BTF_KIND_DATASEC] = {0, 12, true},
	[BTF_KIND_FLOAT] = {0, 0, true},
	[BTF_KIND_DECL_TAG] = {4, 0, true},
	[BTF_KIND_TYPE_TAG] = {0, 0, true},
	[BTF_KIND_ENUM64] = {0, 12, true},
};

enum { N_KNOWN = sizeof(known_shapes) / sizeof(known_shapes[0]) };

// struct btf_header, in bytes; the last two since 2026 (hdr_len 32).
enum {
	HDR_VERSION = 2,
	HDR_LEN = 4,
	HDR_TYPE_OFF = 8,
	HDR_TYPE_LEN = 12,
	HDR_STR_OFF = 16,
	HDR_STR_LEN = 20,
	HDR_LAYOUT_OFF = 24,
	HDR_LAYOUT_LEN = 28,
	HDR_LONGEST = 256, // our own bound, to tell a header from chance bytes
};

static bool has_magic(const uint8_t *h)
{
	return h[0] == 0x9f && h[1] == 0xeb && h[HDR_VERSION] == 1;
}

size_t btf_looks_like(const void *head, size_t n)
{
	const uint8_t *h = head;

	if (n < BTF_HEAD || !has_magic(h) || h[3] != 0 || le32(h + HDR_TYPE_OFF) != 0)
		return 0;
	uint32_t hdr_len = le32(h + HDR_LEN);
	uint32_t type_len = le32(h + HDR_TYPE_LEN), str_off = le32(h + HDR_STR_OFF);
	if (hdr_len < BTF_HEAD || hdr_len > HDR_LONGEST || hdr_len % 4 || type_len % 4)
		return 0;
	// Strings follow the types; kind layouts (at most BTF_KINDS * 4 bytes) may be in between.
	uint32_t gap = hdr_len >= HDR_LAYOUT_LEN + 4 ? BTF_KINDS * 4 : 0;
	if (type_len < BTF_RECORD || str_off < type_len || str_off - type_len > gap)
		return 0;
	uint64_t total = (uint64_t)hdr_len + str_off + le32(h + HDR_STR_LEN);
	return total <= BTF_LARGEST ? (size_t)total : 0;
}

static struct err *take_section(struct btf_span body, uint32_t off, uint32_t len, const char *what,
				struct btf_span *out)
{
	if ((uint64_t)off + len > body.len)
		return err_new(ERR_FORMAT,
			       "%s [%" PRIu32 ", +%" PRIu32 ") leave the %" PRIu32
			       " bytes there are",
			       what, off, len, body.len);
	*out = (struct btf_span){body.at + off, len};
	return NULL;
}

static struct err *check_strings(const struct btf *btf)
{
	if (btf->strs.len == 0)
		return btf->base ? NULL : err_new(ERR_FORMAT, "there are no strings");
	if (btf->strs.at[btf->strs.len - 1] != '\0')
		return err_new(ERR_FORMAT, "the strings do not end with NUL");
	if (!btf->base && btf->strs.at[0] != '\0')
		return err_new(
			ERR_FORMAT,
			"the strings do not begin with NUL (of a module, without its base?)");
	return NULL;
}

static struct err *read_sections(struct btf *btf, const uint8_t *h, size_t n)
{
	uint32_t hdr_len = le32(h + HDR_LEN);

	if (hdr_len < BTF_HEAD || hdr_len > n)
		return err_new(ERR_FORMAT, "header of %" PRIu32 " bytes", hdr_len);
	n -= hdr_len;
	struct btf_span body = {h + hdr_len, n < BTF_LARGEST ? (uint32_t)n : BTF_LARGEST};
	TRY(take_section(body, le32(h + HDR_TYPE_OFF), le32(h + HDR_TYPE_LEN), "types",
			 &btf->types));
	TRY(take_section(body, le32(h + HDR_STR_OFF), le32(h + HDR_STR_LEN), "strings",
			 &btf->strs));
	if (hdr_len >= HDR_LAYOUT_LEN + 4)
		TRY(take_section(body, le32(h + HDR_LAYOUT_OFF), le32(h + HDR_LAYOUT_LEN),
				 "kind layouts", &btf->layouts));
	return check_strings(btf);
}

static struct err *read_header(struct btf *btf, const uint8_t *h, size_t n)
{
	if (n < BTF_HEAD)
		return err_new(ERR_FORMAT, "%zu bytes are too few", n);
	if (h[0] == 0xeb && h[1] == 0x9f)
		return err_new(ERR_UNSUPPORTED, "big-endian");
	if (!has_magic(h))
		return err_new(ERR_FORMAT, "no magic number");
	return read_sections(btf, h, n);
}

// The kinds we know have the lengths we know; the others those of the kind layouts, of the base
// where a split BTF has none (libbpf btf_type_size_unknown()).
static void read_shapes(struct btf *btf)
{
	if (btf->layouts.len == 0 && btf->base)
		btf->layouts = btf->base->layouts;
	for (uint32_t kind = 0; kind < BTF_KINDS; kind++) {
		if (kind < N_KNOWN) {
			btf->shape[kind] = known_shapes[kind];
		} else if (kind < btf->layouts.len / 4) {
			const uint8_t *l = btf->layouts.at + (size_t)kind * 4;
			btf->shape[kind] = (struct btf_shape){l[0], l[1], true};
		}
	}
}

static bool is_looked_up_by_name(enum btf_kind kind)
{
	return btf_is_struct(kind) || kind == BTF_KIND_TYPEDEF || kind == BTF_KIND_ENUM ||
	       kind == BTF_KIND_ENUM64 || kind == BTF_KIND_DATASEC;
}

// A pointer is as wide as a long, and BTF has the width of that alone (libbpf
// determine_ptr_size()).
static void note_long(struct btf *btf, const uint8_t *record)
{
	static const char *const names[] = {"long int", "long unsigned int", "unsigned long",
					    "long"};
	const char *name = btf_string(btf, le32(record));
	uint32_t size = btf_size_or_type(record);

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if ((size == 4 || size == 8) && strcmp(name, names[i]) == 0)
			btf->pointer_size = (uint8_t)size;
}

static void note_type(struct btf *btf, uint32_t id, const uint8_t *record)
{
	uint32_t info = btf_info(record);
	enum btf_kind kind = btf_info_kind(info);

	if (kind == BTF_KIND_INT && !btf->base)
		note_long(btf, record);
	if (!is_looked_up_by_name(kind))
		return;
	if (kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) {
		vec_push(&btf->enums, id);
		btf->signs_enums |= btf_info_flag(info);
	}
	if (le32(record) != 0)
		vec_push(&btf->names.ids, id);
}

static struct err *check_record(const struct btf *btf, uint32_t id, uint32_t off, uint32_t *len)
{
	if (btf->types.len - off < BTF_RECORD)
		return err_new(ERR_FORMAT, "type %" PRIu32 " is cut off", id);
	uint32_t info = btf_info(btf->types.at + off);
	enum btf_kind kind = btf_info_kind(info);
	const struct btf_shape *shape = &btf->shape[kind];
	if (!shape->known)
		return err_new(kind == BTF_KIND_UNKN ? ERR_FORMAT : ERR_UNSUPPORTED,
			       "type %" PRIu32 " is of the unknown kind %d", id, (int)kind);
	// At most 12 + 255 + 2^24 * 255: fits.
	*len = BTF_RECORD + shape->fixed + btf_info_vlen(info) * shape->each;
	if (*len > btf->types.len - off)
		return err_new(ERR_FORMAT,
			       "type %" PRIu32 " has %" PRIu32 " bytes of %" PRIu32 " left", id,
			       *len, btf->types.len - off);
	return NULL;
}

static struct err *index_types(struct btf *btf)
{
	uint32_t off = 0, len = 0, most = btf->types.len / BTF_RECORD;

	if (most >= BTF_NO_TYPE - btf->end_id)
		return err_new(ERR_LIMIT, "more than 2^32 types");
	btf->offsets = mem_alloc((size_t)most * sizeof(*btf->offsets));
	for (; off < btf->types.len; off += len) {
		TRY(check_record(btf, btf->end_id, off, &len));
		btf->offsets[btf->end_id - btf->first_id] = off;
		note_type(btf, btf->end_id++, btf->types.at + off);
	}
	btf->offsets = mem_grow(btf->offsets, btf->end_id - btf->first_id, sizeof(*btf->offsets));
	return NULL;
}

static void close_at(struct btf **btf)
{
	btf_close(*btf);
}

struct err *btf_open(const void *bytes, size_t n, const struct btf *base, struct btf **out)
{
	_cleanup_(close_at) struct btf *btf = mem_zalloc(1, sizeof(*btf));
	struct err *e;

	btf->base = base;
	btf->pointer_size = base ? base->pointer_size : 8;
	btf->first_id = btf->end_id = base ? base->end_id : 1;
	btf->first_str = base ? base->first_str + base->strs.len : 0;
	e = read_header(btf, bytes, n);
	if (!e) {
		read_shapes(btf);
		e = index_types(btf);
	}
	if (e)
		return err_wrap(e, "BTF");
	btf_names_build(btf);
	*out = btf;
	btf = NULL;
	return NULL;
}

void btf_close(struct btf *btf)
{
	if (!btf)
		return;
	btf_names_fini(btf);
	vec_fini(&btf->enums);
	mem_free(btf->offsets);
	mem_free(btf);
}

uint32_t btf_pointer_size(const struct btf *btf)
{
	return btf->pointer_size;
}

uint32_t btf_type_count(const struct btf *btf)
{
	return btf->end_id;
}

const char *btf_name(const struct btf *btf, uint32_t id)
{
	const uint8_t *r = btf_record(btf, id);

	return r ? btf_string(btf, le32(r)) : "";
}

uint32_t btf_strip(const struct btf *btf, uint32_t id)
{
	for (int depth = 0; depth < BTF_DEEPEST; depth++) {
		const uint8_t *r = btf_record(btf, id);
		if (!r)
			return id == 0 ? 0 : BTF_NO_TYPE;
		enum btf_kind kind = btf_info_kind(btf_info(r));
		if (kind != BTF_KIND_TYPEDEF && kind != BTF_KIND_TYPE_TAG &&
		    (kind < BTF_KIND_VOLATILE || kind > BTF_KIND_RESTRICT))
			return id;
		id = btf_size_or_type(r);
	}
	return BTF_NO_TYPE;
}
