// SPDX-License-Identifier: LGPL-2.1-or-later
// Which bytes of a file were read, and what for.
#ifndef VMI_TESTS_DAMAGE_MARKS_H
#define VMI_TESTS_DAMAGE_MARKS_H

#include <stdbool.h>
#include <stdint.h>

enum mark { MARK_OPENING, MARK_PAGES, MARKS };

// From now on reads of the file that fd is of are marked.
void marks_begin(int fd, uint64_t size);
void marks_as(enum mark mark);
bool marks_has(uint64_t at, enum mark mark);
void marks_end(void);

#endif
