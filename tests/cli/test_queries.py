# SPDX-License-Identifier: LGPL-2.1-or-later
"""Queries of public packs run unchanged on the database of a real guest, and find what is there."""
import os
import sqlite3
import subprocess
import tempfile
import unittest

from osquery_queries import OSQUERY, QUERIES
from support import CommandTest, needs_sample, SAMPLE, VMISCAN

# Rows that the sample's own /proc and /sys have, or its workload made: query -> some columns of each.
MUST = {
    "kernel_modules": ({"name": "bridge", "size": 319488, "used_by": "-", "status": "Live"},
                       {"name": "iptable_filter", "status": "Live"}),
    "last": ({"username": "a-name-of-thirty-two-characters-", "tty": "tty1", "pid": 201, "time": 1700000200},),
    "open_sockets": ({"pid": 182, "family": 2, "protocol": 17, "local_address": "127.0.0.1", "local_port": 5000},),
    "open_files": ({"pid": 181, "path": "socket:[1566]"}, {"pid": 175, "path": "/tmp/actors/files/plain"}),
    "logged_in_users": ({"type": "user", "user": "a-name-of-thirty-two-characters-", "pid": 201, "name": "logins"},),
    "process_env": ({"pid": 174, "key": "ACTOR", "value": "memfdexe"},),
    "mounts": ({"device": "dev", "path": "/dev", "type": "devtmpfs", "flags": "rw,relatime"},),
    "listening_ports": ({"pid": 180, "port": 7000, "protocol": 6, "family": 2, "address": "0.0.0.0"},),
    "process_memory": ({"pid": 178, "start": "0x7fed96391000", "permissions": "r-xp", "inode": 33,
                        "path": "/tmp/actors/maps/mapped"},),
    "arp_cache": ({"address": "10.0.2.77", "mac": "52:54:00:aa:bb:77", "interface": "eth0", "permanent": "1"},),
    "iptables": ({"filter_name": "filter", "chain": "INPUT", "policy": "ACCEPT", "target": "DROP", "protocol": 6,
                  "dst_port": "22:23", "src_ip": "192.0.2.0", "src_mask": "255.255.255.0", "iniface": "eth0",
                  "match": "yes"},
                 {"chain": "OUTPUT", "target": "guest-chain", "outiface": "dummy0"},
                 {"chain": "FORWARD", "policy": "DROP", "match": None},
                 {"chain": "guest-chain", "target": "DROP", "dst_ip": "203.0.113.0", "policy": None}),
    "kernel_info": ({"version": "6.1.0-56-amd64"},),
    "os_version": ({"name": "Test guest", "platform": "guest", "arch": "x86_64"},),
    "system_info": ({"hostname": "guest-sample", "cpu_brand": "QEMU TCG CPU version 2.5+"},),
    "users": ({"uid": 0, "username": "root", "directory": "/root", "shell": "/bin/sh"},
              {"uid": 1000, "username": "user", "description": "A User"}),
    "deleted_executable": ({"pid": 173, "name": "gone", "path": "/tmp/gone", "on_disk": 0},
                           {"pid": 174, "name": "memfd:payload", "cmdline": "/usr/sbin/sshd --level=2 an argument"}),
    "listening_on_all": ({"name": "tcp", "port": 7000, "pid": 180},),
    "arp_anomalies": ({"mac": "02:00:00:00:00:d0", "mac_count": 2},),
    "processes_binding_to_ports": ({"name": "tcp", "port": 7002, "address": "127.0.0.1", "path": "/opt/guest/tcp"},),
    "routes_of_localhost": ({"destination": "::1", "netmask": 128, "interface": "lo", "type": "local"},),
    "uptime": ({"uptime": 27},),
    "time": ({"weekday": "Thursday", "iso_8601": "2026-11-26T19:00:39Z"},),
    "newest_process": ({"name": "collect"},),
    "groups": ({"gid": 0, "groupname": "root"},),
    "user_groups": ({"groupname": "adm", "uid": 1},),
    "interface_details": ({"interface": "eth0", "mac": "52:54:00:12:34:56", "type": 1},),
    "interface_details_loopback": ({"interface": "lo", "flags": 73, "loopback_flag": 8},),
    "process_namespaces": ({"pid": 1, "mnt_namespace": "4026531841", "net_namespace": "4026531840"},),
    "process_open_pipes": ({"pid": 175, "type": "named", "mode": "r", "partner_mode": "w"},),
    "load_average": ({"period": "1m"}, {"period": "5m"}, {"period": "15m"}),
    "process_envs": ({"pid": 1, "key": "TERM", "value": "linux"},),
    "process_open_files": ({"pid": 1, "fd": 0, "path": "/dev/console"},),
    "process_memory_map": ({"pid": 1, "start": "0x00400000", "permissions": "r--p", "path": "/bin/busybox"},),
    "file": ({"path": "/etc/passwd", "directory": "/etc", "filename": "passwd", "mode": "0644", "type": "regular",
              "uid": 0, "symlink": 0},),
    "file_pattern": ({"path": "/etc/group", "type": "regular"}, {"path": "/etc/guest", "type": "directory"}),
    "interface_ipv6": ({"interface": "eth0.100", "hop_limit": 64, "forwarding_enabled": 0, "redirect_accept": 1,
                        "rtadv_accept": 1},),
    "platform_info": ({"vendor": "SeaBIOS", "date": "04/01/2014", "firmware_type": "bios"},),
    "users_by_name": ({"uid": 0, "username": "root"},),
    "cpu_time": ({"core": 0}, {"core": 1}),
    "network_interfaces_snapshot": ({"interface": "va", "address": "fd77::1", "mac": "02:00:00:00:77:01"},),
    "processes_snapshot": ({"name": "memfd:payload", "on_disk": 0}, {"name": "jbd2/vda-8", "on_disk": -1}),
    "memory_info": ({"memory_total": 81539072},),
    "shared_memory": ({"shmid": 2, "creator_pid": 199, "permissions": "0600", "size": 8192},),
    "interface_addresses": ({"interface": "br0", "address": "fe80::ff:fe00:b0", "mask": "ffff:ffff:ffff:ffff::"},),
}

