"""Files of other tools and companions of logs, which are known and not read: what each of them is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

HELM = frozenset({"scenario.json", "scenario_state.json", "stats.json", "per_instance_stats.json"})
HELM_KEYS = {
    "scenario.json": "definition_path",
    "scenario_state.json": "request_states",
    "stats.json": "name",
    "per_instance_stats.json": "instance_id",
}
"""A key by which each of HELM's files is told from others of that name; of a list, in its first entry."""
TABLE = "put its numbers into a table (.csv, .jsonl, .parquet) that study.yaml maps"


def recognized(name: str, document: Any) -> str | None:
    """What a JSON file is that no loader reads, in one sentence with what to do; None where it isn't known.

    Args:
        name: The file's name, without its folder.
        document: What it holds, decoded.
    """
    first = document[0] if isinstance(document, list) and document else document
    if not isinstance(first, Mapping):
        return None
    if name in HELM and HELM_KEYS[name] in first:
        return f"{name} of a HELM run without its run_spec.json: put that into this folder"
    if "behavior_name" in first and ("variations" in first or "understanding" in first):
        return f"{name} of a Bloom run without its rollout.json: put that beside it, or run Bloom's rollout stage"
    if name == "_scan.json" and "scan_id" in first:
        return "the description of an Inspect Scout scan without results: they come as .parquet files beside it"
    if name == "metadata.json" and "condition_id" in first:
        return "a condition of agentic-misalignment without responses: it is read with those under models/MODEL/"
    if name == "metadata.json" and "env_id" in first and "num_examples" in first:
        return "metadata of rollouts that verifiers saved, without their results.jsonl: put that into this folder"
    if "doc_id" in first and ("resps" in first or "arguments" in first):
        return "samples of lm-evaluation-harness without their results file: put that into this folder"
    if "results" in first and "config_general" not in first and not isinstance(first["results"], Mapping):
        kind = type(first["results"]).__name__
        return (
            f"its 'results' is a {kind}, where results of lm-evaluation-harness and lighteval are an object with one"
            f" entry a task: {TABLE}"
        )
    return None
