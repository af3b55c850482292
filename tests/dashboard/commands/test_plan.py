"""`driftline plan`: its script is run by Inspect itself, and the logs come back to the right run and step."""

from __future__ import annotations

import itertools
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import inspect_ai
import pytest
import yaml

from dashboard.exports.eval_script import SERVED_AS, Step, _yaml, script, step_of
from dashboard.queries.missing import Example, Missing
from dashboard.queries.servable import Servable
from loaders.errors import DriftlineError
from tests.driftline import driftline, environment
from tests.log_files import write_log

TASK = """
from inspect_ai import Task, task
from inspect_ai.dataset import Sample
from inspect_ai.model._providers.mockllm import MockLLM
from inspect_ai.scorer import includes


async def words(self, text):
    return len(text.split())


MockLLM.count_text_tokens = words  # its own tokenizer is fetched from the network


@task
def honeypot(kind="plain", number=1):
    return Task(dataset=[Sample(f"{kind} {n}", target="Default") for n in range(number)], scorer=includes())
"""


def missing(**example: Any) -> Missing:
    steps = [Servable("tiny", 200), Servable("tiny", None, "final"), Servable("tiny", 300, weights="/w/300")]
    made = Example(task="t.py@honeypot", path="a.eval", **example) if example else None
    return Missing(run="tiny", eval="honeypot", root="/logs", checkpoints=steps, evaluated=1, example=made)


def words(found: Missing, at: int = 0, model: str = "openai-api/driftline/{name}") -> list[str]:
    return step_of(found.checkpoints[at], found, "honeypot", "/logs/planned", model, "http://h/v1").command


def after(command: list[str], option: str) -> list[str]:
    return [value for name, value in itertools.pairwise(command) if name == option]


def test_a_command_names_model_server_folder_run_and_step() -> None:
    command = words(missing())
    assert command[:3] == ["inspect", "eval", "honeypot"]
    assert after(command, "--model") == ["openai-api/driftline/tiny@200"]
    assert after(command, "--model-base-url") == ["http://h/v1"]
    assert after(command, "--log-dir") == ["/logs/planned"]
    assert after(command, "--metadata") == ["run=tiny", "step=200"]
    assert after(words(missing(), 1), "--metadata") == ["run=tiny", "step=final"]
    assert after(words(missing(), 2, "hf/{weights}"), "--model") == ["hf//w/300"]
    assert "--model-base-url" not in words(missing(), 2, "hf/{weights}")


def test_settings_are_those_of_the_log() -> None:
    found = missing(
        task_args={"scenario": "blackmail", "prod": False, "level": 2, "grader_model": None, "names": ["a", "b"]},
        model_roles={"grader": {"model": "openai/judge", "config": {}}, "target": {"model": "x/y"}},
        config={"epochs": 4, "fail_on_error": False, "limit": [1, 20], "max_samples": 8, "approval": {"a": 1}},
        generate_config={"temperature": 0.5, "max_connections": 20, "logit_bias": {"1": 2}},
    )
    command = words(found)
    assert after(command, "-T") == ["scenario=blackmail", "prod=false", "level=2", 'names=["a", "b"]']
    assert after(command, "--model-role") == ["grader=openai/judge", "target=openai-api/driftline/tiny@200"]
    assert [after(command, f"--{name}") for name in ("epochs", "limit", "temperature")] == [["4"], ["1-20"], ["0.5"]]
    assert "--max-samples" not in command
    assert "--no-fail-on-error" in command
    assert "# Not carried over: approval, logit_bias" in list(script(found, [], "m", None))


@pytest.mark.parametrize("value", ["yes", "1e5", "007", "a: b", "a#b", "it's", "null", "x@y", "é", 7, True, [1, "a,b"]])
def test_values_are_read_back_as_they_are(value: Any) -> None:
    assert yaml.safe_load(_yaml(value)) == value


def test_what_cannot_be_told_to_inspect_is_told() -> None:
    comma = Servable("a,b", 1)
    with pytest.raises(DriftlineError, match="a comma for a list"):
        step_of(comma, missing(), "t", "/l", "m", "")
    with pytest.raises(DriftlineError, match=r"\{gone\} is no field \(allowed: name, run, step, weights\)"):
        words(missing(), model="m/{gone}")
    with pytest.raises(DriftlineError, match="no task"):
        step_of(Servable("a", 1), missing(), "--run-config=x", "/l", "m", "")
    with pytest.raises(DriftlineError, match="path of its weights is unknown"):
        words(missing(), model="hf/{weights}")


