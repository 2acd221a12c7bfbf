// SPDX-License-Identifier: LGPL-2.1-or-later
// The page's text under way, and the three ways for something to get into it: as it is, as JSON
// that no HTML parser sees an end in, and as HTML that is text and nothing else.
#ifndef VMI_REPORT_TEXT_H
#define VMI_REPORT_TEXT_H

#include "src/base/vec.h"

#include <stdint.h>

typedef VEC(char) page_text;

// Of ours: neither quoted nor escaped.
void put(page_text *out, const char *s);
void put_bytes(page_text *out, const char *p, size_t n);

// A number of JSON; beyond 2^53, which JavaScript can't keep, a string of its digits.
void put_json_int(page_text *out, int64_t v);
// All ASCII, without <, > and &: no </script>, no <!--.
void put_json_text(page_text *out, const char *p, size_t n);

// Text of HTML, also within quotes of an attribute. What would act on a terminal or turn the
// direction of text is visible, as in text_for_terminal().
void put_html(page_text *out, const char *p, size_t n);

#endif
