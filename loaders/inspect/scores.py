"""Scores of a sample as records: one row a scalar."""

from __future__ import annotations

import math
from typing import Any

import msgspec

from loaders.inspect.decode import ANY, decode, plain
from loaders.inspect.documents import ScoreDoc
from loaders.inspect.resolve import Resolver
from loaders.records import ScoreRecord

LEGACY_SCORER = "88F74D2C"
"""The name that Inspect itself gives the only score of a version 1 sample, until the header names the scorer."""


def score_records(scorer: str, score: ScoreDoc, resolver: Resolver) -> list[ScoreRecord]:
    """The rows of one score: one for a scalar, one per key of a dict, one per index of a list.

    An empty dict or list is one row without a value, so that its explanation is not lost.
    """
    value = score.value
    keyed: list[tuple[str | None, Any]]
    if isinstance(value, dict):
        keyed = [(plain(key), item) for key, item in value.items()] or [(None, None)]
    elif isinstance(value, list):
        keyed = [(str(index), item) for index, item in enumerate(value)] or [(None, None)]
    else:
        keyed = [(None, value)]
    answer = resolver.optional(score.answer)
    explanation = resolver.optional(score.explanation)
    metadata = resolver.json(score.metadata)
    history = resolver.json(score.history)
    reason = plain(score.reason)
    if reason is None and metadata and '"unscored_reason"' in metadata:
        reason = _unscored_reason(metadata)
    name = plain(scorer) or ""
    rows = []
    for key, item in keyed:
        number, text, kind = scalar(item)
        rows.append(ScoreRecord(name, key, number, text, kind, answer, explanation, reason, metadata, history))
    return rows


def scalar(value: Any) -> tuple[float | None, str | None, str]:
    """A score value as number, text and type. Nested values, which Inspect doesn't allow, are kept as JSON."""
    if isinstance(value, bool):
        return float(value), None, "bool"
    if isinstance(value, float):
        if math.isfinite(value):
            return value, None, "number"
        return (None, None, "nan") if math.isnan(value) else (None, str(value), "infinite")
    if isinstance(value, str):
        return None, plain(value), "text"
    if value is None:
        return None, None, "missing"
    if isinstance(value, int):
        try:
            return float(value), None, "number"
        except OverflowError:
            return None, str(value), "infinite"
    return None, msgspec.json.encode(value).decode(), "text"


def _unscored_reason(metadata: str) -> str | None:
    """Between 0.3.245 and the field `reason`, a failed grade's reason stood in the metadata."""
    found = decode(ANY, metadata.encode(), "a score's metadata")
    reason = found.get("unscored_reason") if isinstance(found, dict) else None
    return None if reason is None else str(reason)
