// SPDX-License-Identifier: LGPL-2.1-or-later
// .help, .mode, .quit, .schema and .tables.
#include "src/cli/commands.h"

#include "schema/ddl.h"
#include "src/base/scope.h"
#include "src/cli/terminal.h"

#include <string.h>

struct command_call {
	struct session *session;
	struct printer *printer;
	const char *argument; // NULL: none
	bool quit;
};

static struct err *run_help(struct command_call *c);

static struct err *run_mode(struct command_call *c)
{
	const struct output_mode *m = c->argument ? output_mode_find(c->argument) : NULL;

	if (c->argument && !m)
		return err_new(ERR_USAGE, ".mode: there is no mode %s; .mode lists them",
			       c->argument);
	if (m)
		c->printer->mode = m;
	for (m = output_modes; m->name && !c->argument; m++)
		(void)fprintf(c->printer->out, "%s %-9s %s\n", m == c->printer->mode ? "*" : " ",
			      m->name, m->doc);
	return NULL;
}

static struct err *run_quit(struct command_call *c)
{
	c->quit = true;
	return NULL;
}

// --- what there is ---

static const char *doc_of(const char *name)
{
	enum table_id id = schema_find(name);

	for (size_t i = 0; i < schema_n_views; i++)
		if (strcmp(schema_views[i].name, name) == 0)
			return schema_views[i].doc;
	return id < TABLE_COUNT ? schema_tables[id].doc : "";
}

static bool print_name(void *arg, const char *name)
{
	FILE *out = arg;
	size_t n = strlen(name);

	print_escaped(out, name);
	(void)fprintf(out, "%*s%s\n", n < 22 ? (int)(22 - n) : 1, "", doc_of(name));
	return !ferror(out);
}

static bool print_sql(void *arg, const char *sql)
{
	FILE *out = arg;

	for (size_t n; *sql; sql += n) { // line by line: an escaped newline is none
		n = strcspn(sql, "\n");
		_cleanup_free_ char *line = mem_printf("%.*s", (int)n, sql);
		for (char *tab; (tab = strchr(line, '\t'));)
			*tab = ' ';
		print_escaped(out, line);
		(void)fputc('\n', out);
		n += sql[n] == '\n';
	}
	return !ferror(out);
}

static struct err *run_tables(struct command_call *c)
{
	return session_each(c->session,
			    "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND "
			    "name LIKE ?1 ORDER BY rowid",
			    c->argument ? c->argument : "%", print_name, c->printer->out);
}

static struct err *run_schema(struct command_call *c)
{
	return session_each(c->session,
			    "SELECT sql || ';' FROM sqlite_schema WHERE sql NOT NULL AND name LIKE "
			    "?1 ORDER BY rowid",
			    c->argument ? c->argument : "%", print_sql, c->printer->out);
}

// --- the list ---

#define EACH_COMMAND(X)                                                                            \
	X(help, "", "what is here")                                                                \
	X(mode, "[MODE]", "the form of results, or the list of forms")                             \
	X(quit, "", "leave, as the end of input does")                                             \
	X(schema, "[PATTERN]", "columns of tables and their meaning")                              \
	X(tables, "[PATTERN]", "tables and views whose names are LIKE it")

static const struct command {
	const char *name, *argument, *doc;
	struct err *(*run)(struct command_call *c);
} commands[] = {
#define COMMAND(name, argument, doc) {"." #name, argument, doc, run_##name},
	EACH_COMMAND(COMMAND)
#undef COMMAND
};

const char *const command_names[] = {
#define COMMAND(name, argument, doc) "." #name,
	EACH_COMMAND(COMMAND)
#undef COMMAND
		NULL};

enum { N_COMMANDS = sizeof(commands) / sizeof(commands[0]) };

static struct err *run_help(struct command_call *c)
{
	for (int i = 0; i < N_COMMANDS; i++)
		(void)fprintf(c->printer->out, "%-8s %-10s %s\n", commands[i].name,
			      commands[i].argument, commands[i].doc);
	return NULL;
}

static void trim_end(char *s)
{
	size_t n = strlen(s);

	while (n > 0 && strchr(" \t\r;", s[n - 1]))
		n--;
	s[n] = '\0';
}

struct err *command_run(struct session *s, struct printer *p, const char *line, bool *quit)
{
	_cleanup_free_ char *copy = mem_strdup(line);
	char *rest = copy;
	struct command_call c = {.session = s, .printer = p};

	trim_end(copy);
	const char *name = strsep(&rest, " \t");
	if (rest)
		c.argument = rest + strspn(rest, " \t");
	for (int i = 0; i < N_COMMANDS; i++)
		if (strcmp(commands[i].name, name) == 0) {
			struct err *e = commands[i].run(&c);
			*quit = c.quit;
			return e;
		}
	return err_new(ERR_USAGE, "%s: there is no such command; .help lists them", name);
}
