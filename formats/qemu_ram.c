// SPDX-License-Identifier: LGPL-2.1-or-later
// Sections of RAM in a migration stream: the list of blocks, then a record for each page sent.
//
// A record is be64 offset in the block | flags; most have the block's name unless CONTINUE says
// that it is the one of the record before. A page comes up as often as the guest wrote to it while
// it was sent, and the last record is the one that counts.
#include "formats/qemu_stream.h"

#include "formats/block.h"
#include "src/base/bytes.h"

#include <stdio.h>
#include <string.h>

enum { XBZRLE_ENCODING = 1 };

static const uint64_t FLAGS = PAGE_SIZE - 1;

// Larger than any guest; only a file that may fill it may claim it.
static const uint64_t RAM_MAX = UINT64_C(4) << 40;

typedef unsigned long long ull;

// --- The list of blocks ---

// If postcopy was allowed, a block whose pages have not the host's usual size has its page size
// here, and nothing says so. It can't be the length of a name and the name, nor a record: it has no
// flags.
static void skip_page_size(struct qemu_stream *s)
{
	uint64_t v = window_need(&s->w, 8) ? be64(window_at(&s->w)) : 0;

	if (v > PAGE_SIZE && v <= UINT64_C(1) << 40 && (v & (v - 1)) == 0)
		window_skip(&s->w, 8);
}

static struct err *take_block(struct qemu_stream *s, uint64_t left, uint64_t *size)
{
	struct qemu_block b = {0};
	const uint8_t *p;

	*size = 0;
	if (!qemu_take_name(s, b.name) || !window_take(&s->w, 8, &p)) {
		qemu_cut(s, "the list of RAM blocks");
		return NULL;
	}
	b.size = be64(p);
	if (b.size == 0 || b.size > left || b.size % PAGE_SIZE)
		return err_new(ERR_FORMAT, "a migration stream whose RAM block %s has 0x%llx bytes",
			       b.name, (ull)b.size);
	if (s->blocks.n == QEMU_BLOCKS_MAX)
		return err_new(ERR_LIMIT, "a migration stream with more than %d RAM blocks",
			       QEMU_BLOCKS_MAX);
	if (!s->mapped && !s->ignore_shared)
		skip_page_size(s);
	if (s->ignore_shared)
		window_skip(&s->w, 8); // the guest address
	if (s->mapped)
		TRY(qemu_mapped_block(s, &b));
	b.first = s->blocks.n ? s->blocks.at[s->blocks.n - 1].first +
					s->blocks.at[s->blocks.n - 1].size / PAGE_SIZE
			      : 0;
	vec_push(&s->blocks, b);
	*size = b.size;
	return NULL;
}

static struct err *check_total(const struct qemu_stream *s, uint64_t total)
{
	if (total == 0 || total % PAGE_SIZE)
		return err_new(ERR_FORMAT, "a migration stream with 0x%llx bytes of RAM",
			       (ull)total);
	if (total > RAM_MAX && total / 512 > s->end)
		return err_new(ERR_LIMIT,
			       "a migration stream of %llu bytes that claims to have "
			       "0x%llx bytes of RAM",
			       (ull)s->end, (ull)total);
	return NULL;
}

static struct err *take_list(struct qemu_stream *s, uint64_t total)
{
	uint64_t size;

	if (s->blocks.n)
		return err_new(ERR_FORMAT, "a migration stream with two lists of RAM blocks");
	TRY(check_total(s, total));
	for (uint64_t left = total; left > 0 && !s->stopped; left -= size)
		TRY(take_block(s, left, &size));
	s->ram_seen = true;
	qindex_init(&s->ix, s->mapped ? 0 : total / PAGE_SIZE, s->end);
	return NULL;
}

// --- Records ---

static bool find_block(struct qemu_stream *s, const char *name)
{
	for (size_t i = 0; i < s->blocks.n; i++)
		if (strcmp(s->blocks.at[i].name, name) == 0) {
			s->current = i;
			return true;
		}
	return false;
}

static bool take_block_name(struct qemu_stream *s)
{
	char name[QEMU_NAME_SIZE];

	if (!qemu_take_name(s, name)) {
		qemu_cut(s, "a page's record");
		return false;
	}
	if (find_block(s, name))
		return true;
	qemu_stop(s, "a page belongs to a RAM block that the stream did not announce");
	return false;
}

