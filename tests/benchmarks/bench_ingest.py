"""Ingest against the bare decode, against inspect_ai's `read_eval_log` and against its `samples_df`, in one run.

Each ratio is printed; what the issue states as a must is asserted, with the ratio in the message.
"""

from __future__ import annotations

import gc
import json
import shutil
import time
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
import zstandard
from inspect_ai import Task
from inspect_ai import eval as evaluate
from inspect_ai.analysis import SampleSummary, messages_df, samples_df
from inspect_ai.dataset import Sample as InspectSample
from inspect_ai.log import EvalLog, read_eval_log, write_eval_log
from inspect_ai.model import ChatMessageUser, ModelOutput, ModelUsage, get_model
from inspect_ai.scorer import Score, Scorer, Target, mean, scorer
from inspect_ai.solver import Generate, Solver, TaskState, solver

from loaders.ingest import ingest
from loaders.store import Store

ROUNDS, OTHERS = 5, 2
"""Rounds of our own work, and of other readers, which take ten times as long."""
EVALUATED = 20
"""How many samples are really evaluated; larger logs hold copies of them under other ids."""


class Message(msgspec.Struct):
    """What every reader has to decode of a message."""

    role: str
    content: str | list[msgspec.Raw]


class Sample(msgspec.Struct):
    """What every reader has to decode of a sample: the floor for any typed decoding."""

    id: str | int
    epoch: int
    input: str | list[msgspec.Raw]
    messages: list[Message]
    scores: dict[str, msgspec.Raw]


TEXT = "The assistant reads the mail about the plan and weighs what it may do. "


@solver
def turns(count: int) -> Solver:
    """So many exchanges of a few sentences."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        for turn in range(count):
            state.messages.append(ChatMessageUser(content=f"{TEXT}{state.sample_id}.{turn}"))
            state = await generate(state)
        return state

    return solve


@scorer(metrics={"*": [mean()]})
def judge() -> Scorer:
    """A verdict like that of agentic_misalignment."""

    async def score(state: TaskState, target: Target) -> Score:
        return Score(value={"harmful": int(state.sample_id) % 5 == 0, "verdict": 1.0}, explanation=TEXT)

    return score


def evaluated(folder: Path, exchanges: int, samples: int) -> EvalLog:
    """A log as inspect_ai writes it today, events and all, of a real evaluation of its mock model."""
    # With its usage given, the mock model has no need of a tokenizer, which it would fetch.
    reply = ModelOutput.from_content("m", TEXT * 3)
    reply.usage = ModelUsage(input_tokens=10, output_tokens=40, total_tokens=50)
    model = get_model("mockllm/m", custom_outputs=(reply.model_copy(deep=True) for _ in iter(int, 1)))
    task = Task(
        dataset=[InspectSample(id=i + 1, input=f"Dilemma {i}") for i in range(samples)],
        solver=turns(exchanges),
        scorer=judge(),
    )
    (log,) = evaluate(task, model=model, log_dir=str(folder), display="none")
    assert log.status == "success", log.error and log.error.message
    return read_eval_log(log.location)


def write_copies(log: EvalLog, path: Path, samples: int) -> None:
    """The log with as many samples as are wanted, and an id of its own."""
    made = log.samples or []
    copies = [
        made[number % len(made)].model_copy(update={"id": number + 1, "uuid": f"{path}{number}"})
        for number in range(samples)
    ]
    spec = log.eval.model_copy(update={"eval_id": f"{path.parent.name}-{samples}"})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_eval_log(log.model_copy(update={"eval": spec, "samples": copies}), str(path))


def write_another(of: Path, header: bytes, path: Path) -> None:
    """A log of the same samples under an id of its own: a copy of the bytes, with another header at its end."""
    path.parent.mkdir(parents=True)
    shutil.copyfile(of, path)
    log = json.loads(header)
    log["eval"]["eval_id"] = path.parent.name
    with warnings.catch_warnings(), zipfile.ZipFile(path, "a") as archive:
        warnings.simplefilter("ignore")  # of two members with one name the last one counts
        archive.writestr("header.json", json.dumps(log))


def bare_decode(paths: list[Path]) -> None:
    """Unzip and typed decode alone, nothing kept."""
    decoder = msgspec.json.Decoder(Sample)
    zstd = zstandard.ZstdDecompressor()
    for path in paths:
        with zipfile.ZipFile(path) as archive, path.open("rb") as file:
            for info in archive.infolist():
                if not info.filename.startswith("samples/"):
                    continue
                file.seek(info.header_offset + 26)
                lengths = file.read(4)
                file.seek(int.from_bytes(lengths[:2], "little") + int.from_bytes(lengths[2:], "little"), 1)
                raw = file.read(info.compress_size)
                if info.compress_type == zipfile.ZIP_STORED:
                    data = raw
                elif info.compress_type == zipfile.ZIP_DEFLATED:
                    data = archive.read(info)
                else:
                    data = zstd.decompress(raw, max_output_size=info.file_size)
                decoder.decode(data)


def fastest(work: Callable[[], object], rounds: int = ROUNDS, clock: Callable[[], float] = time.perf_counter) -> float:
    """Seconds of the fastest of some rounds: what the machine's other work adds is left out."""
    best = float("inf")
    for _ in range(rounds):
        gc.collect()
        started = clock()
        work()
        best = min(best, clock() - started)
    return best


