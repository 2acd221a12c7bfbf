# SPDX-License-Identifier: LGPL-2.1-or-later
"""Databases that no guest made: of 500 processes as a busy server has them, and of names that do harm."""
import random
import sqlite3

BOOT = 1_795_427_000_000_000_000
LIBRARIES = ["libc.so.6", "libpthread.so.0", "libm.so.6", "libssl.so.3", "libcrypto.so.3", "libz.so.1",
             "libsystemd.so.0", "libpcre2-8.so.0", "libselinux.so.1", "libzstd.so.1", "libglib-2.0.so.0",
             "libstdc++.so.6", "libgcc_s.so.1", "libcap.so.2", "ld-linux-x86-64.so.2"]
PROGRAMS = ["nginx", "postgres", "php-fpm", "sshd", "java", "python3", "redis-server", "dockerd", "bash", "node"]
SECTIONS = [("r--p", 40), ("r-xp", 340), ("r--p", 85), ("---p", 1), ("r--p", 4), ("rw-p", 2)]

# What a browser, a terminal or a reader must not obey.
HOSTILE = {
    "script end": "</script><script>document.title='owned'</script>",
    "comment": "<!--<script>",
    "element": "<img src=x onerror=\"document.title='owned'\">",
    "ansi": "\x1b[31mred\x1b[0m\x07\r\n",
    "bidi": "safe\u202egpj.exe\u2066\u2069",
    "hidden": "in\u200bvisi\u00adble\ufeff",
    "lines": "a\u2028b\u2029c",
    "quotes": "\"'`\\u003c/script\\\\",
    "attribute": "\" autofocus onfocus=alert(1) x=\"",
    "template": "@DATA@ @SCRIPT@ ${1} {{1}}",
    "marks": "z" + "\u0334\u0342" * 40,
    "arabic": "\u0645\u0644\u0641",
    "long": "n" * 70_000,
    "prototype": "__proto__",
    "empty": "",
}
# Bytes that are no UTF-8, and how they must look.
BROKEN = {b"bad\xff\xfe": "bad\\xff\\xfe", b"half\xe2\x82": "half\\xe2\\x82", b"sur\xed\xa0\x80": "sur\\xed\\xa0\\x80"}


