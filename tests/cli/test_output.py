# SPDX-License-Identifier: LGPL-2.1-or-later
"""The database: where it may go, what is in it, and what is left when it can't be written."""
import contextlib
import json
import os
import random
import resource
import shutil
import signal
import subprocess
import time
import unittest

from support import (CommandTest, needs_root, needs_sample, NOBODY, SAMPLE,
                     SANITIZER_STATUS)


class Refused(CommandTest):
    def setUp(self):
        super().setUp()
        self.sparse("image", 1 << 20)

    def test_existing_output(self):
        self.file("image.db", b"old")
        self.fails(5, "image", says="image.db: exists already")
        with open(self.path("image.db"), "rb") as f:
            self.assertEqual(f.read(), b"old")

    def test_the_image_itself(self):
        os.link(self.path("image"), self.path("other"))
        for name in ("image", "./image", self.path("image"), "other"):
            with self.subTest(name=name):
                self.fails(5, "image", "--force", "-o", name, says="is the image itself")

    def test_no_file(self):
        os.mkdir(self.path("folder"))
        self.fails(5, "image", "--force", "-o", "folder", says="folder: is a directory")
        self.fails(5, "image", "-o", "folder/", says="is a directory")
        self.fails(5, "image", "-o", "nowhere/x.db", says="nowhere/x.db: ")
        self.fails(5, "image", "-o", "/dev/null", "--force", says="no regular file")
        self.assert_files("image", "folder")

    @needs_root
    def test_unwritable_directory(self):
        os.mkdir(self.path("folder"), 0o755)
        self.fails(5, "image", "-o", "folder/x.db", user=NOBODY, group=NOBODY,
                   says="Permission denied")

    def test_no_kernel_leaves_the_old_file(self):
        self.file("old.db", b"old")
        self.fails(4, "image", "-o", "old.db", "--force")
        with open(self.path("old.db"), "rb") as f:
            self.assertEqual(f.read(), b"old")
        self.assert_files("image", "old.db")


