// SPDX-License-Identifier: LGPL-2.1-or-later
// The page out of its template: @NAME@ in page.html stands for a part.
#include "src/report/report.h"

#include "src/db/tempfile.h"
#include "src/report/data.h"
#include "src/report/first_screen.h"
#include "src/report/listing.h"
#include "src/report/policy.h"

#include <string.h>

struct report {
	struct data data;
	page_text out;
	struct tempfile *file;
};

// --- its parts ---

static void put_policy(struct report *r)
{
	policy_put(&r->out, &asset_script, &asset_style);
}

static void put_title(struct report *r)
{
	struct opt_text host = data_text(&r->data, TABLE_system_info, 0, "hostname");

	if (host.n > 0) {
		put_html(&r->out, host.p, host.n);
		put(&r->out, " · ");
	}
	put(&r->out, "vmiscan");
}

static void put_style(struct report *r)
{
	put_bytes(&r->out, asset_style.bytes, asset_style.n);
}

static void put_script(struct report *r)
{
	put_bytes(&r->out, asset_script.bytes, asset_script.n);
}

static void put_first_screen(struct report *r)
{
	first_screen_put(&r->out, &r->data);
}

static void put_listing(struct report *r)
{
	listing_put(&r->out, &r->data);
}

static void put_data(struct report *r)
{
	data_put(&r->data, &r->out);
}

static const struct part {
	const char *name;
	void (*put)(struct report *r);
} parts[] = {{"@POLICY@", put_policy},	 {"@TITLE@", put_title},
	     {"@STYLE@", put_style},	 {"@FIRST_SCREEN@", put_first_screen},
	     {"@LISTING@", put_listing}, {"@DATA@", put_data},
	     {"@SCRIPT@", put_script}};

// The part whose name begins at p, or NULL.
static const struct part *part_at(const char *p, size_t n)
{
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		size_t len = strlen(parts[i].name);
		if (len <= n && memcmp(p, parts[i].name, len) == 0)
			return &parts[i];
	}
	return NULL;
}

// --- the whole ---

static void fill_template(struct report *r)
{
	const struct asset *t = &asset_page;

	for (size_t i = 0; i < t->n;) {
		const char *at = memchr(t->bytes + i, '@', t->n - i);
		size_t next = at ? (size_t)(at - t->bytes) : t->n;
		put_bytes(&r->out, t->bytes + i, next - i);
		const struct part *part = at ? part_at(at, t->n - next) : NULL;
		if (part)
			part->put(r);
		else if (at)
			put(&r->out, "@");
		i = next + (part ? strlen(part->name) : at != NULL);
	}
}

struct err *report_new(const char *path, bool force, struct report **out)
{
	struct tempfile *file;

	TRY(tempfile_new(path, force, &file));
	struct report *r = mem_zalloc(1, sizeof(*r));
	data_init(&r->data);
	r->file = file;
	*out = r;
	return NULL;
}

void report_free(struct report *r)
{
	if (!r)
		return;
	tempfile_free(r->file);
	data_fini(&r->data);
	vec_fini(&r->out);
	mem_free(r);
}

struct sink *report_rows(struct report *r)
{
	return &r->data.sink;
}

struct err *report_finish(struct report *r)
{
	fill_template(r);
	TRY(tempfile_write(r->file, r->out.at, r->out.n));
	return tempfile_commit(r->file);
}
