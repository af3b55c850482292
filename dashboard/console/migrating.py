"""`driftline migrate`: a store copied from a file into PostgreSQL, or back, and verified by its rows and its rates."""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import msgspec

from dashboard import commands, numerals
from dashboard.console.opening import Shared, alone
from dashboard.console.printing import out
from loaders.errors import DriftlineError
from loaders.store import Store, is_shared
from loaders.store.migrating import migrate as copied

CLOSE = 1e-9
"""Relative difference of a rate: its sum may be of the same numbers in another order."""


def migrate(given: argparse.Namespace) -> int:
    """Copy a store, verify the copy, and say what is in it."""
    source, target = (_place(text) for text in (given.source, given.target))
    if isinstance(source, Path) and not source.is_file():
        raise DriftlineError(f"No store at {source}.")
    fresh = isinstance(target, Path) and not target.exists()
    try:
        with _opened(source) as there, _opened(target, given.data) as here:
            held = copied(there, here)
            rates = _compared(there, here)
    except BaseException:
        if fresh and isinstance(target, Path):
            target.unlink(missing_ok=True)
        raise
    for one in held:
        if one.rows:
            out.print(f"{numerals.count(one.rows):>12}  {one.table}")
    rows = numerals.plural(sum(one.rows for one in held), "row")
    out.print(f"Copied and verified: {rows} in {len(held)} tables, {numerals.plural(rates, 'rate')} alike.")
    return 0


def _place(text: str) -> Path | Shared:
    return Shared(text) if is_shared(text) else Path(text).expanduser().resolve()


@contextmanager
def _opened(place: Path | Shared, data: str | None = None) -> Iterator[Store]:
    with ExitStack() as held:
        if isinstance(place, Path):
            held.enter_context(alone(place))
            store = Store.open(place)
        else:
            store = Store.open(place.address, data)
        held.callback(store.close)
        yield store


def _compared(there: Store, here: Store) -> int:
    """How many rates are the same in both, as of the newest import.

    Raises:
        DriftlineError: One isn't.
    """
    if not there.batch():
        return 0
    everything = commands.RateArguments(metric=["all"])
    before, after = (msgspec.to_builtins(commands.run_rates(store, everything).rows) for store in (there, here))
    if len(before) != len(after) or not all(map(_alike, before, after)):
        raise DriftlineError(f"Rates in {here.path} are others than in {there.path}: don't use the copy.")
    return len(before)


def _alike(one: Any, other: Any) -> bool:
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(_alike(one[key], other[key]) for key in one)
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=CLOSE, abs_tol=CLOSE) or (one != one and other != other)
    return bool(one == other)
