"""The real Inspect logs, by what they are: the parameters of the tests that go through all of them."""

from __future__ import annotations

from tests.real_parts import SHARED_DATA

FOLDERS = ("inspect", "inspect_flow", "inspect_rl", "shutdown")
OTHER_TEXTS = ("train.log", "big-run-reward-hacking-by-epoch.txt")

FILES = sorted(
    path.relative_to(SHARED_DATA).as_posix()
    for folder in FOLDERS
    for path in (SHARED_DATA / folder).rglob("*")
    if path.suffix in (".eval", ".json", ".txt") and path.name not in OTHER_TEXTS
)

NOT_LOGS = [name for name in FILES if "/test_skeleton/" in name or name.endswith("/manifest.json")]
"""JSON that lies beside the logs and isn't one."""

REFUSED = {
    "inspect/_history/tests/log/test_eval_log/long_log.eval": r"Git LFS pointer \(size 0\.5 MB\).*git lfs pull",
    "inspect/_history/tests/test_eval_log/log_invalid.txt": r"ends in the middle of its JSON.*line 2 column 29",
    "inspect/tests/log/test_eval_log/log_invalid.txt": r"ends in the middle of its JSON.*line 2 column 29",
    "inspect/tests/log/test_eval_log/log_version_3.txt": r"newer Inspect: log version 4, known up to 2",
}
"""Logs that inspect_ai can't read either, and the reason that we give."""

LOGS = [name for name in FILES if name not in NOT_LOGS and name not in REFUSED]

WITHOUT_SAMPLES = (
    "no-samples.json",
    "_popularity_5EAmX6wjMFqea6WY7XHzZp.json",
    "log_version_2.txt",
    "log_with_nan.txt",
    "log_valid.txt",
)
"""How the names of logs end that hold no sample."""
