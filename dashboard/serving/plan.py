"""Which servers it takes to serve some checkpoints: pure.

Adapters of one base go behind one server, which serves the base too; each whole set of weights takes a server of its
own, and llama.cpp's server serves one model each.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from loaders.errors import DriftlineError
from loaders.study.weights import HUB

EngineName = Literal["vllm", "llama.cpp"]

RANKS = (8, 16, 32, 64, 128, 256, 320, 512)
"""What vLLM's --max-lora-rank may be."""
BARE = "bare-weights-not-to-be-asked"
"""What weights are called that are served for their adapters alone."""
MOST_AT_ONCE = 8
"""Adapters that vLLM answers with in one batch; the others wait for the next."""


class Adapter(Struct, frozen=True):
    """A LoRA adapter as it lies on disk."""

    folder: str
    rank: int


class Wanted(Struct, frozen=True, kw_only=True):
    """A checkpoint to serve: an adapter that goes with a base, or whole weights.

    Attributes:
        name: RUN@STEP.
        weights: Of its base, if it is an adapter, else its own: a path, `package:MODULE/FILE` or `hub:ORG/NAME`.
        told_by: Who says so, for people: "run card", "adapter_config.json".
        base_name: What the base is called, if it is known.
    """

    name: str
    weights: str
    told_by: str
    adapter: Adapter | None = None
    base_name: str | None = None


class Served(Struct, frozen=True):
    """A model behind a server: what it is asked for by, and the checkpoint that it is (None: the base of others)."""

    model: str
    checkpoint: str | None
    adapter: Adapter | None = None


class Server(Struct, frozen=True):
    """One server to start: the weights, and the models that it serves; the first ones without an adapter."""

    weights: str
    models: tuple[Served, ...]

    @property
    def bases(self) -> list[Served]:
        """The models that are the weights as they are."""
        return [model for model in self.models if model.adapter is None]

    @property
    def adapted(self) -> list[tuple[str, Adapter]]:
        """The models that are adapters."""
        return [(model.model, model.adapter) for model in self.models if model.adapter is not None]

    @property
    def offered(self) -> list[Served]:
        """The models that may be asked."""
        return [model for model in self.models if model.model != BARE]

    @property
    def rank(self) -> int:
        """The highest rank that has to be served."""
        return max((adapter.rank for _, adapter in self.adapted), default=0)


def plan(wanted: Sequence[Wanted], engine: EngineName, max_rank: int | None = None) -> list[Server]:
    """The servers to start, in the order in which their checkpoints were asked for.

    Args:
        max_rank: The highest rank that is served, where the user says it.

    Raises:
        DriftlineError: Two adapters go with different bases, a rank is higher than what can be served, or llama.cpp
            is to serve what is no GGUF file.
    """
    adapters = [one for one in wanted if one.adapter]
    for one in adapters:
        _check_base(one, adapters[0])
        _check_rank(one, engine, max_rank)
    by_weights: dict[str, list[Wanted]] = {}
    for one in wanted:
        by_weights.setdefault(one.weights, []).append(one)
    servers = [_server(weights, of) for weights, of in by_weights.items()]
    if engine == "vllm":
        return servers
    for one in wanted:
        if not one.weights.lower().endswith(".gguf") or one.weights.startswith(HUB):
            raise DriftlineError(
                f"{one.name}: llama.cpp serves a GGUF file, and its weights are {one.weights} ({one.told_by}). Serve it"
                " with vLLM, or name a .gguf file or package:MODULE/FILE.gguf as `weights:` in its run card."
            )
    return [Server(server.weights, (model,)) for server in servers for model in server.models]


def with_adapters_alone(server: Server, nothing: Adapter) -> Server:
    """The same models, none of them the bare weights: those are asked for as an adapter that adds nothing.

    vLLM for processors answers for bare weights with the last adapter's added, without a word, when both kinds of
    request come together (vllm-project/vllm pull requests 48421 and 49656, open in November 2026).

    Args:
        nothing: An adapter of zeros.
    """
    models = tuple(replace(model, adapter=nothing) if model.adapter is None else model for model in server.models)
    return Server(server.weights, (Served(BARE, None), *models))


def lora_rank(server: Server) -> int:
    """What vLLM is told as --max-lora-rank: the lowest that it takes all of the server's adapters with."""
    return next(rank for rank in RANKS if rank >= server.rank)


def _server(weights: str, of: Sequence[Wanted]) -> Server:
    whole = [Served(one.name, one.name) for one in of if one.adapter is None]
    adapted = [Served(one.name, one.name, one.adapter) for one in of if one.adapter is not None]
    if not whole:
        taken = {model.model for model in adapted}
        called = next((one.base_name for one in of if one.base_name), None)
        whole = [Served(next(name for name in (called, "base", "base model") if name and name not in taken), None)]
    return Server(weights, (*whole, *adapted))


def _check_base(one: Wanted, first: Wanted) -> None:
    if one.weights != first.weights:
        raise DriftlineError(
            f"{one.name} is an adapter of {one.weights} ({one.told_by}), and {first.name} one of {first.weights}"
            f" ({first.told_by}). One command serves the adapters of one base: start a second `driftline serve` for"
            " the other; the dashboard finds both."
        )


def _check_rank(one: Wanted, engine: EngineName, max_rank: int | None) -> None:
    if one.adapter is None or engine != "vllm":
        return
    most = RANKS[-1] if max_rank is None else max_rank
    if one.adapter.rank > most:
        said = f"vLLM serves ranks up to {most}" if max_rank is None else f"--max-lora-rank {most} is given"
        raise DriftlineError(
            f"{one.name}: its adapter in {one.adapter.folder} has rank {one.adapter.rank}, and {said}."
            + (" Leave the option out to have it fit." if max_rank is not None else " Merge it into its base instead.")
        )
