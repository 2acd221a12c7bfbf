// SPDX-License-Identifier: LGPL-2.1-or-later
// Enumerators and the variables of DATASECs.
#include "symbols/btf_impl.h"

#include <string.h>

// The enumerators of an ENUM or ENUM64.
struct enumerators {
	const uint8_t *at;
	uint32_t n, stride;
	bool is_signed;
};

static struct enumerators enumerators_of(const struct btf *btf, const uint8_t *record)
{
	uint32_t info = btf_info(record);
	bool wide = btf_info_kind(info) == BTF_KIND_ENUM64;

	return (struct enumerators){record + BTF_RECORD, btf_info_vlen(info), wide ? 12 : 8,
				    btf_enum_is_signed(btf, record)};
}

static int64_t value_of(const struct enumerators *e, const uint8_t *enumerator)
{
	uint32_t low = le32(enumerator + 4);

	if (e->stride == 12)
		return (int64_t)le64(enumerator + 4);
	return e->is_signed ? (int32_t)low : (int64_t)low;
}

// kind_flag says so since 6.0. Where no enum has it the BTF is older, and as with gcc the enums
// that have a negative value are signed.
bool btf_enum_is_signed(const struct btf *btf, const uint8_t *record)
{
	uint32_t info = btf_info(record);

	if (btf_info_flag(info) || btf_info_kind(info) != BTF_KIND_ENUM)
		return btf_info_flag(info);
	for (; btf; btf = btf->base)
		if (btf->signs_enums)
			return false;
	for (uint32_t i = 0; i < btf_info_vlen(info); i++)
		if (le32(record + BTF_RECORD + (size_t)i * 8 + 4) >= (uint32_t)-4096)
			return true;
	return false;
}

static bool find_in_enum(const struct btf *btf, uint32_t id, const char *constant, int64_t *value)
{
	struct enumerators e = enumerators_of(btf, btf_record(btf, id));

	for (; e.n > 0; e.n--, e.at += e.stride) {
		if (strcmp(btf_string(btf, le32(e.at)), constant) != 0)
			continue;
		*value = value_of(&e, e.at);
		return true;
	}
	return false;
}

bool btf_enum_value(const struct btf *btf, const char *name, const char *constant, int64_t *value)
{
	struct btf_enum_want want = {.constant = constant};

	if (!name) {
		btf_enum_values(btf, &want, 1);
		*value = want.found ? want.value : *value;
		return want.found;
	}
	struct btf_by_name it = btf_by_name(btf, name);
	for (uint32_t id; (id = btf_next_named(&it)) != 0;) {
		enum btf_kind kind = btf_kind_of(btf, id);
		if ((kind == BTF_KIND_ENUM || kind == BTF_KIND_ENUM64) &&
		    find_in_enum(btf, id, constant, value))
			return true;
	}
	return false;
}

// Gives every want with this name the value; how many were new.
static size_t offer(struct btf_enum_want *wants, size_t n, const char *name, int64_t value)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++) {
		if (wants[i].found || strcmp(wants[i].constant, name) != 0)
			continue;
		wants[i].found = true;
		wants[i].value = value;
		found++;
	}
	return found;
}

void btf_enum_values(const struct btf *btf, struct btf_enum_want *wants, size_t n)
{
	size_t left = n;

	for (size_t i = 0; i < n; i++)
		wants[i].found = false;
	for (; btf && left > 0; btf = btf->base) {
		for (size_t i = 0; i < btf->enums.n && left > 0; i++) {
			struct enumerators e =
				enumerators_of(btf, btf_record(btf, btf->enums.at[i]));
			for (; e.n > 0 && left > 0; e.n--, e.at += e.stride)
				left -= offer(wants, n, btf_string(btf, le32(e.at)),
					      value_of(&e, e.at));
		}
	}
}

static bool find_in_section(const struct btf *btf, uint32_t id, const char *name,
			    struct btf_var *out)
{
	const uint8_t *r = btf_record(btf, id), *v = r + BTF_RECORD;

	for (uint32_t n = btf_info_vlen(btf_info(r)); n > 0; n--, v += 12) {
		const uint8_t *var = btf_record(btf, le32(v));
		if (!var || btf_info_kind(btf_info(var)) != BTF_KIND_VAR ||
		    strcmp(btf_string(btf, le32(var)), name) != 0)
			continue;
		*out = (struct btf_var){le32(v + 4), le32(v + 8),
					btf_strip(btf, btf_size_or_type(var))};
		return true;
	}
	return false;
}

bool btf_var(const struct btf *btf, const char *section, const char *name, struct btf_var *out)
{
	struct btf_by_name it = btf_by_name(btf, section);

	for (uint32_t id; (id = btf_next_named(&it)) != 0;)
		if (btf_kind_of(btf, id) == BTF_KIND_DATASEC && find_in_section(btf, id, name, out))
			return true;
	return false;
}

bool btf_percpu(const struct btf *btf, const char *name, struct btf_var *out)
{
	return btf_var(btf, ".data..percpu", name, out);
}
