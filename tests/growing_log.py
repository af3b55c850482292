"""A log that is still being written, for tests of what comes of looking at it again and again."""

from __future__ import annotations

import zipfile
from pathlib import Path
from random import Random
from typing import Any

import msgspec

from tests.log_files import write_log

REPLY = "I weigh what I may do."
LENGTH = 4000
"""Bytes of what a reply becomes, other in each sample, so that no compression hides how often it is kept."""


class Growing:
    """A log as Inspect writes it while an eval runs: a sample more at each look, and no header until the end."""

    def __init__(self, folder: Path, samples: int) -> None:
        whole = write_log(folder.parent / "whole.eval", [at % 2 for at in range(samples)], eval_id="live", reply=REPLY)
        random = Random(1)
        self.path = folder / "tiny/checkpoint-100/log.eval"
        self.path.parent.mkdir(parents=True)
        with zipfile.ZipFile(whole) as archive:
            self._members = {
                name: archive.read(name).replace(REPLY.encode(), random.randbytes(LENGTH // 2).hex().encode())
                for name in archive.namelist()
            }
        header: dict[str, Any] = msgspec.json.decode(self._members["header.json"])
        self._start = msgspec.json.encode({name: header[name] for name in ("version", "eval", "plan")})

    def write(self, samples: int) -> None:
        """Write as many samples as there are by now."""
        names = sorted(name for name in self._members if name.startswith("samples/"))[:samples]
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) as archive:
            archive.writestr("_journal/start.json", self._start)
            for name in names:
                archive.writestr(name, self._members[name])

    def finish(self) -> None:
        """Write all of it, header and all."""
        with zipfile.ZipFile(self.path, "w", zipfile.ZIP_DEFLATED) as archive:
            for name, data in self._members.items():
                archive.writestr(name, data)
