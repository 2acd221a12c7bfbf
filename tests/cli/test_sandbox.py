# SPDX-License-Identifier: LGPL-2.1-or-later
"""The sandbox of the program as it is: what is in force while it works, and what it costs."""
import os
import re
import shutil
import subprocess
import time
import unittest

from support import CommandTest, needs_sample, SAMPLE, VMISCAN

BREAK_OUT = os.environ.get("VMISCAN_BREAK_OUT")
needs_break_out = unittest.skipUnless(BREAK_OUT, "SKIP nothing is loaded before a sanitizer")
needs_strace = unittest.skipUnless(shutil.which("strace"), "SKIP no strace")


def kinds():
    """What --version says of the sandbox."""
    text = subprocess.run([VMISCAN, "--version"], capture_output=True, text=True).stdout
    return re.search(r"^sandbox of this system: (.+)$", text, re.M)[1]


def full_pipe():
    """(reader, writer) of a pipe that takes no byte more: who writes to it waits."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    try:
        while os.write(writer, bytes(4096)):
            pass
    except BlockingIOError:
        os.set_blocking(writer, True)
    return reader, writer


def drain(reader):
    with open(reader, "rb") as f:
        while f.read(65536):
            pass


def wait_until_it_waits(pid):
    """Until the process sleeps, and has done nothing for a while."""
    before = None
    for _ in range(1200):
        now = status_of(pid)
        now = (now["State"], now["voluntary_ctxt_switches"], now["nonvoluntary_ctxt_switches"])
        if now == before and now[0] == "S":
            return
        before = now
        time.sleep(0.1)


def status_of(pid):
    with open(f"/proc/{pid}/status", encoding="ascii", errors="replace") as f:
        return dict(re.findall(r"^(\w+):\s*(\S+)", f.read(), re.M))


@needs_sample
class Sandbox(CommandTest):
    def status_at_the_end(self, *args):
        """The kernel's word on a run that waits to print its last words."""
        reader, writer = full_pipe()
        with self.start(*args, stdout=writer, stderr=subprocess.DEVNULL) as p:
            os.close(writer)
            try:
                wait_until_it_waits(p.pid)
                status = status_of(p.pid)
                limits = self.open_files_limit(p.pid)
            finally:
                drain(reader)
        self.assertEqual(p.returncode, 0)
        return status, limits

    def open_files_limit(self, pid):
        with open(f"/proc/{pid}/limits", encoding="ascii") as f:
            return re.search(r"^Max open files\s+(\S+)", f.read(), re.M)[1]

    def expect_in_force(self, *args):
        status, files = self.status_at_the_end(*args)
        self.assertEqual(status["NoNewPrivs"], "1")
        if "no seccomp" not in kinds():
            self.assertEqual((status["Seccomp"], files), ("2", "0"))
            ours = int(status_of("self").get("Seccomp_filters", 0))
            self.assertIn(status.get("Seccomp_filters"), (None, str(ours + 2)))

    def test_it_is_in_force(self):
        self.expect_in_force(SAMPLE, "-o", "x.db")
        self.expect_in_force("info", SAMPLE)
        self.expect_in_force("sql", SAMPLE, "SELECT pid FROM processes")
        self.expect_in_force("sql", "x.db", "SELECT pid FROM processes")
        self.expect_in_force("timeline", SAMPLE)
        self.expect_in_force("timeline", "x.db")
        self.succeeds("merge", "x.db", "-o", "all.db", "-q")
        self.expect_in_force("merge", "x.db", "-o", "all.db", "--force")

    def test_it_can_be_left_out(self):
        status, files = self.status_at_the_end(SAMPLE, "-o", "x.db", "--no-sandbox")
        for name in ("NoNewPrivs", "Seccomp"):
            self.assertEqual(status[name], status_of("self")[name], name)
        self.assertNotEqual(files, "0")

    def test_verbose_says_so(self):
        for options, says in (((), "sandbox: (Landlock|seccomp|no )"),
                              (("--no-sandbox",), "sandbox: none, because of --no-sandbox")):
            p = self.run_vmiscan("info", SAMPLE, "-v", *options)
            self.assertRegex(p.err.splitlines()[0], r"\Avmiscan: " + says)

    def test_the_result_is_the_same(self):
        self.succeeds(SAMPLE, "-o", "in.db", "-q", "--reproducible")
        self.succeeds(SAMPLE, "-o", "out.db", "-q", "--reproducible", "--no-sandbox")
        for name in ("in.db", "out.db"):
            self.assert_valid_database(name)
        tables = [n for (n,) in self.query("in.db", "SELECT name FROM sqlite_schema WHERE "
                                                    "type = 'table' AND name <> 'run'")]
        for table in tables:
            self.assertEqual(self.query("in.db", f"SELECT * FROM {table}"),
                             self.query("out.db", f"SELECT * FROM {table}"), table)

    def trace(self, *args):
        """The system calls of a run, one a line."""
        log = os.path.join(self.holder.name, "trace")
        command = ["strace", "-f", "-qq", "-s", "512", "-o", log, VMISCAN, *args]
        env = self.environment()
        env["ASAN_OPTIONS"] += ":detect_leaks=0"  # which is done by ptrace(), too
        p = subprocess.run(command, cwd=self.dir, env=env, capture_output=True, text=True)
        if "PTRACE" in p.stderr:
            self.skipTest("SKIP strace may not trace here")
        self.assertEqual(p.returncode, 0, p.stderr)
        with open(log, encoding="utf-8", errors="replace") as f:
            return f.read().splitlines()

    @needs_strace
    def test_nothing_that_is_needed_is_refused(self):
        shutil.copy(SAMPLE, self.path("guest.zst"))
        subprocess.run(["zstd", "-dq", "guest.zst", "-o", "guest.raw"], cwd=self.dir, check=True)
        subprocess.run(["gzip", "-1kq", "guest.raw"], cwd=self.dir, check=True)
        for args in (("guest.zst", "--hash", "sha256", "--json"), ("guest.raw.gz", "-q"),
                     ("guest.raw", "--vmlinux", os.environ["VMISCAN_TINY"], "--force-symbols"),
                     ("info", "guest.raw", "-v")):
            lines = self.trace(*args)
            begun = next(i for i, line in enumerate(lines) if "NO_NEW_PRIVS" in line)
            refused = [line for line in lines[begun:]
                       if re.search(r"= -1 E(PERM|ACCES|MFILE|NOSYS)|SIGSYS", line)
                       and "/etc/localtime" not in line]  # gmtime() asks, and needs no answer
            self.assertEqual(refused, [], args)

    def broken_out(self, *args):
        """{(moment, act): whether it is done} of one that is in the process, on an image that lies
        in the folders of the output and of temporary files."""
        log = os.path.join(self.holder.name, "log")
        shutil.rmtree(self.dir)
        os.mkdir(self.dir)
        shutil.copy(SAMPLE, self.path("guest.zst"))
        env = self.environment() | {"LD_PRELOAD": BREAK_OUT, "BREAK_OUT_LOG": log,
                                    "VICTIM": self.path("guest.zst"), "TMPDIR": self.dir}
        p = self.run_vmiscan(*args, env=env)
        self.assertEqual(p.returncode, 0, p.err)
        with open(log, encoding="ascii") as f:
            found = {(moment, act): what == "done" for moment, act, what in map(str.split, f)}
        os.unlink(log)
        return found

    @needs_break_out
    def test_who_breaks_out_can_do_nothing_to_the_evidence(self):
        can = self.broken_out("guest.zst", "-q", "--no-sandbox")
        self.assertEqual({m for m, _ in can}, {"second"})
        self.assertEqual([act for act, done in can.items() if not done], [])
        if "no seccomp" in kinds() or "no Landlock" in kinds():
            self.skipTest("SKIP no seccomp or no Landlock here")
        for args in (("guest.zst", "-q"), ("guest.zst", "-q", "-o", "guest.db", "--force"),
                     ("report", "guest.zst", "--no-progress")):
            found = self.broken_out(*args)
            self.assertEqual(set(found), {(m, act) for m in ("first", "second") for _, act in can})
            self.assertEqual([act for act, done in found.items() if done], [], args)
            with open(SAMPLE, "rb") as a, open(self.path("guest.zst"), "rb") as b:
                self.assertEqual(a.read(), b.read())
        self.assert_files("guest.zst", "guest.zst.html")

    @needs_strace
    def test_evidence_is_opened_for_reading_only(self):
        shutil.copy(SAMPLE, self.path("guest.zst"))
        opened = [line for line in self.trace("guest.zst", "-q", "--hash", "sha256")
                  if re.search(r'\bopen(at)?\(.*"guest\.zst"', line)]
        self.assertGreaterEqual(len(opened), 2)
        for line in opened:
            self.assertIn("O_RDONLY", line)
            self.assertNotRegex(line, "O_WRONLY|O_RDWR|O_CREAT|O_TRUNC|O_APPEND")


if __name__ == "__main__":
    unittest.main()
