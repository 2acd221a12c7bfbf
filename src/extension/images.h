// SPDX-License-Identifier: LGPL-2.1-or-later
// The images of a connection: each is opened once, whatever tables of it there are, and keeps what
// was extracted until its last table is dropped or the connection closed.
#ifndef VMI_EXTENSION_IMAGES_H
#define VMI_EXTENSION_IMAGES_H

#include "src/extension/arguments.h"
#include "src/base/mem.h"
#include "src/sql/imagedb.h"

struct images; // of one connection, which is used by one thread at a time

struct image_in_use {
	struct image_in_use *next;
	char *key;
	sqlite3 *host;
	struct arguments arguments;
	unsigned tables; // that are made of it
	struct mem_pool pool;
	struct analysis analysis;
	struct imagedb *db;	   // NULL until it is open
	bool dead;		   // its memory ended
	bool interrupted;	   // the last work on it was, by the host
	sqlite3_stmt *probe;	   // tells that, while there is work
	bool pending[TABLE_COUNT]; // a statement that begins will read them
};

struct images *images_new(sqlite3 *host); // NULL: no memory
void images_free(void *images);		  // closes them all

// Takes over the arguments. NULL: no memory. images_drop() is for a table that is gone for good.
struct image_in_use *images_take(struct images *all, struct arguments *a);
void images_leave(struct image_in_use *i);
void images_drop(struct images *all, struct image_in_use *i);

// Opens the container, if it is not open; then the tables that are pending.
struct err *image_use(struct image_in_use *i);
struct err *image_load(struct image_in_use *i);

#endif