@needs_sample
class Database(CommandTest):
    def test_names_and_force(self):
        shutil.copy(SAMPLE, self.path("guest.zst"))
        p = self.succeeds("guest.zst")
        self.assertIn("guest.zst.db", p.out)
        self.assertLessEqual(len(p.out.splitlines()), 24, "more than a screen")
        self.assert_valid_database("guest.zst.db")
        self.fails(5, "guest.zst", says="exists already")
        self.assertEqual(self.succeeds("guest.zst", "--force", "-q").out, "")
        self.assert_files("guest.zst", "guest.zst.db")

    def test_json_summary(self):
        summary = json.loads(self.succeeds(SAMPLE, "-o", "x.db", "--json").out)
        self.assertEqual(summary["exit_status"], 0)
        for table, rows in summary["tables"].items():
            self.assertEqual(self.query("x.db", f"SELECT count(*) FROM {table}"), [(rows,)], table)
        self.assertEqual(sum(summary["lifecycle"].values()), summary["tables"]["processes"])

    def test_coverage_has_every_table(self):
        self.succeeds(SAMPLE, "-o", "x.db", "-q")
        covered = dict(self.query("x.db", "SELECT table_name, rows FROM coverage"))
        tables = [n for (n,) in self.query("x.db", "SELECT name FROM sqlite_schema "
                                                   "WHERE type = 'table'")]
        self.assertEqual(sorted(covered), sorted(tables))
        for table in tables:
            self.assertEqual(self.query("x.db", f"SELECT count(*) FROM {table}"),
                             [(covered[table],)], table)

    def test_addresses_have_one_form(self):
        self.succeeds(SAMPLE, "-o", "x.db", "-q")
        columns = self.query("x.db", "SELECT m.name, c.name FROM sqlite_schema m, "
                                     "pragma_table_info(m.name) c WHERE m.type = 'table'")
        form = "0x" + 16 * "[0-9a-f]"
        for table, column in columns:
            if column.endswith(("_addr", "_va", "_pa")):
                bad = self.query("x.db", f"SELECT {column} FROM {table} "
                                         f"WHERE {column} NOT GLOB '{form}' LIMIT 1")
                self.assertEqual(bad, [], f"{table}.{column}")

    def test_tables_and_skip(self):
        self.succeeds(SAMPLE, "-o", "few.db", "-q", "--tables", "processes,mounts")
        count = "SELECT count(*) FROM "
        self.assertGreater(self.query("few.db", count + "processes")[0][0], 10)
        self.assertEqual(self.query("few.db", count + "threads"), [(0,)])
        self.assertEqual(self.query("few.db", count + "memory_ranges"), [(0,)])
        self.assertEqual(self.query("few.db", "SELECT status FROM coverage "
                                              "WHERE table_name = 'threads'"), [("skipped",)])
        self.succeeds(SAMPLE, "-o", "most.db", "-q", "--skip", "process_page_map")
        self.assertEqual(self.query("most.db", count + "process_page_map"), [(0,)])
        self.assertGreater(self.query("most.db", count + "threads")[0][0], 10)

    def test_reproducible(self):
        shutil.copy(SAMPLE, self.path("copy.zst"))
        self.succeeds(SAMPLE, "-o", "a.db", "-q", "--reproducible")
        self.succeeds("copy.zst", "-o", "b.db", "--json", "--reproducible")
        with open(self.path("a.db"), "rb") as a, open(self.path("b.db"), "rb") as b:
            self.assertEqual(a.read(), b.read())

    def test_memory_limit(self):
        p = self.run_vmiscan(SAMPLE, "-o", "x.db", "--max-memory", "4M")
        self.assertEqual(p.returncode, 1, p.err)
        self.assertRegex(p.err, r"\Avmiscan: [^\n]+memory limit[^\n]+\n\Z")
        self.assert_valid_database("x.db")
        self.assertEqual(self.query("x.db", "SELECT status FROM run"), [("limit",)])
        self.assertTrue(self.query("x.db", "SELECT * FROM problems WHERE message LIKE "
                                           "'%--max-memory%'"))
        self.assert_files("x.db")

    def test_memory_limit_of_info(self):
        for limit in ("4M", "24M"):  # before the image is open, and after that
            with self.subTest(limit=limit):
                p = self.fails(1, "info", SAMPLE, "--max-memory", limit, says="memory limit")
                self.assertEqual("Format" in p.out, limit == "24M")

    def test_osquery_queries_run(self):
        self.succeeds(SAMPLE, "-o", "x.db", "-q")
        for sql in (
            "SELECT name, path, pid FROM processes WHERE on_disk = 0",
            "SELECT DISTINCT process.name, listening.port, listening.address, process.pid FROM "
            "processes AS process JOIN listening_ports AS listening ON process.pid = listening.pid",
            "SELECT pos.pid, local_address, remote_address, family, protocol, local_port, "
            "remote_port, p.name FROM process_open_sockets AS pos JOIN processes AS p "
            "ON pos.pid = p.pid WHERE remote_port != 0",
            "SELECT pid, start, end, permissions, path FROM process_memory_map "
            "WHERE permissions LIKE '%w%x%' AND pseudo = 0",
            "SELECT name, used_by, status, size FROM kernel_modules",
            "SELECT days, total_seconds FROM uptime",
            "SELECT interface, mac, ibytes, obytes FROM interface_details JOIN "
            "interface_addresses USING (interface)",
        ):
            with self.subTest(sql=sql):
                self.query("x.db", sql)


