// SPDX-License-Identifier: LGPL-2.1-or-later
// What a word that is half typed may become.
#ifndef VMI_CLI_COMPLETE_H
#define VMI_CLI_COMPLETE_H

#include "src/base/arena.h"
#include "src/base/vec.h"
#include "src/sql/session.h"

struct completion {
	VEC(const char *) names; // in the arena, as the database sorts them
	size_t common;		 // they all begin with as many bytes
	size_t typed;		 // of these that are there already
	struct arena arena;
};

// Of the word that ends at line + n.
void complete(struct completion *c, struct session *s, const char *const *words, const char *line,
	      size_t n);
void completion_fini(struct completion *c);

#endif
