// SPDX-License-Identifier: LGPL-2.1-or-later
// Groups and tags, read through a window that moves with them.
#include "formats/vmware_tags.h"

#include "src/base/bytes.h"
#include "src/base/scope.h"

#include <string.h>

enum {
	GROUP = 80,
	GROUP_NAME = 64,
	MAX_GROUPS = 4096, // real files have some hundred
	MAX_TAGS = 1 << 20,
	WINDOW = 64 << 10,
	BLOCK = 63,
	COMPRESSED = 62,
};

bool vmware_magic(const uint8_t *head, size_t n)
{
	static const uint32_t magics[] = {
		0xbed2bed0, 0xbed0bed0, // with 32-bit sizes
		0xbad1bad1, 0xbad2bad2, 0xbed2bed2,
		0xbed3bed3, // "partial": the memory is always elsewhere
	};

	for (size_t i = 0; n >= 4 && i < sizeof(magics) / sizeof(magics[0]); i++)
		if (le32(head) == magics[i])
			return true;
	return false;
}

struct reader {
	struct io *io;
	uint64_t at; // of the next tag
	size_t width;
	uint8_t *window;
	uint64_t window_off;
	size_t window_n;
};

// n bytes at off, or NULL where the file ends before.
static const uint8_t *look(struct reader *r, uint64_t off, size_t n)
{
	if (off < r->window_off || off - r->window_off > r->window_n ||
	    r->window_n - (size_t)(off - r->window_off) < n) {
		r->window_off = off;
		if (io_read(r->io, off, r->window, WINDOW, &r->window_n))
			r->window_n = 0;
		if (r->window_n < n)
			return NULL;
	}
	return r->window + (off - r->window_off);
}

// Where a block's bytes are. False if its head, or its end, is beyond the file's.
static bool take_block(struct reader *r, struct vmware_tag *t)
{
	const uint8_t *p = look(r, r->at, 2 * r->width + 2);

	if (!p)
		return false; // off stays where the head would be
	t->size = le_n(p, r->width);
	t->off = r->at + 2 * r->width + 2 + le16(p + 2 * r->width);
	return t->off <= r->io->size && t->size <= r->io->size - t->off;
}

static void take_value(struct reader *r, struct vmware_tag *t)
{
	size_t n = t->size < VMWARE_VALUE ? (size_t)t->size : VMWARE_VALUE;
	const uint8_t *p = t->compressed ? NULL : look(r, t->off, n);

	t->n = p ? n : 0;
	if (p)
		memcpy(t->value, p, n);
}

// What comes between the two bytes at the start of a tag and its value.
static bool take_name(struct reader *r, struct vmware_tag *t, uint8_t flags, uint8_t name_n)
{
	t->n_indices = flags >> 6;
	const uint8_t *p = look(r, r->at, name_n + 4 * (size_t)t->n_indices);

	if (!p)
		return false;
	memcpy(t->name, p, name_n);
	t->name[name_n] = '\0';
	for (unsigned i = 0; i < t->n_indices; i++)
		t->index[i] = le32(p + name_n + 4 * (size_t)i);
	r->at += name_n + 4 * (uint64_t)t->n_indices;
	return true;
}

enum found {
	FOUND_TAG,
	FOUND_CUT,  // a block whose beginning the file still has
	FOUND_END,  // of the group
	FOUND_LOSS, // the file ends inside the tag
};

static enum found next_tag(struct reader *r, struct vmware_tag *t)
{
	const uint8_t *p = look(r, r->at, 2);

	if (!p)
		return FOUND_LOSS;
	uint8_t flags = p[0], name_n = p[1], size = flags & 0x3f;
	if (flags == 0 && name_n == 0)
		return FOUND_END;
	r->at += 2;
	if (!take_name(r, t, flags, name_n))
		return FOUND_LOSS;
	t->compressed = size == COMPRESSED;
	t->block = size == BLOCK || t->compressed;
	t->off = r->at;
	t->size = size;
	bool whole = t->block ? take_block(r, t) : size <= r->io->size - r->at;
	if (!whole && (!t->block || t->off == r->at || t->off > r->io->size))
		return FOUND_LOSS;
	take_value(r, t);
	r->at = t->off + t->size;
	return whole ? FOUND_TAG : FOUND_CUT;
}

typedef struct err *(*visitor)(void *arg, const struct vmware_tag *tag);

static struct err *walk_group(struct reader *r, uint64_t at, visitor visit, void *arg, bool *cut)
{
	enum found found = FOUND_TAG;
	struct vmware_tag t;

	r->at = at;
	for (int i = 0; i < MAX_TAGS && found == FOUND_TAG; i++) {
		found = at < r->io->size ? next_tag(r, &t) : FOUND_LOSS;
		if (found == FOUND_TAG || found == FOUND_CUT)
			TRY(visit(arg, &t));
	}
	*cut |= found != FOUND_END;
	return NULL;
}

static bool group_is(const uint8_t *g, const char *name)
{
	return strnlen((const char *)g, GROUP_NAME) == strlen(name) &&
	       memcmp(g, name, strlen(name)) == 0;
}

static struct err *walk_groups(struct reader *r, const char *name, visitor visit, void *arg,
			       bool *cut)
{
	uint8_t head[VMWARE_HEAD], g[GROUP];
	size_t got;

	TRY(io_read(r->io, 0, head, sizeof(head), &got));
	if (got < sizeof(head))
		return err_new(ERR_FORMAT, "a VMware state file that is cut inside its header");
	r->width = le32(head) & 0xf ? 8 : 4;
	uint32_t n = le32(head + 8);
	for (uint32_t i = 0; i < n && i < MAX_GROUPS; i++) {
		TRY(io_read(r->io, VMWARE_HEAD + i * (uint64_t)GROUP, g, GROUP, &got));
		if (got < GROUP) {
			*cut = true;
			break;
		}
		if (group_is(g, name))
			TRY(walk_group(r, le64(g + GROUP_NAME), visit, arg, cut));
	}
	return NULL;
}

struct err *vmware_each_tag(struct io *io, const char *group, visitor visit, void *arg, bool *cut)
{
	_cleanup_free_ uint8_t *window = mem_alloc(WINDOW);
	struct reader r = {.io = io, .window = window};

	return walk_groups(&r, group, visit, arg, cut);
}
