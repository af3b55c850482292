"""The formats that files are known by: modules that packages register as entry points, Driftline its own too.

A module has `matches(path, head)` and `read(path)`, and what it needs of `is_document`, `companions`, IDENTITY and
ENDINGS. Those of other packages are called with care (`loaders.checked`): they can reject a file, and no more.
"""

from __future__ import annotations

import hashlib
import inspect
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from loaders import checked
from loaders.errors import DriftlineError, RejectedFile
from loaders.records import LoadedFile

GROUP = "driftline.formats"
OWN = "driftline"

ORDER = (
    "inspect",
    "lighteval",
    "lm_eval",
    "trainer",
    "tinker",
    "wandb",
    "tensorboard",
    "bloom",
    "petri",
    "agentic_misalignment",
    "scout",
    "every_eval_ever",
    "helm",
)
"""Driftline's own formats, in the order in which they are tried. Those of other packages come after them, by package
and name: none of them can take a file from one of these."""
NAME = re.compile(r"[\w.-]{1,60}")
NOT_REGISTERED = frozenset({"table", "run card", "study file"})
"""What files are called in records that are known by a study file or by their name."""

Identity = Literal["content", "name", "path"]
IDENTITIES = ("content", "name", "path")


@dataclass(frozen=True)
class Format:
    """A format that is known by its files alone; tables are known by the study file that maps them.

    Attributes:
        name: As its records have it: that of its entry point.
        reads: What it reads, in a sentence: the first line of its module.
        package: Where it comes from, with the version.
        matches: Whether `read` is the one to read a file, by its path and its first 4096 bytes.
        read: Reads one file; raises `RejectedFile`.
        is_document: Whether a JSON document is of it, for files that begin unlike one.
        companions: The files that are read together with a file.
        identity: What makes a file of it the same one elsewhere (see `loaders.delta.Known`).
        endings: Of files that are looked at for its sake.
        group: Of Driftline's own, where many files alike are one log: what a file is read together with, by its path,
            size and time of change. None for a file that is one by itself.
        read_all: Reads the files of a group, where there are groups.
        fingerprint: Changes when it may read files otherwise; empty for Driftline's own.
    """

    name: str
    reads: str
    package: str
    matches: Callable[[Path, bytes], bool]
    read: Callable[[Path], LoadedFile]
    is_document: Callable[[Any], bool] | None = None
    companions: Callable[[Path], list[Path]] | None = None
    identity: Identity = "path"
    endings: tuple[str, ...] = ()
    group: Callable[[str, int, int], str | None] | None = None
    read_all: Callable[[Sequence[Path]], LoadedFile] | None = None
    fingerprint: str = ""


@dataclass(frozen=True)
class Unloadable:
    """A format that is registered and can't be used; `reason` says why."""

    name: str
    package: str
    reason: str
    fingerprint: str

    def __str__(self) -> str:
        return f"format {self.name} of {self.package} could not be loaded: {self.reason}"


@dataclass(frozen=True)
class Registry:
    """All formats, in the order in which they are tried."""

    own: tuple[Format, ...]
    plugged: tuple[Format, ...]
    """Those of other packages."""
    unloadable: tuple[Unloadable, ...]

    @property
    def formats(self) -> tuple[Format, ...]:
        """All that can be used."""
        return self.own + self.plugged

    def fingerprint(self, format: str) -> str:
        """How other packages bear on a file that was read as `format`, or that is of none of the formats.

        A file of Driftline's own formats is read as it is, whatever else is installed; one that none has read may be
        read by any.
        """
        if format in ORDER or format in NOT_REGISTERED:
            return ""
        one = next((known.fingerprint for known in self.plugged if known.name == format), None)
        each = [known.fingerprint for known in self.plugged] + [known.fingerprint for known in self.unloadable]
        return one or _digest(*each)


