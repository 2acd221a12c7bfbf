// SPDX-License-Identifier: LGPL-2.1-or-later
// vmiscan.so: tables of images for any host of SQLite. The one function that the host sees.
#include "src/extension/attach.h"
#include "src/extension/images.h"
#include "src/extension/table.h"

enum { OLDEST = 3037000 }; // STRICT tables

const sqlite3_api_routines *sqlite3_api;

static int refuse(char **why, const sqlite3_api_routines *api)
{
	*why = api->mprintf("vmiscan: this host has SQLite %s; 3.37 or later is needed",
			    api->libversion());
	return SQLITE_ERROR;
}

// Two copies of SQLite in one process, each with functions of its own, can't share the pointer.
static int refuse_second(char **why, const sqlite3_api_routines *api)
{
	*why = api->mprintf("vmiscan: is loaded already by another SQLite of this process");
	return SQLITE_ERROR;
}

__attribute__((visibility("default"))) int sqlite3_vmiscan_init(sqlite3 *db, char **why,
								const sqlite3_api_routines *api);

int sqlite3_vmiscan_init(sqlite3 *db, char **why, const sqlite3_api_routines *api)
{
	if (api->libversion_number() < OLDEST)
		return refuse(why, api);
	if (sqlite3_api && sqlite3_api != api)
		return refuse_second(why, api);
	sqlite3_api = api;
	struct images *images = images_new(db);
	if (!images)
		return SQLITE_NOMEM;
	int rc = sqlite3_create_module_v2(db, "vmiscan", &table_module, images, images_free);
	if (rc != SQLITE_OK)
		return rc;
	return sqlite3_create_function_v2(db, "vmiscan_attach", -1, SQLITE_UTF8 | SQLITE_DIRECTONLY,
					  NULL, attach_function, NULL, NULL, NULL);
}
