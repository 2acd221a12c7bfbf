# SPDX-License-Identifier: LGPL-2.1-or-later
"""Is all that the workload promises in the truth? A workload that fails silently is an error."""

import re

from .truth import Truth

ITEMS = []

LISTEN, ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2 = "0A", "01", "02", "03", "04", "05"
TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSING = "06", "08", "09", "0B"
# linux/kernel-page-flags.h
KPF_HUGE, KPF_THP, KPF_ZERO_PAGE = 1 << 17, 1 << 22, 1 << 24


def item(label):
    """Registers a check: a function of the truth that is true if the thing is there."""

    def register(check):
        ITEMS.append((label, check))
        return check

    return register


def failures(folder):
    """Labels of what is not there."""
    truth = Truth(folder)
    return [label for label, check in ITEMS if not _holds(check, truth)]


def _holds(check, truth):
    try:
        return bool(check(truth))
    except (StopIteration, KeyError, IndexError, OSError, ValueError):
        return False


@item("60 to 200 tasks")
def _tasks(t):
    return 60 <= sum(len(p.threads()) for p in t.processes.values()) <= 200


@item("no actor complained to the kernel log")
def _log(t):
    return not re.search(r"Out of memory|BUG:|Oops|general protection|segfault", t.text("sys/dmesg"))


@item("named threads, one a stranger")
def _threads(t):
    process = t.actor("threads")
    names = {process.bytes(f"task/{tid}/comm")[:-1] for tid in process.threads()}
    stranger = next(tid for tid in process.threads() if process.bytes(f"task/{tid}/comm") == b"stranger\n")
    return names >= {b"on-a-futex", b"sleeper", b"fifteen-letters"} and b"Uid:\t1234" in process.bytes(
        f"task/{stranger}/status"
    )


@item("zombies with exit codes")
def _zombies(t):
    return t.named("zombie-exit").stat[0] == t.named("zombie-kill").stat[0] == "Z" and (
        t.named("zombie-exit").stat[-1] == str(42 << 8) and t.named("zombie-kill").stat[-1] == "9"
    )


@item("zombie leader with a live thread")
def _leader(t):
    process = t.named("leader")
    return process.stat[0] == "Z" and len(process.threads()) == 2


@item("stopped and traced")
def _stopped(t):
    tracer = str(t.actor("tracer").pid)
    return t.named("stopped").stat[0] == "T" and t.named("traced-stopped").stat[0] == "t" and (
        t.named("traced-stopped").status["TracerPid"] == t.named("traced-running").status["TracerPid"] == tracer
    )


@item("vfork parent waits")
def _vfork(t):
    return t.named("vforker").stat[0] == "D" and t.named("vforked").stat[1] == str(t.named("vforker").pid)


@item("daemon is a child of init")
def _daemon(t):
    return any(p.comm == b"daemon" and p.stat[1] == "1" for p in t.processes.values())


@item("users and groups")
def _ids(t):
    ids, user = t.actor("ids").status, t.actor("user")
    return ids["Uid"].split() == ["1001", "1002", "1003", "1001"] and ids["Gid"].split()[:3] == ["2001", "2002", "2003"] and (
        user.status["Uid"].split() == ["1000"] * 4 and user.bytes("loginuid") == b"1000"
    )


@item("session ids of audit")
def _audit(t):
    return t.actor("user").bytes("sessionid") not in (b"", b"4294967295")


@item("renamed and disguised")
def _disguise(t):
    disguised, hollow = t.actor("disguised"), t.actor("hollow")
    return t.actor("renamed").comm == b"other-name" and disguised.bytes("cmdline").strip(b"\0") == b"[kworker/0:1]" and (
        disguised.comm == b"kworker/0:1" and hollow.comm == b"[kworker/0:1]" and hollow.bytes("cmdline").strip(b"\0") == b""
    )


@item("names and arguments that are no text")
def _odd(t):
    process = t.actor("odd")
    return b"\x1b" in process.comm and b"\n" in process.comm and b"\xff\xfe\0" in process.bytes("cmdline") and (
        process.bytes("cmdline").startswith(b"odd\0\0") and b"A=1=2=3\0" in process.bytes("environ")
    )


@item("long arguments and environment")
def _long(t):
    process = t.actor("long")
    return len(process.bytes("cmdline")) > 12000 and len(process.bytes("environ")) > 8192


@item("deleted executables")
def _gone(t):
    gone, memfd = t.named("gone"), next(p for p in t.processes.values() if b"sshd" in p.bytes("cmdline"))
    return gone.links["exe"] == "/tmp/gone (deleted)" and gone.links["cwd"].endswith("(deleted)") and (
        memfd.links["exe"] == "/memfd:payload (deleted)"
    )


@item("shared libraries from a disk")
def _dynamic(t):
    process = next(p for p in t.processes.values() if p.links.get("exe") == "/data/bin/dynamic")
    return any(name == "/data/lib/libc.so.6" for *_, name in process.maps)


