// SPDX-License-Identifier: LGPL-2.1-or-later
// A write-ahead log or a rollback journal, by its name (sqlite.org/fileformat2.html, 3 and 4).
#include "src/db/journal.h"

#include "src/base/mem.h"
#include "src/base/scope.h"

#include <sys/stat.h>

struct err *journal_refuse(const char *path)
{
	static const char *const endings[] = {"-wal", "-journal"};
	struct stat st;

	for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
		_cleanup_free_ char *name = mem_printf("%s%s", path, endings[i]);
		if (stat(name, &st) == 0 && st.st_size > 0)
			return err_new(ERR_UNSUPPORTED,
				       "%s: changes to the database lie in %s; open it once with "
				       "sqlite3, which writes them back",
				       path, name);
	}
	return NULL;
}
