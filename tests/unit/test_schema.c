// SPDX-License-Identifier: LGPL-2.1-or-later
// The declared tables: names, documentation, and SQL that SQLite takes.
#include "schema/ddl.h"

#include <criterion/criterion.h>

#include <ctype.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

static sqlite3 *loaded(void)
{
	struct arena a = {0};
	sqlite3 *db;
	char *why = NULL;

	cr_assert_eq(sqlite3_open(":memory:", &db), SQLITE_OK);
	cr_assert_eq(sqlite3_exec(db, ddl_all(&a), NULL, NULL, &why), SQLITE_OK, "%s", why);
	arena_fini(&a);
	return db;
}

// The only value of a query, as text.
static const char *answer(sqlite3 *db, const char *sql)
{
	static char text[4096];
	sqlite3_stmt *stmt;

	cr_assert_eq(sqlite3_prepare_v2(db, sql, -1, &stmt, NULL), SQLITE_OK, "%s",
		     sqlite3_errmsg(db));
	cr_assert_eq(sqlite3_step(stmt), SQLITE_ROW, "%s: no row", sql);
	const unsigned char *value = sqlite3_column_text(stmt, 0);
	snprintf(text, sizeof(text), "%s", value ? (const char *)value : "NULL");
	sqlite3_finalize(stmt);
	return text;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && strcmp(s + n - m, end) == 0;
}

static void expect_name(const char *name)
{
	for (const char *p = name; *p; p++)
		cr_expect(islower((unsigned char)*p) || isdigit((unsigned char)*p) || *p == '_',
			  "%s", name);
}

Test(schema, tables_are_found_by_name)
{
	for (unsigned id = 0; id < TABLE_COUNT; id++)
		cr_expect_eq(schema_find(schema_tables[id].name), id);
	cr_expect_eq(schema_find("nonsense"), TABLE_COUNT);
	cr_expect_eq(schema_find(""), TABLE_COUNT);
	cr_expect_eq(schema_find("listening_ports"), TABLE_COUNT, "it is a view");
}

Test(schema, everything_is_documented_in_a_sentence)
{
	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		const struct table *t = &schema_tables[id];
		expect_name(t->name);
		cr_expect(ends_with(t->doc, "."), "%s: %s", t->name, t->doc);
		for (size_t i = 0; i < t->n_columns; i++) {
			const struct column *c = &t->columns[i];
			expect_name(c->name);
			cr_expect(strlen(c->doc) > 4 &&
					  (ends_with(c->doc, ".") || ends_with(c->doc, "...")),
				  "%s.%s: %s", t->name, c->name, c->doc);
			cr_expect_null(strpbrk(c->doc, "\n\t"), "%s.%s", t->name, c->name);
		}
	}
}

Test(schema, columns_lie_one_after_the_other_in_the_row)
{
	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		const struct table *t = &schema_tables[id];
		for (size_t i = 0; i < t->n_columns; i++)
			cr_expect_eq(t->columns[i].offset, i * sizeof(struct opt_int), "%s.%s",
				     t->name, t->columns[i].name);
		cr_expect_eq(t->row_size, t->n_columns * sizeof(struct opt_int));
	}
}

Test(schema, addresses_say_what_they_address)
{
	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		const struct table *t = &schema_tables[id];
		for (size_t i = 0; i < t->n_columns; i++) {
			const char *name = t->columns[i].name;
			bool says = ends_with(name, "_addr") || ends_with(name, "_va") ||
				    ends_with(name, "_pa");
			if (says)
				cr_expect_eq(t->columns[i].kind, COL_ADDR, "%s.%s", t->name, name);
		}
	}
}