@cache
def registered() -> Registry:
    """What is installed, found out once in a process.

    Raises:
        DriftlineError: Driftline's own formats are not registered: the installation is of another version.
    """
    found = [*entry_points(group=GROUP)]
    own = {entry.name: entry for entry in found if _package(entry)[0] == OWN}
    if missing := [name for name in ORDER if name not in own]:
        raise DriftlineError(
            f"Driftline is not installed as it is now: {', '.join(missing)} of its formats are not registered. Install"
            " it again (in a clone: `make view`, or `pip install --no-deps -e .`)."
        )
    others = sorted((entry for entry in found if _package(entry)[0] != OWN), key=lambda e: (*_package(e), e.name))
    plugged: dict[str, Format] = {}
    unloadable: list[Unloadable] = []
    for entry in others:
        try:
            if entry.name in (*ORDER, *NOT_REGISTERED, *plugged):
                raise checked.Faulty("its name is taken by another format")
            if not NAME.fullmatch(entry.name):
                raise checked.Faulty("its name holds more than letters, digits, - _ and .")
            plugged[entry.name] = _plugged(entry, checked.guarded("being imported", entry.load))
        except checked.Faulty as error:
            digest = _digest(entry.value, *_package(entry), str(error))
            unloadable.append(Unloadable(entry.name, _called(entry), str(error), digest))
    return Registry(tuple(_own(own[name]) for name in ORDER), tuple(plugged.values()), tuple(unloadable))


def _own(entry: EntryPoint) -> Format:
    module = entry.load()
    return Format(
        entry.name,
        _first_line(module),
        _called(entry),
        module.matches,
        module.read,
        getattr(module, "is_document", None),
        getattr(module, "companions", None),
        getattr(module, "IDENTITY", "path"),
        group=getattr(module, "group", None),
        read_all=getattr(module, "read_all", None),
    )


def _plugged(entry: EntryPoint, module: Any) -> Format:
    """A format of another package.

    Raises:
        Faulty: It lacks what a format has.
    """
    name, by = entry.name, f"format {entry.name} of {_called(entry)}"
    for needed in ("matches", "read"):
        if not callable(getattr(module, needed, None)):
            raise checked.Faulty(f"{entry.value} has no function `{needed}`")
    identity: Identity = getattr(module, "IDENTITY", "path")
    if identity not in IDENTITIES:
        raise checked.Faulty(f"its IDENTITY is {identity!r} (allowed: {', '.join(IDENTITIES)})")
    has_companions, has_documents = hasattr(module, "companions"), hasattr(module, "is_document")

    def matches(path: Path, head: bytes) -> bool:
        with _blaming(by, path):
            return checked.yes_or_no("matches", checked.guarded("`matches`", lambda: module.matches(path, head)))

    def companions(path: Path) -> list[Path]:
        with _blaming(by, path):
            return checked.paths(checked.guarded("`companions`", lambda: module.companions(path)))

    def is_document(value: Any) -> bool:
        with _blaming(by, Path()):
            return checked.yes_or_no("is_document", checked.guarded("`is_document`", lambda: module.is_document(value)))

    def read(path: Path) -> LoadedFile:
        if has_companions:
            companions(path)  # where it failed while files were listed, it says so here
        with _blaming(by, path):
            return checked.loaded(checked.guarded("`read`", lambda: module.read(path)), name)

    return Format(
        name,
        _first_line(module),
        _called(entry),
        matches,
        read,
        is_document if has_documents else None,
        companions if has_companions else None,
        identity,
        checked.endings(getattr(module, "ENDINGS", ())),
        fingerprint=_digest(entry.value, *_package(entry), _source(module)),
    )


@contextmanager
def _blaming(by: str, path: Path) -> Iterator[None]:
    """What a format raises within comes out as the rejection of its file, with the format's name."""
    try:
        yield
    except RejectedFile as error:
        raise RejectedFile(path, f"{error.reason} ({by})") from error
    except checked.Faulty as error:
        raise RejectedFile(path, f"{by} {error}: tell its authors") from error


def _package(entry: EntryPoint) -> tuple[str, str]:
    """Name and version of the package that an entry point is of."""
    return (entry.dist.name.lower(), entry.dist.version) if entry.dist is not None else ("?", "")


def _called(entry: EntryPoint) -> str:
    return " ".join(_package(entry)).strip()


def _first_line(module: Any) -> str:
    told = getattr(module, "__doc__", None)
    return told.strip().partition("\n")[0] if isinstance(told, str) else ""


def _source(module: Any) -> str:
    """A digest of a module's text: files are read again when it changes."""
    with suppress(OSError, TypeError):
        return hashlib.sha256(Path(inspect.getsourcefile(module) or "").read_bytes()).hexdigest()
    return ""


def _digest(*parts: str) -> str:
    return ":" + hashlib.sha256("\x1f".join(parts).encode()).hexdigest()[:16] if parts else ""
