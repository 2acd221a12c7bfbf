// SPDX-License-Identifier: LGPL-2.1-or-later
// `vmiscan schema`: the database's tables, as SQL with comments.
#include "src/cli/calls.h"

#include "schema/ddl.h"
#include "src/base/scope.h"

struct err *call_schema(const struct options *o, enum exit_status *status)
{
	_cleanup_(arena_fini) struct arena a = {0};

	(void)o;
	(void)fputs(ddl_all(&a), stdout);
	*status = EXIT_ANALYSED;
	return NULL;
}
