# SPDX-License-Identifier: LGPL-2.1-or-later
"""Calls and options, and what they print."""
import json
import os
import pty
import re
import sqlite3
import subprocess
import unittest

from support import CommandTest, needs_sample, schema_columns, SAMPLE


# What one call says otherwise than another.
SAID = {
    "": ["  -o, --output FILE        write here instead of to IMAGE.db in the current directory",
         "      --force              overwrite an existing output",
         "      --json               print the summary as one JSON object"],
    "info": ["      --json               print all of it as one JSON object"],
    "batch": ["  -o, --output FOLDER      write the databases into this folder; it is made if need be",
              "      --force              analyse again what is done already",
              "  -q, --quiet              print no lines and no progress, only errors of the whole",
              "Exit status: 0 all images were analysed, now or before; 1 some were not, or are damaged;"],
    "sql": ["      --format NAME        form of the image, which is not detected then; `help` lists them",
            "      --max-memory SIZE    stop when more memory is needed (64M, 2G)",
            "2 usage, or a statement is wrong; 3 neither a readable image nor a database;"],
    "report": ["  -o, --output FILE        write here instead of to INPUT.html in the current "
               "directory"],
    "diff": ["      --json               print all changes, with their whole rows, as one JSON object",
             "Exit status: 0 compared, whether the two differ or not; 1 compared, but of one of them"],
    "timeline": ["      --format FORM        timesketch-csv (the default) or another form; "
                 "`help` lists them"],
}

MERGE_HELP = """\
Usage: vmiscan merge -o ALL.db DATABASE...

Puts the databases of several images into one, where every row names its image.

  -o, --output FILE        write here; there is no other place
      --force              overwrite an existing output
      --json               print the totals as one JSON object
  -q, --quiet              print no totals and no progress, only errors
  -v, --verbose            say on stderr which sandbox is in force
      --no-progress        no progress line on the terminal
      --no-sandbox         keep all rights while hostile data is read
      --version            print the version
  -h, --help               print this help

Examples:
  vmiscan merge -o all.db out/*.db
  sqlite3 all.db 'SELECT name, p.* FROM processes p JOIN images USING (image)'

Exit status: 0 merged; 2 usage; 3 a file is no database of this vmiscan, or is damaged;
5 the output can't be written; 70 internal error.
"""


class Usage(CommandTest):
    def test_mistakes(self):
        for args, says in (
            ([], "no image given"),
            (["info"], "no image given"),
            (["--nonsense", "x"], "--nonsense"),
            (["x", "--tables", "nonsense"], "nonsense"),
            (["x", "-o"], "-o"),
            (["x", "y"], "y"),
            (["x", "--hash", "md5"], "md5"),
            (["x", "--max-memory", "lots"], "lots"),
            (["x", "--color", "blue"], "blue"),
            (["info", "x", "--force"], "--force"),
            (["schema", "x"], "x"),
        ):
            with self.subTest(args=args):
                p = self.fails(2, *args, says=says)
                self.assertEqual(p.out, "")
        self.assert_files()

    def test_unknown_format(self):
        self.sparse("image", 1 << 20)
        self.fails(2, "image", "--format", "nonsense", says="nonsense")

    def test_help_version_formats(self):
        text = self.succeeds("--help").out
        self.assertIn("Usage: vmiscan IMAGE", text)
        self.assertIn("Examples:", text)
        self.assertEqual(self.succeeds("-h", "x", "y").out, text)
        self.assertRegex(self.succeeds("--version").out, r"\Avmiscan \d+\.\d+\.\d+\n")
        self.assertRegex(self.succeeds("--format", "help").out, r"(?m)^raw ")

    def test_help_of_a_call(self):
        self.assertEqual(self.succeeds("merge", "--help").out, MERGE_HELP)

    def test_help_says_what_holds_for_the_call(self):
        for call, lines in SAID.items():
            text = self.succeeds(*call.split(), "--help").out
            for line in lines:
                with self.subTest(call=call, line=line):
                    self.assertIn(line + "\n", text)

    def manuals(self):
        """(call or None, its manual's name, its manual), of all calls."""
        folder = os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../docs/man")
        usage, _, _ = self.succeeds("--help").out.partition("\n\n")
        for call in [None] + re.findall(r"(?m)^ +vmiscan ([a-z]+)", usage):
            name = f"vmiscan-{call}.1" if f"vmiscan-{call}.1" in os.listdir(folder) else "vmiscan.1"
            with open(os.path.join(folder, name), encoding="utf-8") as f:
                yield call, name, f.read()

    def test_exit_statuses_are_those_of_the_manual(self):
        for call, name, manual in self.manuals():
            if call and name == "vmiscan.1":
                continue
            _, _, told = self.succeeds(*[call] * bool(call), "--help").out.partition("Exit status: ")
            known = re.findall(r"(?m)^\.It (\d+)$", manual.partition(".Sh EXIT STATUS")[2])
            with self.subTest(call=call):
                self.assertEqual(sorted({*known, "70"}), sorted(re.findall(r"\b\d+\b", told)))

    def test_every_option_is_in_the_manual(self):
        """Of a call that has one in its own, of others in vmiscan(1)."""
        for call, name, manual in self.manuals():
            for option in re.findall(r"--([a-z-]+)", self.succeeds(*[call] * bool(call), "--help").out):
                if name == "vmiscan.1" or option not in ("help", "version"):
                    with self.subTest(call=call, option=option):
                        self.assertRegex(manual, rf"Fl -{option}\b")


