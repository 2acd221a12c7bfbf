// SPDX-License-Identifier: LGPL-2.1-or-later
// The virtual table: a table of an image as one of the host's.
#ifndef VMI_EXTENSION_TABLE_H
#define VMI_EXTENSION_TABLE_H

#include "src/db/sqlite.h"

extern const sqlite3_module table_module; // its client data is a struct images

#endif
