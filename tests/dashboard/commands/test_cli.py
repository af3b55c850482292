"""The commands, run as a user runs them."""

from __future__ import annotations

import argparse
import csv
import http.client
import io
import json
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import duckdb
import pandas as pd
import pytest
from inspect_ai.log import read_eval_log, write_eval_log
from statsmodels.stats.proportion import proportion_confint

from dashboard.cli import COMMANDS, parser
from dashboard.handover import note_path
from tests.driftline import COMMAND, ROOT, driftline, driftline_process, environment, viewing
from tests.log_files import write_log

STUDY = """
metrics:
  - {name: harmful, evals: ["*"], misaligned: {score: judge, op: ">=", value: 1}}
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_study(tmp_path / "study")


def write_study(root: Path) -> Path:
    for step, values in ((100, [1, 0, 0, 0]), (200, [0, 0, 0, None])):
        write_log(root / f"tiny/checkpoint-{step}/log.eval", values)
    (root / "study.yaml").write_text(STUDY)
    return root


@pytest.mark.slow
def test_ingest_reports_each_file_and_the_second_time_none(folder: Path, tmp_path: Path) -> None:
    first = driftline("ingest", folder, data=tmp_path)
    assert first.returncode == 0, first.stderr
    assert "tiny/checkpoint-100/log.eval" in first.stdout
    assert "3 ingested" in first.stdout
    second = driftline("ingest", folder, data=tmp_path)
    assert "3 unchanged" in second.stdout
    assert "checkpoint-100" not in second.stdout


@pytest.mark.slow
def test_ingest_exits_with_1_if_anything_was_rejected(folder: Path, tmp_path: Path) -> None:
    (folder / "broken.eval").write_text("no zip")
    done = driftline_process("ingest", folder, data=tmp_path)
    assert done.returncode == 1
    assert "rejected  broken.eval" in done.stdout
    assert "3 ingested" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_without_a_command_all_of_them_are_told(tmp_path: Path) -> None:
    done = driftline(data=tmp_path)
    assert (done.returncode, done.stdout) == (2, "")
    assert all(name in done.stderr for name in COMMANDS)


def test_a_dry_run_names_the_rules_and_changes_nothing(folder: Path, tmp_path: Path) -> None:
    done = driftline("ingest", folder, "--dry-run", data=tmp_path)
    assert done.returncode == 0, done.stderr
    line = next(line for line in done.stdout.splitlines() if "checkpoint-100" in line)
    assert "run tiny [" in line
    assert "step 100 [" in line
    assert "4 samples" in line
    assert "No store" in driftline("rates", "--path", folder, data=tmp_path).stderr


@pytest.mark.slow
def test_rates_are_the_same_in_every_format(folder: Path, tmp_path: Path) -> None:
    driftline("ingest", folder, data=tmp_path)
    rows = json.loads(driftline("rates", "--path", folder, "--format", "json", data=tmp_path).stdout)
    assert [(r["run"], r["step"], r["k"], r["n"], r["n_missing"]) for r in rows] == [
        ("tiny", 100, 1, 4, 0), ("tiny", 200, 0, 3, 1),
    ]  # fmt: skip
    zero = rows[1]
    assert (zero["rate"], zero["low"]) == (0.0, 0.0)
    assert zero["high"] == pytest.approx(0.561497, abs=1e-6)  # Wilson, 0 of 3
    table = driftline("rates", "--path", folder, "--format", "csv", data=tmp_path).stdout
    parsed = list(csv.DictReader(io.StringIO(table)))
    assert [float(r["high"]) for r in parsed] == [r["high"] for r in rows]
    assert list(parsed[0]) == list(rows[0])
    shown = driftline("rates", "--path", folder, data=tmp_path).stdout
    assert "0.5615" in shown


@pytest.mark.slow
def test_rates_of_a_name_that_is_not_there_lists_those_that_are(folder: Path, tmp_path: Path) -> None:
    driftline("ingest", folder, data=tmp_path)
    done = driftline("rates", "--path", folder, "--run", "tinny", data=tmp_path)
    assert done.returncode == 1
    assert "--run tinny" in done.stderr
    assert "tiny" in done.stderr


@pytest.fixture
def by_goal(folder: Path) -> Path:
    return write_goals(folder)


def write_goals(folder: Path) -> Path:
    """The folder, with two more logs that their task args and metadata tell apart."""
    for goal, values in (("[bold]a[/bold]", [1, 0, 0]), ("b", [0] * 100)):
        name = f"tiny/checkpoint-300/{len(values)}.eval"
        write_log(folder / name, values, task_args={"goal": goal}, metadata={"prod": goal == "b"})
    return folder


@pytest.mark.slow
def test_rates_are_split_by_fields(by_goal: Path, tmp_path: Path) -> None:
    driftline("ingest", by_goal, data=tmp_path)
    options = ("--path", by_goal, "--split", "task_args.goal", "--split", "metadata.prod")
    rows = json.loads(driftline("rates", *options, "--format", "json", data=tmp_path).stdout)
    assert [(r["step"], r["split"], r["split2"], r["k"], r["n"], r["repeat"]) for r in rows] == [
        (300, "[bold]a[/bold]", "false", 1, 3, 0), (300, "b", "true", 0, 100, 0),
        (100, None, None, 1, 4, 0), (200, None, None, 0, 3, 0),
    ]  # fmt: skip
    assert rows[1]["high"] == pytest.approx(proportion_confint(0, 100, method="wilson")[1])
    exact = driftline("rates", *options, "--interval", "clopper-pearson", "--format", "csv", data=tmp_path).stdout
    parsed = list(csv.DictReader(io.StringIO(exact)))
    assert (parsed[1]["split"], parsed[1]["split2"], parsed[1]["interval"]) == ("b", "true", "Clopper-Pearson")
    assert float(parsed[1]["high"]) == pytest.approx(proportion_confint(0, 100, method="beta")[1])
    shown = driftline("rates", *options, data=tmp_path).stdout.splitlines()
    assert "task_args.goal" in shown[0]
    assert "metadata.prod" in shown[0]
    assert "[bold]a[/bold]" in shown[1]  # as it stands in the log, no markup


@pytest.mark.slow
def test_without_a_split_its_columns_are_in_the_files_alone(folder: Path, tmp_path: Path) -> None:
    driftline("ingest", folder, data=tmp_path)
    assert "split" not in driftline("rates", "--path", folder, data=tmp_path).stdout
    (row, _) = json.loads(driftline("rates", "--path", folder, "--format", "json", data=tmp_path).stdout)
    assert (row["split"], row["split2"]) == (None, None)


@pytest.mark.slow
def test_a_split_by_no_field_says_which_there_are(by_goal: Path, tmp_path: Path) -> None:
    driftline("ingest", by_goal, data=tmp_path)
    for splits, message in (
        (["goal"], '"goal" is not a field to group by (allowed: metadata.NAME, task_args.NAME, variant)'),
        (["variant", "metadata.a", "metadata.b"], "at most 2"),
        (
            ["task_args.gaol"],
            "no selected log has this field (allowed: metadata.prod, task_args.goal)",
        ),
    ):
        options = [part for split in splits for part in ("--split", split)]
        done = driftline("rates", "--path", by_goal, *options, data=tmp_path)
        assert (done.returncode, done.stdout) == (1, "")
        assert message in done.stderr


def test_rates_without_a_store_say_what_to_do(folder: Path, tmp_path: Path) -> None:
    done = driftline("rates", "--path", folder, data=tmp_path)
    assert done.returncode == 1
    assert f"driftline ingest {folder}" in done.stderr


@pytest.mark.slow
def test_export_writes_samples_and_rates(folder: Path, tmp_path: Path) -> None:
    driftline("ingest", folder, data=tmp_path)
    done = driftline("export", tmp_path / "out.parquet", "--path", folder, data=tmp_path)
    assert done.returncode == 0, done.stderr
    frame = pd.read_parquet(tmp_path / "out.parquet")
    assert len(frame) == 8
    assert set(frame["run"]) == {"tiny"}
    driftline("export", tmp_path / "out.csv", "--what", "rates", "--path", folder, data=tmp_path)
    assert list(pd.read_csv(tmp_path / "out.csv")["k"]) == [1, 0]
    assert "allowed: .csv, .parquet" in driftline("export", "x.xlsx", "--path", folder, data=tmp_path).stderr


@pytest.mark.slow
def test_several_paths_need_a_store(folder: Path, tmp_path: Path) -> None:
    other = tmp_path / "other"
    write_log(other / "x/checkpoint-1/log.eval", [1])
    assert "--store FILE" in driftline("ingest", folder, other, data=tmp_path).stderr
    done = driftline("ingest", folder, other, "--store", tmp_path / "s.duckdb", data=tmp_path)
    assert done.returncode == 0, done.stderr


def test_a_store_held_by_something_else_names_it(folder: Path, tmp_path: Path) -> None:
    store = tmp_path / "s.duckdb"
    holder = duckdb.connect(str(store))
    try:
        done = driftline_process("ingest", folder, "--store", store, data=tmp_path)
    finally:
        holder.close()
    assert done.returncode == 1
    assert f"process {os.getpid()}" in done.stderr
    assert "--store FILE" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not shutil.which("setpriv"), reason="the system's administrator may write everywhere")
def test_a_folder_that_is_read_only_is_told_in_a_sentence(folder: Path, tmp_path: Path) -> None:
    shut = tmp_path / "shut"
    shut.mkdir()
    shut.chmod(0o555)
    plain = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"] if os.geteuid() == 0 else []
    done = subprocess.run(
        [*plain, *COMMAND, "ingest", str(folder), "--store", str(shut / "s.duckdb")],
        cwd=ROOT, env=environment(tmp_path), capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 1
    assert f"The folder of the store {shut / 's.duckdb'} can't be written: Permission denied" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.slow
def test_two_commands_at_once_queue(folder: Path, tmp_path: Path) -> None:
    with ThreadPoolExecutor() as pool:
        both = list(pool.map(lambda _: driftline_process("ingest", folder, data=tmp_path), range(2)))
    assert [done.returncode for done in both] == [0, 0], [done.stderr for done in both]
    assert sorted(("3 ingested" in done.stdout, "3 unchanged" in done.stdout) for done in both) == [
        (False, True), (True, False),
    ]  # fmt: skip


@dataclass(frozen=True)
class Running:
    """A dashboard that runs on a folder.

    Attributes:
        folder: Of logs.
        data: The user's folder.
        store: Its store.
        address: Where browsers open it.
    """

    folder: Path
    data: Path
    store: Path
    address: str


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A dashboard on the folder with goals, for tests that each add a run of their own."""
    data = tmp_path_factory.mktemp("running")
    folder = write_goals(write_study(data / "study"))
    with viewing(folder, data=data) as (address, _process):
        (note,) = (data / "driftline/stores").glob("*.owner")
        yield Running(folder, data, note.with_suffix(""), address)


