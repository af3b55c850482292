"""Dilemmas to begin from, and the framings of one: data in presets.yaml, typed here."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import msgspec
import yaml
from msgspec import Struct

from dashboard.probe.asked import Framing, Prompt, Tool, Turn
from loaders.errors import DriftlineError

FILE = Path(__file__).with_name("presets.yaml")
DILEMMA = "{dilemma}"


class Preset(Struct, frozen=True, forbid_unknown_fields=True):
    """A dilemma.

    Attributes:
        continuations: Of the assistant's reply, to compare by their likelihoods; each begins with a space.
        rubric: What a judge may go by; None where the judge's own will do.
    """

    name: str
    title: str
    user: str
    system: str | None = None
    tools: tuple[Tool, ...] = ()
    continuations: tuple[str, ...] = ()
    rubric: str | None = None

    @property
    def prompt(self) -> Prompt:
        """The dilemma as a prompt."""
        return Prompt(turns=(Turn("user", self.user),), system=self.system, tools=self.tools)


class FramingRule(Struct, frozen=True, forbid_unknown_fields=True):
    """How a prompt is put.

    Attributes:
        user: What the last message of the user becomes; `{dilemma}`, once, stands for what it was.
        system_prefix, system_suffix: Put before and after the system prompt, as paragraphs of their own.
        tools: `none` offers no tools, and writes calls of earlier turns as text.
        prefill: `none` drops the first words that were given to the reply, where they would not fit.
    """

    name: str
    title: str
    user: str = DILEMMA
    system_prefix: str = ""
    system_suffix: str = ""
    tools: Literal["keep", "none"] = "keep"
    prefill: Literal["keep", "none"] = "keep"

    def __post_init__(self) -> None:
        """Refuse a template that would lose the dilemma, or tell it twice."""
        if self.user.count(DILEMMA) != 1:
            raise ValueError(f"the template of the framing {self.name!r} must contain {DILEMMA} once")


class _Document(Struct, frozen=True, forbid_unknown_fields=True):
    presets: tuple[Preset, ...]
    framings: tuple[FramingRule, ...]
    tools: tuple[Tool, ...] = ()
    """Only for the presets to refer to."""


def presets() -> tuple[Preset, ...]:
    """The dilemmas that come with Driftline, in the order in which they are offered."""
    return _shipped().presets


def framing_rules() -> tuple[FramingRule, ...]:
    """The framings that come with Driftline, the bare case first."""
    return _shipped().framings


def frame(prompt: Prompt, rules: Sequence[FramingRule]) -> tuple[Framing, ...]:
    """One prompt, put in several ways: a framing for each rule, in their order."""
    return tuple(Framing(rule.name, _framed(prompt, rule)) for rule in rules)


def read_presets(text: str) -> _Document:
    """Presets and framings of a YAML text.

    Raises:
        DriftlineError: It is not as described above, or a name comes twice.
    """
    try:
        document = msgspec.convert(yaml.safe_load(text), _Document)
    except (yaml.YAMLError, msgspec.ValidationError) as error:
        raise DriftlineError(f"The presets can't be read: {error}.") from error
    for kind in (document.presets, document.framings):
        names = [entry.name for entry in kind]
        for name in names:
            if names.count(name) > 1:
                raise DriftlineError(f"The presets can't be read: the name {name!r} comes twice.")
    return document


@lru_cache(maxsize=1)
def _shipped() -> _Document:
    return read_presets(FILE.read_text("utf-8"))


def _framed(prompt: Prompt, rule: FramingRule) -> Prompt:
    turns = list(prompt.turns)
    last = max((at for at, turn in enumerate(turns) if turn.role == "user"), default=None)
    if last is not None:
        before, _, after = rule.user.partition(DILEMMA)
        turns[last] = msgspec.structs.replace(turns[last], text=before + turns[last].text + after)
    parts = [part for part in (rule.system_prefix, prompt.system, rule.system_suffix) if part]
    changed: dict[str, Any] = {"turns": tuple(turns), "system": "\n\n".join(parts) or None}
    if rule.tools == "none":
        changed |= {"turns": tuple(_without_calls(turns)), "tools": ()}
    if rule.prefill == "none":
        changed["prefill"] = None
    return msgspec.structs.replace(prompt, **changed)


def _without_calls(turns: Sequence[Turn]) -> list[Turn]:
    """Turns with calls and results as text, for servers refuse calls of tools that aren't offered.

    Messages of one side that come to stand one after the other become one, since chat templates want the sides
    to take turns.
    """
    if not any(turn.calls or turn.role == "tool" for turn in turns):
        return list(turns)
    told: list[Turn] = []
    for turn in turns:
        if turn.role == "tool":
            turn = Turn("user", f"[Result] {turn.text}")
        elif turn.calls:
            lines = [f"[Call] {call.name}({call.arguments})" for call in turn.calls]
            turn = Turn(turn.role, "\n".join([*([turn.text] if turn.text else []), *lines]))
        if told and told[-1].role == turn.role:
            turn = Turn(turn.role, f"{told.pop().text}\n\n{turn.text}")
        told.append(turn)
    return told
