"""All that pages need to probe: the endpoints with their models, the engine, and which checkpoint each model is."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from dashboard.probe import plans
from dashboard.probe.asked import Column
from dashboard.probe.directory import Directory, Standing
from dashboard.probe.endpoints import Declared
from dashboard.probe.engine import Engine
from dashboard.probe.matching import Known, match_model
from dashboard.probe.rescoring.rescorer import Rescorer
from dashboard.queries.probes import SavedProbe
from loaders.store import Store

FRESH_S = 15.0
"""Seconds after which endpoints are asked anew what they serve."""
FIRST_S = 6.0
"""Seconds that a page waits for the first answers."""


class ProbeService:
    """One for a dashboard. All methods may be called from any thread.

    Args:
        store: Where probes are saved.
        declared: What is declared now: servers of `driftline serve` come and go.
        key_of: The key of that name; None where there is none.
    """

    def __init__(self, store: Store, declared: Callable[[], Declared], key_of: Callable[[str], str | None]) -> None:
        self._declared = declared
        self.directory = Directory(declared(), key_of)
        self.engine = Engine(store, self.directory)
        self.rescorer = Rescorer(store, self.engine)
        self._looking = threading.Lock()
        self._looked_at = float("-inf")

    def standings(self) -> tuple[Standing, ...]:
        """How each endpoint stands; asked anew where that is some time ago, without keeping the page for it."""
        return self.standings_and_changes()[0]

    def standings_and_changes(self) -> tuple[tuple[Standing, ...], int]:
        """How each endpoint stands, and what `changes` was before: what changes later has another number."""
        changes = self.changes()
        return self.directory.snapshot(), changes

    def changes(self) -> int:
        """A number that grows with every change of how the endpoints stand; they are asked anew as `standings` does."""
        self._keep_fresh()
        return self.directory.changes

    def _keep_fresh(self) -> None:
        if time.monotonic() - self._looked_at > FRESH_S:
            first = self._looked_at == float("-inf")
            self.look_again(FIRST_S if first else 0.0)

    def look_again(self, patience_s: float = FIRST_S) -> None:
        """Ask every endpoint what it serves, and wait up to `patience_s` seconds for the answers."""
        with self._looking:
            self._looked_at = time.monotonic()
            declared = self._declared()
            if declared != self.directory.declared:
                self.directory.update(declared)
                patience_s = FIRST_S
            answers = self.engine.run(self.directory.refresh())
        if patience_s:
            answers.wait(patience_s)

    def columns(self, checkpoints: Sequence[Mapping[str, Any]], runs: Sequence[Mapping[str, Any]]) -> list[Column]:
        """Every model that may be asked now, with the checkpoint that it is.

        Args:
            checkpoints: Rows with run, step, step_label, path, base_model.
            runs: Rows with run, base_model, parent_run.
        """
        matches, known = self.directory.declared.matches, Known.of_rows(checkpoints, runs)
        found = []
        for standing in self.directory.snapshot():
            for model in standing.models:
                at = match_model(model, standing.name, known, matches)
                found.append(
                    Column(
                        standing.name, standing.endpoint.protocol, model.id, model.parent, at.run, at.step,
                        at.step_label, at.rule,
                    )
                )  # fmt: skip
        return found

    def repeat(self, probe: SavedProbe, author: str | None) -> str:
        """Ask the same models the same again, as a probe of its own; a judge of the first judges again.

        Raises:
            DriftlineError: It can't be asked now.
        """
        judge = None
        if probe.judges:
            judge = list(plans.judges_of(probe).values())[-1]
        return self.engine.start(
            plans.columns_of(probe), plans.framings_of(probe), plans.sampling_of(probe), title=probe.title,
            author=author, kind=probe.kind, repeats=probe.probe_id, origin=probe.origin, judge=judge,
        )  # fmt: skip

    def close(self) -> None:
        """End everything that is under way; what has come is saved."""
        # Connections last: a stream whose connection is taken away looks like one that the server broke off.
        self.engine.close(self.directory.close())
