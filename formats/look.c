// SPDX-License-Identifier: LGPL-2.1-or-later
// Detection without opening what was detected.
#include "formats/look.h"

#include "formats/flattened.h"
#include "formats/kdump.h"
#include "formats/known.h"
#include "formats/probe.h"
#include "formats/readers.h"
#include "formats/unpack.h"
#include "formats/vmware_partner.h"
#include "src/base/scope.h"
#include "src/base/text.h"

#include <string.h>

// Memory without a header is not this small.
enum { RAW_LEAST = 1 << 20, KDUMP_HEADER = 4096 };

static bool is_raw(const struct fmt_probe *p)
{
	return p->size >= RAW_LEAST && p->size % PAGE_SIZE == 0;
}

static bool is_image(const struct fmt_probe *p)
{
	if (known_holds_no_memory(p))
		return false;
	if (unpack_recognise(p) || flattened_is(p) || known_refusal(p))
		return true;
	for (const struct fmt_ops *const *f = fmt_registry; *f; f++)
		if ((*f)->probe(p))
			return *f != &fmt_raw || is_raw(p);
	return false;
}

static void note_memory(void *arg, const char *path)
{
	size_t n = strlen(path), ending = strlen(".vmem");

	if (n > ending && strcmp(path + n - ending, ".vmem") == 0 && access(path, R_OK) == 0)
		*(bool *)arg = true;
}

static bool is_partner(const char *path, const struct fmt_probe *p)
{
	bool there = false;

	if (fmt_vmware.probe(p))
		vmware_partners(path, note_memory, &there);
	return there;
}

// Parts of one dump begin with the same header, its time included (makedumpfile.c,
// write_kdump_header()); what differs follows in the next block.
static bool is_part(struct io *io, const struct fmt_probe *p, struct look_part *part)
{
	struct kdump_part head = {0};
	size_t block;

	if (!fmt_kdump.probe(p) || p->head_size < KDUMP_HEADER || kdump_head(io, &head, &block) ||
	    !head.split)
		return false;
	*part = (struct look_part){text_hash(TEXT_HASH, (const char *)p->head, KDUMP_HEADER),
				   head.start_pfn};
	return true;
}

static enum look look_into(struct io *io, const struct fmt_probe *p, struct look_part *part)
{
	if (probe_is_text(p))
		return LOOK_TEXT;
	if (is_partner(io->path, p))
		return LOOK_PARTNER;
	if (is_part(io, p, part))
		return LOOK_PART;
	return is_image(p) ? LOOK_IMAGE : LOOK_OTHER;
}

enum look look_at_file(const char *path, struct look_part *part)
{
	_cleanup_free_ struct probe_bytes *bytes = mem_alloc(sizeof(*bytes));
	enum look look = LOOK_OTHER;
	struct fmt_probe p;
	struct io *io;

	if (io_open_file(path, &io))
		return LOOK_OTHER;
	if (!probe_load(io, bytes, &p) && p.head_size > 0)
		look = look_into(io, &p, part);
	io_close(io);
	return look;
}
