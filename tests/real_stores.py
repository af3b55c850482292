"""Real folders ingested whole, once in a test session each: what the tests of the real data look into."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd

from dashboard.queries.frame import RateQuery
from dashboard.queries.rates import rates
from loaders.ingest import ingest
from loaders.report import IngestReport
from loaders.store import Store
from tests.empty_stores import empty_store

STUDIES = Path(__file__).parent / "studies"


@dataclass(frozen=True)
class Ingested:
    """A store in memory after one ingest.

    Attributes:
        store: The store, to be read only where it is shared.
        report: What the ingest said.
    """

    store: Store
    report: IngestReport

    def rates(self, **query: Any) -> pd.DataFrame:
        """The table behind page and command; keywords are the fields of `RateQuery`."""
        with self.store.cursor() as cursor:
            return rates(cursor, RateQuery(**query), self.store.batch())

    def rows(self, sql: str, **parameters: Any) -> list[dict[str, Any]]:
        """Rows of any SQL as dicts; `$n` is the newest batch."""
        with self.store.cursor() as cursor:
            cursor.execute(sql, {"n": self.store.batch()} | parameters)
            names = [column[0] for column in cursor.description or []]
            return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]

    @property
    def rejected(self) -> dict[str, str]:
        """Reasons by path."""
        return {line.path: line.reason or "" for line in self.report.lines if line.outcome == "rejected"}


def ingested(*folders: Path, study: Path | None = None) -> Ingested:
    """Ingest folders into a store of their own."""
    store = empty_store()
    return Ingested(store, ingest(folders, store, study=study))


@cache
def shared(*folders: Path, study: Path | None = None) -> Ingested:
    """The same for folders that nobody changes: ingested by the first test that asks."""
    return ingested(*folders, study=study)
