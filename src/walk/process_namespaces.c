// SPDX-License-Identifier: LGPL-2.1-or-later
// process_namespaces: the links of /proc/PID/ns.
#include "src/walk/process.h"

#include <inttypes.h>

enum { MAX_LEVEL = 32 }; // MAX_PID_NS_LEVEL

static struct opt_text inum(struct walk *w, uint64_t ns, enum field f)
{
	uint64_t v;

	return k_get(w->k, ns, f, &v) ? row_printf(w, "%" PRIu64, v) : (struct opt_text){0};
}

static struct opt_text of_proxy(struct walk *w, const struct task *t, enum field ns, enum field f)
{
	return inum(w, k_or0(w->k, t->nsproxy, ns), f);
}

// task_active_pid_ns(): that of the innermost number of its pid.
static uint64_t active_pid_ns(struct walk *w, uint64_t task)
{
	struct kernel *k = w->k;
	uint64_t pid = k_or0(k, task, F(task_struct, thread_pid)), level;

	if (!k_get(k, pid, F(pid, level), &level) || level > MAX_LEVEL)
		return 0;
	uint64_t numbers = k_field_va(k, pid, F(pid, numbers));
	return k_or0(k, numbers + level * k->field[F(pid, numbers)].elem_size, F(upid, ns));
}

static void emit_namespaces(struct walk *w, const struct task *t)
{
	uint64_t user_ns = k_or0(w->k, t->cred, F(cred, user_ns));
	struct row_process_namespaces row = {
		.pid = task_pid(t),
		.cgroup_namespace =
			of_proxy(w, t, F(nsproxy, cgroup_ns), F(cgroup_namespace, ns_inum)),
		.ipc_namespace = of_proxy(w, t, F(nsproxy, ipc_ns), F(ipc_namespace, ns_inum)),
		.mnt_namespace = of_proxy(w, t, F(nsproxy, mnt_ns), F(mnt_namespace, ns_inum)),
		.net_namespace = of_proxy(w, t, F(nsproxy, net_ns), F(net, ns_inum)),
		.pid_namespace = inum(w, active_pid_ns(w, t->addr), F(pid_namespace, ns_inum)),
		.user_namespace = inum(w, user_ns, F(user_namespace, ns_inum)),
		.uts_namespace = of_proxy(w, t, F(nsproxy, uts_ns), F(uts_namespace, ns_inum)),
		.time_namespace = of_proxy(w, t, F(nsproxy, time_ns), F(time_namespace, ns_inum)),
		.task_addr = some_addr(t->addr),
	};

	WALK_EMIT(w, process_namespaces, &row);
}

static void run(struct walk *w)
{
	const struct task *t;

	for (size_t i = 0; (t = task_next_leader(w->tasks, &i));)
		emit_namespaces(w, t);
}

const struct extractor walk_namespaces = {
	.name = "namespaces",
	.tables = {TABLE_process_namespaces},
	.n_tables = 1,
	.run = run,
};
