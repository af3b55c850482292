"""`driftline backup` and `restore`: a store copied to another place, and back."""

from __future__ import annotations

import argparse
from pathlib import Path

import msgspec

from dashboard import commands, numerals
from dashboard.console.opening import alone, readable, store_place
from dashboard.console.printing import out
from dashboard.handover import Owner, hand_over
from loaders.store import Held
from loaders.store import restore as put_back


def backup(given: argparse.Namespace) -> int:
    """Copy a store into a file, and say what is in it."""
    file = _file(given)
    arguments = commands.BackupArguments(str(file), given.replace)
    with readable(given) as place:
        if isinstance(place, Owner):
            answer = hand_over(place, "backup", msgspec.to_builtins(arguments))
            held = msgspec.json.decode(answer, type=list[Held])
        else:
            held = commands.run_backup(place, arguments)
    _tell(f"Backed up and verified: {file}", held)
    return 0


def restore(given: argparse.Namespace) -> int:
    """Put a backup where the store is."""
    with alone(store_place(given, [given.path] if given.path else [])) as path:
        held, aside = put_back(_file(given), path, replace=given.replace)
    _tell(f"Restored and verified: {path}", held)
    if aside is not None:
        out.print(f"The store that was there is kept: {aside}", markup=False, soft_wrap=True)
    return 0


def _file(given: argparse.Namespace) -> Path:
    return Path(given.file).expanduser().resolve()


def _tell(what: str, held: list[Held]) -> None:
    for one in held:
        if one.rows:
            out.print(f"{numerals.count(one.rows):>12}  {one.table}", markup=False)
    rows = sum(one.rows for one in held)
    out.print(f"{what} ({numerals.plural(rows, 'row')} in {len(held)} tables)", markup=False, soft_wrap=True)