@pytest.mark.slow
def test_while_a_dashboard_runs_commands_hand_it_their_work(running: Running, tmp_path: Path) -> None:
    store, data = running.store, running.data
    write_log(tmp_path / "other/big/checkpoint-5/log.eval", [1, 1])
    (tmp_path / "other/odd.json").write_text("[]")
    done = driftline("ingest", tmp_path / "other", "--store", store, data=data)
    assert done.returncode == 1, done.stderr
    assert "big/checkpoint-5/log.eval" in done.stdout
    assert "rejected  odd.json" in done.stdout
    rates = driftline("rates", "--store", store, "--format", "json", data=data)
    assert {"tiny", "big"} <= {row["run"] for row in json.loads(rates.stdout)}
    assert driftline("export", tmp_path / "o.csv", "--store", store, data=data).returncode == 0
    assert "MB after" in driftline("compact", "--store", store, data=data).stdout
    done = driftline("backup", tmp_path / "kept", "--store", store, data=data)
    assert "Backed up and verified" in done.stdout, done.stderr
    assert (tmp_path / "kept").is_file()
    done = driftline("restore", tmp_path / "kept", "--store", store, "--replace", data=data)
    assert "uses the store" in done.stderr
    other = tmp_path / "other.duckdb"
    assert driftline("restore", tmp_path / "kept", "--store", other, data=data).returncode == 0
    again = driftline("rates", "--store", other, "--format", "json", data=data)
    assert json.loads(again.stdout) == json.loads(rates.stdout)
    assert "no such file" in driftline("ingest", tmp_path / "nowhere", "--store", store, data=data).stderr


