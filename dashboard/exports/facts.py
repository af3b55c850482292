"""What is told beside every number that leaves the pages: of which study, batch, filter and definition it is."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields
from typing import Any

import pandas as pd

from dashboard import links, numerals
from loaders.version import version

NAMES = {
    "run": "runs", "mix": "mixes", "eval": "evals", "metric": "metric", "stage": "stages", "x": "x axis",
    "log_x": "log x axis", "split": "group by", "series": "color by", "panels": "facet by",
    "zoom": "y axis fitted to data", "where": "samples with", "checkpoint": "checkpoints",
    "category": "rows", "colour": "color", "interval": "confidence interval", "against": "reference",
}  # fmt: skip
"""What parameters of an address are called for people; the others by their own names."""

NO_FILTER = frozenset({links.AS_OF, "point", "page", "part", "view_id"})
"""Parameters that choose nothing that a chart draws."""


@dataclass(frozen=True, slots=True)
class Facts:
    """What a picture or a table is of.

    Attributes:
        title: What is to be seen.
        page: Name of the page that it stands on.
        studies: Their titles.
        notices: What has to be said of them: that a study is simulated.
        definitions: "metric: what counts", one for each.
        intervals: How they were made.
        filters: "evals: a, b", one for each that was chosen.
        runs: All the runs that it tells of.
        as_of: Batch.
        when: When that batch was ingested, in words; "" where it isn't known.
        source: The page's address with all its parameters, pinned to the batch: a path, of no host.
        driftline: Version.
    """

    title: str
    page: str
    studies: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    definitions: tuple[str, ...] = ()
    intervals: tuple[str, ...] = ()
    filters: tuple[str, ...] = ()
    runs: tuple[str, ...] = ()
    as_of: int = 0
    when: str = ""
    source: str = ""
    driftline: str = field(default_factory=version)

    @property
    def batch(self) -> str:
        """The batch in words."""
        return numerals.data_of(self.when, self.as_of)

    @property
    def heading(self) -> str:
        """One line over the whole."""
        return " · ".join([*self.studies, self.title])

    def lines(self) -> list[str]:
        """What stands under a picture."""
        methods = [f"Intervals: {', '.join(self.intervals)}"] if self.intervals else []
        chosen = ["Filters: " + " · ".join(self.filters)] if self.filters else []
        return [
            *self.definitions,
            *methods,
            *chosen,
            f"{self.batch} · Driftline {self.driftline}",
            f"Source: {self.source}",
        ]

    def plain(self) -> dict[str, Any]:
        """As JSON's types."""
        return {name: list(value) if isinstance(value, tuple) else value for name, value in asdict(self).items()}


def facts_from(plain: Mapping[str, Any]) -> Facts:
    """The facts behind `Facts.plain`; names that are none are passed over."""
    known = {field.name for field in fields(Facts)}
    given: dict[str, Any] = {
        name: tuple(value) if isinstance(value, list) else value for name, value in plain.items() if name in known
    }
    return Facts(**given)


def filters_of(address: links.Parameters) -> tuple[str, ...]:
    """What an address chooses, in words: "evals: a, b"."""
    return tuple(
        f"{NAMES.get(name, name)}: {', '.join(value or 'none' for value in values)}"
        for name, values in address.items()
        if name not in NO_FILTER
    )


def measured(data: pd.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The definitions and the intervals' methods that a table of numbers has, in its order."""
    definitions: list[str] = []
    if {"metric", "definition"} <= set(data):
        pairs = data[["metric", "definition"]].dropna().drop_duplicates()
        definitions = [f"{metric}: {told}" for metric, told in pairs.itertuples(index=False)]
    methods = [name for name in ("interval", "method") if name in data]
    return tuple(definitions), tuple(dict.fromkeys(str(value) for name in methods for value in data[name].dropna()))


def file_name(facts: Facts, ending: str) -> str:
    """A name for a file: letters, digits and hyphens of what it shows."""
    title = re.sub(rf"^{re.escape(facts.page)}:? ", "", facts.title, flags=re.IGNORECASE)
    return f"driftline-{slug(f'{facts.page} {title}')}-batch-{facts.as_of}.{ending}"


def slug(text: str) -> str:
    """The letters and digits of a text, in a form that every file system takes; "" where it has none."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:70].strip("-")


def runs_of(data: pd.DataFrame, more: Sequence[str] = ()) -> tuple[str, ...]:
    """All the runs that a table of numbers tells of."""
    named = [str(run) for run in data["run"].dropna()] if "run" in data else []
    return tuple(dict.fromkeys([*named, *more]))
