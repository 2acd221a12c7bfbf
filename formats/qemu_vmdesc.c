// SPDX-License-Identifier: LGPL-2.1-or-later
// Sizes of devices' sections out of their description.
//
// {"page_size": N, "devices": [{"name", "instance_id", "vmsd_name", "version",
//   "fields": [{"name", "type", "size", "array_len"?, "index"?, "struct"?}...],
//   "subsections"?: [{"vmsd_name", "version", "fields", "subsections"?}...]}...]}
// (migration/vmstate.c, vmstate_save_state_v; "size" is that of one element, and has all that is
// inside it.)
#include "formats/qemu_vmdesc.h"

#include <string.h>

enum { NESTED_MAX = 8, SUBSECTION_HEADER = 1 + 1 + 4 };

static bool is(const char *a, const char *b)
{
	return strcmp(a, b) == 0;
}

bool vmdesc_open(struct json_in *j, const void *text, size_t n)
{
	char name[VMDESC_FIELD_NAME_SIZE];

	*j = (struct json_in){text, (const char *)text + n, false};
	if (!json_in_open(j, '{'))
		return false;
	while (json_in_more(j, '}') && json_in_name(j, name, sizeof(name))) {
		if (is(name, "devices"))
			return json_in_open(j, '[');
		json_in_skip(j);
	}
	return false;
}

static bool take_field(struct json_in *j, struct vmdesc_field *f)
{
	char name[VMDESC_FIELD_NAME_SIZE];

	*f = (struct vmdesc_field){.n = 1};
	if (!json_in_open(j, '{'))
		return false;
	while (json_in_more(j, '}') && json_in_name(j, name, sizeof(name)))
		if (is(name, "name"))
			(void)json_in_string(j, f->name, sizeof(f->name));
		else if (is(name, "size"))
			(void)json_in_number(j, &f->size);
		else if (is(name, "array_len"))
			(void)json_in_number(j, &f->n);
		else
			json_in_skip(j);
	return !j->bad;
}

// Adds the fields' sizes to *size; keeps the fields in d, which may be NULL.
static bool take_fields(struct json_in *j, struct vmdesc_device *d, uint64_t *size)
{
	struct vmdesc_field f;
	uint64_t all;

	if (!json_in_open(j, '['))
		return false;
	while (json_in_more(j, ']')) {
		if (!take_field(j, &f) || __builtin_mul_overflow(f.size, f.n, &all))
			return false;
		f.off = *size;
		if (__builtin_add_overflow(*size, all, size))
			return false;
		if (d)
			vec_push(&d->fields, f);
	}
	return !j->bad;
}

// Subsections have subsections; the depth is bounded.
static bool take_subsections(struct json_in *j, uint64_t *size, int depth);

static bool take_subsection(struct json_in *j, uint64_t *size, int depth)
{
	char name[VMDESC_FIELD_NAME_SIZE], vmsd[VMDESC_NAME_SIZE];

	if (!json_in_open(j, '{'))
		return false;
	*size += SUBSECTION_HEADER;
	while (json_in_more(j, '}') && json_in_name(j, name, sizeof(name)))
		if (is(name, "vmsd_name")) {
			if (!json_in_string(j, vmsd, sizeof(vmsd)))
				return false;
			*size += strlen(vmsd);
		} else if (is(name, "fields")) {
			if (!take_fields(j, NULL, size))
				return false;
		} else if (is(name, "subsections")) {
			if (!take_subsections(j, size, depth))
				return false;
		} else {
			json_in_skip(j);
		}
	return !j->bad;
}

static bool take_subsections(struct json_in *j, uint64_t *size, int depth)
{
	if (depth == NESTED_MAX || !json_in_open(j, '['))
		return false;
	while (json_in_more(j, ']'))
		if (!take_subsection(j, size, depth + 1))
			return false;
	return !j->bad;
}

static bool take_member(struct json_in *j, const char *name, struct vmdesc_device *d)
{
	uint64_t instance;

	if (is(name, "name"))
		return json_in_string(j, d->name, sizeof(d->name));
	if (is(name, "fields"))
		return take_fields(j, d, &d->size);
	if (is(name, "subsections"))
		return take_subsections(j, &d->size, 0);
	if (!is(name, "instance_id")) {
		json_in_skip(j);
		return !j->bad;
	}
	if (!json_in_number(j, &instance))
		return false;
	d->instance = (uint32_t)instance;
	return true;
}

bool vmdesc_next(struct json_in *j, struct vmdesc_device *d)
{
	char name[VMDESC_FIELD_NAME_SIZE];

	d->name[0] = '\0';
	d->instance = 0;
	d->size = 0;
	d->fields.n = 0;
	if (j->bad || !json_in_more(j, ']') || !json_in_open(j, '{'))
		return false;
	while (json_in_more(j, '}'))
		if (!json_in_name(j, name, sizeof(name)) || !take_member(j, name, d))
			return false;
	return !j->bad;
}
