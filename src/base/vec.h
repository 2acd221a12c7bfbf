// SPDX-License-Identifier: LGPL-2.1-or-later
// A growable array of any type: struct { T *at; size_t n, cap; }, zero-initialised.
#ifndef VMI_BASE_VEC_H
#define VMI_BASE_VEC_H

#include "src/base/mem.h"

#include <stddef.h>

#define VEC(T)                                                                                     \
	struct {                                                                                   \
		T *at;                                                                             \
		size_t n, cap;                                                                     \
	}

// A pointer to a new, uninitialised last element.
#define vec_add(v)                                                                                 \
	(((v)->n == (v)->cap ? (void)((v)->cap = (v)->cap ? (v)->cap * 2 : 16,                     \
				      (v)->at = mem_grow((v)->at, (v)->cap, sizeof(*(v)->at)))     \
			     : (void)0),                                                           \
	 &(v)->at[(v)->n++])

#define vec_push(v, x) ((void)(*vec_add(v) = (x)))

// An empty array has no `at` to count from.
#define vec_foreach(p, v) for ((p) = (v)->at; (v)->n && (p) < (v)->at + (v)->n; (p)++)

#define vec_fini(v)                                                                                \
	do {                                                                                       \
		mem_free((v)->at);                                                                 \
		(v)->at = NULL;                                                                    \
		(v)->n = (v)->cap = 0;                                                             \
	} while (0)

#endif