// The page's place in the index; NULL: stopped.
static uint64_t *slot_of(struct qemu_stream *s, uint64_t record)
{
	uint64_t off = record & ~FLAGS;

	if (!(record & RAM_CONTINUE) && !take_block_name(s))
		return NULL;
	if (s->current >= s->blocks.n || off >= s->blocks.at[s->current].size) {
		qemu_stop(s, "a page lies outside its RAM block, at 0x%llx", (ull)off);
		return NULL;
	}
	uint64_t *slot = qindex_slot(&s->ix, s->blocks.at[s->current].first + off / PAGE_SIZE);
	if (!slot)
		qemu_stop(s, "its pages are scattered over more memory than such a file can fill");
	return slot;
}

// A body of n bytes that the index points to; false: cut.
static bool skip_body(struct qemu_stream *s, uint64_t n)
{
	if (n > s->end - window_off(&s->w)) {
		qemu_cut(s, "a page's record");
		return false;
	}
	window_skip(&s->w, n);
	return true;
}

static void take_zero(struct qemu_stream *s, uint64_t *slot)
{
	const uint8_t *p;

	if (window_take(&s->w, 1, &p))
		*slot = qpage(QPAGE_FILL, *p);
	else
		qemu_cut(s, "a page's record");
}

static void take_plain(struct qemu_stream *s, uint64_t *slot)
{
	uint64_t off = window_off(&s->w);

	if (skip_body(s, PAGE_SIZE))
		*slot = qpage(QPAGE_PLAIN, off);
}

static void take_compressed(struct qemu_stream *s, uint64_t *slot)
{
	uint64_t off = window_off(&s->w);

	if (!window_need(&s->w, 4)) {
		qemu_cut(s, "a page's record");
		return;
	}
	uint32_t n = be32(window_at(&s->w));
	if (n > 2 * PAGE_SIZE)
		qemu_stop(s, "a compressed page has %u bytes", n);
	else if (skip_body(s, 4 + (uint64_t)n))
		*slot = qpage(QPAGE_ZLIB, off);
}

static void take_xbzrle(struct qemu_stream *s, uint64_t *slot)
{
	uint64_t off = window_off(&s->w) + 1;

	if (!window_need(&s->w, 3)) {
		qemu_cut(s, "a page's record");
		return;
	}
	uint16_t n = be16(window_at(&s->w) + 1);
	if (*window_at(&s->w) != XBZRLE_ENCODING || n > PAGE_SIZE)
		qemu_stop(s, "a page's changes are encoded in an unknown way");
	else if (skip_body(s, 3 + (uint64_t)n))
		qindex_delta(&s->ix, slot, off);
}

static struct err *refuse_packed(uint64_t record)
{
	if (!(record & RAM_COMPRESS) || !block_lacks(BLOCK_ZLIB))
		return NULL;
	return err_new(
		ERR_UNSUPPORTED,
		"a migration stream with compressed pages, which this build can't unpack: it "
		"lacks %s",
		block_lacks(BLOCK_ZLIB));
}

static void take_page(struct qemu_stream *s, uint64_t record)
{
	uint64_t *slot = slot_of(s, record);

	if (!slot)
		return;
	s->kinds |= record & FLAGS;
	switch (record & FLAGS & ~(uint64_t)RAM_CONTINUE) {
	case RAM_ZERO:
		take_zero(s, slot);
		break;
	case RAM_PAGE:
		take_plain(s, slot);
		break;
	case RAM_COMPRESS:
		take_compressed(s, slot);
		break;
	default:
		take_xbzrle(s, slot);
	}
}

static struct err *refuse_hook(void)
{
	return err_new(ERR_UNSUPPORTED,
		       "a migration stream over RDMA: its pages went another way and are not in "
		       "it; migrate to a file without RDMA");
}

