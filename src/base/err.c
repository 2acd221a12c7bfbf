// SPDX-License-Identifier: LGPL-2.1-or-later
// The one error slot of a thread.
#include "src/base/err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static _Thread_local struct err slot;

struct err *err_new(enum err_code code, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	slot.code = code;
	(void)vsnprintf(slot.msg, sizeof(slot.msg), fmt, ap);
	va_end(ap);
	return &slot;
}

struct err *err_errno(enum err_code code, const char *fmt, ...)
{
	int saved = errno;
	va_list ap;

	va_start(ap, fmt);
	slot.code = code;
	(void)vsnprintf(slot.msg, sizeof(slot.msg), fmt, ap);
	va_end(ap);
	size_t used = strlen(slot.msg);
	(void)snprintf(slot.msg + used, sizeof(slot.msg) - used, ": %s", strerror(saved));
	return &slot;
}

struct err *err_wrap(struct err *e, const char *fmt, ...)
{
	char whole[sizeof(e->msg)];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(whole, sizeof(whole), fmt, ap);
	va_end(ap);
	size_t used = strlen(whole);
	if (used + 2 < sizeof(whole)) {
		memcpy(whole + used, ": ", 3);
		size_t left = sizeof(whole) - used - 2;
		size_t n = strnlen(e->msg, left - 1);
		memcpy(whole + used + 2, e->msg, n);
		whole[used + 2 + n] = '\0';
	}
	memcpy(e->msg, whole, sizeof(e->msg));
	return e;
}
