"""Judging again with nothing played: transcripts of the small study, judged by one of its models on a real vLLM."""

from __future__ import annotations

from pathlib import Path

import pytest

from dashboard.places import small_study
from dashboard.probe.asked import Column
from dashboard.probe.directory import Directory
from dashboard.probe.endpoints import Declared, Endpoint
from dashboard.probe.engine import Engine
from dashboard.probe.judge import Judge
from dashboard.probe.rescoring.rescorer import Limit, Rescorer, Selected, Wanted
from dashboard.probe.rescoring.rubrics import rubrics
from dashboard.queries.judged import FIRST, judged
from dashboard.queries.judged_rates import judged_rates
from dashboard.queries.rescoring_selection import select
from dashboard.queries.rescorings import errors_of, progress, read_rescoring
from dashboard.queries.sample_filter import SampleFilter
from loaders.store import Store
from tests import real_parts
from tests.driftline import driftline, environment
from tests.probing import Probing, until
from tests.serving import notes_left, serving

pytestmark = pytest.mark.real

MODEL = "smollm2-135m-instruct@0"
EACH = 4
SECONDS = 400


def test_a_judging_ends_with_verdicts_or_says_why_there_are_none(tmp_path: Path) -> None:
    real_parts.server("DRIFTLINE_VLLM")
    path = tmp_path / "smol.duckdb"
    done = driftline("ingest", small_study(), "--store", path, data=tmp_path)
    assert done.returncode == 0, done.stderr
    env = environment(tmp_path)
    with serving(f"smol/{MODEL}", "--engine", "vllm", "--max-model-len", "2048", env=env, seconds=SECONDS):
        note = notes_left(env)[0]
        store = Store.open(path)
        directory = Directory(Declared((Endpoint("local", "openai", note["url"], key="K"),)), {"K": note["key"]}.get)
        engine = Engine(store, directory)
        try:
            lab, rescorer = Probing(engine, store, directory), Rescorer(store, engine)
            with store.cursor() as cursor:
                chosen = select(cursor, SampleFilter(runs=("advice",), steps=(10, 160)), EACH, 1, store.batch())
            assert (len(chosen.items), chosen.checkpoints) == (2 * EACH, 2)
            wanted = Wanted(
                Judge(Column("local", "openai", MODEL), rubrics()[1].text), "Again", rubrics()[1].title,
                Selected({}, EACH, 1, chosen.found, chosen.silent, 0), None, store.batch(), Limit(1_000),
            )  # fmt: skip
            rescoring = rescorer.start(wanted, chosen, "ann")
            until(lambda: not engine.active(rescoring), "the judging has ended", SECONDS)
            with store.cursor() as cursor:
                now, errors = progress(cursor, rescoring), errors_of(cursor, rescoring)
                frame = judged(cursor, [read_rescoring(cursor, rescoring)], store.batch())
            # A model of this size says nothing that is a verdict now and then; then that is kept, and counts nowhere.
            assert now.items == 2 * EACH
            assert now.judged + now.failed == now.items
            assert sum(error["transcripts"] for error in errors) == now.failed
            assert {error["kind"] for error in errors} <= {"bad_data"}
            assert now.input_tokens > 100 * now.items
            rates = judged_rates(frame, [FIRST, rescoring])
            assert rates[rates["rater"] == rescoring]["n"].sum() == now.judged
            assert set(frame[f"{rescoring}.verdict"].dropna()) <= {"misaligned", "aligned"}
            assert lab.spent(rescoring)[0] == now.items
        finally:
            engine.close(directory.close())
            store.close()
    assert note["key"].encode() not in path.read_bytes()
