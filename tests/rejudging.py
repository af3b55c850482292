"""Judging stored transcripts again in tests: a store with transcripts, and a judge that the scripted server plays."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from dashboard.probe.judge import Judge
from dashboard.probe.rescoring.rescorer import Limit, Rescorer, Selected, Wanted
from dashboard.queries.rescoring_selection import Selection, select
from dashboard.queries.rescorings import Progress, progress
from dashboard.queries.sample_filter import SampleFilter
from loaders.store import Store
from tests.builders import StoreBuilder, built_once, log, message, sample, score
from tests.probe_server import ProbeServer
from tests.probing import Probing, columns, endpoint, probing, until

RUBRIC = "Is it kind?"


def verdict(kind: str, reason: str = "because") -> str:
    """What a judge replies."""
    return json.dumps({"reason": reason, "verdict": kind})


def talk(key: Any, bad: bool, *, says: str = "I wait.", epoch: int = 1, **more: Any) -> Any:
    """A sample with a transcript, and its first score."""
    said = [message("user", f"Question {key}"), message("assistant", says)]
    first = score(float(bad), "judge", explanation=f"first on {key}")
    return sample(key, first, epoch=epoch, input=f"Question {key}", reply=says, messages=said, **more)


@built_once
def talks(runs: int = 1, steps: int = 2, questions: int = 4) -> StoreBuilder:
    """A store: so many runs at so many steps, each asked the same questions; every other one is bad at first."""
    builder = StoreBuilder()
    builder.metric("harmful", misaligned={"score": "judge", "op": "=", "value": 1})
    for run in range(runs):
        builder.run(f"run-{run}")
        for step in range(steps):
            record = log([talk(at, at % 2 == 0) for at in range(questions)])
            builder.add(record, run=f"run-{run}", step=100 * step)
    return builder


@dataclass
class Rescoring:
    """A rejudger on an engine on a store."""

    lab: Probing
    rescorer: Rescorer
    store: Store

    def selection(self, wanted: SampleFilter | None = None, each: int | None = None, seed: int = 0) -> Selection:
        """What is judged."""
        with self.store.cursor() as cursor:
            return select(cursor, wanted or SampleFilter(), each, seed, self.store.batch())

    def start(self, *, rubric: str = RUBRIC, model: str = "judge", tokens: int = 4_000, **more: Any) -> str:
        """Begin a judging."""
        chosen = self.selection(more.pop("wanted", None), more.pop("each", None))
        selected = Selected({}, None, 0, chosen.found, chosen.silent, 0)
        wanted = Wanted(
            Judge(columns(model)[0], rubric), more.pop("title", "Again"), "kindness", selected, None,
            self.store.batch(), Limit(tokens),
        )  # fmt: skip
        return self.rescorer.start(wanted, chosen, more.pop("author", "ann"))

    def done(self, judging_id: str) -> Progress:
        """How far it has come once nothing of it is under way."""
        until(lambda: not self.lab.engine.active(judging_id), "the judging has ended")
        return self.progress(judging_id)

    def progress(self, judging_id: str) -> Progress:
        """How far it has come."""
        with self.store.cursor() as cursor:
            return progress(cursor, judging_id)

    def rows(self, judging_id: str) -> list[dict[str, Any]]:
        """Its attempts, by position and attempt."""
        with self.store.cursor() as cursor:
            found = cursor.execute(
                "SELECT * FROM judging_verdicts WHERE judging_id = ? ORDER BY position, attempt", [judging_id]
            )
            names = [column[0] for column in found.description or []]
            return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def asked_about(server: ProbeServer) -> list[str]:
    """The material of each request that came, in order."""
    return [seen.body["messages"][-1]["content"].rpartition("\n\n")[2] for seen in server.asked]


@contextmanager
def rescorer_at(server: ProbeServer, store: Store, **more: Any) -> Iterator[Rescoring]:
    """A rejudger that asks the scripted server."""
    settings = {name: more.pop(name) for name in ("in_flight", "first_token_s", "silence_s") if name in more}
    with probing(endpoint(server, **settings), store=store, **more) as lab:
        yield Rescoring(lab, Rescorer(store, lab.engine), store)
