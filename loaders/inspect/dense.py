"""How many values JSON holds, before any of it becomes an object of Python's, where three bytes can be a hundred.

A document is looked at where it is large, and only in the fields that become records: events, most of a log, do not.
"""

from __future__ import annotations

import re

import msgspec
from msgspec import Raw, Struct

from loaders import bounds
from loaders.inspect import limits
from loaders.inspect.documents import ABSENT
from loaders.inspect.errors import Unreadable

LARGE = 4 * 1024**2
"""Bytes below which a document is decoded as it is."""

COPIED = 64 * 1024**2
"""Bytes up to which what could begin a value is counted before it is told from texts: that is faster, on a copy."""

TOKEN = re.compile(rb'"(?:[^"\\]++|\\.)*+(?:"|\Z)|[{\[,]', re.DOTALL)
"""A text as a whole, or what begins a value. A text without an end goes to the end: it is looked at once."""

OPENS = frozenset(b"{[,")


class SampleFields(Struct, gc=False):
    """The fields of a sample that become records, undecoded."""

    input: Raw = ABSENT
    target: Raw = ABSENT
    messages: Raw = ABSENT
    output: Raw = ABSENT
    scores: Raw = ABSENT
    score: Raw = ABSENT
    error_retries: Raw = ABSENT
    message_refs: Raw = ABSENT
    attachments: Raw = ABSENT


class LogFields(Struct, gc=False):
    """The fields of a header that become records, undecoded; a `.json` log has its samples there, too."""

    eval: Raw = ABSENT
    results: Raw = ABSENT
    log_updates: Raw = ABSENT
    config_updates: Raw = ABSENT
    samples: Raw = ABSENT


SAMPLE = msgspec.json.Decoder(SampleFields)
LOG = msgspec.json.Decoder(LogFields)
SAMPLES = msgspec.json.Decoder(list[SampleFields])


def values(raw: bytes | Raw, most: int) -> int:
    """How many values some JSON holds; where it is more than `most`, no more of it is looked at."""
    data = memoryview(raw)
    if len(data) <= most or (len(data) <= COPIED and _at_most(bytes(data)) <= most):
        return 0
    found = 0
    for token in TOKEN.finditer(data):
        found += data[token.start()] in OPENS
        if found > most:
            break
    return found


def _at_most(data: bytes) -> int:
    return data.count(b"{") + data.count(b"[") + data.count(b",")


def check_sample(data: bytes, where: str) -> None:
    """Refuse a sample of more values than memory is there for. What is no JSON is left to whoever decodes it.

    Raises:
        Unreadable: In one of its fields are more than `limits.MAX_SAMPLE_VALUES`.
    """
    if len(data) <= LARGE:
        return
    try:
        fields = SAMPLE.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return
    _check(fields, where)


def check_log(data: bytes, where: str) -> None:
    """As `check_sample`, for a header or a whole `.json` log.

    Raises:
        Unreadable: In one of its fields, or one of a sample's, are more than `limits.MAX_SAMPLE_VALUES`.
    """
    if len(data) <= LARGE:
        return
    try:
        fields = LOG.decode(data)
        samples, fields.samples = fields.samples, ABSENT
        _check(fields, where)
        if values(samples, limits.MAX_SAMPLE_VALUES) <= limits.MAX_SAMPLE_VALUES:
            return
        if data.count(b'"epoch"') > bounds.MAX_RECORDS:
            raise Unreadable(f"{where}: {bounds.too_many()}")
        for at, sample in enumerate(SAMPLES.decode(samples)):
            _check(sample, f"samples[{at}]")
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return


def check_tree(data: bytes, where: str) -> None:
    """Refuse JSON that is not strict and of too many values: all of it becomes objects, events too.

    Raises:
        Unreadable: It holds more than `limits.MAX_TREE_VALUES`.
    """
    if values(data, limits.MAX_TREE_VALUES) > limits.MAX_TREE_VALUES:
        raise Unreadable(f"{where} is not strict JSON, and holds more than {limits.MAX_TREE_VALUES:,} values")


def _check(fields: SampleFields | LogFields, where: str) -> None:
    for name in fields.__struct_fields__:
        if values(getattr(fields, name), limits.MAX_SAMPLE_VALUES) > limits.MAX_SAMPLE_VALUES:
            raise Unreadable(f"{where}, {name} holds more than {limits.MAX_SAMPLE_VALUES:,} values")
