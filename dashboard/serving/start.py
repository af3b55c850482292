"""The words that start a server: for this computer, and as one line for a shell elsewhere. Pure."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct

from dashboard.serving.engines import Engine
from dashboard.serving.plan import MOST_AT_ONCE, Server, lora_rank
from loaders.errors import DriftlineError

HOST = "127.0.0.1"
BESIDE = Path(__file__).with_name("beside")
TOOL_PARSER = "--tool-call-parser"
USUAL_TOOL_PARSER = "hermes"
"""Reads the calls of Qwen, Hermes and most models that were trained with their template; others are named after --."""
LLAMA_CONTEXT = 4096
"""Tokens of prompt and reply where none are given: llama.cpp sets this memory aside for each model."""
CPU_CACHE_GB = "2"
"""Memory that vLLM sets aside on a CPU for what is being read and written; by itself it wants nearly all there is."""


class Options(Struct, frozen=True):
    """What the user says of how to serve."""

    max_model_len: int | None = None
    dtype: str | None = None
    extra: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Nobody gives a key on the command line, where everybody can read it."""
        for word in self.extra:
            if word.partition("=")[0] in ("--api-key", "--host", "--port", "--lora-modules", "--served-model-name"):
                raise DriftlineError(f"{word.partition('=')[0]}: driftline sets this itself; leave it out.")

    @property
    def max_rank(self) -> int | None:
        """The --max-lora-rank among the words for vLLM."""
        for at, word in enumerate(self.extra):
            name, _, value = word.partition("=")
            if name == "--max-lora-rank":
                value = value or (self.extra[at + 1] if at + 1 < len(self.extra) else "")
                if not value.isdecimal():
                    raise DriftlineError(f"--max-lora-rank: wants a whole number, not {value!r}.")
                return int(value)
        return None


class Prepared(Struct, frozen=True):
    """A server with its weights as it reads them.

    Attributes:
        weights: A path, or a hub's name.
        lora: llama.cpp's file of the one adapter, where there is one.
    """

    server: Server
    weights: str
    lora: str | None = None

    @property
    def local(self) -> bool:
        """Whether the weights lie on this computer."""
        return Path(self.weights).is_absolute()


class Start(Struct, frozen=True):
    """What to run, and in which environment besides that of this process.

    Attributes:
        environment: Variables that it has to have; `{key}` in a value stands for the key.
        defaults: Variables that it gets where the user has not set them.
        dropped: Variables that it must not see: they would mean something else to it.
    """

    words: tuple[str, ...]
    environment: dict[str, str]
    defaults: dict[str, str] = {}
    dropped: tuple[str, ...] = ()


def start(engine: Engine, prepared: Prepared, port: int, options: Options) -> Start:
    """How to start a server on this computer."""
    if engine.name == "vllm":
        return _vllm(engine, prepared, port, options)
    return _llama(engine, prepared, port, options)


def for_shell(engine: Engine, prepared: Prepared, port: int, options: Options) -> str:
    """The command for a shell, which takes the key from its own environment."""
    if engine.name == "vllm":
        words, variable = (*_vllm_words(engine, prepared, port, options), *options.extra), "VLLM_API_KEY"
    else:
        start = _llama(engine, prepared, port, options)
        words, variable = start.words, next(iter(start.environment))
    lines = [f'{variable}="${{VLLM_API_KEY:?choose a key first}}"']
    option = ""
    for word in words:
        option = word if word.startswith("--") else option
        # A line for each option with its values, and for each adapter.
        if word == option:
            lines.append(shlex.quote(word))
        elif option == "--lora-modules":
            lines.append(f"  {shlex.quote(word)}")
        else:
            lines[-1] += f" {shlex.quote(word)}"
    return " \\\n  ".join(lines)


def _vllm(engine: Engine, prepared: Prepared, port: int, options: Options) -> Start:
    words = _vllm_words(engine, prepared, port, options)
    # The key is in no word of the command: those can be read by everybody on this computer.
    environment = {"VLLM_API_KEY": "{key}", "VLLM_HOST_IP": HOST, "PYTHONPATH": str(BESIDE)}
    defaults = {"VLLM_NO_USAGE_STATS": "1"}
    words += ("--middleware", "driftline_key.KeyEverywhere")
    if prepared.local:
        defaults["HF_HUB_OFFLINE"] = "1"
    if engine.on_cpu:
        defaults["VLLM_CPU_KVCACHE_SPACE"] = CPU_CACHE_GB
        # Half a minute sooner, and no slower on a CPU.
        words += ("--enforce-eager",) if "--no-enforce-eager" not in options.extra else ()
        words += ("--dtype", "bfloat16") if not options.dtype else ()
    return Start((*words, *options.extra), environment, defaults)


def _vllm_words(engine: Engine, prepared: Prepared, port: int, options: Options) -> tuple[str, ...]:
    server = prepared.server
    words = ["serve", prepared.weights, "--served-model-name", *(_plain(model.model) for model in server.bases)]
    if server.adapted:
        count = len(server.adapted)
        words += ["--enable-lora", "--max-loras", str(min(count, MOST_AT_ONCE)), "--max-cpu-loras", str(count)]
        words += ["--max-lora-rank", str(lora_rank(server))] if options.max_rank is None else []
        words += ["--lora-modules", *(_module(name, adapter.folder) for name, adapter in server.adapted)]
    words += ["--host", HOST, "--port", str(port)]
    words += ["--max-model-len", str(options.max_model_len)] if options.max_model_len else []
    words += ["--dtype", options.dtype] if options.dtype else []
    if TOOL_PARSER not in options.extra:
        # Without these vLLM refuses a prompt that offers tools, also where none is called.
        words += ["--enable-auto-tool-choice", TOOL_PARSER, USUAL_TOOL_PARSER]
    return (*engine.command, *words)


def _module(name: str, folder: str) -> str:
    """An adapter as vLLM takes it: name=path, where neither makes that ambiguous."""
    if "," in folder + name or "=" in name or name.startswith(("-", "{")):
        return json.dumps({"name": name, "path": folder}, ensure_ascii=False)
    return f"{name}={folder}"


def _plain(name: str) -> str:
    if name.startswith("-"):
        raise DriftlineError(f"{name}: a name that begins with - looks like an option to vLLM. Give its run another.")
    return name


def _llama(engine: Engine, prepared: Prepared, port: int, options: Options) -> Start:
    (model,) = prepared.server.models
    context = str(options.max_model_len or LLAMA_CONTEXT)
    _refuse(options.extra, "words after -- are for vLLM")
    _refuse((options.dtype,) if options.dtype else (), "--dtype is for vLLM: a GGUF file has its own")
    if engine.native:
        words = ["--model", prepared.weights, "--alias", model.model, "--ctx-size", context, "--jinja"]
        words += ["--lora", prepared.lora] if prepared.lora else []
        words += ["--host", HOST, "--port", str(port)]
        return Start((*engine.command, *words), {"LLAMA_API_KEY": "{key}"})
    words = ["--model", prepared.weights, "--model_alias", model.model, "--n_ctx", context]
    words += ["--lora_path", prepared.lora] if prepared.lora else []
    # By itself it breaks off a reply when the next request comes.
    words += ["--interrupt_requests", "false", "--host", HOST, "--port", str(port)]
    # Of these it takes host, port and settings before any word of its command.
    return Start((*engine.command, *words), {"API_KEY": "{key}"}, dropped=("HOST", "PORT", "CONFIG_FILE"))


def _refuse(words: Sequence[str], why: str) -> None:
    if words:
        raise DriftlineError(f"{words[0]}: {why}, and llama.cpp's server is used.")
