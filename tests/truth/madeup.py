# SPDX-License-Identifier: LGPL-2.1-or-later
"""The truth of a guest that never was, with a little of everything, to test the comparison with."""

import struct

from truth import Truth

NOTES = bytes.fromhex("04000000" "04000000" "03000000" "474e5500" "deadbeef")
NS = "4026531840"
MASK_OF_ALL = "000001ffffffffff"

# pid: (name, state, parent, flags, extra threads as (tid, name, state))
PROCESSES = {
    1: ("init", "S", 0, 0x400100, ()),
    2: ("kthreadd", "S", 0, 0x208040, ()),
    7: ("kworker/0:1-events", "I", 2, 0x4208060, ()),
    20: ("dead", "Z", 1, 0x400044, ()),
    21: ("leader", "Z", 1, 0x400044, ((22, "alive", "S"),)),
    30: ("collect", "R", 1, 0x400000, ()),
}


def _stat(pid, name, state, parent, flags, threads=1):
    """Fields by the numbers of proc(5)."""
    fields = dict.fromkeys(range(4, 53), 0) | {
        4: parent, 5: pid, 6: pid, 7: 0x8800, 8: -1, 9: flags, 14: 3, 15: 4, 18: 20, 20: threads,
        22: 100 + pid, 38: 17, 39: 1, 52: 0x2a00 if state == "Z" else 0}
    return f"{pid} ({name}) {state} {' '.join(map(str, fields.values()))}\n".encode()


def _status(pid, has_memory):
    sizes = "VmSize:\t    1000 kB\nVmRSS:\t     100 kB\n" if has_memory else ""
    return (f"Name:\tx\nUid:\t1\t2\t3\t4\nGid:\t5\t6\t7\t8\nNStgid:\t{pid}\t3\n{sizes}"
            f"CapEff:\t{MASK_OF_ALL}\n").encode()


def _living_files(folder):
    """What belongs to memory and descriptors."""
    return {
        f"{folder}/cmdline": b"prog\0two words\0\0\xff\0",
        f"{folder}/environ": b"A=1=2\0NOVALUE\0=noname\0A=again\0",
        f"{folder}/maps":
            b"00400000-00402000 r-xp 00001000 00:02 77                         /bin/prog (deleted)\n"
            b"00402000-00403000 rw-p 00000000 00:00 0                          [heap]\n"
            b"ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0          [vsyscall]\n",
        f"{folder}/smaps": 
            b"00400000-00402000 r-xp 00001000 00:02 77 /bin/prog\nReferenced:  4 kB\nPrivate_Dirty: 0 kB\n"
            b"VmFlags: rd ex mr mw me\n",
        f"{folder}/pagemap": b"400000\t402000\t1234\tf-\t0\n402000\t403000\t1300\ta-\t0\n",
        f"{folder}/links":
            b"exe\t/bin/prog (deleted)\ncwd\t/tmp/a\\x0ab\nroot\t/\n" + _namespaces(True),
        f"{folder}/fd":
            b"0\t/dev/console\t2:5\t9\t20600\t0\trw\t1\n"
            b"3\tsocket:[5001]\t0:8\t5001\t140777\t0\trw\t1\n"
            b"4\tsocket:[5002]\t0:8\t5002\t140777\t0\trw\t1\n"
            b"5\t/tmp/x (deleted)\t0:18\t55\t100600\t12\trw\t0\n",
        f"{folder}/fdinfo/0": b"pos:\t0\nflags:\t0100002\nmnt_id:\t1\n",
        f"{folder}/fdinfo/3": b"pos:\t0\nflags:\t02000002\nmnt_id:\t1\n",
        f"{folder}/fdinfo/4": b"pos:\t0\nflags:\t02\nmnt_id:\t1\n",
        f"{folder}/fdinfo/5": b"pos:\t7\nflags:\t02\nmnt_id:\t1\n",
        f"{folder}/sockets":
            f"3\tinode=5001\tdomain=2\ttype=1\tprotocol=6\taccepts=1\tbound_if=2\tnetns={NS}"
            f"\tlocal=127.0.0.1:7000\n"
            f"4\tinode=5002\tdomain=1\ttype=2\tprotocol=0\taccepts=0\tbound_if=0\tinq=5\toutq=99"
            f"\tnetns={NS}\tlocal=\\x00abs\\x00tract\n".encode(),
    }


