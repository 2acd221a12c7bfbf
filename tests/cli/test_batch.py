# SPDX-License-Identifier: LGPL-2.1-or-later
"""Many images: which, into which databases, what is left alone, and what is left when it is stopped."""
import json
import os
import random
import shutil
import signal
import sqlite3
import time
import unittest

from support import CommandTest, needs_sample, SAMPLE, SANITIZER_STATUS

STATUSES = {0: "analysed", 1: "partial", 3: "unreadable", 4: "no kernel", 5: "not written"}


class Batch(CommandTest):
    def batch(self, status, *args, **how):
        """[a line's object], totals; the lines in order of the image's name."""
        p = self.run_vmiscan("batch", *args, **how)
        self.assertEqual((p.returncode, p.err), (status, ""))
        lines = [json.loads(line) for line in p.out.splitlines()]
        total = lines.pop()["total"]
        self.assertEqual(total["images"], len(lines))
        for line in lines:
            line["image"] = os.path.relpath(line["image"], os.path.realpath(self.dir))
            if line["status"] != "done before":
                self.assertEqual(line["status"], STATUSES[line["exit_status"]])
        return sorted(lines, key=lambda line: line["image"]), total

    def names(self, lines):
        return [line["image"] for line in lines]

    def fill(self, *names, size=1 << 20):
        for name in names:
            os.makedirs(os.path.dirname(self.path(name)), exist_ok=True)
            self.sparse(name, size)

    def test_mistakes(self):
        os.mkdir(self.path("in"))
        self.fails(2, "batch", "in", says="no folder for the databases given")
        self.fails(2, "batch", "-o", "out", says="no folder or list given")
        for jobs in ("0", "x", "-1", "2x", "5000"):
            self.fails(2, "batch", "in", "-o", "out", "-j", jobs, says="--jobs: " + jobs)
        self.fails(3, "batch", "in", "-o", "out", says="in: no images there")
        self.fails(3, "batch", "nowhere", "-o", "out", says="nowhere: can't be opened")
        self.file("file")
        self.fails(5, "batch", "in", "-o", "file/x", says="file/x: can't be made")

    def test_which_files_of_a_folder(self):
        self.fill("in/a.raw", "in/deep/er/b.raw", "in/.hidden", "in/.folder/c.raw", "out/d.raw")
        self.fill("in/odd", size=(1 << 20) + 1)
        self.fill("in/small", size=4096)
        self.file("in/notes.txt", b"what happened\n" * 100000)
        self.file("in/x.db", b"SQLite format 3\0" + bytes((1 << 20) - 16))
        self.file("in/lime", b"EMiL" + bytes(100))
        os.symlink(self.path("in"), self.path("in/loop"))
        os.symlink(self.path("in/a.raw"), self.path("in/link"))
        os.rename(self.path("out"), self.path("in/out"))
        lines, total = self.batch(1, "in", "-o", "in/out")
        self.assertEqual(self.names(lines), ["in/a.raw", "in/deep/er/b.raw", "in/lime", "in/link"])
        self.assertEqual(total["failed"], 4)
        self.assertEqual([line["exit_status"] for line in lines], [4, 4, 3, 4])
        self.assertIn("no Linux kernel in this memory", lines[0]["problem"])
        self.assertEqual(os.listdir(self.path("in/out")), ["d.raw"])

    def test_state_files_are_no_images_of_their_own(self):
        state = bytes.fromhex("d2bed2be") + bytes(1 << 20)
        self.fill("in/g.vmem", "in/only.vmss")
        for name in ("g.vmss", "g.vmsn", "only.vmss"):
            self.file("in/" + name, state)
        lines, _ = self.batch(1, "in", "-o", "out")
        self.assertEqual(self.names(lines), ["in/g.vmem", "in/only.vmss"])

    def test_lists(self):
        self.fill("in/a.raw", "in/b c.raw", "in/new\nline.raw")
        self.file("list", b"in/a.raw\n\n./in/b c.raw\nin/nowhere")
        expected = ["in/a.raw", "in/b c.raw", "in/nowhere"]
        self.assertEqual(self.names(self.batch(1, "list", "-o", "out")[0]), expected)
        with open(self.path("list")) as f:
            self.assertEqual(self.names(self.batch(1, "-", "-o", "out", stdin=f)[0]), expected)
        self.file("list0", b"in/new\nline.raw\0in/a.raw\0in/a.raw\0")
        self.assertEqual(self.names(self.batch(1, "-0", "list0", "-o", "out")[0]),
                         ["in/a.raw", "in/new\nline.raw"])

    @needs_sample
    def test_databases_and_what_is_done_before(self):
        for name in ("in/a/guest", "in/b/guest", "in/c/guest"):
            self.fill(name)
            shutil.copy(SAMPLE, self.path(name))
        lines, total = self.batch(0, "in", "-o", "out", "-j", "2")
        self.assertEqual((total["analysed"], total["done_before"]), (3, 0))
        names = [line["database"] for line in lines]
        self.assertEqual(names[0], "out/guest.db")
        self.assertEqual(len(set(names)), 3)
        for line in lines:
            self.assert_valid_database(line["database"])
            self.assertEqual(self.query(line["database"], "SELECT path FROM evidence"),
                             [(os.path.join(os.path.realpath(self.dir), line["image"]),)])
            for table in ("processes", "threads", "kernel_modules", "sockets", "inconsistencies"):
                self.assertEqual(self.query(line["database"], f"SELECT count(*) FROM {table}"),
                                 [(line["counts"][table],)])
        self.assertEqual(sorted(os.listdir(self.path("out"))), sorted(os.path.basename(n) for n in names))
        self.done_again(names)

    def done_again(self, names):
        """Again, elsewhere, after a change of an image, of a database's version, and by --force."""
        before = {name: os.stat(self.path(name)).st_ino for name in names}
        lines, total = self.batch(0, self.path("in"), "-o", "out")
        self.assertEqual([line["database"] for line in lines], names)
        self.assertEqual((total["analysed"], total["done_before"]), (0, 3))
        self.assertEqual({name: os.stat(self.path(name)).st_ino for name in names}, before)
        os.utime(self.path("in/b/guest"), (1, 1))
        db_change = "UPDATE run SET tool_version = '0.0.1'"
        self.change(names[2], db_change)
        lines, total = self.batch(0, "in", "-o", "out")
        self.assertEqual([line["status"] for line in lines], ["done before", "analysed", "analysed"])
        self.assertEqual([line["database"] for line in lines], names)
        _, total = self.batch(0, "in", "-o", "out", "--force")
        self.assertEqual(total["analysed"], 3)

    def change(self, name, sql):
        db = sqlite3.connect(self.path(name))
        db.execute(sql)
        db.commit()
        db.close()

    @needs_sample
    def test_a_file_of_somebody_else_is_not_replaced(self):
        self.fill("in/guest")
        shutil.copy(SAMPLE, self.path("in/guest"))
        os.mkdir(self.path("out"))
        self.file("out/guest.db", b"mine")
        lines, _ = self.batch(0, "in", "-o", "out")
        self.assertRegex(lines[0]["database"], r"^out/guest-[0-9a-f]{16}\.db$")
        with open(self.path("out/guest.db"), "rb") as f:
            self.assertEqual(f.read(), b"mine")

    def test_an_ignored_end_of_children(self):
        """Whoever started it may have ignored SIGCHLD."""
        self.fill("in/a.raw")
        lines, _ = self.batch(1, "in", "-o", "out", preexec_fn=lambda: signal.signal(signal.SIGCHLD, signal.SIG_IGN))
        self.assertEqual(self.names(lines), ["in/a.raw"])

    def test_a_file_that_a_link_leads_to_is_one(self):
        self.fill("in/a.raw")
        os.symlink("in", self.path("there"))
        self.file("list", b"there/a.raw\nin/a.raw\nin/../in/a.raw\n")
        lines, _ = self.batch(1, "list", "there/a.raw", "in", "there", "-o", "out")
        self.assertEqual(self.names(lines), ["in/a.raw"])

    @needs_sample
    def test_databases_that_do_not_say_whose_they_are(self):
        for name in ("one/guest", "two/guest"):
            self.fill(name)
            shutil.copy(SAMPLE, self.path(name))
        with open(self.path("two/guest"), "ab") as f:
            f.write(bytes.fromhex("502a4d1800000000"))  # an empty frame, to be skipped: another hash
        names = {}
        for image, *args in (("one",), ("two",), ("two",), ("one", "--hash", "sha256", "--force"),
                             ("one", "--hash", "sha256"), ("two", "--hash", "sha256")):
            lines, _ = self.batch(0, image, "-o", "out", "--reproducible", "--tables", "mounts", *args)
            names.setdefault(image, []).append(lines[0]["database"])
        distinct = names["two"][0]
        self.assertRegex(distinct, r"^out/guest-[0-9a-f]{16}\.db$")
        self.assertEqual(names, {"one": ["out/guest.db"] * 3, "two": [distinct] * 3})

    @needs_sample
    def test_one_that_fails_does_not_stop_the_rest(self):
        self.fill("in/a.raw")
        shutil.copy(SAMPLE, self.path("in/guest"))
        with open(SAMPLE, "rb") as f:
            self.file("in/cut", f.read(5 << 20))
        lines, total = self.batch(1, "in", "-o", "out", "-j1")
        self.assertEqual([line["status"] for line in lines][::2], ["no kernel", "analysed"])
        self.assertEqual(total["analysed"] + total["partial"] + total["failed"], 3)
        self.assertIsNone(lines[2]["problem"])
        self.assertTrue(lines[1]["problem"])

    @needs_sample
    def test_quiet_and_options_of_the_analysis(self):
        self.fill("in/guest")
        shutil.copy(SAMPLE, self.path("in/guest"))
        self.assertEqual(self.succeeds("batch", "in", "-o", "out", "-q", "--tables", "mounts").out, "")
        self.assertEqual(self.query("out/guest.db", "SELECT count(*) FROM processes"), [(0,)])
        lines, _ = self.batch(1, "in", "-o", "less", "--max-memory", "4M")
        self.assertEqual((lines[0]["status"], lines[0]["problem"]),
                         ("partial", "the memory limit was reached"))

    @needs_sample
    def test_stopped_at_any_time(self):
        for n in range(8):
            self.fill(f"in/{n}")
            shutil.copy(SAMPLE, self.path(f"in/{n}"))
        seeded = random.Random(14)
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            with self.start("batch", "in", "-o", "out", "-j", "3", "--force") as p:
                time.sleep(seeded.uniform(0.05, 1))
                p.send_signal(sig)
                out, err = p.communicate(timeout=100)
            self.assertNotEqual(p.returncode, SANITIZER_STATUS, err)
            self.assertIn(p.returncode, (0, -sig))
            for line in out.splitlines():
                self.assertIsInstance(json.loads(line), dict)
            self.assertEqual(os.listdir(self.scratch), [])
            for name in os.listdir(self.path("out")) if os.path.isdir(self.path("out")) else []:
                self.assertRegex(name, r"^\d\.db$")
                self.assert_valid_database("out/" + name)
        lines, _ = self.batch(0, "in", "-o", "out")
        self.assertEqual(len(lines), 8)

    @needs_sample
    def test_a_batch_that_is_killed_takes_its_children_along(self):
        self.fill("in/guest")
        shutil.copy(SAMPLE, self.path("in/guest"))
        with self.start("batch", "in", "-o", "out") as p:
            time.sleep(0.2)
            p.kill()
            p.communicate()
        time.sleep(1)
        _, total = self.batch(0, "in", "-o", "out")
        self.assertEqual(total["images"], 1)
        self.assertEqual(os.listdir(self.path("out")), ["guest.db"])


if __name__ == "__main__":
    unittest.main()
