// SPDX-License-Identifier: LGPL-2.1-or-later
// JSON Lines with the field names of the Elastic Common Schema 8: nested objects, ids as keywords.
#include "src/cli/timeline.h"

#include "src/cli/json.h"

#include <inttypes.h>

// event.category, event.type and event.action: the first two have words that are allowed.
static const struct {
	const char *category, *type, *action;
} events[N_MOMENTS] = {
	[MOMENT_BOOT] = {"host", "start", "boot"},
	[MOMENT_SNAPSHOT] = {"host", "info", "snapshot"},
	[MOMENT_PROCESS] = {"process", "start", "process-started"},
	[MOMENT_LOG] = {"host", "info", "kernel-log"},
	[MOMENT_MODIFIED] = {"file", "change", "file-modified"},
	[MOMENT_ACCESSED] = {"file", "access", "file-accessed"},
	[MOMENT_CHANGED] = {"file", "change", "file-attributes-changed"},
};

static void text_field(struct json *j, const char *key, struct opt_text t)
{
	if (t.p && t.n)
		json_bytes(j, key, t.p, t.n);
}

static void int_field(struct json *j, const char *key, struct opt_int i)
{
	if (i.set)
		json_int(j, key, i.v);
}

// Ids and inodes are keywords, not numbers.
static void keyword(struct json *j, const char *key, struct opt_int i)
{
	char text[24];

	(void)snprintf(text, sizeof(text), "%" PRId64, i.v);
	if (i.set)
		json_text(j, key, text);
}

static void time_field(struct json *j, const char *key, struct opt_int ns)
{
	char iso[ISO_TEXT];

	if (ns.set)
		json_text(j, key, iso_time(iso, ns.v, 9, "Z"));
}

static void id_object(struct json *j, const char *key, struct opt_int id)
{
	json_open(j, key, '{');
	keyword(j, "id", id);
	json_close(j, '}');
}

static void array_of_one(struct json *j, const char *key, const char *s)
{
	json_open(j, key, '[');
	json_text(j, NULL, s);
	json_close(j, ']');
}

static void event_object(struct json *j, const struct moment *m)
{
	char dataset[64];

	json_open(j, "event", '{');
	json_text(j, "kind", m->kind == MOMENT_SNAPSHOT ? "state" : "event");
	array_of_one(j, "category", events[m->kind].category);
	array_of_one(j, "type", events[m->kind].type);
	json_text(j, "action", events[m->kind].action);
	json_text(j, "module", "vmiscan");
	(void)snprintf(dataset, sizeof(dataset), "vmiscan.%s",
		       schema_tables[moment_table(m->kind)].name);
	json_text(j, "dataset", dataset);
	json_close(j, '}');
}

static void host_object(struct json *j, const struct timeline *t)
{
	const struct row_system_info *s = loaded_row(&t->loaded, TABLE_system_info, 0);

	if (!s)
		return;
	json_open(j, "host", '{');
	text_field(j, "hostname", s->hostname);
	text_field(j, "name", s->hostname);
	text_field(j, "architecture", s->machine);
	json_open(j, "os", '{');
	json_text(j, "type", "linux");
	text_field(j, "kernel", s->release);
	json_close(j, '}');
	json_close(j, '}');
}

static void process_object(struct json *j, const struct row_processes *p)
{
	json_open(j, "process", '{');
	int_field(j, "pid", p->pid);
	text_field(j, "name", p->name);
	text_field(j, "executable", p->path);
	text_field(j, "command_line", p->cmdline);
	text_field(j, "working_directory", p->cwd);
	time_field(j, "start", p->start_ns);
	json_open(j, "parent", '{');
	int_field(j, "pid", p->parent);
	json_close(j, '}');
	id_object(j, "user", p->euid);
	id_object(j, "group", p->egid);
	id_object(j, "real_user", p->uid);
	id_object(j, "real_group", p->gid);
	json_close(j, '}');
}

static const char *ecs_type(const struct row_process_open_files *f)
{
	const char *type = f->type.p;

	if (!type)
		return NULL;
	return type[0] == 'd' ? "dir" : type[0] == 'l' ? "symlink" : "file";
}

static void file_object(struct json *j, const struct row_process_open_files *f)
{
	char mode[8];

	json_open(j, "file", '{');
	text_field(j, "path", f->path);
	json_text(j, "type", ecs_type(f));
	keyword(j, "inode", f->inode);
	text_field(j, "device", f->device);
	int_field(j, "size", f->size);
	(void)snprintf(mode, sizeof(mode), "%04o", (unsigned)f->mode.v & 07777);
	if (f->mode.set)
		json_text(j, "mode", mode);
	keyword(j, "uid", f->uid);
	keyword(j, "gid", f->gid);
	time_field(j, "mtime", f->mtime_ns);
	time_field(j, "accessed", f->atime_ns);
	time_field(j, "ctime", f->ctime_ns);
	json_close(j, '}');
	json_open(j, "process", '{');
	int_field(j, "pid", f->pid);
	json_close(j, '}');
}

static void log_object(struct json *j, const struct row_dmesg *d)
{
	static const char *const levels[] = {"emergency", "alert",  "critical", "error",
					     "warning",	  "notice", "info",	"debug"};

	json_open(j, "log", '{');
	if (d->priority.set && d->priority.v >= 0 && d->priority.v < 8)
		json_text(j, "level", levels[d->priority.v]);
	json_open(j, "syslog", '{');
	json_open(j, "facility", '{');
	int_field(j, "code", d->facility);
	json_close(j, '}');
	json_open(j, "severity", '{');
	int_field(j, "code", d->priority);
	json_close(j, '}');
	json_close(j, '}');
	json_close(j, '}');
}

static void print_moment(const struct timeline *t, const struct moment *m, FILE *out)
{
	struct json j;

	json_init_line(&j, out);
	json_open(&j, NULL, '{');
	time_field(&j, "@timestamp", some_int(m->ns));
	json_text(&j, "message", m->message);
	json_open(&j, "ecs", '{');
	json_text(&j, "version", "8.11.0");
	json_close(&j, '}');
	event_object(&j, m);
	host_object(&j, t);
	if (m->kind == MOMENT_PROCESS)
		process_object(&j, m->row);
	else if (m->kind == MOMENT_LOG)
		log_object(&j, m->row);
	else if (m->row)
		file_object(&j, m->row);
	json_close(&j, '}');
	json_fini(&j);
}

void ecs_jsonl(struct timeline *t, FILE *out)
{
	const struct moment *m;

	vec_foreach (m, &t->moments)
		print_moment(t, m, out);
}