@needs_sample
class Cut(CommandTest):
    """Disks that are full and runs that are killed."""

    def test_file_size_limit(self):
        limit = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 18, 1 << 18))
        image = self.unpacked()
        self.fails(5, image, "-o", "x.db", says="x.db: ", preexec_fn=limit)
        self.assert_files()

    def unpacked(self):
        """The image without compression, so that it needs no scratch file."""
        target = os.path.join(self.holder.name, "guest.img")
        with open(target, "wb") as f:
            subprocess.run(["zstd", "-dcq", SAMPLE], stdout=f, check=True)
        return target

    @needs_root
    def test_full_disk(self):
        image = self.unpacked()
        small = self.path("small")
        os.mkdir(small)
        mount = ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", small]
        if subprocess.run(mount, stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no permission to mount a tmpfs")
        self.addCleanup(subprocess.run, ["umount", small], check=True)
        with open(os.path.join(small, "x.db"), "wb") as f:
            f.write(b"old")
        self.fails(5, image, "-o", "small/x.db", "--force", says="no space left")
        self.assertEqual(os.listdir(small), ["x.db"])
        with open(os.path.join(small, "x.db"), "rb") as f:
            self.assertEqual(f.read(), b"old")

    def run_and_kill(self, sig, after):
        with self.start(SAMPLE, "-o", "x.db", "--force", "-q") as p:
            time.sleep(after)
            p.send_signal(sig)
            _, err = p.communicate()
        self.assertNotEqual(p.returncode, SANITIZER_STATUS, err)
        self.assertEqual(os.listdir(self.scratch), [], "left in TMPDIR")
        if os.path.exists(self.path("x.db")):
            self.assert_valid_database("x.db")
        return p.returncode

    def start_and_hold(self, image, output):
        """A run that stands still once it has the image open; None: it was too quick."""
        p = self.start(image, "-o", output)
        while p.poll() is None and not self.has_open(p.pid, image):
            pass
        if p.poll() is None:
            p.send_signal(signal.SIGSTOP)
            status = os.waitpid(p.pid, os.WUNTRACED | os.WNOHANG)
            while status == (0, 0):
                status = os.waitpid(p.pid, os.WUNTRACED | os.WNOHANG)
            if os.WIFSTOPPED(status[1]):
                return p
            p.returncode = os.waitstatus_to_exitcode(status[1])
        p.communicate()
        return None

    @staticmethod
    def has_open(pid, path):
        try:
            return any(os.readlink(f"/proc/{pid}/fd/{fd}") == path for fd in os.listdir(f"/proc/{pid}/fd"))
        except OSError:
            return False

    def held(self, image, output):
        for _ in range(20):
            p = self.start_and_hold(image, output)
            if p:
                return p
            with contextlib.suppress(FileNotFoundError):
                os.unlink(self.path(output))
        self.skipTest("SKIP every run was too quick")
        return None

    def go_on(self, p):
        p.send_signal(signal.SIGCONT)
        _, err = p.communicate(timeout=250)
        self.assertNotEqual(p.returncode, SANITIZER_STATUS, err)
        return err.decode()

    def test_the_directory_of_the_output_goes_away(self):
        os.mkdir(self.path("out"))
        p = self.held(self.unpacked(), "out/x.db")
        shutil.rmtree(self.path("out"))
        err = self.go_on(p)
        self.assertEqual(p.returncode, 5)
        self.assertRegex(err, r"\Avmiscan: out/x.db: can't give the finished file its name: [^\n]+\n\Z")
        self.assert_files()

    def changed_while_read(self, change):
        image = self.unpacked()
        p = self.held(image, "x.db")
        change(image)
        err = self.go_on(p)
        if p.returncode == 1:
            self.assertIn("written to while it was read", err)
            self.assert_valid_database("x.db")
            self.assertEqual(self.query("x.db", "SELECT status, exit_status FROM run"), [("partial", 1)])
            self.assertIn("was written to while it was read",
                          str(self.query("x.db", "SELECT message FROM problems WHERE severity = 'error'")))
            os.unlink(self.path("x.db"))
        self.assert_files()
        return p.returncode

    def test_an_image_that_grows(self):
        def grow(image):
            with open(image, "ab") as f:
                f.write(bytes(1 << 20))
        self.assertEqual(self.changed_while_read(grow), 1)

    def test_an_image_that_shrinks(self):
        for left in (100 << 20, 64 << 20, 4096, 0):
            status = self.changed_while_read(lambda image: os.truncate(image, left))
            self.assertIn(status, (1, 3, 4), left)

    def test_an_image_that_is_written_to(self):
        def write(image):
            with open(image, "r+b") as f:
                f.write(b"x")
        self.assertEqual(self.changed_while_read(write), 1)

    def test_an_image_that_is_removed_is_read_all_the_same(self):
        image = self.unpacked()
        p = self.held(image, "x.db")
        os.unlink(image)
        self.assertEqual((self.go_on(p), p.returncode), ("", 0))
        self.assert_valid_database("x.db")

    def run_time(self):
        start = time.monotonic()
        self.succeeds(SAMPLE, "-o", "x.db", "-q")
        return time.monotonic() - start

    def test_killed_at_any_time(self):
        seeded = random.Random(12)
        whole = self.run_time()
        for _ in range(30):
            self.run_and_kill(signal.SIGKILL, seeded.uniform(0, 1.1 * whole))
        self.succeeds(SAMPLE, "-o", "x.db", "--force", "-q")
        self.assert_files("x.db")

    def test_interrupted_at_any_time(self):
        seeded = random.Random(13)
        whole = self.run_time()
        for i in range(20):
            sig = (signal.SIGINT, signal.SIGTERM)[i % 2]
            status = self.run_and_kill(sig, seeded.uniform(0, 1.1 * whole))
            self.assertIn(status, (0, -sig))
            self.assert_files("x.db")


if __name__ == "__main__":
    unittest.main()
