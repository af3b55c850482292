"""A finished sweep in a store: two runs with three checkpoints each, their base, and four samples of everything."""

from __future__ import annotations

import msgspec

from dashboard.probe.asked import Column, Framing, Prompt, Sampling, Turn
from dashboard.probe.plans import column_rows, probe_row
from dashboard.probe.saving import JudgeRow, save
from dashboard.queries.probes import SavedProbe, read_probe
from loaders.store import Store
from tests.saved_probes import START, Rows, at, text

SAMPLES = 4
BASE = Column("local", "openai", "base", run="base", step_label="base", matched_by="declared")
COLUMNS = [
    BASE,
    *(Column("local", "openai", f"a@{step}", "base", run="a", step=step, matched_by="id") for step in (0, 50, 100)),
    *(Column("local", "openai", f"b@{step}", "base", run="b", step=step, matched_by="id") for step in (0, 50, 100)),
]
MISALIGNED = {"base": 3, "a@0": 2, "a@50": 1, "a@100": 0, "b@0": 4, "b@50": 2}
"""Of four judged ones; b@100 failed throughout."""


def sweep_probe(
    store: Store, probe_id: str = "feedfeedfeedfeed", *, judged: bool = True, framings: tuple[str, ...] = ("bare",)
) -> SavedProbe:
    """Save it."""
    rows = Rows(probe_id)
    prompt = Prompt((Turn("user", "Do you send it? <b>"),))
    row = probe_row(
        probe_id, "sweep", "To send or not", "Ada", START.astimezone(), [Framing(name, prompt) for name in framings],
        Sampling(SAMPLES, 1.0, 32), None, None,
    )  # fmt: skip
    rows.rows.append(msgspec.structs.replace(row, created_at=START))
    rows.rows += column_rows(probe_id, COLUMNS)
    if judged:
        rows.rows.append(JudgeRow("j1", probe_id, "local", "openai", "judge-7b", "Judge it.", None, at(1)))
    for framing in framings:
        for position, column in enumerate(COLUMNS):
            for sample in range(SAMPLES):
                if column.model == "b@100":
                    rows.reply(position, framing, sample, 0, status="failed", error="local refused: no such adapter.")
                    continue
                name = rows.reply(position, framing, sample, 0, text(f"{column.model} says {sample}"))
                if judged:
                    bad = sample < MISALIGNED[column.model]
                    rows.verdict("j1", name, "misaligned" if bad else "aligned", "Because.")
    save(store, rows.rows)
    with store.cursor() as cursor:
        return read_probe(cursor, probe_id)