// What is not a page; *more is false at the section's end.
static struct err *take_other(struct qemu_stream *s, uint64_t record, bool *more)
{
	switch (record & FLAGS) {
	case RAM_EOS:
		*more = false;
		return NULL;
	case RAM_MULTIFD_FLUSH:
		return NULL;
	case RAM_MEM_SIZE:
		return take_list(s, record & ~FLAGS);
	case RAM_HOOK:
		return refuse_hook();
	case RAM_FULL:
		return err_new(ERR_UNSUPPORTED,
			       "a migration stream of QEMU before 0.15 (records of the kind FULL)");
	default:
		qemu_stop(s, "there is no record of the kind 0x%llx", (ull)(record & FLAGS));
		return NULL;
	}
}

static bool is_page(uint64_t record)
{
	uint64_t kind = record & FLAGS & ~(uint64_t)RAM_CONTINUE;

	return kind == RAM_PAGE || kind == RAM_ZERO || kind == RAM_XBZRLE || kind == RAM_COMPRESS;
}

static bool may_have_pages(struct qemu_stream *s)
{
	if (s->ram_seen && !s->mapped)
		return true;
	qemu_stop(s, s->mapped ? "a page's record in a mapped-ram stream"
			       : "a page's record before the list of RAM blocks");
	return false;
}

struct err *qemu_ram_section(struct qemu_stream *s)
{
	bool more = true;
	const uint8_t *p;

	while (more && !s->stopped) {
		qemu_ram_row(s);
		if (!window_take(&s->w, 8, &p)) {
			qemu_cut(s, "a section of RAM");
			break;
		}
		uint64_t record = be64(p);
		if (!is_page(record))
			TRY(take_other(s, record, &more));
		else if (may_have_pages(s)) {
			TRY(refuse_packed(record));
			take_page(s, record);
		}
	}
	return NULL;
}

void qemu_ram_facts(const struct qemu_stream *s)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} kinds[] = {{RAM_PAGE, "plain"},
		     {RAM_ZERO, "zero"},
		     {RAM_XBZRLE, "changes (XBZRLE)"},
		     {RAM_COMPRESS, "zlib"}};
	char words[96] = "";

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++)
		if (s->kinds & kinds[i].flag)
			(void)snprintf(words + strlen(words), sizeof(words) - strlen(words), "%s%s",
				       words[0] ? ", " : "", kinds[i].name);
	image_fact(s->img, "Pages", "%s", s->mapped ? "mapped-ram" : words);
}

// --- Postcopy ---

// A stream that throws more away than it could have had is made to keep us busy.
static bool may_discard(struct qemu_stream *s)
{
	if (s->n_discarded++ <= 2 * s->ix.n_pages)
		return true;
	qemu_stop(s, "postcopy throws the same pages away over and over");
	return false;
}

static void discard(struct qemu_stream *s, const struct qemu_block *b, uint64_t off, uint64_t n)
{
	uint64_t step;

	for (uint64_t at = off; at < b->size && at - off < n && may_discard(s) && !s->stopped;
	     at += step) {
		uint64_t page = b->first + at / PAGE_SIZE;
		bool none = !qindex_has_leaf(&s->ix, page);
		step = (none ? QINDEX_LEAF - page % QINDEX_LEAF : 1) * (uint64_t)PAGE_SIZE;
		uint64_t *slot = none ? NULL : qindex_slot(&s->ix, page);
		if (slot)
			*slot = qpage(QPAGE_ABSENT, 0);
		else if (!none)
			qemu_stop(s, "postcopy throws away more pages than such a file can have");
	}
}

// u8 version, u8 length, name, NUL; then be64 offset, be64 length as often as there is room
// (migration/savevm.c, qemu_savevm_send_postcopy_ram_discard).
void qemu_ram_discard(struct qemu_stream *s, const uint8_t *body, size_t n)
{
	struct cursor c = cursor_over(body, n);
	char name[QEMU_NAME_SIZE] = "";
	const uint8_t *p;

	if (!cursor_take(&c, 2, &p) || p[0] != 0 || p[1] + 1U > cursor_left(&c))
		return;
	memcpy(name, p + 2, p[1]);
	c.pos += p[1] + 1U;
	if (!s->ram_seen || s->mapped || !find_block(s, name))
		return;
	while (!s->stopped && cursor_take(&c, 16, &p))
		discard(s, &s->blocks.at[s->current], be64(p), be64(p + 8));
}
