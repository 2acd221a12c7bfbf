// SPDX-License-Identifier: LGPL-2.1-or-later
// Columns and rows of tables as JSON: integers as numbers, addresses and texts as strings.
#ifndef VMI_CLI_JSON_ROW_H
#define VMI_CLI_JSON_ROW_H

#include "schema/schema.h"
#include "src/cli/json.h"

// A value of a column's kind.
void json_value(struct json *j, const char *key, enum col_kind kind, const void *value);
// All columns of a row as an object.
void json_table_row(struct json *j, const char *key, const struct table *t, const void *row);

#endif
