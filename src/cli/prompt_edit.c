// SPDX-License-Identifier: LGPL-2.1-or-later
// libedit does the editing; ~/.editrc of the user holds.
#include "src/cli/prompt.h"

#ifdef HAVE_EDIT
#include "src/base/scope.h"
#include "src/cli/complete.h"
#include "src/cli/terminal.h"

#include <errno.h>
#include <histedit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { MOST_REMEMBERED = 2000, COLUMN = 26, COLUMNS = 3 };

struct prompt {
	EditLine *el;
	History *history;
	char *history_file; // NULL: none
	struct session *session;
	const char *const *words;
	const char *before;
	char *line;
};

const struct fmt_library prompt_libraries[] = {{"libedit", true}, {0}};

// libedit has no place for const.
static char *before_of(EditLine *el)
{
	struct prompt *p = NULL;
	static char before[64];

	(void)el_get(el, EL_CLIENTDATA, (void **)&p);
	(void)snprintf(before, sizeof(before), "%s", p->before);
	return before;
}

// --- completion ---

static void list_names(const struct completion *c)
{
	for (size_t i = 0; i < c->names.n; i++) {
		(void)fputs(i % COLUMNS == 0 ? "\n" : "", stdout);
		print_escaped(stdout, c->names.at[i]);
		if (i % COLUMNS < COLUMNS - 1)
			(void)printf("%*s", COLUMN - (int)strnlen(c->names.at[i], COLUMN - 1), "");
	}
	(void)putchar('\n');
}

static unsigned char insert(EditLine *el, const struct completion *c)
{
	char *text = mem_printf("%.*s", (int)c->common, c->names.at[0]);
	unsigned char what = CC_REFRESH;

	el_deletestr(el, (int)c->typed);
	if (el_insertstr(el, text) != 0)
		what = CC_ERROR;
	mem_free(text);
	return what;
}

static unsigned char on_tab(EditLine *el, int key)
{
	_cleanup_(completion_fini) struct completion c;
	const LineInfo *li = el_line(el);
	struct prompt *p = NULL;

	(void)key;
	(void)el_get(el, EL_CLIENTDATA, (void **)&p);
	complete(&c, p->session, p->words, li->buffer, (size_t)(li->cursor - li->buffer));
	if (c.names.n == 0)
		return CC_REFRESH_BEEP;
	if (c.common > c.typed || c.names.n == 1)
		return insert(el, &c);
	list_names(&c);
	return CC_REDISPLAY;
}

// --- history ---

// NULL: none is kept.
static char *history_folder(void)
{
	const char *state = secure_getenv("XDG_STATE_HOME");

	return state && *state == '/' ? mem_printf("%s/vmiscan", state) : NULL;
}

static char *history_in(const char *folder)
{
	return mem_printf("%s/history", folder);
}

// It is nobody else's to read, whoever made it.
static void make_history(const char *folder, const char *file)
{
	(void)mkdir(folder, 0700);
	(void)mknod(file, S_IFREG | 0600, 0);
	(void)chmod(file, 0600);
}

static void begin_history(struct prompt *p)
{
	HistEvent event;

	p->history = history_init();
	if (!p->history)
		return;
	(void)history(p->history, &event, H_SETSIZE, MOST_REMEMBERED);
	(void)history(p->history, &event, H_SETUNIQUE, 1);
	_cleanup_free_ char *folder = history_folder();
	if (folder) {
		p->history_file = history_in(folder);
		(void)history(p->history, &event, H_LOAD, p->history_file);
	}
	(void)el_set(p->el, EL_HIST, history, p->history);
}

void prompt_remember(struct prompt *p, const char *statement)
{
	HistEvent event;

	if (p->history)
		(void)history(p->history, &event, H_ENTER, statement);
}

// --- the prompt ---

void prompt_needs(struct sandbox_needs *n)
{
	static const char *const terminals[] = {"/etc/terminfo", "/lib/terminfo",
						"/usr/share/terminfo"};
	const char *home = secure_getenv("HOME");
	_cleanup_free_ char *folder = history_folder();
	_cleanup_free_ char *kept = folder ? history_in(folder) : NULL;

	n->terminal = true;
	for (size_t i = 0; i < sizeof(terminals) / sizeof(terminals[0]); i++)
		sandbox_read(n, terminals[i]);
	for (size_t i = 0; home && i < 2; i++) {
		_cleanup_free_ char *file = mem_printf("%s/%s", home, i ? ".editrc" : ".terminfo");
		sandbox_read(n, file);
	}
	if (kept)
		make_history(folder, kept);
	sandbox_write(n, kept);
}

struct prompt *prompt_new(struct session *s, const char *const *words)
{
	struct prompt *p = mem_zalloc(1, sizeof(*p));

	p->session = s;
	p->words = words;
	p->before = "";
	p->el = el_init("vmiscan", stdin, stdout, stderr);
	if (!p->el)
		return p;
	(void)el_set(p->el, EL_CLIENTDATA, p);
	(void)el_set(p->el, EL_PROMPT, before_of);
	(void)el_set(p->el, EL_EDITOR, "emacs");
	(void)el_set(p->el, EL_SIGNAL, 1);
	// el_set() loses the copies that it makes of the two (libedit 3.1, eln.c says so itself).
	(void)el_wset(p->el, EL_ADDFN, L"complete-name", L"complete a name", on_tab);
	(void)el_set(p->el, EL_BIND, "\t", "complete-name", NULL);
	(void)el_set(p->el, EL_BIND, "^R", "em-inc-search-prev", NULL);
	begin_history(p);
	(void)el_source(p->el, NULL);
	return p;
}

void prompt_free(struct prompt *p)
{
	HistEvent event;

	if (!p)
		return;
	if (p->history && p->history_file)
		(void)history(p->history, &event, H_SAVE, p->history_file);
	if (p->history)
		history_end(p->history);
	if (p->el)
		el_end(p->el);
	mem_free(p->history_file);
	mem_free(p->line);
	mem_free(p);
}

enum typed prompt_read(struct prompt *p, const char *before, const char **line)
{
	int n = 0;

	p->before = before;
	errno = 0;
	const char *got = p->el ? el_gets(p->el, &n) : NULL;
	if (!got || n <= 0)
		return n < 0 && errno == EINTR ? TYPED_INTERRUPT : TYPED_END;
	mem_free(p->line);
	p->line = mem_strdup(got);
	p->line[strcspn(p->line, "\n")] = '\0';
	*line = p->line;
	return TYPED_LINE;
}
#endif