@pytest.mark.slow
def test_a_second_view_points_to_the_dashboard_that_runs(running: Running) -> None:
    again = driftline_process("view", running.folder, "--no-browser", data=running.data)
    assert running.address in again.stdout


@pytest.mark.slow
def test_a_dashboard_answers_only_who_can_read_its_note(running: Running) -> None:
    assert stat.S_IMODE(note_path(running.store).stat().st_mode) == 0o600
    for headers in ({}, {"Authorization": "Bearer wrong"}):
        request = urllib.request.Request(f"{running.address}/api/driftline/rates", data=b"{}", headers=headers)
        with pytest.raises(urllib.error.HTTPError, match="403"):
            urllib.request.urlopen(request)


@pytest.mark.slow
def test_a_running_dashboard_splits_too(running: Running, by_goal: Path, tmp_path: Path) -> None:
    options = ("--run", "tiny", "--split", "task_args.goal", "--interval", "clopper-pearson", "--format", "json")
    handed_over = driftline("rates", "--path", running.folder, *options, data=running.data)
    refused = driftline("rates", "--path", running.folder, "--split", "goal", data=running.data)
    nowhere = driftline("rates", "--path", running.folder, "--split", "metadata.goal", data=running.data)
    driftline("ingest", by_goal, data=tmp_path)
    assert json.loads(handed_over.stdout) == json.loads(
        driftline("rates", "--path", by_goal, *options, data=tmp_path).stdout
    )
    assert refused.returncode == nowhere.returncode == 1
    assert "is not a field to group by" in refused.stderr
    assert "task_args.goal" in nowhere.stderr


