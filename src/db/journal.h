// SPDX-License-Identifier: LGPL-2.1-or-later
// What SQLite keeps beside a database whose changes are not all written back.
#ifndef VMI_DB_JOURNAL_H
#define VMI_DB_JOURNAL_H

#include "src/base/err.h"

// ERR_UNSUPPORTED if there is such a file: what is opened as unchanging would miss its changes.
struct err *journal_refuse(const char *path);

#endif