@item("every kind of file")
def _files(t):
    targets = "\n".join(row[0] for row in t.actor("files").files.values())
    wanted = "eventpoll eventfd timerfd signalfd inotify fanotify pidfd pipe: (deleted) /memfd: /dev/ptmx /dev/pts/ fifo net:["
    return all(name in targets for name in wanted.split()) and "new\\x0aline" in targets and "\\xff\\xfe" in targets


@item("unread bytes in pipes")
def _pipes(t):
    return {"16"} <= {s.get("inq") for s in t.actor("files").sockets.values()}


@item("positions and flags of files")
def _positions(t):
    process = t.actor("files")
    plain = next(fd for fd, row in process.files.items() if row[0] == "/tmp/actors/files/plain")
    return process.bytes(f"fdinfo/{plain}").startswith(b"pos:\t4\n")


@item("sparse table of descriptors")
def _manyfds(t):
    files = t.actor("manyfds").files
    return len(files) > 60 and 300 in files and 1000 in files and 35 not in files


@item("kinds of mappings")
def _maps(t):
    maps = t.actor("maps").maps
    kinds = {(permissions, name) for _, permissions, _, _, _, name in maps}
    names = {name for *_, name in maps}
    return {("rwxp", ""), ("---p", ""), ("rw-s", "/tmp/actors/maps/mapped"), ("rw-p", "/tmp/actors/maps/mapped")} <= kinds and {
        "/anon_hugepage (deleted)",
        "/dev/zero (deleted)",
        "/memfd:shared memory (deleted)",
        "/tmp/actors/maps/mapped-deleted (deleted)",
    } <= names


@item("locked mapping")
def _locked(t):
    # Four pages, of 4 KiB or, on arm64, of 16.
    return re.search(rb"^VmLck:\s+(16|64) kB$", t.actor("maps").bytes("status"), re.M)


def _page_flags(t, name):
    return [int(row[4], 16) for row in t.actor(name).pages if row[4]]


@item("hugetlb, transparent huge (real-time kernels have none) and zero pages")
def _pages(t):
    flags = _page_flags(t, "maps")
    transparent = (t.folder / "sys" / "sys.kernel.mm.transparent_hugepage.enabled").exists()
    wanted = (KPF_HUGE, KPF_ZERO_PAGE, *((KPF_THP,) if transparent else ()))
    return all(any(value & bit for value in flags) for bit in wanted)


@item("a 1 GiB page where one was reserved")
def _gigantic(t):
    if "hugepagesz=1G" not in t.text("sys/cmdline"):
        return True
    return any(int(row[1], 16) - int(row[0], 16) >= 1 << 30 for row in t.actor("maps").pages if row[4])


@item("swapped pages")
def _swapped(t):
    return any(row[2].startswith("swap:") for row in t.actor("maps").pages) and "/dev/vdb" in t.text("sys/swaps")


@item("TCP states over IPv4")
def _tcp(t):
    states = {row[3] for row in t.sockets("tcp")}
    return states >= {
        *(LISTEN, ESTABLISHED, SYN_SENT, SYN_RECV, FIN_WAIT1, FIN_WAIT2),
        *(TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSING),
    }


@item("TCP states over IPv6")
def _tcp6(t):
    states = {row[3] for row in t.sockets("tcp6")}
    return states >= {LISTEN, ESTABLISHED, SYN_SENT, FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE_WAIT, LAST_ACK, CLOSING}


@item("IPv4 in an IPv6 socket")
def _mapped(t):
    return any(row[1].startswith("0000000000000000FFFF0000") for row in t.sockets("tcp6"))


@item("unread bytes in TCP and UDP queues")
def _queues(t):
    def waiting(kind):
        return any(int(row[4].split(":")[1], 16) > 0 and row[3] != LISTEN for row in t.sockets(kind))

    return all(waiting(kind) for kind in ("tcp", "tcp6", "udp", "udp6"))


@item("connection that nobody accepted")
def _unaccepted(t):
    return any(row[3] == ESTABLISHED and row[9] == "0" for row in t.sockets("tcp"))


@item("UDP, raw, ping, packet and netlink sockets")
def _others(t):
    pids = {row[2] for row in t.sockets("netlink")}
    return all(t.sockets(kind) for kind in ("udp", "udp6", "raw", "raw6", "icmp", "icmp6", "packet")) and (
        str(0x7FFFFFF0) in pids and "01" in {row[3] for row in t.sockets("udp")}
    )


@item("unix sockets")
def _unix(t):
    text = t.text(f"netns/{t.home}/unix")
    types = {row[4] for row in t.sockets("unix") if len(row) > 5}
    rows = t.rows("unix_diag")
    return {"0001", "0002", "0005"} <= types and "@abstract@name" in text and "/tmp/actors/unix/stream" in text and (
        any("waiting" in row for row in rows) and any(int(row.get("rqueue", 0)) == 18 for row in rows)
    )


