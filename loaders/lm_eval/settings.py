"""What a run of the harness was set to, under the same names whatever version or place says it."""

from __future__ import annotations

import hashlib
import math
import re
from typing import Any

NEXT_ARG = re.compile(r",(?=\s*[A-Za-z_][\w.]*\s*=)")
KEPT = ("system_instruction", "fewshot_as_multiturn", "chat_template_sha")
"""Fields beside `config` that are kept as they are."""
LONGEST = 200
"""Characters up to which a system prompt is kept as it is."""
HASH = 12


def settings(document: dict[str, Any], task: str) -> dict[str, Any]:
    """The settings of one task: those of the whole run, its own, and some of them under one name each.

    `num_fewshot`, `limit`, `chat_template` (a hash), `system_prompt`, `gen_kwargs` and `dtype` are there where they
    are set, and missing where they aren't: what an older version doesn't say is what it doesn't do.
    """
    config = as_dict(document, "config")
    found = {key: value for key, value in config.items() if key != "model_args"}
    found |= {key: document[key] for key in KEPT if document.get(key) is not None}
    own = as_dict(as_dict(document, "configs"), task)
    if own:
        found["task_config"] = own
    dtype = config.get("model_dtype") or parse_arguments(config.get("model_args")).get("dtype")
    alike = {
        "num_fewshot": few_shot(document, task),
        "limit": config.get("limit"),
        "chat_template": chat_template(document),
        "system_prompt": system_prompt(document),
        "gen_kwargs": given(config.get("gen_kwargs")) or None,
        "dtype": dtype.removeprefix("torch.") if isinstance(dtype, str) else None,
    }
    return found | {key: value for key, value in alike.items() if value is not None or key in found}


def few_shot(document: dict[str, Any], task: str) -> int | str | None:
    """How many examples a task's prompts show; of a group, what its tasks share, or all that occur: "0, 5"."""
    members = leaves(document, task)
    if members:
        each = {few_shot(document, member) for member in members} - {None}
        if len(each) == 1:
            return each.pop()
        return ", ".join(sorted(map(str, each), key=lambda text: (len(text), text))) or None
    own = as_dict(as_dict(document, "configs"), task).get("num_fewshot")
    typed = as_dict(document, "config").get("num_fewshot")
    for value in (as_dict(document, "n-shot").get(task), own, typed):
        number = whole(value)
        if number is not None:
            return number
    return None


def planned(document: dict[str, Any], task: str, key: str) -> int | None:
    """How many documents a task has ("original"), or how many of them were asked ("effective"); a group's, in all."""
    members = leaves(document, task)
    each = [whole(as_dict(as_dict(document, "n-samples"), one).get(key)) for one in members or [task]]
    return sum(one for one in each if one is not None) if each and None not in each else None


def leaves(document: dict[str, Any], task: str) -> list[str]:
    """The tasks of a group, of its groups too; none where the name is a task's."""
    groups = as_dict(document, "group_subtasks")
    found: dict[str, None] = {}
    waiting, seen = [task], {task}
    while waiting:
        members = groups.get(waiting.pop())
        for member in members if isinstance(members, list) else []:
            if not isinstance(member, str) or member in seen:
                continue
            seen.add(member)
            if groups.get(member):
                waiting.append(member)
            else:
                found[member] = None
    return list(found)


def chat_template(document: dict[str, Any]) -> str | None:
    """A short hash of the chat template that prompts were put into; None where there was none."""
    sha, template = document.get("chat_template_sha"), document.get("chat_template")
    if isinstance(sha, str) and sha:
        return sha[:HASH]
    if isinstance(template, dict):
        template = template.get("default")
    return digest(template) if isinstance(template, str) and template else None


def system_prompt(document: dict[str, Any]) -> str | None:
    """The system prompt, or a short hash of a long one."""
    text, sha = document.get("system_instruction"), document.get("system_instruction_sha")
    if isinstance(text, str) and text:
        return text if len(text) <= LONGEST else digest(text)
    return sha[:HASH] if isinstance(sha, str) and sha else None


def digest(text: str) -> str:
    """As the harness hashes texts, shortened."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()[:HASH]


def given(arguments: Any) -> dict[str, Any]:
    """Typed settings as a dict: `temperature=0,do_sample=False` is what `{"temperature": 0, "do_sample": false}` is."""
    parsed = parse_arguments(arguments)
    return {key: _literal(value) if isinstance(value, str) else value for key, value in parsed.items()}


def parse_arguments(arguments: Any) -> dict[str, Any]:
    """`pretrained=org/model,revision=step100` as a dict of texts; a dict as it is; anything else is empty."""
    if isinstance(arguments, dict):
        return arguments
    if not isinstance(arguments, str):
        return {}
    pairs = (part.partition("=") for part in NEXT_ARG.split(arguments) if "=" in part)
    return {key.strip(): value.strip() for key, _, value in pairs}


def whole(value: Any) -> int | None:
    """A whole number, 0 or more, also where it is written as 5.0; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 2**63:
        return None
    return int(value) if value == int(value) else None


def number(value: Any) -> float | None:
    """A finite number; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        found = float(value)
    except OverflowError:
        return None
    return found if math.isfinite(found) else None


def as_dict(document: Any, key: str) -> dict[str, Any]:
    """An object within an object; empty where there is none."""
    value = document.get(key) if isinstance(document, dict) else None
    return value if isinstance(value, dict) else {}


def _literal(text: str) -> Any:
    if text.lower() in ("true", "false"):
        return text.lower() == "true"
    if re.fullmatch(r"-?[0-9]{1,15}", text):
        return int(text)
    return float(text) if re.fullmatch(r"-?[0-9]*\.[0-9]+(?:[eE]-?[0-9]{1,2})?", text) else text
