// SPDX-License-Identifier: LGPL-2.1-or-later
// system_controls: the directories of fs/proc/proc_sysctl.c, each a tree of entries by name; those
// that a namespace has for itself are sets of their own, to which links lead.
#include "src/walk/sysctl.h"

#include "src/walk/net_namespaces.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

enum {
	MAX_DEPTH = 16,
	MAX_ENTRIES = 1 << 20, // of all directories together
	MAX_NAME = 255,
	MAX_PATH = 1024,
	TYPE_MASK = 0170000, // of ctl_table.mode
	TYPE_FOLDER = 0040000,
	TYPE_LINK = 0120000,
};

struct controls {
	struct walk *w;
	char path[MAX_PATH];
	char net[24]; // inode number of the network namespace, or empty
	uint64_t budget;
};

// The struct ctl_table of an entry: the tables and the nodes of a header go in parallel.
static uint64_t table_of(struct kernel *k, uint64_t node, uint64_t header)
{
	uint64_t nodes = k_or0(k, header, F(ctl_table_header, node));
	uint64_t tables = k_or0(k, header, F(ctl_table_header, ctl_table));
	uint64_t size = k_sizeof(k, "ctl_node"), i = size ? (node - nodes) / size : 0;

	if (!nodes || !tables || node < nodes || i > MAX_ENTRIES)
		return 0;
	return tables + i * k_sizeof(k, "ctl_table");
}

static void emit_entry(struct controls *c, uint64_t table, uint64_t mode)
{
	struct walk *w = c->w;
	struct row_system_controls row = {
		.name = some_text(c->path),
		.subsystem = some_bytes(c->path, strcspn(c->path, ".")),
		.mode = some_int((int64_t)mode & ~TYPE_MASK),
		.net_namespace = c->net[0] ? some_text(c->net) : (struct opt_text){0},
		.data_addr = col_addr(w, table, F(ctl_table, data)),
		.table_addr = some_addr(table),
	};

	if (!k_plausible(w->k, row.data_addr.v)) // a number, not a place
		row.data_addr = (struct opt_addr){0};
	sysctl_value(w, table, &row.current_value, &row.type);
	WALK_EMIT(w, system_controls, &row);
}

// Appends a name to the path; gives where the path ended before, or MAX_PATH if it does not fit.
static size_t append(struct controls *c, const char *name)
{
	size_t end = strlen(c->path);
	int n = snprintf(c->path + end, MAX_PATH - end, "%s%s", end ? "." : "", name);

	if (n >= 0 && (size_t)n < MAX_PATH - end)
		return end;
	c->path[end] = '\0';
	return MAX_PATH;
}

static void walk_folder(struct controls *c, uint64_t dir, unsigned depth);

static void walk_entry(struct controls *c, uint64_t node, unsigned depth)
{
	struct kernel *k = c->w->k;
	uint64_t header = k_or0(k, node, F(ctl_node, header)), table = table_of(k, node, header);
	uint64_t mode, name_va = k_or0(k, table, F(ctl_table, procname));
	char *name = name_va ? k_string(k, &c->w->row, name_va, MAX_NAME) : NULL;

	if (!name || !name[0] || !k_get(k, table, F(ctl_table, mode), &mode)) {
		walk_problem(c->w, WARNING, TABLE_system_controls, 0, node,
			     "an entry of %s has no name", c->path[0] ? c->path : "/proc/sys");
		return;
	}
	size_t end = append(c, name);
	if (end == MAX_PATH)
		return;
	if ((mode & TYPE_MASK) == TYPE_FOLDER)
		walk_folder(c, k_container(k, header, F(ctl_dir, header)), depth + 1);
	else if ((mode & TYPE_MASK) != TYPE_LINK)
		emit_entry(c, table, mode);
	c->path[end] = '\0';
}

static void walk_folder(struct controls *c, uint64_t dir, unsigned depth)
{
	struct walk *w = c->w;
	uint64_t node;
	struct rb_iter it;

	if (!dir || depth > MAX_DEPTH)
		return;
	rb_begin(&it, w->k, k_field_va(w->k, dir, F(ctl_dir, root)), MAX_ENTRIES);
	while (c->budget && rb_next(&it, &node)) {
		c->budget--;
		arena_reset(&w->row); // names of folders and links, which are no rows
		walk_entry(c, k_container(w->k, node, F(ctl_node, node)), depth);
	}
	if (c->budget)
		walk_check_end(w, TABLE_system_controls, 0, dir, it.end, "a folder of settings");
}

// Settings of network namespaces, each with its number.
static void walk_networks(struct controls *c)
{
	struct walk *w = c->w;
	struct netns_set nets = {0};
	const struct netns *net;

	netns_find(w, TABLE_system_controls, &nets);
	vec_foreach (net, &nets.all) {
		(void)snprintf(c->net, sizeof(c->net), "%" PRId64, net->inum.v);
		walk_folder(c, k_field_va(w->k, net->addr, F(net, sysctl_dir)), 0);
	}
	c->net[0] = '\0';
	netns_fini(&nets);
}

// Settings that other namespaces have for themselves: of those that the first task is in.
static void walk_first_namespaces(struct controls *c)
{
	struct kernel *k = c->w->k;
	uint64_t nsproxy = k_or0(k, k->init_task, F(task_struct, nsproxy));
	uint64_t ipc = k_or0(k, nsproxy, F(nsproxy, ipc_ns));
	uint64_t pid = k_or0(k, nsproxy, F(nsproxy, pid_ns_for_children));
	uint64_t cred = k_or0(k, k->init_task, F(task_struct, real_cred));
	uint64_t user = k_or0(k, cred, F(cred, user_ns));

	walk_folder(c, k_field_va(k, user, F(user_namespace, sysctl_dir)), 0);
	walk_folder(c, k_field_va(k, pid, F(pid_namespace, sysctl_dir)), 0);
	walk_folder(c, k_field_va(k, ipc, F(ipc_namespace, ipc_dir)), 0);
	walk_folder(c, k_field_va(k, ipc, F(ipc_namespace, mq_dir)), 0);
}

static void run(struct walk *w)
{
	struct controls c = {.w = w, .budget = MAX_ENTRIES};
	uint64_t root = w->k->symbol[S(sysctl_table_root)];

	if (!root)
		walk_unavailable(w, TABLE_system_controls,
				 "no table of symbols lists sysctl_table_root: settings of "
				 "namespaces only");
	walk_folder(&c, k_field_va(w->k, root, F(ctl_table_root, default_dir)), 0);
	walk_first_namespaces(&c);
	walk_networks(&c);
}

const struct extractor walk_sysctl = {
	.name = "sysctl",
	.tables = {TABLE_system_controls},
	.n_tables = 1,
	.needs = {F(ctl_table_root, default_dir), F(ctl_dir, root), F(ctl_node, header),
		  F(ctl_table, procname), F(ctl_table, mode), F(net, sysctl_dir)},
	.n_needs = 6,
	.run = run,
};
