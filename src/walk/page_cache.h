// SPDX-License-Identifier: LGPL-2.1-or-later
// Files as far as the guest's memory still holds them: cached pages.
#ifndef VMI_WALK_PAGE_CACHE_H
#define VMI_WALK_PAGE_CACHE_H

#include "src/walk/walk.h"

// The first page of a regular file, or what it has of one: at most PAGE_SIZE bytes. How many.
size_t page_cache_head(struct walk *w, uint64_t inode, void *buf);

// The same for the PAGE_SIZE bytes at an index, whatever the size of the guest's own pages.
size_t page_cache_page(struct walk *w, uint64_t inode, uint64_t index, void *buf);

#endif
