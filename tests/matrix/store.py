# SPDX-License-Identifier: LGPL-2.1-or-later
"""Remembers what came of a guest, so that a second run repeats only what has changed."""

import hashlib
import json
import shutil

import judge


class Store:
    """Results by guest, program and comparison."""

    def __init__(self, cache, vmiscan):
        self.folder = cache / "matrix"
        self.folder.mkdir(parents=True, exist_ok=True)
        total = hashlib.sha256(vmiscan.read_bytes())
        for path in judge.sources():
            total.update(hashlib.sha256(path.read_bytes()).digest())
        self.program = total.hexdigest()[:16]

    def _path(self, guest, case):
        text = json.dumps([guest, case.source])
        return self.folder / f"{case.name}-{hashlib.sha256(text.encode()).hexdigest()[:16]}.json"

    def get(self, guest, case):
        """The result of this program and comparison, or None."""
        try:
            known = json.loads(self._path(guest, case).read_text())
        except (OSError, ValueError):
            return None
        return known if known.get("program") == self.program else None

    def _failed(self, guest):
        return self.folder / f"{guest}.failed"

    def failure(self, guest):
        """Why the guest could not be booted the last time, or None."""
        path = self._failed(guest)
        return path.read_text() if path.exists() else None

    def put_failure(self, guest, reason):
        """Remembers why a guest could not be booted; None if it could."""
        if reason:
            self._failed(guest).write_text(reason)
        else:
            self._failed(guest).unlink(missing_ok=True)

    def put(self, guest, case, result):
        """Replaces what an older program gave."""
        text = json.dumps({**result, "program": self.program}, indent=1)
        self._path(guest, case).write_text(text + "\n")


def prune(folder, cache):
    """Keeps the truth of a guest and gives back the space of its memory and its packages."""
    kept = cache / "matrix" / "truth" / folder.name
    shutil.rmtree(kept, ignore_errors=True)
    kept.parent.mkdir(parents=True, exist_ok=True)
    packages = json.loads((folder / "guest.json").read_text())["packages"]
    for image in folder.glob("memory*"):
        image.unlink()
    folder.rename(kept)
    for name, version in packages.items():
        for path in (cache / "packages").glob(f"{name}_{version.replace(':', '%3a')}_*.deb"):
            path.unlink()
