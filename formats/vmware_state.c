// SPDX-License-Identifier: LGPL-2.1-or-later
// The group "memory": where the regions lie, and the memory itself where it is inside.
#include "formats/vmware_tags.h"

#include "formats/vmware.h"
#include "src/base/bytes.h"

#include <string.h>

enum { MAX_REGIONS = 4096 };

void vmware_state_fini(struct vmware_state *s)
{
	vec_fini(&s->regions);
	vec_fini(&s->vcpus);
}

uint64_t vmware_state_size(const struct vmware_state *s)
{
	const struct vmware_region *r;
	uint64_t pages = 0;

	vec_foreach (r, &s->regions)
		pages += r->n;
	return pages * PAGE_SIZE;
}

static uint32_t value32(const struct vmware_tag *t)
{
	return (uint32_t)le_n(t->value, t->n < 4 ? t->n : 4);
}

static void take_region(struct vmware_state *s, const struct vmware_tag *t)
{
	uint32_t i = t->n_indices ? t->index[0] : 0;

	if (i >= MAX_REGIONS) {
		s->n_odd++;
		return;
	}
	while (s->regions.n <= i)
		*vec_add(&s->regions) = (struct vmware_region){0};
	struct vmware_region *r = &s->regions.at[i];
	if (strcmp(t->name, "regionPPN") == 0)
		r->frame = value32(t);
	else if (strcmp(t->name, "regionPageNum") == 0)
		r->page = value32(t);
	else
		r->n = value32(t);
}

static struct err *take_memory(struct vmware_state *s, const struct vmware_tag *t)
{
	if (t->compressed)
		return err_new(ERR_UNSUPPORTED,
			       "a VMware state file with compressed memory: recognised, not "
			       "supported; its compression is not public. Take the snapshot "
			       "without compression, or as a .vmem");
	if (s->memory_size == 0) {
		s->memory_off = t->off;
		s->memory_size = t->size;
	}
	return NULL;
}

static struct err *visit_memory(void *arg, const struct vmware_tag *t)
{
	struct vmware_state *s = arg;

	if (strcmp(t->name, "regionsCount") == 0 && !t->block)
		s->n_regions = value32(t);
	else if (strcmp(t->name, "regionPPN") == 0 || strcmp(t->name, "regionPageNum") == 0 ||
		 strcmp(t->name, "regionSize") == 0)
		take_region(s, t);
	else if (strcmp(t->name, "Memory") == 0 && t->block)
		return take_memory(s, t);
	else if (strcmp(t->name, "CompressedMemory") == 0 &&
		 (t->block ? t->size > 0 : value32(t) > 0))
		return take_memory(s, &(struct vmware_tag){.compressed = true});
	return NULL;
}

static struct err *visit_cpu(void *arg, const struct vmware_tag *t)
{
	vmware_take_cpu_tag(arg, t);
	return NULL;
}

// Regions and CPUs beyond the counted ones are no more than nonsense.
static void drop_uncounted(struct vmware_state *s)
{
	if (s->regions.n > s->n_regions) {
		s->n_odd += s->n_regions > 0;
		s->regions.n = (size_t)s->n_regions;
	}
	if (s->n_cpus && s->vcpus.n > s->n_cpus) {
		s->n_odd++;
		s->vcpus.n = (size_t)s->n_cpus;
	}
}

static struct err *check_counts(const struct vmware_state *s)
{
	if (s->n_regions > MAX_REGIONS)
		return err_new(ERR_LIMIT, "it counts %llu memory regions; %d are read at most",
			       (unsigned long long)s->n_regions, MAX_REGIONS);
	if (s->n_regions > s->regions.n)
		return err_new(ERR_FORMAT,
			       "a VMware state file that counts %llu memory regions and describes "
			       "%zu%s",
			       (unsigned long long)s->n_regions, s->regions.n,
			       s->cut ? ": it is cut" : "");
	return NULL;
}

static struct err *take_head(struct io *io, struct vmware_state *s)
{
	uint8_t head[VMWARE_HEAD];
	size_t got;

	TRY(io_read(io, 0, head, sizeof(head), &got));
	if (got == sizeof(head)) {
		s->magic = le32(head);
		s->version = le32(head + 4);
	}
	return NULL;
}

struct err *vmware_state_read(struct io *io, struct vmware_state *s)
{
	TRY(take_head(io, s));
	TRY(vmware_each_tag(io, "cpu", visit_cpu, s, &s->cut));
	TRY(vmware_each_tag(io, "memory", visit_memory, s, &s->cut));
	drop_uncounted(s);
	return check_counts(s);
}
