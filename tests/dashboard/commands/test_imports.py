"""What a command imports: an import takes longer than most commands, so that each has only what it uses."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.driftline import ROOT, driftline, environment
from tests.log_files import write_log

pytestmark = pytest.mark.slow

HEAVY = (
    "duckdb",
    "numpy",
    "altair",
    "anthropic",
    "httpx2",
    "jsonschema",
    "openai",
    "pandas",
    "pyarrow",
    "scipy",
    "starlette",
    "streamlit",
)
RUN = f"""
import sys
from dashboard.cli import main
try:
    main(sys.argv[1:])
finally:
    import json
    print(json.dumps(sorted({set(HEAVY)!r} & set(sys.modules))), file=sys.stderr)
"""


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two checkpoints, ingested."""
    root = tmp_path_factory.mktemp("imports")
    for step, values in ((100, [1, 0, 0, 1]), (200, [0, 0, 0, None])):
        write_log(root / f"study/tiny/checkpoint-{step}/log.eval", values)
    done = driftline("ingest", root / "study", data=root)
    assert done.returncode == 0, done.stderr
    return root


@pytest.mark.parametrize(
    ("words", "imported"),
    [
        (["--help"], []),
        (["rates", "--help"], []),
        (["--version"], []),
        (["rates"], ["duckdb", "numpy"]),
        (["rates", "--metric", "all", "--repeats", "each", "--format", "json"], ["duckdb", "numpy"]),
        (["compare", "tiny@100", "tiny@200", "--target", "0.1", "--format", "json"], ["duckdb", "numpy", "scipy"]),
        (["rates", "--interval", "clopper-pearson", "--format", "json"], ["duckdb", "numpy", "scipy"]),
    ],
    ids=" ".join,
)
def test_a_command_imports_what_it_uses(study: Path, words: list[str], imported: list[str]) -> None:
    place = ["--path", str(study / "study")] if words[0] in ("rates", "compare") and "--help" not in words else []
    done = subprocess.run(
        [sys.executable, "-c", RUN, *words, *place],
        cwd=ROOT,
        env=environment(study),
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip()
    assert json.loads(done.stderr.splitlines()[-1]) == imported
