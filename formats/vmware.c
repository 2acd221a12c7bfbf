// SPDX-License-Identifier: LGPL-2.1-or-later
// VMware snapshots: the state file (.vmss, .vmsn) and the memory, inside it or in a .vmem.
//
// No layout here is out of a specification, none is published: see vmware_tags.h.
#include "formats/readers.h"

#include "formats/probe.h"
#include "formats/vmware.h"
#include "formats/vmware_partner.h"
#include "formats/vmware_tags.h"
#include "src/base/mem.h"
#include "src/base/scope.h"

#include <stdlib.h>

typedef unsigned long long ull;

static const char *vmware_probe(const struct fmt_probe *p)
{
	return vmware_magic(p->head, p->head_size) ? "VMware state file (.vmss, .vmsn)" : NULL;
}

static struct err *read_memory(struct mem_source *src, const struct mem_run *run, uint64_t delta,
			       void *buf, size_t n, size_t *got)
{
	struct io *memory = ((struct image *)src)->priv;

	return io_read(memory, run->off + delta, buf, n, got);
}

// --- layout ---

// Where the memory's bytes are.
struct memory {
	struct io *io;
	uint64_t off, size;
};

static int by_address(const void *a, const void *b)
{
	const struct mem_run *x = a, *y = b;

	return (x->pa > y->pa) - (x->pa < y->pa);
}

// What of [page, page + n) the memory has, at frame.
static void add_run(struct image *img, const struct memory *m, const struct vmware_region *r)
{
	uint64_t off = (uint64_t)r->page * PAGE_SIZE, size = (uint64_t)r->n * PAGE_SIZE;

	if (off >= m->size || size == 0)
		return;
	if (size > m->size - off)
		size = m->size - off;
	img->runs[img->n_runs++] =
		(struct mem_run){(uint64_t)r->frame * PAGE_SIZE, size, m->off + off, MEM_PRESENT};
}

// No region is recorded: one from address 0 on, or if that is more than a machine has in one piece,
// as the kernel search finds it.
static void lay_flat(struct image *img, const struct memory *m)
{
	img->runs[img->n_runs++] = (struct mem_run){0, m->size, m->off, MEM_PRESENT};
	img->flat = mem_alloc(sizeof(*img->flat));
	img->flat[0] = img->runs[0];
	img->n_flat = 1;
	img->flat_size = m->size;
}

static struct err *lay_out(struct image *img, const struct memory *m, const struct vmware_state *s)
{
	const struct vmware_region *r;

	if (m->size == 0)
		return err_new(ERR_FORMAT, "the memory is cut before it starts");
	img->runs = mem_zalloc(s->regions.n + 1, sizeof(*img->runs));
	vec_foreach (r, &s->regions)
		add_run(img, m, r);
	if (s->regions.n == 0)
		lay_flat(img, m);
	if (img->n_runs)
		qsort(img->runs, img->n_runs, sizeof(*img->runs), by_address);
	img->priv = m->io;
	img->source.read = read_memory;
	img->layout_note =
		s->regions.n ? mem_printf("%zu regions, as the state file has them", s->regions.n)
			     : mem_strdup("one region from address 0 on: the state file has "
					  "none");
	return NULL;
}

// --- what is wrong ---

static void tell(struct image *img, const struct vmware_state *s, const struct memory *m)
{
	uint64_t size = vmware_state_size(s);

	image_fact(img, "State", "of version %u (magic 0x%x), memory %s", s->version, s->magic,
		   img->beside ? "in a file of its own" : "inside");
	if (img->beside && img->beside_role)
		image_fact(img, "Beside", "%s (%s)", img->beside->path, img->beside_role);
	if (s->cut)
		image_damaged(img, "the state file is cut inside its tags");
	if (s->n_odd)
		image_damaged(img,
			      "%llu tags of the state file are of CPUs or regions that it "
			      "does not have",
			      (ull)s->n_odd);
	if (size && size != m->size)
		image_damaged(img,
			      "the regions of the state file have %llu bytes, the memory has %llu: "
			      "it is cut, or of another moment",
			      (ull)size, (ull)m->size);
}

// --- open ---

static struct err *find_memory(struct image *img, const struct vmware_state *s, struct memory *m)
{
	bool memory_given = img->beside != NULL;

	if (!memory_given && s->memory_size) {
		uint64_t left = img->io->size - s->memory_off;
		*m = (struct memory){img->io, s->memory_off,
				     s->memory_size < left ? s->memory_size : left};
		return NULL;
	}
	if (!memory_given)
		TRY(vmware_open_memory(img->io->path, &img->beside));
	if (!memory_given)
		img->beside_role = "memory";
	struct io *io = memory_given ? img->io : img->beside;
	*m = (struct memory){io, 0, io->size};
	return NULL;
}

static void take_cpus(struct image *img, struct vmware_state *s)
{
	img->vcpus = s->vcpus.at;
	img->n_vcpus = s->vcpus.n;
	s->vcpus.at = NULL;
	s->vcpus.n = s->vcpus.cap = 0;
}

static struct err *open_with(struct image *img, struct vmware_state *s)
{
	struct memory m;

	TRY(vmware_state_read(img->beside ? img->beside : img->io, s));
	TRY(find_memory(img, s, &m));
	TRY(lay_out(img, &m, s));
	tell(img, s, &m);
	take_cpus(img, s);
	if (img->n_runs == 0)
		return err_new(ERR_FORMAT, "a VMware state file whose regions have no memory");
	return NULL;
}

static struct err *vmware_open(struct image *img)
{
	struct vmware_state s = {0};
	struct err *e = open_with(img, &s);

	vmware_state_fini(&s);
	return e;
}

const struct fmt_ops fmt_vmware = {
	.name = "vmware",
	.doc = "VMware .vmss, .vmsn, with the memory inside or in a .vmem beside it",
	.probe = vmware_probe,
	.open = vmware_open,
};