@pytest.mark.slow
def test_new_files_come_in_by_themselves_while_it_runs(running: Running) -> None:
    write_log(running.folder / "new/checkpoint-300/log.eval", [1])
    deadline = time.monotonic() + 60
    steps: list[int] = []
    while not steps and time.monotonic() < deadline:
        time.sleep(0.5)
        done = driftline("rates", "--path", running.folder, "--format", "json", data=running.data)
        steps = [row["step"] for row in json.loads(done.stdout) if row["run"] == "new"]
    assert steps == [300]


@pytest.mark.slow
def test_a_note_left_by_a_dead_dashboard_is_no_obstacle(folder: Path, tmp_path: Path) -> None:
    with viewing(folder, data=tmp_path) as (_address, process):
        process.kill()
        process.wait()
    assert list((tmp_path / "driftline/stores").glob("*.owner"))
    done = driftline("rates", "--path", folder, "--format", "json", data=tmp_path)
    assert len(json.loads(done.stdout)) == 2, done.stderr


@pytest.mark.slow
def test_a_killed_ingest_goes_on_to_the_same_rows(tmp_path: Path) -> None:
    """kill -9 as soon as something is committed, and again; then the rows are those of an ingest in one go."""
    logs, root = 200, tmp_path / "many"
    for step in range(logs):
        write_log(root / f"tiny/checkpoint-{step}/log.eval", [1, 0] * 20)
    killed, whole = tmp_path / "killed.duckdb", tmp_path / "whole.duckdb"
    held = [_sources_after_kill(root, killed, tmp_path, pause) for pause in (0.05, 0.1, 0.2)]
    assert any(0 < count < logs for count in held), f"no kill was in the middle: {held}"
    for store in (killed, whole):
        assert driftline("ingest", root, "--store", store, data=tmp_path).returncode == 0
    tables = {}
    for store in (killed, whole):
        with duckdb.connect(str(store), read_only=True) as connection:
            counts = connection.execute("SELECT count(*), count(DISTINCT content_hash) FROM sources").fetchone()
            assert counts == (logs, logs)
            tables[store] = [
                connection.execute(f"SELECT * FROM {table} ORDER BY ALL").fetchall()
                for table in ("evals", "samples", "scores", "messages", "placements", "locations")
            ]
    assert tables[killed] == tables[whole]


