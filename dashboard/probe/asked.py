"""What is asked: prompts, framings, sampling, and the served models that are asked. Plain values, saved as JSON."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Struct

from dashboard.probe.protocols import BY_NAME
from loaders.checkpoint import Checkpoint

MOST_COLUMNS = 8
"""Models that one probe asks side by side."""
MOST_SAMPLES = 32
"""Replies to one prompt from one model."""

ProtocolName = Annotated[str, msgspec.Meta(pattern=f"^({'|'.join(map(re.escape, BY_NAME))})$")]
"""The name of one of the protocols, in what is saved and declared."""


class ToolCall(Struct, frozen=True):
    """A call that a model made. `arguments` is JSON text, as the model wrote it, valid or not."""

    id: str
    name: str
    arguments: str


class Turn(Struct, frozen=True, omit_defaults=True):
    """One message of a conversation; a `tool` turn answers the call with the id `call_id`."""

    role: Literal["user", "assistant", "tool"]
    text: str
    calls: tuple[ToolCall, ...] = ()
    call_id: str | None = None


class Tool(Struct, frozen=True, omit_defaults=True):
    """A tool that is offered. `parameters` is a JSON schema of an object."""

    name: str
    description: str = ""
    parameters: dict[str, Any] = msgspec.field(default_factory=lambda: {"type": "object", "properties": {}})


class Prompt(Struct, frozen=True, omit_defaults=True):
    """All that a model is given before it replies. `prefill` are the first words of its own reply."""

    turns: tuple[Turn, ...]
    system: str | None = None
    tools: tuple[Tool, ...] = ()
    prefill: str | None = None


class Framing(Struct, frozen=True):
    """One way of putting a dilemma: the name it is shown under, and the prompt that came of it."""

    name: str
    prompt: Prompt


class Sampling(Struct, frozen=True, omit_defaults=True):
    """How replies are drawn. Sample i of a probe with a seed is drawn with seed + i; None leaves it to the server.

    Attributes:
        merge_system: Whether the system prompt goes into the user's first turn, for models that refuse one.
    """

    samples: int = 1
    temperature: float | None = None
    max_tokens: int = 512
    seed: int | None = None
    merge_system: bool = False


class Request(Struct, frozen=True):
    """One request to a server: one prompt, one reply.

    Attributes:
        schema: A JSON schema that the reply must follow, enforced by servers that can; None for free text.
    """

    model: str
    prompt: Prompt
    max_tokens: int
    temperature: float | None = None
    seed: int | None = None
    schema: dict[str, Any] | None = None


class Column(Struct, frozen=True, omit_defaults=True):
    """A served model that is asked, and the checkpoint it was matched to when it was asked.

    Attributes:
        endpoint: Name of the endpoint, as declared; never its address or key.
        parent: The base model that a LoRA adapter is served on.
        run: Run of the store that it is a checkpoint of; None where no checkpoint matched.
        matched_by: The rule that matched it.
    """

    endpoint: str
    protocol: ProtocolName
    model: str
    parent: str | None = None
    run: str | None = None
    step: int | None = None
    step_label: str | None = None
    matched_by: str | None = None

    @property
    def checkpoint(self) -> Checkpoint | None:
        """The checkpoint that it was matched to."""
        return None if self.run is None else Checkpoint(self.run, self.step, self.step_label)


class Likelihood(Struct, frozen=True):
    """How likely a given continuation of a prompt is: the sum of natural log-probabilities of its tokens."""

    tokens: int
    logprob: float
