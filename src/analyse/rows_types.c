// SPDX-License-Identifier: LGPL-2.1-or-later
// The table type_fields, and what sources of types and symbols say against each other.
#include "src/analyse/rows.h"

#include "src/base/scope.h"
#include "src/walk/walk.h"
#include "symbols/profile.h"

#include <stdio.h>
#include <string.h>

// What is compared with what.
struct sources {
	const struct btf *btf, *other; // other: NULL if there is one source only
	const char *name, *other_name;
	size_t differ;
	const char *first; // of those that do
};

static struct sources sources_of(const struct analysis *a, struct arena *arena)
{
	const struct kernel *k = a->kernel;
	struct sources s = {.btf = k->btf, .name = analysis_types_source(a, arena)};

	if (k->profile && k->profile->btf && k->profile->btf != k->btf) {
		s.other = k->profile->btf;
		s.other_name = analysis_file_types_source(a, arena);
	}
	return s;
}

static void add_place(struct row_type_fields *row, const struct field_told *told,
		      const struct sources *s)
{
	row->path = some_bytes(told->path, told->path_n);
	row->offset = some_int(told->place.off);
	row->size = some_int(told->place.size);
	row->source = some_text(s->name);
	if (told->place.bit_size) {
		row->bit_offset = some_int(told->place.bit_off);
		row->bit_size = some_int(told->place.bit_size);
	}
}

// Drivers' types that only one of the sources has are no contradiction.
static void add_other(struct row_type_fields *row, struct sources *s, enum field f,
		      const struct field_place *place)
{
	struct field_told told;

	if (!s->other)
		return;
	bool has = kernel_tell_field(s->other, f, &told);
	if (field_same_place(place, &told.place))
		return;
	row->other_source = some_text(s->other_name);
	if (has)
		row->other_offset = some_int(told.place.off);
	if (s->differ++ == 0)
		s->first = field_name(f);
}

static void emit_field(enum field f, struct sources *s, struct sink *sink)
{
	struct field_told told;
	bool has = kernel_tell_field(s->btf, f, &told);
	struct row_type_fields row = {.type = some_text(told.type),
				      .field = some_text(field_name(f) + strlen(told.type) + 1)};

	if (has)
		add_place(&row, &told, s);
	add_other(&row, s, f, &told.place);
	sink->emit(sink, TABLE_type_fields, &row);
}

static void emit_warning(struct sink *sink, const char *table, const char *message)
{
	struct row_problems row = {.severity = some_text("warning"),
				   .table_name = some_text(table),
				   .message = some_text(message)};

	sink->emit(sink, TABLE_problems, &row);
}

static void emit_contradictions(const struct analysis *a, const struct sources *s,
				struct arena *arena, struct sink *sink)
{
	const struct kernel *k = a->kernel;

	if (s->differ)
		emit_warning(sink, schema_tables[TABLE_type_fields].name,
			     arena_printf(arena,
					  "%s and %s disagree about %zu fields, %s among them; the "
					  "former were used",
					  s->name, s->other_name, s->differ, s->first));
	if (k->symbols_apart)
		emit_warning(sink, NULL,
			     arena_printf(arena,
					  "kallsyms in the image and the symbols of the file place "
					  "%zu symbols differently, %s among them; the former were "
					  "used",
					  k->symbols_apart, k->first_apart));
}

void rows_type_fields(const struct analysis *a, struct sink *sink)
{
	_cleanup_(arena_fini) struct arena arena = {0};

	if (!a->kernel)
		return;
	struct sources s = sources_of(a, &arena);
	for (size_t f = 0; f < FIELD_COUNT; f++)
		emit_field((enum field)f, &s, sink);
	emit_contradictions(a, &s, &arena, sink);
}
