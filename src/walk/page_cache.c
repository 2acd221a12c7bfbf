// SPDX-License-Identifier: LGPL-2.1-or-later
// Contents through the inode's xarray of pages.
#include "src/walk/page_cache.h"

enum { TYPE_MASK = 0170000, TYPE_REGULAR = 0100000 }; // of inode.i_mode

// Until it is, what lies in the page is not yet the file's: it is being read, or reading it failed.
// A folio's flags are those of its first page.
static bool is_uptodate(struct walk *w, uint64_t page)
{
	uint64_t flags;
	int64_t bit;

	if (!k_has(w->k, F(page, flags)) || !k_enum_in(w->k, "pageflags", "PG_uptodate", &bit) ||
	    (uint64_t)bit >= 8ULL * w->k->word)
		return true; // these types don't tell
	return k_get(w->k, page, F(page, flags), &flags) && (flags >> bit & 1);
}

// Where the guest's page at an index of a mapping lies. Odd entries stand for what is swapped out.
// A folio has one entry for all its pages, which follow each other in memory.
static bool page_at(struct walk *w, uint64_t mapping, uint64_t index, uint64_t *pa)
{
	uint64_t pages = k_field_va(w->k, mapping, F(address_space, i_pages)), entry, first;

	if (!xa_load(w->k, pages, index, &entry, &first) || (entry & 3) != 0 ||
	    !k_plausible(w->k, entry) || !is_uptodate(w, entry) || !k_page_pa(w->k, entry, pa))
		return false;
	*pa += (index - first) << w->k->page_shift;
	return true;
}

size_t page_cache_page(struct walk *w, uint64_t inode, uint64_t index, void *buf)
{
	uint64_t size = k_or0(w->k, inode, F(inode, i_size)), start = index * PAGE_SIZE, pa;
	uint64_t inside = start & ((1ULL << w->k->page_shift) - 1);
	uint64_t mapping = k_or0(w->k, inode, F(inode, i_mapping));

	if ((k_or0(w->k, inode, F(inode, i_mode)) & TYPE_MASK) != TYPE_REGULAR || size <= start)
		return 0;
	size = size - start < PAGE_SIZE ? size - start : PAGE_SIZE;
	return page_at(w, mapping, start >> w->k->page_shift, &pa) &&
			       physmem_read(w->k->mem, pa + inside, buf, size)
		       ? size
		       : 0;
}

size_t page_cache_head(struct walk *w, uint64_t inode, void *buf)
{
	return page_cache_page(w, inode, 0, buf);
}