class Schema(CommandTest):
    def setUp(self):
        super().setUp()
        self.text = self.succeeds("schema").out
        self.db = sqlite3.connect(":memory:")
        self.addCleanup(self.db.close)
        self.db.executescript(self.text)

    def test_it_is_sql_and_documents_every_column(self):
        documented = schema_columns(self.text)
        names = [n for (n,) in self.db.execute("SELECT name FROM sqlite_master ORDER BY rowid")]
        self.assertEqual(list(documented), names)
        for name in names:
            columns = [r[1] for r in self.db.execute(f"PRAGMA table_info({name})")]
            self.assertEqual(list(documented[name]), columns)

    def test_the_contract_is_there(self):
        names = {n for (n,) in self.db.execute("SELECT name FROM sqlite_master")}
        self.assertLessEqual({
            "evidence", "run", "memory_ranges", "vcpus", "coverage", "problems", "system_info",
            "os_version", "kernel_info", "time", "uptime", "memory_info", "cpu_info", "dmesg", "block_devices", "users", "groups", "user_groups", "logged_in_users", "last", "system_controls", "cpu_time", "load_average", "shared_memory", "process_open_pipes",
            "interface_details", "interface_addresses", "arp_cache", "routes", "iptables", "platform_info", "interface_ipv6", "kernel_modules", "file", "suid_bin", "processes",
            "threads",
            "process_envs", "process_namespaces", "process_open_files", "process_memory_map",
            "process_page_map", "process_open_sockets", "listening_ports", "sockets", "mounts",
            "inconsistencies", "atomicity"}, names)

    def test_tables_are_strict(self):
        strict = self.db.execute("SELECT count(*), sum(strict) FROM pragma_table_list "
                                 "WHERE type = 'table' AND name NOT LIKE 'sqlite_%'").fetchone()
        self.assertEqual(strict[0], strict[1])


class Streams(CommandTest):
    def test_a_reader_that_goes_away(self):
        with self.start("schema") as p:
            p.stdout.close()
            err = p.stderr.read()
            self.assertEqual((p.wait(), err), (0, b""))

    def test_a_full_stdout(self):
        with open("/dev/full", "w") as full:
            self.fails(5, "schema", stdout=full, says="No space left on device")

    def test_nothing_of_a_name_acts_on_the_terminal(self):
        name = "ev\033[31mil\n.img"
        self.file(name, b"x" * 100)
        self.fails(3, name, says="ev\\x1b[31mil\\x0a.img")
        self.sparse(name, 1 << 20)
        p = self.run_vmiscan("info", name)
        self.assertEqual(p.returncode, 4)
        self.assertNotIn("\033", p.out)

    def test_color(self):
        self.sparse("zeros", 1 << 20)
        plain = self.run_vmiscan("info", "zeros").out
        self.assertNotIn("\033", plain)
        self.assertIn("\033[1m", self.run_vmiscan("info", "zeros", "--color=always").out)
        self.assertEqual(self.on_terminal("stdout", "info", "zeros", NO_COLOR="1"), plain)
        self.assertIn("\033[1m", self.on_terminal("stdout", "info", "zeros"))
        self.assertEqual(self.on_terminal("stdout", "info", "zeros", "--color=never"), plain)

    def on_terminal(self, stream, *args, **environment):
        """What arrives on a terminal that is the stream."""
        ours, theirs = pty.openpty()
        how = {"env": self.environment() | {"TERM": "xterm"} | environment, stream: theirs}
        other = "stderr" if stream == "stdout" else "stdout"
        with self.start(*args, **(how | {other: subprocess.DEVNULL})) as p:
            os.close(theirs)
            got = b""
            try:
                while part := os.read(ours, 65536):
                    got += part
            except OSError:
                pass  # the end of a terminal
        os.close(ours)
        p.wait()
        return got.decode().replace("\r\n", "\n")

    def test_progress_only_on_a_terminal(self):
        self.sparse("zeros", 256 << 20)
        args = ("zeros", "--hash", "sha256")
        self.assertIn("hashing", self.on_terminal("stderr", *args))
        self.assertNotIn("hashing", self.on_terminal("stderr", *args, "--no-progress"))
        self.fails(4, *args)


class Info(CommandTest):
    def test_without_a_kernel_the_container_is_printed(self):
        self.sparse("zeros", 4 << 20)
        p = self.fails(4, "info", "zeros", says="zeros: no Linux kernel")
        self.assertRegex(p.out, r"(?m)^Format +raw$")
        self.assertIn("0x0000000000000000-0x0000000000400000 present", p.out)
        parsed = json.loads(self.fails(4, "info", "zeros", "--json").out)
        self.assertEqual(parsed["memory_ranges"], [
            {"start_pa": "0x" + 16 * "0", "end_pa": "0x0000000000400000", "state": "present"}])
        self.assertIsNone(parsed["kernel"])
        self.assert_files("zeros")

    @needs_sample
    def test_of_a_guest(self):
        text = self.succeeds("info", SAMPLE).out
        self.assertRegex(text, r"(?m)^Kernel +\d+\.\d+\.\d+")
        kernel = json.loads(self.succeeds("info", SAMPLE, "--json").out)["kernel"]
        self.assertTrue(kernel["banner"].startswith("Linux version " + kernel["release"]))
        self.assert_files()


if __name__ == "__main__":
    unittest.main()
