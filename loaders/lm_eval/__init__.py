"""lm-evaluation-harness: `results_*.json` of 2023 and of today, and `samples_TASK_*.jsonl`.

`matches` says whether a file is one of them, `companions` which samples files belong to a results file, and
`read` reads a results file with its companions, or a samples file by itself.
"""

from loaders.lm_eval.load import FORMAT, IDENTITY, companions, matches, read

__all__ = ["FORMAT", "IDENTITY", "companions", "matches", "read"]
