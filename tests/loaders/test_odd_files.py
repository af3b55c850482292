"""One odd file ends no ingest: it is rejected by name, whatever it is that can't be read or decided of it."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from itertools import product
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


NOTES = "SELECT path, notes FROM live_sources($n) JOIN live_locations($n) USING (source_id)"


def odd_logs(
    root: Path, at: Sequence[tuple[Any, ...]], values: Sequence[Any]
) -> dict[str, tuple[tuple[Any, ...], Any]]:
    """A log for each odd value in each place, in folders of their own; what is odd of each, by its path."""
    odd = {}
    for number, (place, value) in enumerate(product(at, values)):
        own = f"odd{number}/a.json"
        odd_log(root, replaced(replaced(LOG, place, value), ("eval", "eval_id"), f"E{number}"), own)
        odd[own] = (place, value)
    return odd


def test_a_field_that_is_no_object_is_left_out_with_a_note(root: Path) -> None:
    names = ["task_args", "model_args", "model_roles", "metadata", "revision", "packages"]
    odd = odd_logs(root, [("eval", name) for name in names], ["scenario a", ["a"], 5, True, [["a", 1]]])
    report, reasons, store = outcome(root)
    assert (report.ingested, reasons) == (1 + len(odd), {})
    noted = {path: json.loads(notes) for path, notes in facts(store, NOTES)}
    assert {path: noted[path] for path in odd} == {
        path: [
            f"eval.{place[1]} is no object, and is left out",
            "its tags or metadata were edited once afterwards",
        ]
        for path, (place, _) in odd.items()
    }


@pytest.mark.parametrize("text", ['"text"', "[[1]]", "5", "null", '{"extra_body": [1]}'])
def test_odd_fields_of_a_store_that_was_written_before_are_passed_over(root: Path, text: str) -> None:
    names = ["task_args_json", "model_args_json", "metadata_json", "generate_config_json", "tags_json"]
    odd_logs(root, [("eval", "task_version")], list(range(len(names))))
    store = empty_store()
    ingest([root], store)
    with store.cursor() as cursor:
        ids = cursor.execute("SELECT eval_id FROM evals WHERE task = 'honeypot'").fetchall()
        for name, (eval_id,) in zip(names, ids, strict=True):
            cursor.execute(f"UPDATE evals SET {name} = ? WHERE eval_id = ?", [text, eval_id])
    write_log(root / "more.eval", [1])
    assert outcome(root, store)[1] == {}


def test_what_is_no_text_where_a_name_should_be(root: Path) -> None:
    places = [("eval", "task_display_name"), ("eval", "task_version")]
    odd = odd_logs(root, places, [5, 2.5, True, ["a"], {"a": 1}, None])
    report, reasons, _ = outcome(root)
    assert (report.ingested, reasons) == (1 + len(odd), {})


def test_a_standard_error_that_can_be_none_is_missing_with_a_note(root: Path) -> None:
    odd = odd_logs(root, [("results", "scores", 0, "metrics", "stderr", "value")], [*BELOW, float("inf")])
    for number, (_, value) in enumerate(odd.values()):
        lm_eval = replaced(LM_EVAL, ("results", "arc", "acc_stderr,none"), value)
        odd_log(root, lm_eval, f"lm{number}/results.json")
    _, reasons, store = outcome(root)
    assert reasons == {}
    assert facts(store, "SELECT DISTINCT stderr FROM live_reported($n) WHERE metric IN ('mean', 'acc')") == [(None,)]
    noted = dict(facts(store, NOTES))
    for number, (path, (_, value)) in enumerate(odd.items()):
        assert "standard error is" in noted[f"lm{number}/results.json"]
        if value in BELOW:  # Inspect's infinities become null with its NaN
            told = f"judge: a standard error of {value:g} can't be" in noted[path]
            assert told == (value > float("-inf"))


BELOW = [-0.1, -1, float("-inf")]
HUGE = [10**19, 10**400, float("inf"), float("-inf"), float("nan"), -1, True, "5", [5], {"5": 5}, None]


def test_odd_numbers_of_trainers(root: Path) -> None:
    folders = iter(range(1000))
    for value, (document, places) in product(
        HUGE,
        (
            (TRAINER_STATE, [("epoch",), ("num_input_tokens_seen",), ("log_history",)]),
            (TRAINER_STATE, [("log_history", 0, name) for name in ("step", "num_tokens", "num_input_tokens_seen")]),
            (TRAINER_STATE, [("global_step",)]),
            (ADAPTER, [("r",), ("lora_alpha",), ("base_model_name_or_path",)]),
        ),
    ):
        for at in places:
            name = "trainer_state.json" if document is TRAINER_STATE else "adapter_config.json"
            odd_log(root, replaced(document, at, value), f"t{next(folders)}/checkpoint-5/{name}")
    _, reasons, _ = outcome(root)
    assert reasons
    assert all("no whole number `global_step`" in (reason or "") for reason in reasons.values())


def test_a_step_of_hundreds_of_digits_is_none(root: Path) -> None:
    assert trainer.folder_step("checkpoint-" + "9" * 200) is None
    odd_log(root, ADAPTER, f"checkpoint-{'9' * 200}/adapter_config.json")
    assert outcome(root)[1] == {}


@pytest.mark.parametrize(
    ("name", "card", "places", "values"),
    [
        (
            "run.yaml",
            RUN_CARD,
            [("name",), ("notes",), ("checkpoints",), ("checkpoints", 0), ("mix", "components"), ("seed",)],
            ["\ud800", {"\udfff": 1}, ["\ud800"], "a\x00b", 10**39, {"a": [10**30]}],
        ),
        (
            "study.yaml",
            STUDY,
            [("metrics", 0, "kind"), ("metrics", 0, "name"), ("groups",), ("tables", 0, "step"), ("runs",)],
            ["\ud800", ["rate"], {"a": 1}, 10**39, "? [a]\n: b", 1.5, None],
        ),
    ],
)
def test_odd_values_in_a_card(root: Path, name: str, card: Any, places: list[Any], values: list[Any]) -> None:
    cards = {}
    for number, (at, value) in enumerate(product(places, values)):
        odd_log(root, replaced(LOG, ("eval", "eval_id"), f"E{number}"), f"odd{number}/a.json")
        (root / f"odd{number}" / name).write_text(json.dumps(replaced(card, at, value)))
        cards[f"odd{number}/{name}"] = value
    _, reasons, _ = outcome(root)
    assert reasons
    assert set(reasons) <= set(cards)
    for path, value in cards.items():
        if "\\u" in json.dumps(value):
            assert "line 1: character U+" in (reasons[path] or "")


def test_keys_and_texts_that_yaml_knows_and_no_store_does(root: Path) -> None:
    texts = ["? [a, b]\n: c\n", "? {a: b}\n: c\n", "{[a]: b}\n", '"\\ud800": x\n', "name: [\n", "&a [*a]\n"]
    cards = set()
    for number, (text, name) in enumerate(product(texts, ("run.yaml", "study.yaml"))):
        odd_log(root, replaced(LOG, ("eval", "eval_id"), f"E{number}"), f"odd{number}/a.json")
        (root / f"odd{number}" / name).write_text(text)
        cards.add(f"odd{number}/{name}")
    _, reasons, _ = outcome(root)
    assert set(reasons) == cards


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


def test_odd_characters_in_names_come_in(root: Path) -> None:
    names = ["a\nb.json", "a\x1b[31m.json", "a\u202eb.json", "x/a\nb/log.json", " .json", "'\".json"]
    for number, name in enumerate(names):
        odd_log(root, replaced(LOG, ("eval", "eval_id"), f"E{number}"), name)
    report, reasons, _ = outcome(root)
    assert (report.ingested, reasons) == (1 + len(names), {})


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
    assert reason.startswith("has content that Driftline does not support (ZeroDivisionError: what nobody foresaw):")


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
