// SPDX-License-Identifier: LGPL-2.1-or-later
// SQLite: the library, or, in what is compiled for the loadable extension, that of the host, whose
// functions come as a table of pointers.
#ifndef VMI_DB_SQLITE_H
#define VMI_DB_SQLITE_H

#ifdef VMISCAN_EXTENSION
#include <sqlite3ext.h>
extern const sqlite3_api_routines *sqlite3_api;
#else
#include <sqlite3.h>
#endif

#endif
