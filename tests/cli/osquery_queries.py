# SPDX-License-Identifier: LGPL-2.1-or-later
"""Queries of public packs that touch our tables, as they stand there: (pack, name, statement).

Of osquery itself all that is for Linux: packs/NAME.conf, its example of a configuration, the examples in
specs/NAME.table, and what README and manual show. Of others the schedule for Linux servers of Palantir's
configuration, and the pack for incident response of Chainguard's osquery-defense-kit. Left out is what
asks for tables that memory does not have: hashes, packages, events, osquery itself. Of the pack
ossec-rootkit, sixty lists of paths, there are some."""

INCIDENT = "incident-response"
COMPLIANCE = "it-compliance"
VULNERABILITY = "vuln-management"
HARDWARE = "hardware-monitoring"
ROOTKIT = "ossec-rootkit"
CONFIGURATION = "osquery.example.conf"
README = "README.md"
MANUAL = "docs/wiki"
SPECS = "specs"
OSQUERY = (INCIDENT, COMPLIANCE, VULNERABILITY, HARDWARE, ROOTKIT, CONFIGURATION, README, MANUAL, SPECS)
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
    (INCIDENT, "ip_forwarding",
     "select * from system_controls where oid = '4.30.41.1' union select * from system_controls where oid = "
     "'4.2.0.1';"),
    (INCIDENT, "process_env", "select * from process_envs;"),
    (INCIDENT, "mounts", "select * from mounts;"),
    (INCIDENT, "ramdisk", "select * from block_devices where type = 'Virtual Interface';"),
    (INCIDENT, "listening_ports", "select * from listening_ports;"),
    (INCIDENT, "process_memory", "select * from process_memory_map;"),
    (INCIDENT, "arp_cache", "select * from arp_cache;"),
    (INCIDENT, "suid_bin", "select * from suid_bin;"),
    (INCIDENT, "iptables", "select * from iptables;"),
    (COMPLIANCE, "kernel_info", "select * from kernel_info;"),
    (COMPLIANCE, "os_version", "select * from os_version;"),
    (COMPLIANCE, "mounts", "select * from mounts;"),
    (COMPLIANCE, "kernel_modules", "select * from kernel_modules;"),
    (COMPLIANCE, "iptables", "select * from iptables;"),
    (VULNERABILITY, "kernel_info", "select * from kernel_info;"),
    (VULNERABILITY, "os_version", "select * from os_version;"),
    (VULNERABILITY, "kernel_modules", "select * from kernel_modules;"),
    (HARDWARE, "kernel_modules", "select * from kernel_modules;"),
    (HARDWARE, "darwin_kernel_system_controls",
     "select * from system_controls where subsystem = 'kern' and (name like '%boot%' or name like '%secure%' or "
     "name like '%single%');"),
    (ROOTKIT, "adore_rootkit", "select * from file where path in ('/etc/bin/ava', '/etc/sbin/ava');"),
    (ROOTKIT, "ark_rootkit", "select * from file where path in ('/dev/ptyxx');"),
    (ROOTKIT, "beurk_rootkit", "select * from file where path in ('/lib/libselinux.so');"),
    (ROOTKIT, "enye_sec_rootkit", "select * from file where path in ('/etc/.enyelkmHIDE^IT.ko');"),
    (ROOTKIT, "lrk_rootkit", "select * from file where path in ('/dev/ida/.inet');"),
    (ROOTKIT, "reptile_rootkit",
     "select * from file where path in ('/reptile/reptile_cmd', '/lib/udev/reptile');"),
    (CONFIGURATION, "system_info", "SELECT hostname, cpu_brand, physical_memory FROM system_info;"),
    (CONFIGURATION, "host_uuid", "SELECT uuid AS host_uuid FROM system_info;"),
    (CONFIGURATION, "username", "SELECT user AS username FROM logged_in_users ORDER BY time DESC LIMIT 1;"),
    (README, "users", "SELECT * FROM users;"),
    (README, "deleted_executable", "SELECT * FROM processes WHERE on_disk = 0;"),
    (README, "listening_on_all",
     "SELECT DISTINCT processes.name, listening_ports.port, processes.pid\n"
     "  FROM listening_ports JOIN processes USING (pid)\n"
     "  WHERE listening_ports.address = '0.0.0.0';"),
    (README, "arp_anomalies",
     "SELECT address, mac, COUNT(mac) AS mac_count\n"
     "  FROM arp_cache GROUP BY mac\n"
     "  HAVING count(mac) > 1;"),
    (README, "arp_anomalies_subquery",
     "SELECT address, mac, mac_count\n"
     "  FROM\n"
     "    (SELECT address, mac, COUNT(mac) AS mac_count FROM arp_cache GROUP BY mac)\n"
     "  WHERE mac_count > 1;"),
    (MANUAL, "processes_binding_to_ports",
     "SELECT DISTINCT process.name, listening.port, listening.protocol, listening.family, listening.address, "
     "process.pid, process.path, process.on_disk, process.parent, process.start_time FROM processes AS process "
     "JOIN listening_ports AS listening ON process.pid = listening.pid;"),
    (MANUAL, "processes_not_on_disk", "SELECT * FROM processes WHERE on_disk != 1;"),
    (MANUAL, "routes_of_localhost", "SELECT * FROM routes WHERE destination = '::1'"),
    (MANUAL, "uptime", "SELECT total_seconds AS uptime FROM uptime;"),
    (MANUAL, "username", "SELECT user AS username FROM logged_in_users WHERE user <> '' ORDER BY time LIMIT 1;"),
    (MANUAL, "time", "SELECT * FROM time;"),
    (MANUAL, "newest_process", "SELECT pid, name, path FROM processes ORDER BY start_time DESC LIMIT 1;"),
    (SPECS, "groups", "select * from groups where gid = 0"),
    (SPECS, "user_groups", "select g.groupname, ug.uid from groups g, user_groups ug where g.gid = ug.gid"),
    (SPECS, "interface_details", "select interface, mac, type, idrops as input_drops from interface_details;"),
    (SPECS, "interface_details_promiscuous",
     "select interface, mac, type, flags, (1<<8) as promisc_flag from interface_details where (flags & "
     "promisc_flag) > 0;"),
    (SPECS, "interface_details_loopback",
     "select interface, mac, type, flags, (1<<3) as loopback_flag from interface_details where (flags & "
     "loopback_flag) > 0;"),
    (SPECS, "process_namespaces", "select * from process_namespaces where pid = 1"),
    (SPECS, "process_open_pipes", "select * from process_open_pipes"),
    (SPECS, "load_average", "select * from load_average;"),
    (SPECS, "process_envs", "select * from process_envs where pid = 1"),
    (SPECS, "process_open_files", "select * from process_open_files where pid = 1"),
    (SPECS, "process_memory_map", "select * from process_memory_map where pid = 1"),
    (SPECS, "process_open_sockets", "select * from process_open_sockets where pid = 1"),
    (SPECS, "file", "select * from file where path = '/etc/passwd'"),
    (SPECS, "file_pattern", "select * from file where path LIKE '/etc/%'"),
    (SPECS, "processes", "select * from processes where pid = 1"),
    (SPECS, "users_by_uid", "select * from users where uid = 1000"),
    (SPECS, "users_by_name", "select * from users where username = 'root'"),
    (SPECS, "users_of_groups", "select count(*) from users u, user_groups ug where u.uid = ug.uid"),
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
    (CHAINGUARD, "interface_ipv6", "SELECT * FROM interface_ipv6;"),
    (CHAINGUARD, "platform_info", "SELECT * FROM platform_info;"),
    (CHAINGUARD, "processes",
     "SELECT pid, name, path, cmdline, state, cwd, root, uid, gid, euid, egid, suid, sgid, on_disk, start_time, "
     "parent, pgroup, threads, nice, cgroup_path FROM processes"),
    (CHAINGUARD, "process_memory", "select * from process_memory_map;"),
    (CHAINGUARD, "interface_addresses", "SELECT * FROM interface_addresses;"),
)
