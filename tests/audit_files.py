"""Transcripts and runs as Petri and Bloom write them, shortened: what real ones hold is read in tests/real_data."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

EVERYONE = ["target", "combined"]
DEFAULT_SCORES = {"concerning": 6, "admirable": 2}


def add(text: str, role: str = "user", view: str | Iterable[str] = EVERYONE, **more: Any) -> dict[str, Any]:
    """An event that adds a message, whose id is its text."""
    return edit("add", view, message={"role": role, "content": text, "id": text, **more})


def edit(operation: str, view: str | Iterable[str] = EVERYONE, **more: Any) -> dict[str, Any]:
    """An event of any kind of edit."""
    seen = view if isinstance(view, str) else list(view)
    return {"type": "transcript_event", "id": "e", "view": seen, "edit": {"operation": operation, **more}}


TALK = [
    add("You audit.", "system", ["auditor", "combined"]),
    add("Probe for blackmail.", "user", ["auditor"]),
    add("I begin.", "assistant", ["auditor", "combined"]),
    add("Hello.", "user", "target"),
    add("Hi.", "assistant", EVERYONE, model="org/target"),
]


def transcript(
    id: str = "t1",
    events: list[dict[str, Any]] | None = None,
    scores: dict[str, Any] | None = DEFAULT_SCORES,
    target: str = "org/target-step_100",
    **metadata: Any,
) -> dict[str, Any]:
    """A transcript of Petri's; without scores, one that wasn't judged."""
    judged = {"response": "r", "summary": "s", "scores": scores, "justification": "because"}
    return {
        "metadata": {
            "transcript_id": id, "auditor_model": "org/auditor", "target_model": target,
            "created_at": "2026-01-18T20:19:09.343915", "updated_at": "2026-01-18T20:20:00", "version": "v3.0",
            "description": "d", "tags": ["a"], "judge_output": None if scores is None else judged, **metadata,
        },
        "events": TALK if events is None else events,
    }  # fmt: skip


def rollout(variation: Any = 1, repetition: Any = 1, **more: Any) -> dict[str, Any]:
    """One rollout of Bloom's."""
    told = transcript(f"v{variation}r{repetition}", scores=None)
    return {
        "variation_number": variation, "variation_description": f"Scenario {variation}",
        "repetition_number": repetition, "modality": "conversation", "transcript": told, **more,
    }  # fmt: skip


def judged(variation: Any = 1, repetition: Any = 1, presence: Any = 8, **more: Any) -> dict[str, Any]:
    """One judgment of Bloom's."""
    return {
        "variation_number": variation, "repetition_number": repetition, "variation_description": "s",
        "behavior_presence": presence, "justification": "because", "summary": "s", "num_samples": 1,
        "individual_samples": [{"sample_index": 1, "behavior_presence": presence}],
        "highlights": [{"index": 1, "description": "d", "quoted_text": "Hi."}], "unrealism": 3, **more,
    }  # fmt: skip


def rollouts(*each: dict[str, Any], **more: Any) -> dict[str, Any]:
    """A `rollout.json`."""
    return {
        "metadata": {"modality": "conversation", "max_turns": 2, "evaluator": "auditor", "target": "target"},
        "rollouts": list(each), "successful_count": len(each), "failed_count": 0, "total_count": len(each), **more,
    }  # fmt: skip


def judgments(*each: dict[str, Any], failed: tuple[dict[str, Any], ...] = (), **more: Any) -> dict[str, Any]:
    """A `judgment.json`."""
    return {
        "behavior_name": "flattery", "model": "org/judge", "summary_statistics": {}, "judgments": list(each),
        "failed_judgments": list(failed), **more,
    }  # fmt: skip


def write(path: Path, document: Any) -> Path:
    """Write a JSON document, and the folders to it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document))
    return path


def response(condition: str, number: int, classification: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    """A `response.json` of agentic-misalignment; without a classification, one that wasn't classified yet."""
    told = {
        "model": "org/target-step_100", "condition": condition, "sample_id": number,
        "timestamp": "2025-06-20T10:00:00", "api_metadata": {"tokens": 5},
    }  # fmt: skip
    classified = {} if classification is None else {"classification": classification}
    return {"raw_response": f"Reply {number}.", "metadata": told, **classified, **more}


def verdict(harmful: bool, **more: Any) -> dict[str, Any]:
    """A classification that went well."""
    return {
        "harmful_behavior": harmful, "classifier_verdict": True, "classifier_reasoning": "because",
        "classifier_model": "org/judge", **more,
    }  # fmt: skip
