"""JSON bytes -> typed documents: fast where the JSON is strict, and as tolerant as Inspect where it is not.

Inspect writes NaN and Infinity, and reads lone surrogates and numbers beyond a double; msgspec takes none of these.
Such a document is read by the json module instead, cleaned, and given to the same decoder. NaN and Infinity become
null, except in score values, where they mean something ("unscored").
"""

from __future__ import annotations

import json
import math
from typing import Any, TypeVar

import msgspec

from loaders.inspect import limits
from loaders.inspect.dense import check_log, check_sample, check_tree
from loaders.inspect.documents import LogDoc, SampleDoc
from loaders.inspect.errors import Unreadable
from loaders.json_text import clean, clean_tree, parts_of

T = TypeVar("T")

SKIPPED = ("store", "setup", "files")
"""Fields of a sample that no document declares, and that can be most of it."""

OF_TIMELINES = ("events", "events_data", "timelines")
"""Fields that nobody reads of a sample without timelines."""

ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
"""For JSON of any shape."""


def decode(decoder: msgspec.json.Decoder[T], data: bytes | msgspec.Raw, where: str) -> T:
    """A document of the decoder's type.

    Args:
        decoder: For one of the types in `documents`, or a container of them.
        data: JSON.
        where: The member of the log, for errors.

    Raises:
        Unreadable: Not JSON, too deeply nested, a field of the wrong type (named), or too many parts in one.
    """
    if decoder is ANY:
        check_parts(data, where)
    elif decoder.type is SampleDoc:
        check_sample(bytes(data), where)
    elif decoder.type is LogDoc:
        check_log(bytes(data), where)
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        return _decode_tolerantly(decoder, bytes(data), where)
    except RecursionError as e:
        raise too_deep(where) from e


def _decode_tolerantly(decoder: msgspec.json.Decoder[T], data: bytes, where: str) -> T:
    check_tree(data, where)
    try:
        tree = json.loads(data)
        _drop_skipped(tree)
        document = decoder.decode(msgspec.json.encode(clean_tree(tree)))
    except msgspec.ValidationError as e:
        raise Unreadable(f"{where}: {e}") from e
    except RecursionError as e:
        raise too_deep(where) from e
    except json.JSONDecodeError as e:
        at_end = "ends in the middle of its JSON" if e.pos >= len(e.doc.rstrip()) else "is not JSON"
        raise Unreadable(f"{where} {at_end}: {e}") from e
    except ValueError as e:  # not UTF-8, or an integer of thousands of digits
        raise Unreadable(f"{where} can't be read as JSON: {e}") from e
    _keep_nonfinite_scores(document, tree)
    return document


def check_parts(data: bytes | msgspec.Raw, where: str) -> None:
    """Refuse JSON of more lists and objects than memory and time are there for, before it is decoded.

    Raises:
        Unreadable: More than `limits.MAX_VALUES`.
    """
    raw = bytes(data)
    if len(raw) > limits.MAX_VALUES and parts_of(raw) > limits.MAX_VALUES:
        raise Unreadable(f"{where} holds more than {limits.MAX_VALUES:,} lists and objects")


def too_deep(where: str) -> Unreadable:
    """The error for JSON that no parser of Python's reads either."""
    return Unreadable(f"{where} is nested too deeply")


def plain(name: object) -> str | None:
    """A name or an id, where there is one, with NUL replaced (decoded texts have no lone surrogates).

    A number where a text should be is its digits, and anything else is no name.
    """
    if isinstance(name, str):
        return clean(name) if "\x00" in name else name
    return str(name) if isinstance(name, int | float) and not isinstance(name, bool) else None


def _drop_skipped(tree: Any) -> None:
    """Forget what no document declares, in a sample or in all samples of a whole log, before it is cleaned."""
    samples = tree.get("samples") if isinstance(tree, dict) else None
    for sample in samples if isinstance(samples, list) else [tree]:
        if isinstance(sample, dict):
            for field in SKIPPED if sample.get("timelines") else SKIPPED + OF_TIMELINES:
                sample.pop(field, None)


def _keep_nonfinite_scores(document: object, tree: Any) -> None:
    """Put NaN and infinite score values back where cleaning made them null."""
    if isinstance(document, SampleDoc):
        _keep_in_sample(document, tree)
    elif isinstance(document, LogDoc) and document.samples:
        for sample, source in zip(document.samples, tree["samples"], strict=True):
            _keep_in_sample(sample, source)


def _keep_in_sample(sample: SampleDoc, source: dict[str, Any]) -> None:
    if sample.scores:
        for name, score in source["scores"].items():
            kept = sample.scores[clean(name)]
            kept.value = _nonfinite(score.get("value"), kept.value)
    if sample.score is not None:
        sample.score.value = _nonfinite(source["score"].get("value"), sample.score.value)


def _nonfinite(source: Any, cleaned: Any) -> Any:
    """The cleaned value with NaN and infinities of the source in their places."""
    if isinstance(source, float) and not math.isfinite(source):
        return source
    if isinstance(source, dict) and isinstance(cleaned, dict):
        return {key: _nonfinite(source.get(key), item) for key, item in cleaned.items()}
    if isinstance(source, list) and isinstance(cleaned, list):
        return [_nonfinite(before, after) for before, after in zip(source, cleaned, strict=True)]
    return cleaned
