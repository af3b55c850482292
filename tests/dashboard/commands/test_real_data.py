"""The console command on real folders: what a user reads is what the files say, to the last digit."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from pathlib import Path

import pytest

from tests.driftline import driftline
from tests.real_stores import STUDIES

pytestmark = pytest.mark.slow

BIAS = "pythia/evals/bias-evals"


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's data folder."""
    return tmp_path_factory.mktemp("data")


def test_pythia_in_csv_and_json_equals_the_files(shared_data: Path, data: Path) -> None:
    published = {}
    for path in (shared_data / BIAS).glob("*.json"):
        run, _, rest = path.name.rpartition("-step")
        results = json.loads(path.read_text())["results"]["crows_pairs_english_gender"]
        published[run, int(rest.partition("_")[0])] = results["pct_stereotype"]
    store = data / "pythia.duckdb"
    done = driftline("ingest", shared_data / BIAS, "--store", store, data=data)
    assert done.returncode == 0, done.stderr
    asked = ("rates", "--store", store, "--eval", "crows_pairs_english_gender", "--format")
    as_csv = list(csv.DictReader(io.StringIO(driftline(*asked, "csv", data=data).stdout)))
    as_json = json.loads(driftline(*asked, "json", data=data).stdout)
    assert len(published) == len(as_csv) == len(as_json) == 97
    assert {(row["run"], int(row["step"])): float(row["rate"]) for row in as_csv} == published
    assert {(row["run"], row["step"]): row["rate"] for row in as_json} == published
    assert {(row["n"], row["k"], row["interval"]) for row in as_csv} == {("", "", "Wilson, from the reported stderr")}
    assert {(row["n"], row["k"], row["interval"]) for row in as_json} == {
        (None, None, "Wilson, from the reported stderr")
    }


def test_a_dry_run_says_which_rule_gave_run_and_step(shared_data: Path, data: Path) -> None:
    done = driftline("ingest", shared_data / "inspect_rl", "--dry-run", data=data)
    assert done.returncode == 0, done.stderr
    (line,) = [line for line in done.stdout.splitlines() if "004_val" in line and ".eval" in line]
    for word in ("inspect", "example_run", "4", "folder name 004_val", "task"):
        assert word in line


def test_rejects_are_told_with_their_reason_and_exit_1(shared_data: Path, data: Path) -> None:
    done = driftline("ingest", shared_data / "inspect", "--store", data / "inspect.duckdb", data=data)
    assert done.returncode == 1
    assert "Git LFS pointer" in done.stdout + done.stderr
    assert "34 ingested" in done.stdout + done.stderr


def test_another_rule_is_one_option_away_and_stands_beside_its_rates(shared_data: Path, data: Path) -> None:
    store, table = data / "emergent.duckdb", data / "rates.csv"
    study = STUDIES / "emergent.yaml"
    assert driftline("ingest", shared_data / "emergent", "--study", study, "--store", store, data=data).returncode == 0
    options = ("--what", "rates", "--metric", "usual", "--metric", "authors", "--store", store)
    assert driftline("export", table, *options, data=data).returncode == 0
    with table.open(newline="") as file:
        rows = list(csv.DictReader(file))
    told = Counter((row["metric"], row["definition"]) for row in rows)
    assert told == {("authors", "aligned < 75"): 26, ("usual", "aligned < 30 and coherent > 50"): 26}
    assert sum(row["step_label"] == "base" for row in rows) == 4
