# SPDX-License-Identifier: LGPL-2.1-or-later
"""Completion in bash and zsh: every call and option of the tables, and what options take."""
import os
import pathlib
import re
import shlex
import shutil
import subprocess
import unittest

from support import CommandTest, VMISCAN

TOP = pathlib.Path(__file__).resolve().parents[2]
COMPLETIONS = TOP / "docs" / "completions"


def masks():
    """{name of a set of calls: its calls}, as options.h has them."""
    found = re.findall(r"(IN_\w+) = ((?:IN_\w+[\s|]*)+)", (TOP / "src/cli/options.h").read_text())
    return {name: set(re.findall(r"\w+", calls)) for name, calls in found}


def read_tables():
    """({call: its options}, {option: its argument or None}) as the .def files have them."""
    calls = re.findall(r'^CALL\((\w+), (NULL|"\w+")', (TOP / "src/cli/calls.def").read_text(), re.M)
    text = (TOP / "src/cli/options.def").read_text()
    options, arguments, sets = {c: set() for c, _ in calls}, {}, masks()
    for name, argument, where in re.findall(
            r'^(?:OPTION|FLAG)\((\w+), (?:0|\'.\'),\s*(?:(NULL|"[^"]*"),\s*)?([\w |]+),', text, re.M):
        option = "--" + name.replace("_", "-")
        arguments[option] = argument.strip('"') if argument not in ("", "NULL") else None
        names = set().union(*(sets.get(n, {n}) for n in re.findall(r"\w+", where)))
        for call in calls:
            if where == "IN_ALL" or "IN_" + call[0] in names:
                options[call[0]].add(option)
    return options, arguments


OPTIONS, ARGUMENTS = read_tables()
CALLS = set(OPTIONS) - {"scan"}


def words_of(call):
    return [] if call == "scan" else [call]


class Tables(unittest.TestCase):
    def test_they_were_read(self):
        self.assertIn("--output", OPTIONS["scan"])
        self.assertIn("info", CALLS)
        self.assertEqual(ARGUMENTS["--max-memory"], "SIZE")
        self.assertIsNone(ARGUMENTS["--force"])


class Bash(CommandTest):
    def complete(self, *words):
        """What is offered for the last of the words."""
        script = f"""
            source {shlex.quote(str(COMPLETIONS / "vmiscan.bash"))}
            COMP_WORDS=({" ".join(map(shlex.quote, [VMISCAN, *words]))})
            COMP_CWORD={len(words)}
            _vmiscan
            printf '%s\\n' "${{COMPREPLY[@]}}" """
        p = subprocess.run(["bash", "--norc", "-uc", script], cwd=self.dir, text=True,
                           env=self.environment(), capture_output=True)
        self.assertEqual(p.stderr, "")
        return set(p.stdout.split())

    def test_calls(self):
        self.file("image.raw")
        self.assertEqual(self.complete(""), CALLS | {"image.raw"})
        self.assertEqual(self.complete("inf"), {"info"})

    def test_options_of_each_call(self):
        for call, options in OPTIONS.items():
            with self.subTest(call=call):
                self.assertEqual(self.complete(*words_of(call), "--"), options)

    def test_arguments(self):
        os.mkdir(self.path("folder"))
        self.file("file")
        self.assertEqual(self.complete("-o", ""), {"file", "folder"})
        self.assertEqual(self.complete("--output", "fi"), {"file"})
        self.assertEqual(self.complete("info", "--symbols", ""), {"folder"})
        self.assertEqual(self.complete("--color", "=", "al"), {"always"})
        self.assertEqual(self.complete("--hash", ""), {"sha256"})
        self.assertEqual(self.complete("--tables", "process_m"), {"process_memory_map"})
        self.assertEqual(self.complete("--skip", "threads,moun"), {"threads,mounts"})
        self.assertIn("kdump", self.complete("--format", ""))
        self.assertEqual(self.complete("--max-memory", ""), set())
        self.assertEqual(self.complete("info", ""), {"file", "folder"})


@unittest.skipUnless(shutil.which("zsh"), "SKIP no zsh")
class Zsh(CommandTest):
    def specs(self, *words):
        """{option: the action for its argument} that is handed to _arguments."""
        script = f"""
            _arguments() {{ shift; print -rl -- "$@" }}
            _call_program() {{ shift; "$@" }}
            words=({" ".join(map(shlex.quote, [VMISCAN, *words]))})
            CURRENT=$#words
            source {shlex.quote(str(COMPLETIONS / "_vmiscan"))}"""
        p = subprocess.run(["zsh", "-fc", script], cwd=self.dir, env=self.environment(), text=True,
                           capture_output=True)
        self.assertEqual(p.stderr, "")
        found = re.findall(r"^(?:\([^)]*\)|\*)?(--[a-z-]+)\[[^]]*\](?::[^:]*:(.*))?$", p.stdout, re.M)
        return dict(found)

    def test_options_of_each_call(self):
        for call, options in OPTIONS.items():
            with self.subTest(call=call):
                specs = self.specs(*words_of(call), "")
                self.assertEqual(set(specs), options)
                for option, action in specs.items():
                    self.assertEqual(bool(action), ARGUMENTS[option] is not None, option)

    def test_arguments(self):
        specs = self.specs("")
        self.assertEqual((specs["--output"], specs["--symbols"]), ("_files", "_files -/"))
        self.assertEqual(specs["--tables"], "_vmiscan_tables")
        self.assertEqual(specs["--format"], "_vmiscan_formats")
        self.assertEqual(self.specs("timeline", "")["--format"], "_vmiscan_formats")
        self.assertEqual(self.specs("batch", "")["--output"], "_files -/")

    def test_it_completes(self):
        """In a shell as people have it: what TAB makes of a line."""
        script = f"""
            zmodload zsh/zpty
            zpty shell 'zsh -f -i'
            zpty -w shell "PROMPT=; path=({os.path.dirname(VMISCAN)} \\$path); fpath=({COMPLETIONS} \\$fpath)"
            zpty -w shell 'autoload -Uz compinit && compinit -u -D; print read''y'
            zpty -r -m shell out '*ready*'
            zpty -w -n shell $'vmiscan sche\\t'
            zpty -r -m shell out '*schema*' && print done
            zpty -w -n shell $'\\x15vmiscan timeline x --format timesketch-c\\t'
            zpty -r -m shell out '*timesketch-csv*' && print forms"""
        try:
            p = subprocess.run(["zsh", "-fc", script], cwd=self.dir, env=self.environment(),
                               stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
        except subprocess.TimeoutExpired:
            self.fail("nothing was completed")
        self.assertEqual(p.stdout.split(), ["done", "forms"])


if __name__ == "__main__":
    unittest.main()
