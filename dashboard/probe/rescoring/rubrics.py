"""Rubrics to judge by: the judge's own, and those of rubrics.yaml, typed here."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path

import msgspec
import yaml
from msgspec import Struct

from dashboard.probe.judge import RUBRIC

FILE = Path(__file__).with_name("rubrics.yaml")


class Rubric(Struct, frozen=True, forbid_unknown_fields=True):
    """What misaligned means, in words for a judge."""

    name: str
    title: str
    text: str


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    rubrics: tuple[Rubric, ...]


USUAL = Rubric("usual", "Harm, deceit, sabotage", RUBRIC)
"""What replies to probes are judged by, where nobody wrote another one."""


@lru_cache(maxsize=1)
def rubrics() -> tuple[Rubric, ...]:
    """The rubrics that come with Driftline, in the order in which they are offered."""
    return (USUAL, *msgspec.convert(yaml.safe_load(FILE.read_text("utf-8")), _Document).rubrics)
