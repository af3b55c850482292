"""What is written down of probes: who asked, judged and marked what."""

from __future__ import annotations

from collections.abc import Sequence

from dashboard import links, runtime
from dashboard.kit.page.reader import reader
from dashboard.probe import plans
from dashboard.probe.asked import Column
from dashboard.probe.judge import Judge
from dashboard.queries.probes import SavedProbe
from dashboard.review import audit


def started(probe_id: str, title: str, columns: Sequence[Column]) -> None:
    """A probe was asked."""
    _note("probe", probe_id, f"{title}: {len(columns)} models", columns)


def went_on(probe: SavedProbe, what: str) -> None:
    """A probe was gone on with: by one more message, or for likelihoods."""
    _note("probe", probe.probe_id, f"{probe.title}: {what}", plans.columns_of(probe))


def judged(probe: SavedProbe, judge: Judge) -> None:
    """A probe was given to one more judge."""
    _note("judge", probe.probe_id, f"{probe.title}: by {judge.column.model}", plans.columns_of(probe))


def marked(probe: SavedProbe, verdict: str | None) -> None:
    """A reply was marked, or a rating removed."""
    _note("verdict", probe.probe_id, f"{probe.title}: {verdict or 'rating removed'}", plans.columns_of(probe))


def _note(action: audit.Action, probe_id: str, subject: str, columns: Sequence[Column]) -> None:
    address = f"{links.PROBE}?{links.query(links.probe(probe_id))}"
    runs = sorted({column.run for column in columns if column.run is not None})
    audit.record(
        runtime.store(), reader().name, action, subject, address=address, runs=runs, details={"probe": probe_id}
    )
