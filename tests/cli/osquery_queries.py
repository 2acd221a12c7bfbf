# SPDX-License-Identifier: LGPL-2.1-or-later
"""Queries of osquery's public packs that touch our tables, as they stand there: (pack, name, statement).

Packs of osquery itself (packs/NAME.conf), the schedule for Linux servers of Palantir's osquery
configuration, and the pack for incident response of Chainguard's osquery-defense-kit. Left out is what asks for tables that memory does not have: files, packages, events."""

INCIDENT = "incident-response"
COMPLIANCE = "it-compliance"
VULNERABILITY = "vuln-management"
HARDWARE = "hardware-monitoring"
PALANTIR = "palantir servers/linux"
CHAINGUARD = "chainguard incident_response"

QUERIES = (
    (INCIDENT, "kernel_modules", "select * from kernel_modules;"),
    (INCIDENT, "last", "select * from last;"),
    (INCIDENT, "open_sockets",
     "select distinct pid, family, protocol, local_address, local_port, remote_address, remote_port, path from "
     "process_open_sockets where path <> '' or remote_address <> '';"),
    (INCIDENT, "open_files",
     "select distinct pid, path from process_open_files where path not like '/private/var/folders%' and path "
     "not like '/System/Library/%' and path not in ('/dev/null', '/dev/urandom', '/dev/random');"),
    (INCIDENT, "logged_in_users",
     "select liu.*, p.name, p.cmdline, p.cwd, p.root from logged_in_users liu, processes p where liu.pid = p.pid;"),
    (INCIDENT, "ip_forwarding", "select * from system_controls where name = 'net.inet.ip.forwarding';"),
    (INCIDENT, "process_env", "select * from process_envs;"),
    (INCIDENT, "mounts", "select * from mounts;"),
    (INCIDENT, "ramdisk", "select * from block_devices where type = 'Virtual Interface';"),
    (INCIDENT, "listening_ports", "select * from listening_ports;"),
    (INCIDENT, "process_memory", "select * from process_memory_map;"),
    (INCIDENT, "arp_cache", "select * from arp_cache;"),
    (COMPLIANCE, "kernel_info", "select * from kernel_info;"),
    (COMPLIANCE, "os_version", "select * from os_version;"),
    (COMPLIANCE, "mounts", "select * from mounts;"),
    (COMPLIANCE, "kernel_modules", "select * from kernel_modules;"),
    (VULNERABILITY, "kernel_info", "select * from kernel_info;"),
    (VULNERABILITY, "os_version", "select * from os_version;"),
    (VULNERABILITY, "kernel_modules", "select * from kernel_modules;"),
    (HARDWARE, "kernel_modules", "select * from kernel_modules;"),
    (HARDWARE, "darwin_kernel_system_controls",
     "select * from system_controls where subsystem = 'kern' and (name like '%boot%' or name like '%secure%' or "
     "name like '%single%');"),
    (PALANTIR, "behavioral_reverse_shell",
     "SELECT DISTINCT(processes.pid), processes.parent, processes.name, processes.path, processes.cmdline, "
     "processes.cwd, processes.root, processes.uid, processes.gid, processes.start_time, "
     "process_open_sockets.remote_address, process_open_sockets.remote_port, (SELECT cmdline FROM processes AS "
     "parent_cmdline WHERE pid=processes.parent) AS parent_cmdline FROM processes JOIN process_open_sockets USING "
     "(pid) LEFT OUTER JOIN process_open_files ON processes.pid = process_open_files.pid WHERE (name='sh' OR "
     "name='bash') AND remote_address NOT IN ('0.0.0.0', '::', '') AND remote_address NOT LIKE '10.%' AND "
     "remote_address NOT LIKE '192.168.%';"),
    (PALANTIR, "cpu_time", "SELECT * FROM cpu_time;"),
    (PALANTIR, "kernel_info", "SELECT * FROM kernel_info;"),
    (PALANTIR, "kernel_modules", "SELECT * FROM kernel_modules;"),
    (PALANTIR, "kernel_modules_snapshot", "SELECT * FROM kernel_modules;"),
    (PALANTIR, "last", "SELECT * FROM last;"),
    (PALANTIR, "ld_preload",
     "SELECT process_envs.pid, process_envs.key, process_envs.value, processes.name, processes.path, "
     "processes.cmdline, processes.cwd FROM process_envs join processes USING (pid) WHERE key = 'LD_PRELOAD';"),
    (PALANTIR, "memory_info", "SELECT * FROM memory_info;"),
    (PALANTIR, "mounts", "SELECT device, device_alias, path, type, blocks_size, flags FROM mounts;"),
    (PALANTIR, "network_interfaces_snapshot",
     "SELECT a.interface, a.address, d.mac FROM interface_addresses a JOIN interface_details d USING (interface);"),
    (PALANTIR, "os_version", "SELECT * FROM os_version;"),
    (PALANTIR, "osquery_cpu_pct",
     "SELECT ((osqueryd_time*100)/(SUM(system_time) + SUM(user_time))) AS pct FROM processes, (SELECT "
     "(SUM(processes.system_time)+SUM(processes.user_time)) AS osqueryd_time FROM processes WHERE name='osqueryd');"),
    (PALANTIR, "processes_snapshot", "select name, path, cmdline, cwd, on_disk from processes;"),
    (PALANTIR, "system_info", "SELECT * FROM system_info;"),
    (PALANTIR, "users", "SELECT * FROM users;"),
    (PALANTIR, "users_snapshot", "SELECT * FROM users;"),
    (CHAINGUARD, "process_open_pipes",
     "SELECT p.path AS p_path, p.name AS p_name, pop.* FROM process_open_pipes AS pop LEFT JOIN processes p ON "
     "pop.pid = p.pid;"),
    (CHAINGUARD, "shared_memory",
     "SELECT shm.*, p.name AS p_name, p.path AS p_path FROM shared_memory AS shm LEFT JOIN processes p ON "
     "shm.pid = p.pid;"),
    (CHAINGUARD, "groups", "SELECT * FROM groups;"),
    (CHAINGUARD, "processes",
     "SELECT pid, name, path, cmdline, state, cwd, root, uid, gid, euid, egid, suid, sgid, on_disk, start_time, "
     "parent, pgroup, threads, nice, cgroup_path FROM processes"),
    (CHAINGUARD, "process_memory", "select * from process_memory_map;"),
    (CHAINGUARD, "interface_addresses", "SELECT * FROM interface_addresses;"),
)
