# SPDX-License-Identifier: LGPL-2.1-or-later
"""users, groups, user_groups, logged_in_users and last: the guest's own files, as the collector copied them."""

import struct

from engine import Comparison
from text import database_text

TYPES = ("empty", "runlevel", "boot_time", "new_time", "old_time", "init", "login", "user", "dead")
# struct utmp of glibc; arm64 has a long for the session and the time.
UTMP = {"aarch64": "<hxxi32s4s32s256shhq2q16s20x4x"}
UTMP_PLAIN = "<hxxi32s4s32s256shhi2i16s20x"


def _lines(truth, name):
    for line in truth.lines(name):
        if line and line[:1] not in b"#+-":
            yield [database_text(part) for part in line.split(b":")]


def _signed(number):
    return number - (1 << 32) if number >= 1 << 31 else number


def _users(case):
    for name, _, uid, gid, description, directory, shell in _lines(case.truth, "sys/etc.passwd"):
        yield {"uid": int(uid), "gid": int(gid), "uid_signed": _signed(int(uid)), "gid_signed": _signed(int(gid)),
               "username": name, "description": description, "directory": directory, "shell": shell,
               "uuid": None, "pid_with_namespace": 0, "include_remote": 0}


def _groups(case):
    for name, _, gid, members in _lines(case.truth, "sys/etc.group"):
        yield {"gid": int(gid), "gid_signed": _signed(int(gid)), "groupname": name, "members": members,
               "pid_with_namespace": 0}


def _user_groups(case):
    ids = {row["username"]: row["uid"] for row in _users(case)}
    yield from ({"uid": row["uid"], "gid": row["gid"]} for row in _users(case))
    for row in _groups(case):
        yield from ({"uid": ids[name], "gid": row["gid"]} for name in row["members"].split(",") if name in ids)


def _records(truth, name):
    layout = UTMP.get(truth.uname["machine"], UTMP_PLAIN)
    for record in struct.iter_unpack(layout, truth.raw(f"sys/{name}") or b""):
        kind, pid, line, _, user, host, _, _, _, seconds, _, _ = record
        texts = [database_text(part.split(b"\0")[0]) for part in (line, user, host)]
        yield kind, pid, seconds, *texts


def _logged_in_users(case):
    for kind, pid, seconds, line, user, host in _records(case.truth, "run.utmp"):
        yield {"type": TYPES[kind], "user": user, "tty": line, "host": host, "time": seconds, "pid": pid}


def _last(case):
    for kind, pid, seconds, line, user, host in _records(case.truth, "var.log.wtmp"):
        yield {"type": kind, "type_name": TYPES[kind], "username": user, "tty": line, "host": host,
               "time": seconds, "pid": pid}


COMPARISONS = [
    Comparison("users", ("username",), _users),
    Comparison("groups", ("groupname",), _groups),
    Comparison("user_groups", ("uid", "gid"), _user_groups),
    Comparison("logged_in_users", ("tty",), _logged_in_users),
    Comparison("last", ("tty",), _last),
]
