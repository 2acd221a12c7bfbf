// SPDX-License-Identifier: LGPL-2.1-or-later
// A plain table of the processes.
#include "src/report/listing.h"

#include "src/base/text.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum { LONGEST = 160 };

static const struct shown {
	const char *column, *head;
} shown[] = {{"pid", "PID"},
	     {"parent", "Parent"},
	     {"name", "Name"},
	     {"lifecycle", "Life cycle"},
	     {"phase", "Phase"},
	     {"uid", "User"},
	     {"cmdline", "Command line"}};

enum { N_SHOWN = sizeof(shown) / sizeof(shown[0]) };

// As much of it as fits, whole characters only.
static size_t cut(const char *p, size_t n)
{
	size_t i = 0;

	while (i < n && i < LONGEST) {
		size_t len = text_utf8_len(p + i, n - i);
		i += len ? len : 1;
	}
	return i;
}

static void put_value(page_text *out, const struct data *d, size_t row, const char *column)
{
	struct opt_text text = data_text(d, TABLE_processes, row, column);
	int64_t number = data_int(d, TABLE_processes, row, column);
	char digits[32];

	put(out, "<td>");
	if (text.p) {
		size_t n = cut(text.p, text.n);
		put_html(out, text.p, n);
		put(out, n < text.n ? " …" : "");
	} else if (number >= 0) {
		(void)snprintf(digits, sizeof(digits), "%" PRId64, number);
		put(out, digits);
	}
}

static void put_head(page_text *out)
{
	put(out, "<table class=\"plain\">\n<caption>Processes</caption>\n<thead><tr>");
	for (size_t i = 0; i < N_SHOWN; i++) {
		put(out, "<th scope=\"col\">");
		put(out, shown[i].head);
	}
	put(out, "</tr></thead>\n<tbody>\n");
}

void listing_put(page_text *out, const struct data *d)
{
	put_head(out);
	for (size_t row = 0; row < d->tables[TABLE_processes].n_rows; row++) {
		put(out, "<tr>");
		for (size_t i = 0; i < N_SHOWN; i++)
			put_value(out, d, row, shown[i].column);
		put(out, "\n");
	}
	put(out, "</tbody></table>\n");
}
