// SPDX-License-Identifier: LGPL-2.1-or-later
// The writer of VMware state files; the layout is that of formats/vmware_tags.h.
#include "tests/unit/vmware_build.h"

#include <criterion/criterion.h>

#include <string.h>

enum { HEAD = 12, GROUP = 80 };

void vmware_begin(struct vmware_build *b, uint32_t magic, unsigned most_groups)
{
	uint32_t head[3] = {magic, 8, 0};

	*b = (struct vmware_build){.most_groups = most_groups, .width = magic & 0xf ? 8 : 4};
	blob_put(&b->file, 0, head, sizeof(head));
	blob_put(&b->file, HEAD + (size_t)GROUP * most_groups, "", 0);
}

void vmware_group(struct vmware_build *b, const char *name)
{
	size_t at = HEAD + (size_t)GROUP * b->n_groups++;
	size_t first = HEAD + (size_t)GROUP * b->most_groups;
	uint64_t pos = b->file.n > first ? b->file.n : first;

	cr_assert(b->n_groups <= b->most_groups);
	blob_put(&b->file, pos, "", 0);
	blob_put(&b->file, 8, &b->n_groups, 4);
	blob_put(&b->file, at, name, strlen(name));
	blob_put(&b->file, at + 64, &pos, 8);
}

void vmware_group_end(struct vmware_build *b)
{
	blob_append(&b->file, "\0", 2);
}

static void put_head(struct vmware_build *b, uint8_t size, const char *name, unsigned n_indices,
		     const uint32_t *indices)
{
	uint8_t head[2] = {(uint8_t)(size | n_indices << 6), (uint8_t)strlen(name)};

	blob_append(&b->file, head, 2);
	blob_append(&b->file, name, head[1]);
	blob_append(&b->file, indices, n_indices * sizeof(*indices));
}

void vmware_tag(struct vmware_build *b, const char *name, unsigned n_indices,
		const uint32_t *indices, const void *value, size_t n)
{
	put_head(b, (uint8_t)n, name, n_indices, indices);
	blob_append(&b->file, value, n);
}

void vmware_u32(struct vmware_build *b, const char *name, int index, uint32_t value)
{
	uint32_t i = (uint32_t)index;

	vmware_tag(b, name, index >= 0, &i, &value, 4);
}

void vmware_block(struct vmware_build *b, const char *name, unsigned n_indices,
		  const uint32_t *indices, uint16_t padding, const void *bytes, size_t n,
		  bool compressed)
{
	uint64_t size = n;

	put_head(b, compressed ? 62 : 63, name, n_indices, indices);
	blob_append(&b->file, &size, b->width);
	blob_append(&b->file, &size, b->width);
	blob_append(&b->file, &padding, 2);
	for (unsigned i = 0; i < padding; i++)
		blob_append(&b->file, "\xee", 1);
	blob_append(&b->file, bytes, n);
}

void vmware_region(struct vmware_build *b, uint32_t i, uint32_t frame, uint32_t page, uint32_t n)
{
	vmware_u32(b, "regionPPN", (int)i, frame);
	vmware_u32(b, "regionPageNum", (int)i, page);
	vmware_u32(b, "regionSize", (int)i, n);
}
