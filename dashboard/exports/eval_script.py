"""The `inspect eval` commands that fill the gaps of a run, as a shell script."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

from dashboard import numerals
from dashboard.queries.missing import Example, Missing
from dashboard.queries.servable import Servable
from loaders.errors import DriftlineError
from loaders.study.stated import EVALUATED_ROLES

PROVIDER = "driftline"
SERVED_AS = f"openai-api/{PROVIDER}/{{name}}"
SERVER = "http://127.0.0.1:8000/v1"
"""Where `driftline serve` serves them."""
KEY = f"{PROVIDER.upper()}_API_KEY"
"""Where Inspect looks for the key of that provider."""
FIELDS = ("name", "run", "step", "weights")

CONFIG = (
    "limit", "sample_id", "epochs", "epochs_reducer", "message_limit", "token_limit", "time_limit", "working_limit",
    "fail_on_error",
)  # fmt: skip
GENERATE = (
    "max_tokens", "temperature", "top_p", "top_k", "seed", "frequency_penalty", "presence_penalty", "num_choices",
    "reasoning_effort", "reasoning_tokens", "stop_seqs", "system_message",
)  # fmt: skip
"""Settings that are carried over, each an option of `inspect eval` of the same name."""
OF_THE_MACHINE = frozenset({
    "max_samples", "max_tasks", "max_subprocesses", "max_sandboxes", "sandbox_cleanup", "log_samples", "log_realtime",
    "log_images", "log_buffer", "log_shared", "log_model_api", "score_display", "max_connections", "max_retries",
    "timeout", "attempt_timeout", "retry_on_error", "debug_errors", "continue_on_fail", "log_refusals",
    "adaptive_connections",
})  # fmt: skip
"""Settings of how a log was made, which change nothing in it."""


class Step(msgspec.Struct):
    """One command: of which checkpoint, and its words."""

    run: str
    step: int | str | None
    model: str
    command: list[str]


def steps_of(
    found: Missing, *, task: str | None = None, folder: str | None = None, model: str = SERVED_AS, url: str = SERVER
) -> list[Step]:
    """The command for each checkpoint without results.

    Args:
        found: What is missing, with how the eval was run elsewhere.
        task: What to run; None for what the log names.
        folder: For the logs; None for one in the folder that was ingested.
        model: Inspect's name of a model, with `FIELDS` in braces.
        url: Of the server of models.

    Raises:
        DriftlineError: As `step_of`.
    """
    task = task or (found.example.task if found.example else found.eval)
    folder = folder or str(Path(found.root or ".") / "planned" / found.run.replace("/", "-"))
    return [step_of(one, found, task, folder, model, url) for one in found.checkpoints]


def step_of(one: Servable, found: Missing, task: str, folder: str, model: str, url: str) -> Step:
    """The command for a checkpoint.

    Args:
        one: The checkpoint.
        found: What is missing, with how the eval was run elsewhere.
        task: What to run.
        folder: For the log.
        model: Inspect's name of a model, with `FIELDS` in braces.
        url: Of the server of models; only for a provider that has servers.

    Raises:
        DriftlineError: A field that there is not, or a name that `inspect eval` can't be given.
    """
    named = one.name
    if task.startswith("-"):
        raise DriftlineError(f"{task}: no task; name it with --task.")
    if "," in named:
        raise DriftlineError(f"{named}: `inspect eval --metadata` takes a comma for a list; rename it in its run.yaml.")
    weights = one.weights or one.adapter or one.folder or (one.base if one.untrained else None)
    values = {"name": named, "run": one.run, "step": str(one.at), "weights": weights}
    for field in re.findall(r"\{(\w*)\}", model):
        if field not in FIELDS:
            raise DriftlineError(f"--model: {{{field}}} is no field (allowed: {', '.join(FIELDS)}).")
        if values[field] is None:
            raise DriftlineError(f"{named}: the path of its weights is unknown: name them in its run.yaml.")
    asked = re.sub(r"\{(\w+)\}", lambda match: str(values[match[1]]), model)
    words = ["inspect", "eval", task, "--model", asked]
    if asked.startswith(("openai-api/", "openai/", "vllm/")):
        words += ["--model-base-url", url]
    words += ["--log-dir", folder, "--metadata", f"run={_yaml(one.run)}"]
    words += ["--metadata", f"step={_yaml(one.at)}"] if one.at is not None else []
    if found.example:
        words += _settings(found.example, asked)
    return Step(one.run, one.at, asked, words)


def script(found: Missing, steps: list[Step], model: str, path: str | None, store: str | None = None) -> Iterator[str]:
    """The lines of the script.

    Args:
        found: What is missing.
        steps: The commands.
        model: Inspect's name of a model, with `FIELDS` in braces.
        path: The ingested folder as it was named; None for where the run's logs lie.
        store: The store that was named.
    """
    path = shlex.quote(path or found.root or "PATH")
    of_store = f" --store {shlex.quote(store)}" if store else ""
    yield "#!/bin/sh"
    yield _comment(f"{found.eval} of run {found.run}: {numerals.plural(len(steps), 'checkpoint')} without results,")
    yield _comment(f"{found.evaluated} with. Run it, then: driftline ingest {path}{of_store}")
    if found.example is None:
        yield "# It was never run with Inspect here: the task is taken as it was given, without settings."
        if found.evals:
            yield _comment(f"No eval is called so; there are: {', '.join(found.evals)}")
    else:
        yield _comment(f"Settings of {found.example.path}")
        if left := _left_out(found.example):
            yield _comment(f"Not carried over: {', '.join(left)}")
    if steps and model == SERVED_AS:
        names = " ".join(shlex.quote(f"{step.run}@{step.step}") for step in steps)
        yield "# Serve them first, with a key of your choice in VLLM_API_KEY:"
        served_from = of_store or f" --path {path}"
        yield _comment(f'sh -c "$(driftline serve --print --port 8000{served_from} {names})"')
        yield f'export {KEY}="${{VLLM_API_KEY:?the key of the server of models}}"'
    yield "set -eu"
    written = _written_args(found.example) if found.example else None
    if steps and written:
        yield 'task_config="$(mktemp)"'
        yield f"cat > \"$task_config\" <<'END_OF_TASK_ARGS'\n{written}\nEND_OF_TASK_ARGS"
    for step in steps:
        words = [shlex.quote(word) for word in step.command]
        yield " ".join(words).replace(shlex.quote(TASK_CONFIG), TASK_CONFIG)


def _comment(text: str) -> str:
    """A line that a shell passes over: a name of a log may hold the end of one."""
    return "# " + "".join(letter if letter.isprintable() else " " for letter in text)


TASK_CONFIG = '"$task_config"'


def _settings(example: Example, model: str) -> Iterator[str]:
    if _written_args(example):
        yield from ("--task-config", TASK_CONFIG)
    else:
        for name, value in example.task_args.items():
            if value is not None:
                yield from ("-T", f"{name}={_yaml(value)}")
    for role, told in example.model_roles.items():
        named = told.get("model") if isinstance(told, Mapping) else told
        if role in EVALUATED_ROLES:
            yield from ("--model-role", f"{role}={model}")
        elif isinstance(named, str):
            yield from ("--model-role", f"{role}={named}")
    for names, settings in ((CONFIG, example.config), (GENERATE, example.generate_config)):
        for name in names:
            value = settings.get(name)
            if value is False:
                yield f"--no-{name.replace('_', '-')}"
            elif value is not None and value is not True:  # as it is without the option
                yield from (f"--{name.replace('_', '-')}", _option(value))


def _written_args(example: Example) -> str | None:
    """The task's arguments as a file of JSON, where options of a command can't tell them."""
    args = {name: value for name, value in example.task_args.items() if value is not None}
    plain = all("-" not in name and not (isinstance(value, str) and "," in value) for name, value in args.items())
    return None if plain else json.dumps(args, ensure_ascii=False, indent=1)


def _left_out(example: Example) -> list[str]:
    found = [name for name, value in example.config.items() if value is not None and name not in CONFIG]
    found += [name for name, value in example.generate_config.items() if value is not None and name not in GENERATE]
    return sorted(set(found) - OF_THE_MACHINE)


def _yaml(value: Any) -> str:
    """A value as `inspect eval` reads it back: JSON is YAML, and a plain name is itself."""
    plain = isinstance(value, str) and re.fullmatch(r"[A-Za-z_][\w./@-]*", value)
    return value if plain and value.lower() not in YAML_WORDS else json.dumps(value, ensure_ascii=False)


YAML_WORDS = frozenset({"null", "true", "false", "yes", "no", "on", "off", "y", "n"})


def _option(value: Any) -> str:
    if isinstance(value, list):
        # A limit of two numbers is a range.
        return ("-" if len(value) == 2 and all(isinstance(one, int) for one in value) else ",").join(map(str, value))
    return str(value)