def _sources_after_kill(root: Path, store: Path, data: Path, pause: float) -> int:
    """Start an ingest, kill it a moment after its write-ahead log grows, and count what the store holds then."""
    wal = store.with_name(store.name + ".wal")
    wal_before = wal.stat().st_size if wal.exists() else 0
    process = subprocess.Popen(
        [*COMMAND, "ingest", str(root), "--store", str(store)],
        cwd=ROOT, env=environment(data), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    while process.poll() is None:
        size = wal.stat().st_size if wal.exists() else 0
        # The first commits are the schema's, some kilobytes; the files' rows follow.
        if size > max(wal_before, 100_000):
            time.sleep(pause)
            break
        time.sleep(0.002)
    process.send_signal(signal.SIGKILL)
    process.wait()
    with duckdb.connect(str(store)) as connection:
        row = connection.execute("SELECT count(*) FROM sources").fetchone()
    return int(row[0]) if row else 0


def test_a_page_of_another_place_gets_no_websocket(running: Running) -> None:
    host = running.address.removeprefix("http://")
    shake = {"Connection": "Upgrade", "Upgrade": "websocket", "Sec-WebSocket-Version": "13"}
    shake["Sec-WebSocket-Key"] = "AAAAAAAAAAAAAAAAAAAAAA=="
    found = []
    for origin in (running.address, "http://evil.example", "null"):
        connection = http.client.HTTPConnection(host, timeout=60)
        connection.request("GET", "/_stcore/stream", headers=shake | {"Origin": origin})
        found.append(connection.getresponse().status)
        connection.close()
    assert found == [101, 403, 403]


@pytest.mark.parametrize("command", ["view", "ingest", "rates", "compare", "export", "compact", "backup", "restore"])
def test_every_command_explains_itself(command: str, tmp_path: Path) -> None:
    done = driftline(command, "--help", data=tmp_path)
    assert done.returncode == 0
    assert "--store" in done.stdout


def test_commands_that_only_print_help_import_nothing_heavy() -> None:
    heavy = "('streamlit', 'pandas', 'duckdb')"
    code = f"import dashboard.cli as c, sys; c.parser(); print([m for m in {heavy} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_wrong_usage_is_told_by_the_parser() -> None:
    with pytest.raises(SystemExit, match="2"):
        parser().parse_args(["ingest"])


def test_a_command_declared_alone_is_as_it_is_among_all() -> None:
    def helps(top: argparse.ArgumentParser) -> dict[str, str]:
        (verbs,) = (each for each in top._actions if isinstance(each, argparse._SubParsersAction))
        return {name: verb.format_help() for name, verb in verbs.choices.items()}

    every = helps(parser())
    assert list(every) == list(COMMANDS)
    for name, told in every.items():
        assert helps(parser(name)) == {name: told}


def test_names_are_whole_and_themselves_where_the_output_is_no_terminal(tmp_path: Path) -> None:
    root = tmp_path / "study"
    root.mkdir()
    names = ["x:train:0", "[red]y[/red]", "an-organisation-model-advice-first", "an-organisation-model-advice-second"]
    (root / "t.csv").write_text("r,s\n" + "".join(f"{name},1\n" for name in names))
    (root / "study.yaml").write_text(
        "tables:\n  - {match: t.csv, eval: e, run: {column: r}, scores: {s: {column: s}}}\n"
    )
    (root / "other.csv").write_text("a,b\n1,2\n")
    done = driftline("ingest", root, data=tmp_path)
    assert len([line for line in done.stdout.splitlines() if " t.csv " in line]) == 1
    assert "left      other.csv" in done.stdout
    printed = driftline("rates", "--path", root, data=tmp_path).stdout
    assert all(name in printed for name in names)


def test_logs_that_ended_badly_are_told_apart(tmp_path: Path) -> None:
    good = read_eval_log(str(write_log(tmp_path / "study/tiny/checkpoint-100/log.eval", [1, 0])))
    good.status = "error"
    write_eval_log(good, str(tmp_path / "study/tiny/checkpoint-100/log.eval"))
    done = driftline("ingest", tmp_path / "study", data=tmp_path)
    assert "status error" in done.stdout
    assert "1 errored" in done.stdout


def test_a_wrong_port_or_option_is_told_in_a_sentence(tmp_path: Path) -> None:
    port = driftline("view", "--port", "99999", data=tmp_path)
    assert (port.returncode, "Traceback" in port.stderr) == (2, False)
    assert "a port is a number from 0 to 65535" in port.stderr
    assert "did you mean --study?" in driftline("view", "--stduy", "x", data=tmp_path).stderr