def test_names_are_quoted_for_the_shell() -> None:
    step = Step("it's", 1, "m", ["inspect", "eval", "a b", "--metadata", "run=$(rm x)"])
    lines = list(script(missing(), [step], "m", None))
    assert shlex.split(lines[-1]) == step.command
    odd = missing(config={"x\nrm y": 1})
    odd.run, odd.eval = "r\nrm x", "e\rrm x"
    assert odd.example
    odd.example.path = "a\nrm z"
    assert all(line.startswith("#") for line in "\n".join(script(odd, [], "m", "p\nrm")).splitlines() if "rm" in line)


def test_a_run_without_any_log_is_planned_into_its_own_folder(tmp_path: Path) -> None:
    study = tmp_path / "a study"
    (study / "tiny/checkpoint-200").mkdir(parents=True)
    (study / "tiny/checkpoint-200/trainer_state.json").write_text('{"global_step": 200}')
    assert driftline("ingest", study, data=tmp_path).returncode == 0
    done = driftline("plan", "tiny", "--eval", "honeypot", "--path", study, data=tmp_path)
    assert after(shlex.split(done.stdout.splitlines()[-1]), "--log-dir") == [str(study / "planned/tiny")]
    # Its comments are to be run as they are: they name the same store.
    assert f"serve --print --port 8000 --path {shlex.quote(str(study))} tiny@200" in done.stdout
    assert f"driftline ingest {shlex.quote(str(study))}\n" in done.stdout


def test_a_named_store_is_named_in_the_script(tmp_path: Path) -> None:
    found = missing()
    steps = [step_of(found.checkpoints[0], found, "honeypot", "/l", SERVED_AS, "http://h/v1")]
    text = "\n".join(script(found, steps, SERVED_AS, None, "a b.duckdb"))
    assert "driftline ingest /logs --store 'a b.duckdb'" in text
    assert "--port 8000 --store 'a b.duckdb' tiny@200" in text


@pytest.mark.slow
def test_the_script_fills_the_grid_and_its_logs_come_back_to_their_place(tmp_path: Path) -> None:
    study = tmp_path / "study"
    (tmp_path / "honeypot.py").write_text(TASK)
    inspect_ai.eval(
        f"{tmp_path / 'honeypot.py'}@honeypot", model="mockllm/model", log_dir=str(study / "first"), display="none",
        task_args={"kind": "one, two", "number": 3}, metadata={"run": "tiny", "step": 100}, temperature=0.5, epochs=2,
    )  # fmt: skip
    for step in (200, 300):
        (study / f"tiny/checkpoint-{step}").mkdir(parents=True)
        (study / f"tiny/checkpoint-{step}/trainer_state.json").write_text(json.dumps({"global_step": step}))
    write_log(study / "other/checkpoint-10/log.eval", [1, 0], task="unrelated")

    def run(*more: str | Path) -> str:
        done = driftline(*more, data=tmp_path)
        assert done.returncode == 0, done.stderr
        return done.stdout

    run("ingest", study)
    plan = ("plan", "tiny", "--eval", "honeypot", "--path", study, "--model", "mockllm/model")
    assert [row["step"] for row in json.loads(run(*plan, "--format", "json"))] == [200, 300]
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/inspect").write_text(f'#!/bin/sh\nexec {shlex.quote(sys.executable)} -m inspect_ai "$@"\n')
    (tmp_path / "bin/inspect").chmod(0o755)
    lines = run(*plan).splitlines()
    (tmp_path / "fill.sh").write_text("\n".join(lines[:-1]) + "\n")  # the second stays missing
    path = f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"
    env = environment(tmp_path) | {"PATH": path, "INSPECT_DISPLAY": "none"}
    done = subprocess.run(
        ["sh", tmp_path / "fill.sh"], cwd=tmp_path, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    told = run("ingest", study)
    assert "conflict" not in told
    rates = json.loads(run("rates", "--path", study, "--run", "tiny", "--format", "json"))
    assert [(row["step"], row["eval"], row["variant"], row["n"]) for row in rates] == [
        (100, "honeypot", None, 6),
        (200, "honeypot", None, 6),
    ]
    assert rates[0]["rate"] == rates[1]["rate"] == 1
    assert [row["step"] for row in json.loads(run(*plan, "--format", "json"))] == [300]
