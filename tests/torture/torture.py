# SPDX-License-Identifier: LGPL-2.1-or-later
"""Runs of vmiscan in which something fails, and what must be true after each of them.

A run ends with a status of ours; it says why in one sentence, or nothing if nothing came of the
fault; the output is a whole database, or what was there before; nothing else is left anywhere; and
the evidence is as it was."""
import dataclasses
import errno
import hashlib
import os
import random
import shutil
import sqlite3
import subprocess
import tempfile
import time

STATUSES = (0, 1, 3, 4, 5, 70)
OLD = b"what was there before"
ONCE, FOR_GOOD = "", "+"

# Which errors a call may come back with.
ERRORS = {
    "alloc": (errno.ENOMEM,),
    "open": (errno.EMFILE, errno.EIO),
    "read": (errno.EIO, errno.EINTR),
    "pread": (errno.EIO, errno.EINVAL),
    "write": (errno.EIO, errno.EINTR),
    "pwrite": (errno.ENOSPC, errno.EIO, errno.EDQUOT),
    "fsync": (errno.EIO, errno.ENOSPC),
    "ftruncate": (errno.ENOSPC,),
    "rename": (errno.EIO, errno.ENOENT),
    "fork": (errno.EAGAIN,),
}


@dataclasses.dataclass
class Result:
    what: str  # the fault, in words
    status: int
    err: str
    problems: list


class Bench:
    """A place for runs on one image, with the library of faults."""

    def __init__(self, vmiscan, faults, image, *args):
        self.vmiscan, self.faults, self.image, self.args = vmiscan, faults, image, args
        self.holder = tempfile.TemporaryDirectory(prefix="vmiscan-torture-")
        self.evidence = self.look_at_evidence()

    def close(self):
        self.holder.cleanup()

    def look_at_evidence(self):
        st = os.stat(self.image)
        with open(self.image, "rb", opener=lambda p, f: os.open(p, f | os.O_NOATIME)) as f:
            digest = hashlib.file_digest(f, "sha256") if hasattr(hashlib, "file_digest") \
                else hashlib.sha256(f.read())
        return st.st_mtime_ns, st.st_atime_ns, st.st_ctime_ns, st.st_size, digest.hexdigest()

    def folder(self, name):
        return os.path.join(self.holder.name, name)

    def clean(self):
        for name in ("work", "scratch", "cache"):
            shutil.rmtree(self.folder(name), ignore_errors=True)
            os.mkdir(self.folder(name))
        with open(self.output(), "wb") as f:
            f.write(OLD)

    def output(self):
        return os.path.join(self.folder("work"), "x.db")

    def environment(self, fault, log=None):
        env = dict(os.environ, TMPDIR=self.folder("scratch"), XDG_CACHE_HOME=self.folder("cache"),
                   LC_ALL="C")
        if fault is not None:
            env |= {"LD_PRELOAD": self.faults, "FAULT": fault}
        if log:
            env |= {"LD_PRELOAD": self.faults, "FAULT_LOG": log}
        return env

    def start(self, env):
        return subprocess.Popen([self.vmiscan, self.image, "-o", "x.db", "--force", "-q",
                                 "--reproducible", *self.args],
                                cwd=self.folder("work"), env=env, stdin=subprocess.DEVNULL,
                                stdout=subprocess.PIPE, stderr=subprocess.PIPE)

    def counts(self):
        """{call: how often it is called} of a run without a fault."""
        self.clean()
        log = self.folder("log")
        with self.start(self.environment(None, log)) as p:
            p.communicate(timeout=60)
        with open(log, encoding="ascii") as f:
            return {name: int(n) for name, n in map(str.split, f)}

    def fault(self, call, n, error, lasts=ONCE):
        """One run in which the nth call fails."""
        self.clean()
        with self.start(self.environment(f"{call}:{n}:{error}{lasts}")) as p:
            _, err = p.communicate(timeout=60)
        words = f"{call} {n}{lasts} {errno.errorcode[error]}"
        return self.judge(words, p.returncode, err.decode(errors="replace"))

    def shortened(self, seed):
        """One run with short and interrupted reads and writes, which nothing may come of."""
        self.clean()
        with self.start(self.environment(f"short:{seed}")) as p:
            _, err = p.communicate(timeout=60)
        return self.judge(f"short {seed}", p.returncode, err.decode(errors="replace"))

    def kill(self, sig, after):
        """One run that gets a signal after so many seconds."""
        self.clean()
        with self.start(self.environment(None)) as p:
            time.sleep(after)
            p.send_signal(sig)
            _, err = p.communicate(timeout=60)
        return p.returncode, err.decode(errors="replace")

    def left(self):
        """What lies about but the output."""
        return sorted(set(os.listdir(self.folder("work"))) - {"x.db"}) + \
            os.listdir(self.folder("scratch"))

    def left_for_good(self):
        """The same, once who keeps the output of a killed run has had a moment to remove it."""
        end = time.monotonic() + 2
        while self.left() and time.monotonic() < end:
            time.sleep(0.01)
        return self.left()

    def problems_of_output(self, new):
        """new: whether it is to be the database of this run; None: one or the other."""
        with open(self.output(), "rb") as f:
            is_old = f.read(len(OLD) + 1) == OLD
        if new is not None and new == is_old:
            return ["the old output is still there" if is_old else "the old output is gone"]
        if is_old:
            return []
        db = sqlite3.connect(f"file:{self.output()}?mode=ro", uri=True)
        try:
            if db.execute("PRAGMA integrity_check").fetchall() != [("ok",)]:
                return ["the database is damaged"]
            if db.execute("SELECT count(*) FROM run").fetchone() != (1,):
                return ["the database does not say of what run it is"]
        except sqlite3.Error as e:
            return [f"the database can't be read: {e}"]
        finally:
            db.close()
        return []

    def judge(self, what, status, err):
        problems = []
        if status not in STATUSES:
            problems.append(f"ended with {status}")
        if status == 0 and err:
            problems.append("succeeded, and said something")
        if status != 0 and not (err.startswith("vmiscan: ") and err.endswith("\n")
                                and err.count("\n") == 1):
            problems.append("not one sentence")
        if self.left():
            problems.append(f"left {' '.join(self.left())}")
        # Memory may end when the database has its name, and only the summary is to be printed.
        problems += self.problems_of_output(None if status == 70 else status in (0, 1))
        return Result(what, status, err.strip(), problems)

    def evidence_is_untouched(self):
        return self.look_at_evidence() == self.evidence

    def digest(self):
        with open(self.output(), "rb") as f:
            return hashlib.sha256(f.read()).hexdigest()


def some(seeded, total, first, more):
    """The first calls, and so many of the others."""
    rest = range(first + 1, total + 1)
    return [*range(1, min(first, total) + 1), *sorted(seeded.sample(rest, min(more, len(rest))))]


def plan(counts, seed, first, more):
    """(call, n, error, lasts) of faults: the first calls of each name, and so many others."""
    seeded = random.Random(seed)
    for call, errors in ERRORS.items():
        for n in some(seeded, counts[call], first, more):
            error = seeded.choice(errors)
            lasts = seeded.choice((ONCE, FOR_GOOD))
            yield call, n, error, ONCE if error == errno.EINTR else lasts
