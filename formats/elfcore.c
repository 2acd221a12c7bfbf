// SPDX-License-Identifier: LGPL-2.1-or-later
// ELF cores with physical addresses: QEMU dump-guest-memory, Cloud Hypervisor, vmcore, kcore.
#include "formats/readers.h"

#include "formats/elfcore.h"
#include "src/base/bytes.h"

#include <string.h>

static const char *elfcore_probe(const struct fmt_probe *p)
{
	if (p->head_size < EI_NIDENT || memcmp(p->head, ELFMAG, SELFMAG) != 0)
		return NULL;
	return "ELF core with physical addresses"; // open() looks closer
}

static struct err *check_kind(const struct elf_file *f)
{
	if (f->ehdr.e_type != ET_CORE)
		return err_new(ERR_FORMAT, "an ELF file, but a program, library or kernel and not "
					   "a core: no memory image");
	if (f->ehdr.e_machine != EM_X86_64 && f->ehdr.e_machine != EM_386 &&
	    f->ehdr.e_machine != EM_AARCH64)
		return err_new(ERR_UNSUPPORTED,
			       "an ELF core of machine type %u; only x86 and arm64 guests are read",
			       f->ehdr.e_machine);
	if (f->n_phdrs > 0)
		return NULL;
	return err_new(ERR_FORMAT, "an ELF core without program headers: no memory in it");
}

// Addresses are virtual only if none is possible, or all of several ranges are at 0, or each is the
// virtual one again and some are the kernel's.
static bool all_virtual(const struct elfcore_map *m)
{
	return m->n_virtual == m->n_loads || (m->n_loads > 1 && m->n_at_zero == m->n_loads) ||
	       (m->n_virtual > 0 && m->n_linear == m->n_loads);
}

static struct err *check_physical(const struct elfcore_map *m)
{
	if (m->n_loads == 0)
		return err_new(ERR_FORMAT, "an ELF core without memory in it%s",
			       m->headers_cut ? ": the file is cut inside its headers" : "");
	if (all_virtual(m))
		return err_new(ERR_UNSUPPORTED,
			       "an ELF core with virtual addresses only (of a process, of "
			       "/proc/kcore before Linux 4.8, of one vCPU by vmss2core): can't be "
			       "laid out as physical memory; give the snapshot it was made from, "
			       "or dump physical memory (dump-guest-memory, vmss2core -M)");
	if (m->runs.n == 0)
		return err_new(ERR_FORMAT, "an ELF core that is cut before its memory starts");
	return NULL;
}

static void note_damage(const struct elfcore_map *m, struct image *img)
{
	typedef unsigned long long ull;

	if (m->headers_cut)
		image_damaged(img, "the file ends inside the table of program headers");
	if (m->promised_end > img->io->size)
		image_damaged(img, "the headers promise memory up to byte %llu, the file has %llu",
			      (ull)m->promised_end, (ull)img->io->size);
	if (m->n_impossible)
		image_damaged(img, "%llu program headers pass the end of physical memory",
			      (ull)m->n_impossible);
}

static struct err *open_mapped(struct elf_file *f, struct elfcore_map *m, struct image *img)
{
	TRY(elfcore_map(f, m));
	TRY(elfcore_notes(m, img));
	TRY(check_physical(m));
	elfcore_settle(m);
	TRY(elfcore_check_size(m, img->io->size));
	note_damage(m, img);
	img->runs = m->runs.at;
	img->n_runs = m->runs.n;
	m->runs.at = NULL;
	img->source.read = fmt_read_plain;
	return NULL;
}

static struct err *elfcore_open(struct image *img)
{
	_cleanup_free_ struct elfcore_map *m = mem_zalloc(1, sizeof(*m));
	struct elf_file f;

	TRY(elf_open(img->io, &f));
	TRY(check_kind(&f));
	struct err *e = open_mapped(&f, m, img);
	mem_free(m->runs.at);
	return e;
}

const struct fmt_ops fmt_elfcore = {
	.name = "elf",
	.doc = "ELF core with physical addresses: QEMU dump-guest-memory, Cloud Hypervisor, "
	       "VirtualBox "
	       "dumpvmcore, vmcore",
	.probe = elfcore_probe,
	.open = elfcore_open,
};
