// SPDX-License-Identifier: LGPL-2.1-or-later
// Lines become statements at their semicolon; a line that begins with a dot is a command.
#include "src/cli/shell.h"

#include "src/base/scope.h"
#include "src/base/vec.h"
#include "src/cli/commands.h"
#include "src/cli/prompt.h"
#include "src/cli/terminal.h"

#include <signal.h>
#include <string.h>

struct shell {
	struct session *session;
	struct printer *printer;
	VEC(char) text;	      // of the statement so far, NUL-terminated unless empty
	unsigned line, begun; // of the input; where the text begins
	bool quit;
};

// Nothing but space, or a comment.
static bool is_blank(const char *s)
{
	s += strspn(s, " \t\r\n");
	return *s == '\0' || strncmp(s, "--", 2) == 0;
}

static void add_line(struct shell *sh, const char *line)
{
	if (sh->text.n == 0)
		sh->begun = sh->line;
	else
		sh->text.at[sh->text.n - 1] = '\n';
	for (; *line; line++)
		vec_push(&sh->text, *line);
	vec_push(&sh->text, '\0');
}

static struct err *run_text(struct shell *sh)
{
	struct err *e = session_run(sh->session, sh->text.at, sh->begun, sh->printer);

	sh->text.n = 0;
	return e;
}

// The statement is run, if this line ends it.
static struct err *take_line(struct shell *sh, const char *line)
{
	sh->line++;
	if (sh->text.n == 0 && *line == '.')
		return command_run(sh->session, sh->printer, line, &sh->quit);
	if (sh->text.n == 0 && is_blank(line))
		return NULL;
	add_line(sh, line);
	return session_is_complete(sh->text.at) ? run_text(sh) : NULL;
}

static void shell_fini(struct shell *sh)
{
	vec_fini(&sh->text);
}

// --- stdin ---

typedef VEC(char) line_buf;

static void line_fini(line_buf *l)
{
	vec_fini(l);
}

// False at the end.
static bool read_line(line_buf *l)
{
	int c;

	l->n = 0;
	while ((c = getchar()) != EOF && c != '\n')
		vec_push(l, (char)c);
	bool got = c != EOF || l->n > 0;
	vec_push(l, '\0');
	return got;
}

static struct err *take_all(struct shell *sh)
{
	_cleanup_(line_fini) line_buf l = {0};

	while (!sh->quit && !ferror(sh->printer->out) && read_line(&l)) {
		if (strlen(l.at) + 1 != l.n)
			return err_new(ERR_USAGE, "line %u has a NUL byte in it", sh->line + 1);
		TRY(take_line(sh, l.at));
	}
	return sh->text.n && !sh->quit ? run_text(sh) : NULL;
}

struct err *shell_stdin(struct session *s, struct printer *p)
{
	_cleanup_(shell_fini) struct shell sh = {.session = s, .printer = p};

	return take_all(&sh);
}

// --- the prompt ---

// What Ctrl-C ends, for the handler that has no argument; how often it was pressed for that.
static struct session *volatile running;
static volatile sig_atomic_t pressed;

// What does not end at the first Ctrl-C, as the search for a kernel, ends with us at the second.
static void on_interrupt(int sig)
{
	if (!running)
		return;
	session_interrupt(running);
	if (pressed++ == 0)
		return;
	(void)signal(sig, SIG_DFL);
	(void)raise(sig);
}

static void take_typed(struct shell *sh, const char *line)
{
	pressed = 0;
	running = sh->session;
	struct err *e = take_line(sh, line);
	running = NULL;
	if (e)
		say("%s", e->msg);
}

// A statement of several lines comes back as one, unless a comment would swallow the rest.
static void remember(struct prompt *p, const struct shell *sh, const char *line)
{
	_cleanup_free_ char *all =
		sh->text.n ? mem_printf("%s\n%s", sh->text.at, line) : mem_strdup(line);

	if (!session_is_complete(all) && *all != '.')
		return;
	for (char *c = all; *c && !strstr(all, "--"); c++)
		if (*c == '\n')
			*c = ' ';
	if (!is_blank(all))
		prompt_remember(p, all);
}

static void ask(struct shell *sh, struct prompt *p)
{
	const char *line;

	switch (prompt_read(p, sh->text.n ? "    ...> " : "vmiscan> ", &line)) {
	case TYPED_LINE:
		remember(p, sh, line);
		take_typed(sh, line);
		break;
	case TYPED_INTERRUPT:
		(void)fputs("^C\n", stdout);
		sh->text.n = 0;
		break;
	case TYPED_END:
		(void)fputc('\n', stdout);
		sh->quit = true;
		break;
	}
}

struct err *shell_prompt(struct session *s, struct printer *p, const char *greeting)
{
	_cleanup_(shell_fini) struct shell sh = {.session = s, .printer = p};
	const struct sigaction mine = {.sa_handler = on_interrupt}; // read() ends, too
	struct sigaction before;

	(void)sigaction(SIGINT, &mine, &before);
	print_escaped(stdout, greeting);
	(void)fputs("\nStatements end with ; and .help lists commands.\n", stdout);
	struct prompt *prompt = prompt_new(s, command_names);
	while (!sh.quit)
		ask(&sh, prompt);
	prompt_free(prompt);
	(void)sigaction(SIGINT, &before, NULL);
	return NULL;
}
