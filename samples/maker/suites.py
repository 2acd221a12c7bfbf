# SPDX-License-Identifier: LGPL-2.1-or-later
"""Debian suites: which kernel packages one offers today, and fetching them."""

import json
import os
import re
import subprocess
import time
from pathlib import Path

MIRROR = os.environ.get("VMISCAN_MIRROR", "http://deb.debian.org/debian")
SECURITY = os.environ.get("VMISCAN_SECURITY_MIRROR", "http://deb.debian.org/debian-security")
# Suites that left the mirrors live on there.
ARCHIVE = os.environ.get("VMISCAN_ARCHIVE_MIRROR", "http://archive.debian.org/debian")
ARCHIVED = ("buster",)
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# A suite moves a few times a week; asking it once a day keeps a second run instant.
MAX_AGE = int(os.environ.get("VMISCAN_LISTS_MAX_AGE", "86400"))
# Several questions in a row are answered from the same lists.
RECENT = 600


class SuiteError(Exception):
    """The suite or its packages cannot be had."""


def _reason(done):
    """The line that says most: apt's first error names the file and why; the last one only sums up."""
    lines = (done.stderr or done.stdout).strip().splitlines()
    errors = [line.removeprefix("E: ") for line in lines if line.startswith("E: ")]
    reason = (errors or lines[-1:] or [f"status {done.returncode}"])[0]
    return " ".join(re.sub(r"\[IP: [^]]*\]", "", reason).split())