def _namespaces(all_of_them):
    kinds = ("cgroup", "ipc", "mnt", "net", "uts", "time") if all_of_them else ()
    return b"".join(f"ns/{k}\t{k}:[{NS}]\n".encode() for k in kinds) + \
        b"ns/pid\tpid:[4026531846]\nns/user\tuser:[4026531847]\n"


def _task_files(pid, tid, name, state, parent, flags, has_memory):
    folder = f"proc/{pid}/task/{tid}"
    return {f"{folder}/stat": _stat(tid, name, state, parent, flags),
            f"{folder}/comm": name.encode() + b"\n", f"{folder}/status": _status(tid, has_memory)}


def _process_files(pid, name, state, parent, flags, others):
    folder = f"proc/{pid}"
    has_memory = state != "Z" and not flags & 0x200000
    files = {
        f"{folder}/stat": _stat(pid, name, state, parent, flags, 1 + len(others)),
        f"{folder}/comm": name.encode() + b"\n", f"{folder}/status": _status(pid, has_memory),
        f"{folder}/cgroup": b"0::/a/group\n", f"{folder}/loginuid": b"4294967295",
        f"{folder}/io": b"rchar: 1\nread_bytes: 8192\nwrite_bytes: 4096\ncancelled_write_bytes: 96\n",
        f"{folder}/links": _namespaces(state != "Z"), f"{folder}/fd": b"",
    }
    files |= _task_files(pid, pid, name, state, parent, flags, has_memory)
    files |= _living_files(folder) if has_memory else {}
    for tid, its_name, its_state in others:
        files |= _task_files(pid, tid, its_name, its_state, parent, flags & ~4, True)
        files |= _living_files(f"{folder}/task/{tid}")
    return files


TCP = (b"  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
       b"   0: 0100007F:1B58 00000000:0000 0A 00000000:00000001 00:00000000 00000000  1000        0 5001 1 0\n"
       b"   1: 0100007F:1B58 0100007F:C001 06 00000000:00000000 03:00001000 00000000     0        0 0 3 0\n")
UNIX = (b"Num       RefCount Protocol Flags    Type St Inode Path\n"
        b"0000000000000000: 00000002 00000000 00000000 0002 01  5002 @abs@tract\n"
        b"ffff888000005000: 00000002 00000000 00010000 0001 01  5003 /run/new\nline\n")
NETLINK = (b"sk               Eth Pid        Groups   Rmem     Wmem     Dump  Locks    Drops    Inode\n"
           b"0000000000000000 0   77         00000001 8        4        0     2        0        5004\n")
PACKET = (b"sk               RefCnt Type Proto  Iface R Rmem   User   Inode\n"
          b"0000000000000000 3      3    88cc   2     1 16     0      5005\n")
LINKS = (b"ifindex=1\ttype=772\tflags=0x10049\tname=lo\tmac=00:00:00:00:00:00\tmtu=65536\toperstate=0"
         b"\trx_packets=1\ttx_packets=2\trx_bytes=3\ttx_bytes=4\trx_errors=5\ttx_errors=6\trx_dropped=7"
         b"\ttx_dropped=8\tcollisions=9\n"
         b"ifindex=2\ttype=1\tflags=0x11043\tname=eth0\tmac=52:54:00:12:34:56\tmtu=1500\toperstate=6"
         b"\tkind=veth\trx_packets=1\ttx_packets=2\trx_bytes=3\ttx_bytes=4\trx_errors=5\ttx_errors=6"
         b"\trx_dropped=7\ttx_dropped=8\tcollisions=9\n")
ADDRESSES = (b"ifindex=1\tfamily=2\tprefixlen=8\tscope=254\taddress=127.0.0.1\tlocal=127.0.0.1\tlabel=lo\tflags=128\n"
             b"ifindex=2\tfamily=2\tprefixlen=32\tscope=0\taddress=10.9.9.2\tlocal=10.9.9.1"
             b"\tbroadcast=10.9.9.255\tlabel=eth0\tflags=128\n"
             b"ifindex=2\tfamily=10\tprefixlen=64\tscope=253\taddress=fe80::1\tflags=128\n")

NEIGHBOURS = (b"ifindex=2\tfamily=2\tstate=0x80\tflags=0x0\ttype=1\taddress=10.9.9.7\tmac=52:54:00:aa:bb:77\n"
              b"ifindex=2\tfamily=10\tstate=0x20\tflags=0x0\ttype=1\taddress=fe80::2\n")
