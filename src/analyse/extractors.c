// SPDX-License-Identifier: LGPL-2.1-or-later
// Every extractor, in the order of running: the clock and the tasks first, others use them.
#include "src/analyse/extractors.h"

#include "src/check/check.h"
#include "src/walk/block.h"
#include "src/walk/files.h"
#include "src/walk/ipc.h"
#include "src/walk/log.h"
#include "src/walk/module.h"
#include "src/walk/mount.h"
#include "src/walk/net.h"
#include "src/walk/process.h"
#include "src/walk/process_text.h"
#include "src/walk/socket.h"
#include "src/walk/sysctl.h"
#include "src/walk/system.h"
#include "src/walk/users.h"
#include "src/walk/vma.h"

const struct extractor *const extractors[] = {
	&walk_tasks,	     &walk_processes,	&walk_threads,	     &walk_envs,
	&walk_namespaces,    &walk_open_files,	&walk_memory_map,    &walk_page_map,
	&walk_clock,	     &walk_names,	&walk_kernel,	     &walk_cpus,
	&walk_memory,	     &walk_modules,	&walk_mounts,	     &walk_file,
	&walk_net_device,    &walk_net_address, &walk_net_neighbour, &walk_net_route,
	&walk_net_iptables,  &walk_sockets,	&walk_load,	     &walk_cpu_time,
	&walk_shared_memory, &walk_log,		&walk_block,	     &walk_users,
	&walk_logins,	     &walk_sysctl,	&check_consistency,  NULL,
};
