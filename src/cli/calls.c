// SPDX-License-Identifier: LGPL-2.1-or-later
// What an error makes of the exit status.
#include "src/cli/calls.h"

enum exit_status exit_status_of(const struct err *e)
{
	switch (e->code) {
	case ERR_USAGE:
		return EXIT_USAGE;
	case ERR_IO:
	case ERR_FORMAT:
	case ERR_UNSUPPORTED:
	case ERR_LIMIT:
		return EXIT_UNREADABLE;
	case ERR_NO_KERNEL:
		return EXIT_NO_KERNEL;
	case ERR_OUTPUT:
		return EXIT_OUTPUT;
	case ERR_NOT_FOUND:
	case ERR_INTERNAL:
		break;
	}
	return EXIT_INTERNAL;
}
