// SPDX-License-Identifier: LGPL-2.1-or-later
// vmiscan_attach('image' [, option=value as in USING vmiscan()]...): all tables at once.
#ifndef VMI_EXTENSION_ATTACH_H
#define VMI_EXTENSION_ATTACH_H

#include "src/db/sqlite.h"

// An SQL function; gives how many tables and views there are now.
void attach_function(sqlite3_context *context, int argc, sqlite3_value **argv);

#endif
