"""One odd file ends no ingest: it is rejected by name, whatever it is that can't be read or decided of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from loaders import derive, formats, placings, trainer
from loaders.ingest import ingest
from loaders.report import IngestReport
from loaders.store import Store
from loaders.study.evidence import EvalEvidence, Placement
from loaders.study.tree import CardTree
from tests.empty_stores import empty_store
from tests.fuzzing import ADAPTER, LM_EVAL, LOG, RUN_CARD, STUDY, TRAINER_STATE, replaced
from tests.log_files import write_log

pytestmark = pytest.mark.slow

GOOD = "good/checkpoint-10/log.eval"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    write_log(tmp_path / "study" / GOOD, [1, 1, 1, 0], task="good_task", model="vllm/org/good", eval_id="GOOD")
    return tmp_path / "study"


def odd_log(root: Path, document: Any = LOG, name: str = "odd/a.json") -> Path:
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def outcome(root: Path, store: Store | None = None) -> tuple[IngestReport, dict[str, str | None], Store]:
    """The report, the reasons of what is rejected, and the store; the good log is there."""
    store = store or empty_store()
    report = ingest([root], store)
    placed = facts(store, "SELECT run, step, n_samples FROM live_evals($n) WHERE task = 'good_task'")
    assert placed == [("good", 10, 4)]
    reasons = {line.path: line.reason for line in report.lines if line.outcome == "rejected"}
    assert report.rejected == len(reasons)
    assert ingest([root], store).batch == report.batch, "the same files again change nothing"
    return report, reasons, store


def facts(store: Store, sql: str) -> list[tuple[Any, ...]]:
    with store.cursor() as cursor:
        return cursor.execute(sql, {"n": store.batch()}).fetchall()


NOTES = "SELECT notes FROM live_sources($n) JOIN live_locations($n) USING (source_id) WHERE path = 'odd/a.json'"


@pytest.mark.parametrize("value", ["scenario a", ["a"], 5, True, [["a", 1]]])
@pytest.mark.parametrize("field", ["task_args", "model_args", "model_roles", "metadata", "revision", "packages"])
def test_a_field_that_is_no_object_is_left_out_with_a_note(root: Path, field: str, value: Any) -> None:
    odd_log(root, replaced(LOG, ("eval", field), value))
    report, reasons, store = outcome(root)
    assert (report.ingested, reasons) == (2, {})
    assert json.loads(facts(store, NOTES)[0][0]) == [
        f"eval.{field} is no object, and is left out",
        "its tags or metadata were edited once afterwards",
    ]


@pytest.mark.parametrize(
    "name", ["task_args_json", "model_args_json", "metadata_json", "generate_config_json", "tags_json"]
)
@pytest.mark.parametrize("text", ['"text"', "[[1]]", "5", "null", '{"extra_body": [1]}'])
def test_odd_fields_of_a_store_that_was_written_before_are_passed_over(root: Path, name: str, text: str) -> None:
    odd_log(root)
    store = empty_store()
    ingest([root], store)
    with store.cursor() as cursor:
        cursor.execute(f"UPDATE evals SET {name} = ? WHERE task = 'honeypot'", [text])
    write_log(root / "more.eval", [1])
    assert outcome(root, store)[1] == {}


@pytest.mark.parametrize("value", [5, 2.5, True, ["a"], {"a": 1}, None])
@pytest.mark.parametrize("field", ["task_display_name", "task_version"])
def test_what_is_no_text_where_a_name_should_be(root: Path, field: str, value: Any) -> None:
    odd_log(root, replaced(LOG, ("eval", field), value))
    report, reasons, _ = outcome(root)
    assert (report.ingested, reasons) == (2, {})


@pytest.mark.parametrize("value", [-0.1, float("-inf"), float("inf"), -1])
def test_a_standard_error_that_can_be_none_is_missing_with_a_note(root: Path, value: float) -> None:
    at = ("results", "scores", 0, "metrics", "stderr", "value")
    odd_log(root, replaced(LOG, at, value))
    odd_log(root, replaced(LM_EVAL, ("results", "arc", "acc_stderr,none"), value), "lm/results.json")
    _, reasons, store = outcome(root)
    assert reasons == {}
    assert facts(store, "SELECT DISTINCT stderr FROM live_reported($n) WHERE metric IN ('mean', 'acc')") == [(None,)]
    notes = " ".join(row[0] for row in facts(store, "SELECT notes FROM live_sources($n)"))
    assert "standard error is" in notes
    if value > float("-inf") and value < 0:  # Inspect's infinities become null with its NaN
        assert f"judge: a standard error of {value:g} can't be" in notes


HUGE = [10**19, 10**400, float("inf"), float("-inf"), float("nan"), -1, True, "5", [5], {"5": 5}, None]


@pytest.mark.parametrize("value", HUGE)
def test_odd_numbers_of_trainers(root: Path, value: Any) -> None:
    folders = iter(range(1000))
    for document, places in (
        (TRAINER_STATE, [("epoch",), ("num_input_tokens_seen",), ("tokens_by_step",), ("log_history",)]),
        (TRAINER_STATE, [("log_history", 0, name) for name in ("step", "num_tokens", "num_input_tokens_seen")]),
        (TRAINER_STATE, [("global_step",)]),
        (
            ADAPTER,
            [("r",), ("lora_alpha",), ("tokens_by_step",), ("tokens_by_step", "5"), ("base_model_name_or_path",)],
        ),
    ):
        for at in places:
            name = "trainer_state.json" if document is TRAINER_STATE else "adapter_config.json"
            odd_log(root, replaced(document, at, value), f"t{next(folders)}/checkpoint-5/{name}")
    _, reasons, _ = outcome(root)
    assert all("no whole number `global_step`" in (reason or "") for reason in reasons.values())


def test_a_step_of_hundreds_of_digits_is_none(root: Path) -> None:
    assert trainer.folder_step("checkpoint-" + "9" * 200) is None
    odd_log(root, ADAPTER, f"checkpoint-{'9' * 200}/adapter_config.json")
    assert outcome(root)[1] == {}


@pytest.mark.parametrize("value", ["\ud800", {"\udfff": 1}, ["\ud800"], "a\x00b", 10**39, {"a": [10**30]}])
@pytest.mark.parametrize(
    "at", [("name",), ("notes",), ("checkpoints",), ("checkpoints", 0), ("mix", "components"), ("seed",)]
)
def test_odd_values_in_a_run_card(root: Path, at: tuple[Any, ...], value: Any) -> None:
    odd_log(root)
    (root / "odd/run.yaml").write_text(json.dumps(replaced(RUN_CARD, at, value)))
    _, reasons, _ = outcome(root)
    assert set(reasons) <= {"odd/run.yaml"}
    if "\\u" in json.dumps(value):
        assert "line 1: character U+" in (reasons["odd/run.yaml"] or "")


@pytest.mark.parametrize("value", ["\ud800", ["rate"], {"a": 1}, 10**39, "? [a]\n: b", 1.5, None])
@pytest.mark.parametrize(
    "at", [("metrics", 0, "kind"), ("metrics", 0, "name"), ("groups",), ("tables", 0, "step"), ("runs",)]
)
def test_odd_values_in_a_study_file(root: Path, at: tuple[Any, ...], value: Any) -> None:
    odd_log(root)
    (root / "odd/study.yaml").write_text(json.dumps(replaced(STUDY, at, value)))
    assert set(outcome(root)[1]) <= {"odd/study.yaml"}


@pytest.mark.parametrize(
    "text", ["? [a, b]\n: c\n", "? {a: b}\n: c\n", "{[a]: b}\n", '"\\ud800": x\n', "name: [\n", "&a [*a]\n"]
)
def test_keys_and_texts_that_yaml_knows_and_no_store_does(root: Path, text: str) -> None:
    odd_log(root)
    for name in ("run.yaml", "study.yaml"):
        (root / "odd" / name).write_text(text)
    _, reasons, _ = outcome(root)
    assert set(reasons) == {"odd/run.yaml", "odd/study.yaml"}


@pytest.mark.parametrize("name", [b"bad\xff.json", b"dir\xfe/a.json", b"dir\xfe/run.yaml", b"\xff\xfe.csv"])
def test_a_name_that_is_no_utf8_is_rejected_as_it_can_be_shown(root: Path, name: bytes) -> None:
    path = os.fsencode(root) + b"/" + name
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120 - the name is bytes
    with open(path, "w") as file:  # noqa: PTH123
        json.dump(LOG, file)
    report, reasons, _ = outcome(root)
    (reason,) = reasons.values()
    assert reason == "its name is not UTF-8, and can't be stored as it is: rename it"
    assert "\\xf" in next(iter(reasons))
    assert report.summary().encode()


@pytest.mark.parametrize(
    "name", ["a\nb.json", "a\x1b[31m.json", "a\u202eb.json", "x/a\nb/log.json", " .json", "'\".json"]
)
def test_odd_characters_in_names_come_in(root: Path, name: str) -> None:
    odd_log(root, LOG, name)
    report, reasons, _ = outcome(root)
    assert (report.ingested, reasons) == (2, {})


def test_a_file_that_is_gone_before_it_is_read_is_no_reject(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    gone = odd_log(root)
    hash_item = formats.hash_item

    def hashing(item: Any) -> str:
        digest = hash_item(item)
        if item.parts[0] == gone:
            gone.unlink()
        return digest

    monkeypatch.setattr(formats, "hash_item", hashing)
    report, reasons, store = outcome(root)
    assert (report.ingested, reasons) == (1, {})
    assert facts(store, "SELECT path FROM live_locations($n)") == [(GOOD,)]


def raising(of: Callable[..., Any], where: Callable[..., bool]) -> Callable[..., Any]:
    def wrapped(*given: Any) -> Any:
        if where(*given):
            raise ZeroDivisionError("what nobody foresaw")
        return of(*given)

    return wrapped


def test_what_no_check_foresaw_of_one_file_rejects_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd_log(root)
    monkeypatch.setattr(formats, "read", raising(formats.read, lambda item, *_: item.path == "odd/a.json"))
    _, reasons, _ = outcome(root)
    reason = reasons["odd/a.json"] or ""
    assert reason.startswith("holds something that Driftline doesn't foresee (ZeroDivisionError: what nobody foresaw):")


def test_a_log_that_can_not_be_placed_is_rejected(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(4):
        odd_log(root, replaced(LOG, ("eval", "eval_id"), f"E{number}"), f"odd/{number}.json")

    def fails(evidence: EvalEvidence, _cards: CardTree) -> bool:
        return evidence.path in ("odd/1.json", "odd/3.json")

    monkeypatch.setattr(placings, "place", raising(placings.place, fails))
    _, reasons, store = outcome(root)
    assert set(reasons) == {"odd/1.json", "odd/3.json"}
    assert len(facts(store, "FROM live_evals($n)")) == 3


def test_a_card_beside_which_a_log_can_not_be_placed_is_rejected(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    odd_log(root)
    (root / "odd/run.yaml").write_text("name: cursed\n")
    (root / "good/run.yaml").write_text("name: good\n")

    def fails(evidence: EvalEvidence, cards: CardTree) -> bool:
        return any(said.value == "cursed" for said in cards.said(evidence.path)["run"])

    monkeypatch.setattr(placings, "place", raising(placings.place, fails))
    _, reasons, store = outcome(root)
    assert set(reasons) == {"odd/run.yaml"}
    assert ("odd",) in facts(store, "SELECT run FROM live_evals($n)")


def test_what_fails_only_together_is_laid_to_one_file(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for number in range(9):
        log = replaced(replaced(LOG, ("eval", "metadata"), {}), ("eval", "eval_id"), f"E{number}")
        odd_log(root, log, f"odd{number}/checkpoint-5/a.json")
    (root / "odd7/run.yaml").write_text("name: cursed\n")

    def fails(_trees: Any, placements: list[Placement]) -> bool:
        return any(placement.run == "cursed" for placement in placements)

    monkeypatch.setattr(derive, "runs_of", raising(derive.runs_of, fails))
    _, reasons, store = outcome(root)
    assert set(reasons) == {"odd7/run.yaml"}
    assert len(facts(store, "FROM live_evals($n)")) == 10


def test_what_fails_without_any_file_is_no_file_s_fault(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(derive, "runs_of", raising(derive.runs_of, lambda *_: True))
    with pytest.raises(ZeroDivisionError):
        ingest([root], empty_store())