@item("a second set of namespaces")
def _space(t):
    inner, init = t.named("inner-init"), t.processes[1]
    kinds = ("net", "pid", "mnt", "uts", "ipc", "cgroup")
    return all(inner.links[f"ns/{kind}"] != init.links[f"ns/{kind}"] for kind in kinds) and (
        inner.status["NSpid"].split()[-1] == "1" and "inner-tmpfs" in inner.bytes("mountinfo").decode()
    )


@item("TCP between network namespaces")
def _between(t):
    space = t.network(t.named("inner-init"))
    ports = {row[1].split(":")[1] for row in t.sockets("tcp", space) if row[3] == ESTABLISHED}
    return f"{8080:04X}" in ports


@item("user namespace")
def _userns(t):
    process = t.actor("userns")
    return process.links["ns/user"] != t.processes[1].links["ns/user"] and process.status["Uid"].split()[0] == "1000"


@item("network namespace without a process")
def _lone(t):
    used = {t.network(p) for p in t.processes.values() if "ns/net" in p.links}
    return any(path.name not in used for path in (t.folder / "netns").iterdir())


@item("interfaces of all kinds")
def _links(t):
    rows = {row["name"]: row for row in t.rows("links")}
    kinds = {row.get("kind") for row in rows.values()}
    return {"dummy", "veth", "bridge", "vlan"} <= kinds and {"eth0", "eth1", "lo"} <= set(rows)


@item("addresses of both families")
def _addresses(t):
    addresses = {row.get("local", row.get("address")) for row in t.rows("addrs")}
    return {"10.0.2.15", "10.0.2.16", "2001:db8:2::15", "10.9.9.1", "fd77::1", "192.168.77.2"} <= addresses


@item("permanent neighbours")
def _neighbours(t):
    return any(row.get("mac") == "52:54:00:aa:bb:77" for row in t.rows("neighbours"))


@item("neighbours that were learnt")
def _stale(t):
    return any(row.get("mac") == "52:54:00:aa:bb:78" and row["state"] == "0x4" for row in t.rows("neighbours"))


@item("routes with metrics and of kinds that go nowhere")
def _routes(t):
    rows = t.rows("routes")
    return any(row.get("mtu") == "1280" for row in rows) and {"6", "7", "8"} <= {row["type"] for row in rows}


@item("records of the kernel's log")
def _records(t):
    return all(part in t.text("sys/kmsg") for part in ("14,", "guest: two\\x0alines", "guest: esc \\x1b[31m", " DEVICE="))


@item("settings of the kernel")
def _settings(t):
    return "kernel/ostype\tLinux\\x0a\n" in t.text("sys/sysctl")


@item("disks and a partition")
def _disks(t):
    return t.text("sys/block/vda/vda1/size") == "4096\n" and t.text("sys/block/vdb/ro") == "0\n"


@item("logins")
def _logins(t):
    return all("192.0.2.17" in t.text(f"sys/{name}") for name in ("run.utmp", "var.log.wtmp"))


@item("chroot")
def _chroot(t):
    return t.actor("chrooted").links["root"] == "/tmp/jail"


@item("control group")
def _cgroup(t):
    return t.actor("grouped").bytes("cgroup") == b"0::/guest.slice/app.scope\n"


@item("session with a terminal")
def _session(t):
    session, front = t.actor("session"), t.named("job-foreground")
    return session.stat[3] == str(session.pid) and session.stat[5] == str(front.pid) and front.stat[2] == str(front.pid)


@item("scheduling classes")
def _sched(t):
    policies = {name: t.named(name).stat[38] for name in ("fifo", "batch", "idle")}
    return policies == {"fifo": "1", "batch": "3", "idle": "5"} and t.actor("sched").stat[16] == "19" and (
        t.named("nice-minus").stat[16] == "-11"
    )


@item("System V IPC and a key")
def _ipc(t):
    return str(0x53484D31) in t.text("sys/sysvipc/shm") and str(0x4D534731) in t.text("sys/sysvipc/msg") and (
        "guest:key" in t.text("sys/keys")
    )


@item("modules with arguments")
def _modules(t):
    return "8021q" in t.text("sys/modules") and t.text("modules/virtio_net/parameters/napi_weight") == "32\n"


@item("clocks")
def _clocks(t):
    clocks = dict(line.split("\t") for line in t.text("sys/clocks").splitlines())
    return float(clocks["boottime"]) > 1 and float(clocks["realtime"]) > 1e9


@item("memory layout with the kernel's addresses")
def _iomem(t):
    return re.search(r"^  (?!0+-)[0-9a-f]+-[0-9a-f]+ : Kernel code$", t.text("sys/iomem"), re.MULTILINE)