# These ask for another system's names, or for what is wrong or not there.
EMPTY = {"adore_rootkit", "ark_rootkit", "beurk_rootkit", "enye_sec_rootkit", "lrk_rootkit", "reptile_rootkit",
         "suid_bin", "ip_forwarding", "ramdisk", "darwin_kernel_system_controls", "behavioral_reverse_shell", "ld_preload",
         "interface_details_promiscuous", "process_open_sockets"}


@needs_sample
class Queries(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory(prefix="vmiscan-test-")
        cls.addClassCleanup(cls.folder.cleanup)
        database = os.path.join(cls.folder.name, "sample.db")
        subprocess.run([VMISCAN, SAMPLE, "-o", database, "-q"], check=True)
        cls.db = sqlite3.connect(database)
        cls.addClassCleanup(cls.db.close)
        cls.db.row_factory = sqlite3.Row

    def rows(self, sql):
        return [dict(row) for row in self.db.execute(sql)]

    def test_there_are_enough(self):
        self.assertGreaterEqual(len({sql for pack, _, sql in QUERIES if pack in OSQUERY}), 40)

    def test_none_fails(self):
        for pack, name, sql in QUERIES:
            with self.subTest(pack=pack, query=name):
                self.assertEqual(self.rows(sql) == [], name in EMPTY)

    def test_what_must_be_there(self):
        names = {name for _, name, _ in QUERIES}
        self.assertLessEqual(set(MUST), names)
        for pack, name, sql in QUERIES:
            found = [row.items() for row in self.rows(sql)]
            # Some packs ask for a part of the columns only.
            columns = {column for row in found[:1] for column, _ in row}
            for wanted in MUST.get(name, ()):
                wanted = {column: value for column, value in wanted.items() if column in columns}
                with self.subTest(pack=pack, query=name, wanted=wanted):
                    self.assertTrue(wanted and any(wanted.items() <= row for row in found))


class Program(CommandTest):
    @needs_sample
    def test_the_same_through_sql(self):
        """On the image itself, which then reads only the tables that a query names."""
        for pack, name, sql in QUERIES:
            if name in ("iptables", "arp_anomalies", "logged_in_users", "processes_binding_to_ports"):
                with self.subTest(pack=pack, query=name):
                    self.assertGreater(len(self.succeeds("sql", SAMPLE, sql).out.splitlines()), 1)

    def test_files_with_rights_of_their_owner(self):
        """The sample has none."""
        db = sqlite3.connect(":memory:")
        self.addCleanup(db.close)
        db.executescript(self.succeeds("schema").out)
        for path, mode in (("a", "4755"), ("b", "2711"), ("c", "7755"), ("d", "0777"), ("e", "1777")):
            db.execute("INSERT INTO file (path, mode, type, uid, gid) VALUES (?, ?, 'regular', 0, 5)", (path, mode))
        db.execute("INSERT INTO file (path, mode, type) VALUES ('f', '2755', 'directory')")
        db.execute("INSERT INTO users (uid, username) VALUES (0, 'root')")
        self.assertEqual(db.execute("SELECT path, username, groupname, permissions FROM suid_bin").fetchall(), [
            ("a", "root", None, "S"), ("b", "root", None, "G"), ("c", "root", None, "SG")])