ROUTES = (b"family=2\tprefixlen=0\ttype=1\tscope=0\tprotocol=4\tflags=0x0\ttable=254\tgateway=10.9.9.2\tifindex=2"
          b"\tmetric=7\tmtu=1280\thoplimit=9\n"
          b"family=2\tprefixlen=24\ttype=1\tscope=0\tprotocol=4\tflags=0x0\ttable=254\tdestination=10.8.0.0"
          b"\tsource=10.9.9.1\tmultipath=2 10.9.9.3,2 10.9.9.4\n"
          b"family=10\tprefixlen=64\ttype=6\tscope=0\tprotocol=4\tflags=0x0\ttable=100\tdestination=fd00::\tifindex=1\n")



def _rule(target, data, match=b"", ip=(), protocol=0, flags=0, inverted=0):
    """A struct ipt_entry with at most one match; ip: addresses, masks, interfaces and their masks."""
    ip = tuple(ip) + (b"",) * (8 - len(ip))
    target = struct.pack("<H30s", 32 + len(data), target) + data
    at = 112 + len(match)
    return struct.pack("<4s4s4s4s16s16s16s16sHBBIHHIQQ", *ip, protocol, flags, inverted, 0, at, at + len(target),
                       0, 7, 700) + match + target


def _firewall():
    tcp = struct.pack("<H30s4H4B4x", 48, b"tcp", 1024, 65535, 22, 22, 0, 0, 0, 2)
    rules = (
        _rule(b"", struct.pack("<i4x", -1), tcp, (b"\x0a\0\0\0", b"\x0a\1\1\1", b"\xff\0\0\0", b"\xff" * 4,
                                                   b"eth0", b"eth1", b"\xff" * 5, b"\xff" * 5), 6, 0, 8),
        _rule(b"REJECT", bytes(8), inverted=64, flags=2, ip=(b"", b"", b"", b"", b"", b"lo", b"", b"\xff" * 3)),
        _rule(b"", bytes(8)),  # a jump to "own", whose place is not known yet
        _rule(b"", struct.pack("<i4x", -2)),
        _rule(b"ERROR", b"own".ljust(32, b"\0")),
        _rule(b"", struct.pack("<i4x", -5)),
        _rule(b"ERROR", b"ERROR".ljust(32, b"\0")))
    starts = [sum(map(len, rules[:i])) for i in range(len(rules) + 1)]
    jump = _rule(b"", struct.pack("<i4x", starts[5]))
    table = b"".join(rules[:2] + (jump,) + rules[3:])
    return struct.pack("<32sI5I5III", b"filter", 2, 0, 0, 0, 0, 0, 0, starts[3], 0, 0, 0, len(rules),
                       len(table)) + table


UTMP = struct.pack("<hxxi32s4s32s256shhi2i16s20x", 7, 21, b"tty1", b"", b"user", b"h", 0, 0, 0, 1700000000, 0, b"")