@pytest.fixture
def fresh(tmp_path: Path) -> Callable[[Path], None]:
    """Ingests a folder into a store of its own on disk, committed and closed."""
    count = iter(range(10_000))

    def work(folder: Path) -> None:
        store = Store.open(tmp_path / f"store-{next(count)}.duckdb")
        ingest([folder], store)
        store.close()

    return work


SHAPES = {"short": (1, 2000, 2), "long": (1, 10, 200), "many small": (100, 5, 2)}


@pytest.mark.parametrize("shape", SHAPES)
def test_ingest_against_other_readers(shape: str, tmp_path: Path, fresh: Callable[[Path], None]) -> None:
    files, samples, exchanges = SHAPES[shape]
    folder = tmp_path / "logs"
    paths = [folder / f"checkpoint-{number}/log.eval" for number in range(files)]
    log = evaluated(tmp_path / "evaluated", exchanges, min(samples, EVALUATED))
    for path in paths:
        write_copies(log, path, samples)
    empty = tmp_path / "empty"
    empty.mkdir()
    open_and_close = fastest(lambda: fresh(empty))
    bare = fastest(lambda: bare_decode(paths))
    ours = fastest(lambda: fresh(folder))
    oracle = fastest(lambda: [read_eval_log(str(path)) for path in paths], OTHERS)
    frames = fastest(
        lambda: (
            samples_df(str(folder), columns=SampleSummary, quiet=True),
            messages_df(str(folder), quiet=True),
        ),
        OTHERS,
    )
    print(
        f"\n{shape}: {files} logs x {samples} samples x {1 + 2 * exchanges} messages: bare decode {bare:.3f} s;"
        f" ingest, committed and closed, {ours:.3f} s = {ours / bare:.1f} x (opening and closing an empty store:"
        f" {open_and_close:.3f} s); read_eval_log {oracle:.3f} s = {oracle / bare:.1f} x; samples_df and messages_df"
        f" {frames:.3f} s = {frames / bare:.1f} x"
    )
    assert ours < oracle, f"ingest takes {ours / oracle:.2f} times as long as read_eval_log"


def test_ingest_of_a_large_study(tmp_path: Path, fresh: Callable[[Path], None]) -> None:
    """What a sample costs, where opening and closing is little of it. The goal is 4 bare decodes; CPU time of both
    cores is printed too, since a busy machine adds to it least."""
    folder = tmp_path / "logs"
    logs, samples = 50, 400
    log = evaluated(tmp_path / "evaluated", 2, EVALUATED)
    first = folder / "checkpoint-0/log.eval"
    write_copies(log, first, samples)
    header = log.model_dump_json(exclude={"samples", "reductions", "location", "etag"}).encode()
    for number in range(1, logs):
        write_another(first, header, folder / f"checkpoint-{number}/log.eval")
    paths = sorted(folder.rglob("*.eval"))
    told = []
    for what, clock in (("wall", time.perf_counter), ("CPU", time.process_time)):
        bare = fastest(lambda: bare_decode(paths), 3, clock)
        ours = fastest(lambda: fresh(folder), 2, clock)
        told.append(f"{ours:.2f} s of {what} = {ours / bare:.1f} x a bare decode ({bare:.2f} s)")
    print(f"\n{logs} logs x {samples} samples x 5 messages, committed and closed: {'; '.join(told)}")


def test_ten_thousand_unchanged_files(tmp_path: Path) -> None:
    """The issue's bound is in seconds; the ratio to a bare walk with a stat of each file is printed beside it."""
    folder = tmp_path / "logs"
    for number in range(10_000):
        path = folder / f"run_{number % 10}/step_{number}/adapter_config.json"
        path.parent.mkdir(parents=True)
        path.write_text(json.dumps({"base_model_name_or_path": "org/base", "r": 8, "lora_alpha": 16, "n": number}))
    store = Store.open(tmp_path / "s.duckdb")
    first = ingest([folder], store)
    assert first.ingested == 10_000
    walk = fastest(lambda: [path.stat() for path in folder.rglob("*")])
    again = fastest(lambda: ingest([folder], store))
    print(
        f"\n10,000 unchanged files: {again:.2f} s = {again / walk:.1f} x a bare walk ({walk:.2f} s);"
        f" first: {first.seconds:.1f} s"
    )
    assert again < 2.0