class Made:
    """A database of the schema, filled row by row."""

    def __init__(self, path, schema):
        self.db = sqlite3.connect(path)
        self.db.executescript(schema)
        self.random = random.Random(7)
        self.task = 0xFFFF888000000000

    def close(self):
        self.db.commit()
        self.db.close()

    def add(self, table, **values):
        self.db.execute(f"INSERT INTO {table} ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
                        list(values.values()))

    def new_task(self):
        self.task += 0x2100
        return f"0x{self.task:016x}"

    def system(self, host="web-07", release="6.1.0-56-amd64"):
        self.add("evidence", path="/evidence/web-07.vmem", role="image", format="raw", size=8 << 30, truncated=0,
                 sha256="3b9f" * 16)
        self.add("run", tool_version="0.1.0", schema_version=1, status="complete", exit_status=0,
                 types_source="BTF in the image", symbols_source="kallsyms in the image", kernel_release=release,
                 atomicity="locally torn",
                 atomicity_reason="3 of 48210 hard checks violated, 1 excused by a lock that was held")
        self.add("system_info", hostname=host, machine="x86_64", cpu_brand="Intel Xeon (Icelake)", cpu_logical_cores=8)
        self.add("os_version", name="Debian GNU/Linux", version="12 (bookworm)")
        self.add("kernel_info", version=release, arguments="ro quiet")
        self.add("time", datetime="2026-11-23T13:52:11Z", unix_ns=BOOT + 15_000_000_000_000, boot_ns=BOOT)
        self.add("uptime", total_seconds=15000)
        self.add("memory_info", memory_total=8 << 30, memory_free=1 << 30)
        for table, status, reason in (("processes", "complete", None), ("sockets", "partial", "a list broke"),
                                      ("vcpus", "unavailable", "the container has no state of CPUs")):
            self.add("coverage", table_name=table, status=status, reason=reason, rows=1, faults=0)
        self.add("problems", severity="warning", table_name="sockets", message="a list of sockets is broken",
                 addr="0xffff888012345678")
        self.add("atomicity", invariant="task_links", weight="hard", evaluated=500, violated=3, excused_by_lock=1,
                 unevaluable=0, description="the entry after a task in the task list points back to it")

    def settings(self):
        """What a server has of users, routes, neighbours, and of the kernel's settings."""
        for i in range(1200):
            part = ("net", "kernel", "vm", "fs")[i % 4]
            self.add("system_controls", name=f"{part}.ipv4.conf.veth{i:04x}.setting_{i % 37}", subsystem=part,
                     current_value=str(i * 7919 % 65536), type="integer", mode=0o644, net_namespace="4026531840",
                     data_addr=f"0xffffffff82{i:06x}", table_addr=f"0xffff8881{i * 64:08x}")
        for i in range(60):
            self.add("users", uid=1000 + i, gid=1000 + i, username=f"user{i}", directory=f"/home/user{i}",
                     shell="/bin/bash")
            self.add("groups", gid=1000 + i, groupname=f"user{i}")
            self.add("routes", destination=f"10.{i}.0.0", netmask=16, gateway="10.0.0.1", interface="eth0", metric=i)
            self.add("arp_cache", address=f"10.0.0.{i}", mac=f"52:54:00:12:34:{i:02x}", interface="eth0")
        for i in range(24):
            self.add("block_devices", name=f"/dev/sd{chr(97 + i)}", size=1 << 30, model="QEMU HARDDISK")

    def process(self, pid, name, **more):
        values = {"pid": pid, "name": name, "path": f"/usr/bin/{PROGRAMS[pid % len(PROGRAMS)]}", "state": "S", "uid": 0,
                  "euid": 0, "suid": 0, "gid": 0, "egid": 0, "sgid": 0, "parent": 1, "lifecycle": "live",
                  "is_kthread": 0, "start_ns": BOOT + pid * 23_000_000_000, "found_by": "tasks", "exe_deleted": 0,
                  "resident_size": (pid * 7919 % 300_000 + 4) * 4096, "total_size": 1 << 30, "threads": 1,
                  "task_addr": self.new_task(), "cmdline": f"{name}: worker process {pid}"} | more
        self.add("processes", **values)
        self.add("threads", pid=pid, tid=pid, name=values["name"], state="S", lifecycle=values["lifecycle"],
                 start_ns=values["start_ns"], task_addr=values["task_addr"], user_time=1, system_time=1)
        return values["task_addr"]

    def mappings(self, pid, task):
        at = 0x550000000000 + self.random.randrange(1 << 28) * 4096
        program = f"/usr/bin/{PROGRAMS[pid % len(PROGRAMS)]}"

        def add(pages, permissions, path, gap=0):
            nonlocal at
            at += gap * 4096
            self.add("process_memory_map", pid=pid, start=f"{at:#x}", end=f"{at + pages * 4096:#x}",
                     permissions=permissions, offset=0, device="fe:01", inode=pid, path=path, pseudo=0, task_addr=task)
            self.add("process_page_map", pid=pid, start_va=f"0x{at:016x}", end_va=f"0x{at + (pages + 1) // 2 * 4096:016x}",
                     start_pa="0x0000000000001000", page_size=4096, permissions=permissions[:3], dirty=0, accessed=1,
                     task_addr=task)
            at += pages * 4096

        for permissions, pages in SECTIONS[:3]:
            add(pages, permissions, program)
        add(33 + self.random.randrange(500), "rw-p", "[heap]", self.random.randrange(1, 9000))
        at = 0x7F0000000000 + self.random.randrange(1 << 24) * 4096
        for library in LIBRARIES[: 8 + pid % 7]:
            for permissions, pages in SECTIONS:
                add(pages, permissions, "/usr/lib/x86_64-linux-gnu/" + library)
            add(3, "rw-p", "")
        if pid % 97 == 0:
            add(16, "rwxp", "")
        add(33, "rw-p", "[stack]", 900_000)

    def files(self, pid, task):
        for fd in range(20):
            path = ("/dev/null" if fd < 3 else f"socket:[{pid * 100 + fd}]" if fd < 6
                    else f"/var/log/{PROGRAMS[pid % len(PROGRAMS)]}/{fd}-{pid if fd > 15 else 0}.log")
            self.add("process_open_files", pid=pid, fd=fd, path=path, type="regular", flags=0x8001, position=fd * pid,
                     size=fd * 4096, deleted=0, task_addr=task, file_addr=f"0x{self.task + fd:016x}")
        for k in range(24):
            self.add("process_envs", pid=pid, key=f"VARIABLE_{k}", value=f"value of {k} {pid if k > 21 else ''}",
                     task_addr=task)

    def sockets(self, pid, task):
        for fd, (state, remote) in enumerate((("LISTEN", "0.0.0.0"), ("ESTABLISHED", f"10.0.{pid % 5}.{pid % 250}"))):
            socket = dict(family=2, type=1, protocol=6, state=state, local_address="10.0.0.7", local_port=8000 + pid,
                          remote_address=remote, remote_port=0 if state == "LISTEN" else 443, rx_queue=0, tx_queue=pid % 9,
                          socket_addr=f"0x{self.task + 0x800 + fd:016x}")
            self.add("sockets", inode=pid * 100 + fd, uid=33, **socket)
            self.add("process_open_sockets", pid=pid, fd=3 + fd, socket=pid * 100 + fd, task_addr=task, **socket)


