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
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
# A suite moves a few times a week; asking it once a day keeps a second run instant.
MAX_AGE = int(os.environ.get("VMISCAN_LISTS_MAX_AGE", "86400"))


class SuiteError(Exception):
    """The suite or its packages cannot be had."""


def run(command, **options):
    """Runs a command; its output is the result or, with what went wrong, the error."""
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, check=False, **options)
    if done.returncode != 0:
        message = (done.stderr or done.stdout).strip().splitlines()
        raise SuiteError(f"{command[0]} failed: {message[-1] if message else done.returncode}")
    return done.stdout


class Suite:
    """One suite with package lists of its own, away from those of the machine."""

    def __init__(self, cache, name):
        self.name = name
        self.folder = Path(cache) / "suites" / name
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
            "APT::Architecture": "amd64",
            "APT::Architectures": "amd64",
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
        lines = [f"{signed} {MIRROR} {self.name} main"]
        if self.name != "sid":
            lines.append(f"{signed} {SECURITY} {self.name}-security main")
        return lines

    def _write_sources(self, lines):
        (self.folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
        (self.folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
        (self.folder / "status").touch()
        (self.folder / "sources.list").write_text("\n".join(lines) + "\n")

    def _update(self):
        lines = self._source_lines()
        try:
            self._write_sources(lines)
            run(["apt-get", "update", "-q", *self._options()])
        except SuiteError:
            # Old suites lose their security part first.
            self._write_sources(lines[:1])
            run(["apt-get", "update", "-q", *self._options()])

    def _field(self, package, field):
        text = run(["apt-cache", *self._options(), "show", "--no-all-versions", package])
        found = re.search(rf"^{field}: (.*)$", text, re.MULTILINE)
        if not found:
            raise SuiteError(f"{self.name}: {package} has no {field}")
        return found.group(1)

    def _depends(self, package):
        return [part.split()[0] for part in self._field(package, "Depends").split(",")]

    def _ask(self, flavour):
        """The meta package names the image; since 7.x that, too, only names its parts."""
        meta = f"linux-image-{flavour}"
        image = next((p for p in self._depends(meta) if re.match(r"linux-image-\d", p)), None)
        if image is None:
            raise SuiteError(f"{self.name}: {meta} depends on no kernel")
        parts = [p for p in self._depends(image) if re.match(r"linux-(binary|modules|base)-\d", p)]
        packages = {name: self._field(name, "Version") for name in parts or [image]}
        return {"release": image.removeprefix("linux-image-"), "packages": packages}

    def _remembered(self):
        try:
            return json.loads(self.answers.read_text())
        except (OSError, ValueError):
            return {}

    def kernel(self, flavour, refresh=False):
        """Release and packages of the suite's kernel of that flavour."""
        known = self._remembered()
        answer = known.get(flavour)
        if answer and not refresh and time.time() - answer["asked"] < MAX_AGE:
            return answer
        try:
            self._update()
            answer = {**self._ask(flavour), "asked": time.time()}
        except SuiteError:
            # Without a network, what was true the last time will do.
            if answer is None or refresh:
                raise
            return answer
        self.answers.write_text(json.dumps({**known, flavour: answer}, indent=1))
        return answer

    def fetch(self, name, version, folder):
        """The path of the package in folder, fetched unless it is there."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        pattern = f"{name}_{version.replace(':', '%3a')}_*.deb"
        if not list(folder.glob(pattern)):
            run(["apt-get", "download", "-q", *self._options(), f"{name}={version}"], cwd=folder)
        return next(folder.glob(pattern))