SYSTEM = {
    "sys/block/vda/dev": b"254:0\n", "sys/block/vda/size": b"4096\n",
    "sys/block/vda/queue/logical_block_size": b"512\n",
    "sys/block/vda/vda1/dev": b"254:1\n", "sys/block/vda/vda1/size": b"2048\n",
    "sys/etc.passwd": b"root:x:0:0:root:/root:/bin/sh\nuser:x:4294967294:5:A User:/home/user:/bin/sh\n",
    "sys/etc.group": b"root:x:0:\nadm:x:4:user,nobody\n", "sys/run.utmp": UTMP, "sys/var.log.wtmp": UTMP,
    "sys/sysctl": b"kernel/ostype\tLinux\\x0a\nnet/ipv4/tcp_mem\t1\\x092\\x093\\x0a\n",
    "sys/loadavg": b"0.31 0.07 0.02 1/113 199\n",
    "sys/stat": b"cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1 2 3 4 5 6 7 8 9 10\nintr 7\n",
    f"ipcns/{NS}/shm": b"  key shmid perms size cpid lpid nattch uid gid cuid cgid atime dtime ctime rss swap\n"
                       b"  77     3  3640 4096   21    7      2   1   2    3    4    10    11    12   0    0\n",
    "sys/kmsg": b"6,0,0,-;first\n SUBSYSTEM=pci\n DEVICE=+pci:0000:00:00.0\n30,1,1500,-;two\\x0alines\n",
    "sys/clocks": b"realtime\t1700000100.500000000\nboottime\t100.250000000\n",
    "sys/uname": b"sysname\tLinux\nnodename\tguest\nrelease\t6.1.0\nversion\t#1\nmachine\tx86_64\ndomainname\t(none)\n",
    "sys/meminfo": b"MemTotal: 1000 kB\nMemFree: 400 kB\nMemAvailable: 500 kB\nBuffers: 3 kB\nCached: 4 kB\n"
                   b"SwapCached: 5 kB\nActive: 6 kB\nInactive: 7 kB\nSwapTotal: 80 kB\nSwapFree: 9 kB\n",
    "sys/cpuinfo": b"processor\t: 0\nvendor_id\t: AuthenticAMD\ncpu family\t: 15\nmodel\t\t: 107\n"
                   b"model name\t: QEMU\nstepping\t: 1\nmicrocode\t: 0x1000065\ncpu MHz\t\t: 2400.125\n"
                   b"cache size\t: 512 KB\nphysical id\t: 0\ncore id\t\t: 0\ncpu cores\t: 1\n"
                   b"flags\t\t: fpu la57 lm\n\n",
    "sys/etc.os-release": b'NAME="Test guest"\nVERSION="3 (c)"\nID=guest\nID_LIKE=debian\nVERSION_ID="3.2.1"\n'
                          b'VERSION_CODENAME=c\nBUILD_ID=b\n',
    "sys/cmdline": b"BOOT_IMAGE=/vmlinuz root=/dev/vda quiet\n", "sys/version": b"Linux version 6.1.0 (x)\n",
    "sys/sys.kernel.notes": NOTES, "sys/kallsyms": b"ffffffff91000000 T _text\n",
    "sys/iomem": b"00001000-0009ffff : System RAM\n00100000-0fffffff : System RAM\n"
                 b"  0a000000-0aefffff : Kernel code\n",
    "sys/modules": b"stp 16384 1 bridge, Live 0xffffffffc0610000\n"
                   b"bridge 319488 0 - Live 0xffffffffc0655000 (OE)\n",
    "modules/stp/srcversion": b"ABC\n", "modules/bridge/version": b"2.3\n",
    "modules/bridge/parameters/depth": b"3\n",
    "sys/class/net/eth0/address": b"",
    "sys/class/net/eth0/hardware": b"device=/sys/pci0000:00/0000:00:03.0/virtio0\tdriver=virtio_net\n",
    "proc/1/mountinfo": b"22 1 2:5 / / rw,relatime - fuse.x src rw\n",
    "sys/tty/drivers": b"pty_slave            /dev/pts      136 0-1048575 pty:slave\n",
    "mntns/4026531841/mountinfo":
        b"22 1 0:2 / / rw,relatime - rootfs none rw,size=1k\n"
        b"23 22 0:20 /sub /mnt/a\\040b ro,nosuid shared:1 - fuse.x src\\040x rw,sync,max=3\n",
} | {f"sys/dmi/{name}": f"{name} of it\n".encode() for name in (
    "bios_vendor", "bios_version", "bios_date", "bios_release", "product_uuid", "sys_vendor", "product_name", "product_version", "product_serial", "board_vendor",
    "board_name", "board_version", "board_serial")}

NETWORK = {f"netns/{NS}/{name}": content for name, content in (
    ("tcp", TCP), ("unix", UNIX), ("netlink", NETLINK), ("packet", PACKET), ("links", LINKS),
    ("addrs", ADDRESSES), ("neighbours", NEIGHBOURS), ("routes", ROUTES),
    ("iptables.filter", _firewall()))}

REGISTERS = (
    "\nCPU#0\nRAX=00 RBX=00 RCX=00 RDX=00\nRSI=00 RDI=00 RBP=00 RSP=ffffffff91403e98\n"
    "RIP=ffffffff904592eb RFL=00000246 [---Z-P-] CPL=0 II=0\n"
    "CS =0010 0000000000000000 ffffffff 00af9b00\nFS =0000 0000000000000000 00000000 00000000\n"
    "GS =0000 ff2929080f200000 00000000 00000000\nGDT=     fffffe0000001000 0000007f\n"
    "IDT=     fffffe0000000000 00000fff\nCR0=80050033 CR2=000000000042ee70 CR3=0000000009810000 CR4=00751ef0\n")


def files():
    """{name: content} of the truth."""
    found = dict(SYSTEM) | NETWORK
    for pid, described in PROCESSES.items():
        found |= _process_files(pid, *described)
    return found


def truth():
    return Truth(files(), {"registers.txt": REGISTERS})