def server(path, schema, n=500):
    """A server of n processes, a quarter of them kernel threads."""
    made = Made(path, schema)
    made.system()
    made.settings()
    made.process(1, "systemd", parent=0)
    made.process(2, "kthreadd", parent=0, is_kthread=1, path=None, cmdline=None, resident_size=None)
    for pid in range(3, n + 1):
        if pid < n // 4:
            made.process(pid, f"kworker/{pid % 8}:{pid}", parent=2, is_kthread=1, path=None, cmdline=None,
                         resident_size=None)
            continue
        parent = 1 if pid % 7 == 0 else pid - pid % 7
        zombie = pid % 83 == 0
        task = made.process(pid, PROGRAMS[pid % len(PROGRAMS)], parent=parent if parent >= n // 4 else 1, uid=pid % 3 * 33,
                            lifecycle="zombie" if zombie else "live", phase="Z2" if zombie else None)
        if zombie:
            made.add("inconsistencies", task_addr=task, pid=pid, tid=pid, scope="intrinsic", **{"class": "zombie"},
                     phase="Z2", evidence="exit_state=0x20 state=0x80", missing="memory, files")
            continue
        made.mappings(pid, task)
        made.files(pid, task)
        made.sockets(pid, task)
    made.add("inconsistencies", task_addr=task, pid=pid, tid=pid, scope="extrinsic", **{"class": "task-died"},
             evidence="tasks=1 pid=0", missing="nothing")
    made.close()


def hostile(path, schema):
    """Names that do harm, in every place that a name has."""
    made = Made(path, schema)
    evil = HOSTILE["script end"] + HOSTILE["ansi"] + HOSTILE["bidi"]
    made.system(host=evil, release=HOSTILE["element"])
    made.process(1, "init", parent=0)
    for pid, text in enumerate(list(HOSTILE.values()), 100):
        task = made.process(pid, text, cmdline=text, path=text, cwd=text, argv='["' + "x" * 10 + '"',
                            lifecycle_evidence=text, tty=text)
        made.add("process_envs", pid=pid, key=text, value=text, task_addr=task)
        made.add("process_open_files", pid=pid, fd=0, path=text, type=text, task_addr=task)
        made.add("process_memory_map", pid=pid, start="0x400000", end="0x401000", permissions=text, path=text,
                 task_addr=task)
        made.add("process_open_sockets", pid=pid, fd=1, family=1, path=text, state=text,
                 socket_addr=f"0x{pid:016x}", task_addr=task)
        made.add("inconsistencies", task_addr=task, pid=pid, scope=text, **{"class": text}, evidence=text, missing=text)
        for table, columns in (("coverage", "table_name status reason"), ("problems", "severity table_name message"),
                               ("kernel_modules", "name arguments"), ("mounts", "path type device"),
                               ("atomicity", "invariant description worst_example"),
                               ("users", "username description directory shell"), ("last", "username tty host"),
                               ("logged_in_users", "user tty host"), ("routes", "destination gateway interface"),
                               ("arp_cache", "address mac interface"), ("block_devices", "name model label"),
                               ("system_controls", "name current_value"), ("groups", "groupname")):
            made.add(table, **{c: text for c in columns.split()})
    for pid, text in enumerate(BROKEN, 200):
        task = made.process(pid, "x")
        made.db.execute("UPDATE processes SET name = CAST(? AS TEXT), cmdline = CAST(? AS TEXT) WHERE pid = ?",
                        (text, text, pid))
    made.process(300, "round", parent=301)
    made.process(301, "and round", parent=300)
    made.process(302, "itself", parent=302)
    made.close()
