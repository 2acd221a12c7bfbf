// SPDX-License-Identifier: LGPL-2.1-or-later
// The name by which SQLite opens a database that is evidence.
#ifndef VMI_DB_URI_H
#define VMI_DB_URI_H

// Read-only and as unchanging: no locks, no journal is looked at, no file is put beside it. From
// mem_alloc().
char *uri_of_evidence(const char *path);

#endif