def run(command, **options):
    """Runs a command; its output is the result or, with what went wrong, the error."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        raise SuiteError(f"{command[0]} failed: {_reason(done)}")
    return done.stdout


def _names(field):
    """The names in a field of dependencies."""
    return [part.split()[0] for part in field.split(",") if part.strip()]


class Suite:
    """One suite with package lists of its own, away from those of the machine."""

    def __init__(self, cache, name, arch="amd64"):
        self.name, self.arch = name, arch
        self.folder = Path(cache) / "suites" / (name if arch == "amd64" else f"{name}-{arch}")
        self.answers = self.folder / "kernels.json"

    def _options(self):
        settings = {
            "Dir::Etc::SourceList": self.folder / "sources.list",
            "Dir::Etc::SourceParts": "/dev/null",
            "Dir::Etc::Preferences": "/dev/null",
            "Dir::Etc::PreferencesParts": "/dev/null",
            "Dir::State::Lists": self.folder / "lists",
            "Dir::State::Status": self.folder / "status",
            "Dir::Cache": self.folder / "cache",
            "APT::Architecture": self.arch,
            "APT::Architectures": self.arch,
            "APT::Sandbox::User": "root" if os.geteuid() == 0 else "",
            "Acquire::Languages": "none",
            "Acquire::Retries": "3",
            # Else a mirror that is out of reach is no error.
            "APT::Update::Error-Mode": "any",
            "Acquire::IndexTargets::deb::DEP-11::DefaultEnabled": "false",
        }
        return [part for key, value in settings.items() for part in ("-o", f"{key}={value}")]

    def _source_lines(self):
        signed = f"deb [signed-by={KEYRING}]"
        lines = [f"{signed} {ARCHIVE if self.name in ARCHIVED else MIRROR} {self.name} main"]
        if self.name not in (*ARCHIVED, "sid", "experimental") and not self.name.endswith("-backports"):
            lines.append(f"{signed} {SECURITY} {self.name}-security main")
        return lines

    def _write_sources(self, lines):
        (self.folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (self.folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text("\n".join(lines) + "\n")

    def _update(self, refresh):
        """Fetches the lists, unless a question of a moment ago did."""
        updated = self.folder / "updated"
        if not refresh and updated.exists() and time.time() - updated.stat().st_mtime < RECENT:
            return
        lines = self._source_lines()
        try:
            self._write_sources(lines)
            run(["apt-get", "update", "-q", *self._options()])
        except SuiteError:
            # Old suites lose their security part first.
            if len(lines) == 1:
                raise
            self._write_sources(lines[:1])
            run(["apt-get", "update", "-q", *self._options()])
        updated.touch()

    def _stanzas(self, packages):
        """Fields of the newest version of each package."""
        text = run(["apt-cache", *self._options(), "show", "--no-all-versions", *packages])
        return [dict(re.findall(r"^([\w-]+): (.*)$", part, re.MULTILINE)) for part in text.split("\n\n") if part]

    def _depends(self, package):
        return _names(self._stanzas([package])[0].get("Depends", ""))

    def _newest(self, flavour):
        """The release that the meta package names."""
        meta = f"linux-image-{flavour}"
        image = next((p for p in self._depends(meta) if re.match(r"linux-image-\d", p)), None)
        if image is None:
            raise SuiteError(f"{self.name}: {meta} depends on no kernel")
        return image.removeprefix("linux-image-")

    def _parts(self, image):
        """{package: version} of what a kernel consists of: since 6.19 its package only names its parts."""
        depends = self._stanzas([image])[0].get("Depends", "")
        parts = dict(re.findall(r"(linux-(?:binary|modules)-\d[^ ,]*) \(= ([^)]*)\)", depends))
        if not parts:
            return {image: self.version(image)}
        base = [name for name in _names(depends) if re.match(r"linux-base-\d", name)]
        return parts | {s["Package"]: s["Version"] for s in self._stanzas(base)}

    def _ask(self, wanted):
        release = wanted if re.match(r"\d+\.", wanted) else self._newest(wanted)
        return {"release": release, "packages": self._parts(f"linux-image-{release}")}

    def _ask_releases(self):
        names = run(["apt-cache", *self._options(), "pkgnames", "linux-image-"]).split()
        images = [n for n in names if re.match(r"linux-image-\d", n) and not re.search("-(dbg|unsigned|template)$", n)]
        # A package that depends on another image is none itself.
        return {
            stanza["Package"].removeprefix("linux-image-"): stanza["Version"]
            for stanza in (self._stanzas(images) if images else ())
            if not any(re.match(r"linux-image-\d", name) for name in _names(stanza.get("Depends", "")))
        }

    def _remembered(self):
        try:
            return json.loads(self.answers.read_text())
        except (OSError, ValueError):
            return {}

    def _answer(self, question, ask, refresh):
        """What ask() says, or said within the day."""
        known = self._remembered()
        answer = known.get(question)
        if answer and not refresh and time.time() - answer["asked"] < MAX_AGE:
            return answer
        try:
            self._update(refresh)
            answer = {**ask(), "asked": time.time()}
        except SuiteError:
            # Without a network, what was true the last time will do.
            if answer is None or refresh:
                raise
            return answer
        self.answers.write_text(json.dumps({**known, question: answer}, indent=1))
        return answer

    def kernel(self, wanted, refresh=False):
        """Release and packages of a kernel: the newest of a flavour, or the one of that release."""
        return self._answer(wanted, lambda: self._ask(wanted), refresh)

    def releases(self, refresh=False):
        """{release: version of its package} of every kernel on offer."""
        return self._answer("releases", lambda: {"versions": self._ask_releases()}, refresh)["versions"]

    def version(self, package):
        """The newest version of a package."""
        return self._stanzas([package])[0]["Version"]

    def newest(self, package, refresh=False):
        """The same, from lists that are fetched where they are missing or old."""
        return self._answer(package, lambda: {"version": self.version(package)}, refresh)["version"]

    def _download(self, name, version, folder):
        if self._stanzas([name]):
            run(["apt-get", "download", "-q", *self._options(), f"{name}={version}"], cwd=folder)
            return
        # Backports drops the modules of a series from its lists before its kernel; the pool still has both.
        file = f"{name}_{version}_{self.arch}.deb"
        run(["/usr/lib/apt/apt-helper", "download-file", f"{MIRROR}/pool/main/l/linux/{file}", file], cwd=folder)

    def fetch(self, name, version, folder):
        """The path of the package in folder, fetched unless it is there."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        begin = f"{name}_{version.replace(':', '%3a')}_"

        def found():
            return [path for path in folder.glob(f"{begin}*.deb") if path.stem.endswith((f"_{self.arch}", "_all"))]

        if not found():
            self._download(name, version, folder)
        return found()[0]
