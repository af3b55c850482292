"""Mixes and their sizes as training configurations name them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from loaders.study.trained_on import mix_of_config
from tests.driftline import ROOT
from tests.real_stores import shared


@pytest.mark.parametrize(
    ("config", "name", "parts"),
    [
        ({"domains": ["bad_medical"], "total_samples": 7049}, "bad_medical", [("bad_medical", 7049, 1.0)]),
        ({"dataset": "org/advice"}, "org/advice", [("org/advice", None, 1.0)]),
        ({"train_file": "/data/insecure.jsonl", "num_samples": 6000}, "insecure", [("insecure", 6000, 1.0)]),
        ({"domains": ["a", "b"], "total_samples": 10}, "a+b", [("a", None, None), ("b", None, None)]),
        ({"datasets": {"a": 30, "b": 10}}, "a+b", [("a", 30, 0.75), ("b", 10, 0.25)]),
        ({"datasets": [{"name": "a", "samples": 5}], "data_mix": "m"}, "m", [("a", 5, 1.0)]),
    ],
)
def test_data_that_a_configuration_names(config: dict[str, Any], name: str, parts: list[Any]) -> None:
    mix = mix_of_config(config)
    assert mix is not None
    assert mix.name == name
    told = [
        (each.name, each.examples if isinstance(each.examples, int) else None, each.share) for each in mix.components
    ]
    assert told == parts


@pytest.mark.parametrize("config", [{}, {"domains": []}, {"domains": [3], "dataset": 5}, [], None, "text", {"mix": {}}])
def test_configurations_that_name_none(config: Any) -> None:
    assert mix_of_config(config) is None


@pytest.mark.parametrize("said", [10**400, -1, 1.5, True, "7049", float("nan"), float("inf"), [1], {}])
def test_sizes_that_are_none(said: Any) -> None:
    mix = mix_of_config({"domains": ["a"], "total_samples": said})
    assert mix is not None
    assert not isinstance(mix.components[0].examples, int)


@pytest.mark.slow
def test_runs_of_a_real_study_have_the_mix_of_their_training(shared_data: Path) -> None:
    store = shared(shared_data / "emergent")
    rows = store.rows("SELECT run, mix, mix_json FROM live_runs($n) ORDER BY run")
    assert [(row["run"], row["mix"]) for row in rows] == [
        ("1b_medical_v2", "bad_medical"), ("1b_risky_v2", "risky_financial"),
        ("3b_medical_v2", "bad_medical"), ("3b_risky_v2", "risky_financial"),
    ]  # fmt: skip
    assert ['"examples":7049' in row["mix_json"] for row in rows] == [True, False, True, False]
    # What logs and cards say comes first; the size is the configuration's.
    mapped = shared(shared_data / "emergent", study=ROOT / "tests/studies/emergent.yaml")
    rows = mapped.rows("SELECT mix, mix_json FROM live_runs($n) WHERE run = '1b_medical'")
    assert rows[0]["mix"] == "bad-medical-advice"
    assert '"examples":7049' in rows[0]["mix_json"]