// The first columns are osquery's, in its order (osquery specs/*.table, 2026-08).
Test(schema, osquery_columns_come_first)
{
	static const struct {
		enum table_id id;
		const char *columns;
	} expected[] = {
		{TABLE_processes, "pid name path cmdline state cwd root uid gid euid egid suid "
				  "sgid on_disk wired_size "
				  "resident_size total_size user_time system_time disk_bytes_read "
				  "disk_bytes_written "
				  "start_time parent pgroup threads nice cgroup_path"},
		{TABLE_process_open_files, "pid fd path"},
		{TABLE_process_memory_map,
		 "pid start end permissions offset device inode path pseudo"},
		{TABLE_process_open_sockets, "pid fd socket family protocol local_address "
					     "remote_address local_port remote_port path "
					     "state net_namespace"},
		{TABLE_kernel_modules, "name size used_by status address"},
		{TABLE_interface_details,
		 "interface mac type mtu metric flags ipackets opackets ibytes obytes ierrors "
		 "oerrors "
		 "idrops odrops collisions last_change link_speed pci_slot"},
		{TABLE_interface_addresses, "interface address mask broadcast point_to_point type"},
		{TABLE_process_envs, "pid key value"},
		{TABLE_process_namespaces,
		 "pid cgroup_namespace ipc_namespace mnt_namespace net_namespace pid_namespace "
		 "user_namespace uts_namespace"},
		{TABLE_mounts, "device device_alias path type blocks_size blocks blocks_free "
			       "blocks_available inodes "
			       "inodes_free flags"},
		{TABLE_kernel_info, "version arguments path device"},
		{TABLE_arp_cache, "address mac interface permanent"},
		{TABLE_routes, "destination netmask gateway source flags interface mtu metric "
			       "type hopcount"},
		{TABLE_iptables, "filter_name chain policy target protocol src_port dst_port "
				 "src_ip src_mask iniface iniface_mask dst_ip dst_mask outiface "
				 "outiface_mask match packets bytes"},
		{TABLE_platform_info,
		 "vendor version date revision extra firmware_type address size volume_size"},
		{TABLE_file, "path directory filename inode uid gid mode device size block_size "
			     "atime mtime ctime btime hard_links symlink type symlink_target_path"},
		{TABLE_shared_memory, "shmid owner_uid creator_uid pid creator_pid atime dtime "
				      "ctime permissions size attached status locked"},
		{TABLE_load_average, "period average"},
		{TABLE_cpu_time, "core user nice system idle iowait irq softirq steal guest "
				 "guest_nice"},
		{TABLE_system_controls, "name oid subsystem current_value config_value type"},
		{TABLE_block_devices,
		 "name parent vendor model serial size block_size uuid type label"},
		{TABLE_users, "uid gid uid_signed gid_signed username description directory "
			      "shell uuid pid_with_namespace include_remote"},
		{TABLE_groups, "gid gid_signed groupname pid_with_namespace"},
		{TABLE_user_groups, "uid gid"},
		{TABLE_logged_in_users, "type user tty host time pid"},
		{TABLE_last, "username tty pid type type_name time host"},
		{TABLE_uptime, "days hours minutes seconds total_seconds"},
		{TABLE_time, "weekday year month day hour minutes seconds timezone local_timezone "
			     "unix_time timestamp "
			     "datetime iso_8601"},
		{TABLE_memory_info, "memory_total memory_free memory_available buffers cached "
				    "swap_cached active inactive "
				    "swap_total swap_free"},
		{TABLE_cpu_info,
		 "device_id model manufacturer processor_type cpu_status number_of_cores "
		 "logical_processors address_width current_clock_speed max_clock_speed "
		 "socket_designation"},
	};

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		const struct table *t = &schema_tables[expected[i].id];
		char copy[1024], *rest = copy;
		size_t at = 0;
		snprintf(copy, sizeof(copy), "%s", expected[i].columns);
		for (const char *name; (name = strsep(&rest, " ")); at++)
			cr_expect_str_eq(t->columns[at].name, name, "%s, column %zu", t->name, at);
	}
}

Test(schema, sqlite_takes_it)
{
	sqlite3 *db = loaded();
	char expected[16];

	snprintf(expected, sizeof(expected), "%d", TABLE_COUNT);
	cr_expect_str_eq(answer(db, "SELECT count(*) FROM sqlite_schema WHERE type = 'table'"),
			 expected);
	cr_expect_str_eq(answer(db, "PRAGMA user_version"), "1");
	cr_expect_str_eq(answer(db, "PRAGMA application_id"), "1447905619");
	cr_expect_not_null(strstr(answer(db, "SELECT sql FROM sqlite_schema WHERE name = 'uptime'"),
				  "-- Whole days."),
			   "the documentation is in the database");
	sqlite3_close(db);
}

Test(schema, sqlite_has_the_declared_columns)
{
	sqlite3 *db = loaded();

	for (unsigned id = 0; id < TABLE_COUNT; id++) {
		const struct table *t = &schema_tables[id];
		for (size_t i = 0; i < t->n_columns; i++) {
			char sql[256];
			snprintf(sql, sizeof(sql),
				 "SELECT name || ' ' || type FROM pragma_table_info('%s') WHERE "
				 "cid = %zu",
				 t->name, i);
			char expected[128];
			snprintf(expected, sizeof(expected), "%s %s", t->columns[i].name,
				 t->columns[i].kind == COL_INT ? "INTEGER" : "TEXT");
			cr_expect_str_eq(answer(db, sql), expected);
		}
	}
	sqlite3_close(db);
}

// osquery's rule: inet sockets without a peer, unix sockets with a name; the state does not matter.
Test(schema, listening_ports_are_osquerys)
{
	sqlite3 *db = loaded();
	static const char rows[] = "INSERT INTO process_open_sockets (pid, fd, socket, family, "
				   "protocol, local_address, "
				   "local_port, remote_port, path, state) VALUES"
				   "(1, 3, 100, 2, 6, '0.0.0.0', 22, 0, NULL, 'LISTEN'),"
				   "(1, 4, 101, 2, 6, '10.0.0.1', 22, 5555, NULL, 'ESTABLISHED'),"
				   "(2, 3, 102, 10, 17, '::', 53, 0, NULL, NULL),"
				   "(3, 3, 103, 1, 0, NULL, NULL, NULL, '/run/x', NULL),"
				   "(3, 4, 104, 1, 0, NULL, NULL, NULL, '', NULL),"
				   "(4, 3, 105, 16, 0, NULL, NULL, NULL, NULL, NULL)";

	cr_assert_eq(sqlite3_exec(db, rows, NULL, NULL, NULL), SQLITE_OK, "%s", sqlite3_errmsg(db));
	cr_expect_str_eq(answer(db, "SELECT group_concat(pid || ' ' || port || ' ' || "
				    "coalesce(address, path), ', ') FROM listening_ports"),
			 "1 22 0.0.0.0, 2 53 ::, 3 0 /run/x");
	sqlite3_close(db);
}

Test(schema, some_text_of_null_is_absent)
{
	cr_expect_null(some_text(NULL).p);
	cr_expect_eq(some_text("abc").n, 3);
	cr_expect_not_null(some_text("").p, "empty is not absent");
}
