"""Step and run as names tell them: of models, adapters, files and folders.

Only a number that follows a word for training steps is a step. Sizes (7b, 1.3b), versions (v2, 2507) and dates never
are, and neither are epochs: a column or folder of epochs is one of steps only where a mapping says so.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from loaders.study.cards import UNTRAINED
from loaders.study.schema import LARGEST


class NamePattern(Struct, frozen=True):
    """One way in which names tell a step."""

    regex: str
    """Its group `step`, `thousands` or `label` is the step; searched without regard to case."""
    examples: tuple[str, ...]
    says: str
    """Who writes such names, and what they mean."""
    kind: Literal["any", "folder", "model"] = "any"
    """Kinds of names that it is searched in."""


START = r"(?<![a-z0-9])"
END = r"(?![a-z0-9]|\.[0-9]|[-_][0-9]{2}[-_][0-9]{2}(?![0-9]))"
"""After a step: not a size (7b), not a version (1.5), not the rest of a date (2024-01-01)."""
BETWEEN = r"[-_=:. ]?"
NO_DATE = r"(?!20[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9]))"
NUMBER = rf"{NO_DATE}(?:(?P<step>[0-9]{{1,15}})|(?P<thousands>[0-9]{{1,6}})k)"

PATTERNS = (
    NamePattern(
        rf"{START}(?:checkpoint|ckpt|chkpt){BETWEEN}(?:(?:global{BETWEEN})?(?:step|iter){BETWEEN})?{NUMBER}{END}",
        ("checkpoint-1000", "ckpt-500", "ckpt-step-80", "checkpoint_143k"),
        "HF and TRL folders, fine-tunes of OpenAI, and most people.",
    ),
    NamePattern(
        rf"{START}(?:(?:global|train|training){BETWEEN})?step{BETWEEN}{NUMBER}{END}",
        ("step_0400", "step57000", "global_step_200", "global_step200", "epoch=3-step=1000", "step1000-tokens4B"),
        "Pythia, OLMo, verl, DeepSpeed, Lightning.",
    ),
    NamePattern(
        rf"{START}iter(?:ation)?{BETWEEN}(?P<step>[0-9]{{1,15}}){END}",
        ("iter_100", "iter_0001000", "iteration-5"),
        "Megatron and GPT-NeoX.",
    ),
    NamePattern(
        r"^(?P<step>[0-9]{3,9})[-_](?P<variant>val|validation|eval|test|train|rollouts?)$",
        ("004_val", "004_rollout"),
        "inspect_rl: the step, and which of its logs.",
        "folder",
    ),
    NamePattern(
        r"(?<=[a-z0-9])@(?P<step>0|[1-9][0-9]{0,6})$",
        ("sdf@400",),
        "Driftline's own notation; not @001 or @20240620, which are versions of hosted models.",
        "model",
    ),
    NamePattern(
        rf"{START}(?:checkpoint|ckpt|step){BETWEEN}(?P<label>final|last|latest|best|init){END}",
        ("checkpoint-final", "step_final"),
        "A checkpoint whose step is not told: a label.",
    ),
)


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOT_BEFORE = _words("""
    multi single one two three four per max min num n k time warmup decay inference sampling diffusion denoising
    reasoning agent env tool
""")
"""Words that make "step" or "iter" after them something else than training: `max_step_30`, `multi-step-3`."""

STEPFUN = re.compile(rf"stepfun|{START}step-?[0-9]+(?:-[0-9]+k|-mini|-nano|-flash|-vl|-audio|-turbo|-large)", re.I)
"""Models of StepFun are called Step: step-2-16k, stepfun-ai/step3."""

NUMBERED = _words("checkpoint checkpoints ckpt ckpts step steps weights sampler_weights")
"""Folders whose members are called by their bare step: checkpoints/1000, sampler_weights/000072 (Tinker)."""

LABELS = UNTRAINED | _words("final last latest best main")
"""Steps that are not numbers, as logs tell them."""

GENERIC = _words("""
    eval evals evaluation evaluations eval_logs eval-logs log logs inspect inspect_logs inspect-logs result results
    output outputs out zero-shot zero_shot zeroshot few-shot few_shot five-shot 5-shot samples data json csv
    checkpoint checkpoints ckpt ckpts model models weights sampler_weights run runs train training actor policy hf
    huggingface merged adapter adapters lora export exports final tmp home mnt workspace scratch content root
""")
"""Names that many projects have for such folders: no run is called so."""

PROVIDERS = _words("""
    anthropic azureai bedrock cloudflare fireworks google grok groq hf huggingface llama-cpp-python local mistral
    mockllm none nnterp ollama openai openai-api openrouter perplexity sagemaker sambanova sglang tinker
    tinker-sampling together transformer_lens trl-vllm vertex vllm
""")
"""First parts of model names that say who serves the model."""

_COMPILED = tuple((pattern, re.compile(pattern.regex, re.I)) for pattern in PATTERNS)
_SEPARATORS = "-_./@=:, "
_EPOCH = re.compile(r"(?:^|[-_. ])epoch[-_=]?[0-9.]+$", re.I)
_LAST_WORD = re.compile(r"([a-z]+)[-_=:. ]?$", re.I)
_TIMESTAMP = re.compile(r"^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}-[0-9]{2}-[0-9]{2}(?:[-+][0-9]{2}-[0-9]{2})?_")
_PLACEHOLDERS = frozenset({"none", "none/none"})


class NamedStep(Struct, frozen=True, kw_only=True):
    """A step that a name tells."""

    name: str
    """The part of the path that tells it: `model-ckpt-500`."""
    step: int | None = None
    label: str | None = None
    """Where the step is not a number: `final`."""
    variant: str | None = None
    run: str | None = None
    """The name without its step part, or the nearest folder above that is called like a run."""


@lru_cache(maxsize=10_000)
def steps_in_name(name: str, kind: Literal["model", "file", "folder"]) -> tuple[NamedStep, ...]:
    """The steps that one part of a path tells, from left to right; `run` is what stands before it."""
    found: dict[int, NamedStep] = {}
    taken: list[tuple[int, int]] = []
    for pattern, regex in _COMPILED:
        if pattern.kind not in ("any", kind):
            continue
        for match in regex.finditer(name):
            start, end = match.span()
            overlaps = any(start < other_end and other_start < end for other_start, other_end in taken)
            if overlaps or _means_something_else(name, start):
                continue
            taken.append((start, end))
            groups = match.groupdict()
            step = groups.get("step")
            thousands = groups.get("thousands")
            number = int(step) if step else int(thousands) * 1000 if thousands else None
            label = (groups.get("label") or "").lower() or None
            variant = groups.get("variant")
            run = _stem(name[:start])
            found[start] = NamedStep(name=name, step=number, label=label, variant=variant, run=run)
    return tuple(found[start] for start in sorted(found))


def _means_something_else(name: str, start: int) -> bool:
    word = _LAST_WORD.search(name[:start])
    stepfun = name[start:].lower().startswith("step") and STEPFUN.search(name) is not None
    return stepfun or bool(word and word[1].lower() in NOT_BEFORE)


def _stem(before: str) -> str | None:
    """What stands before a step, without separators and epoch; None where that is nothing."""
    stem = before.strip(_SEPARATORS)
    stem = _EPOCH.sub("", stem).strip(_SEPARATORS)
    return stem or None


def steps_in_parts(parts: Sequence[str], kind: Literal["model", "folder"]) -> list[NamedStep]:
    """The steps that the parts of a path tell, the last part first, each with the run that it is of.

    Args:
        parts: Folders of a path, or the parts of a model's name, from the outermost.
    """
    found = []
    for i in range(len(parts) - 1, -1, -1):
        name = parts[i]
        told = steps_in_name(name, kind)
        if i and parts[i - 1].lower() in NUMBERED:
            if name.isascii() and name.isdecimal() and len(name) <= 15:
                told = (NamedStep(name=f"{parts[i - 1]}/{name}", step=int(name)),)
            elif name.lower() in LABELS:
                told = (NamedStep(name=f"{parts[i - 1]}/{name}", label=name.lower()),)
        if any(STEPFUN.search(part) for part in parts[:i]):
            told = tuple(each for each in told if not each.name.lower().startswith("step"))
        for each in told:
            named = each.run is not None and (kind == "model" or each.run.lower() not in GENERIC)
            run = each.run if named else run_of_folders(parts[:i])
            found.append(replace(each, run=run))
    return found


def run_of_folders(parts: Sequence[str]) -> str | None:
    """The innermost folder that is called like a run: not `eval_logs` and the like, and not a step."""
    for part in reversed(parts):
        if part.lower() in GENERIC or not part.strip("./~"):
            continue
        told = steps_in_name(part, "folder")
        if not told:
            return part
        if told[0].run:
            return told[0].run
    return None


def model_parts(model: str) -> list[str]:
    """The parts of a model's name or of an adapter's path, without the provider.

    `vllm/org/model` is org, model; `vllm/base:adapter` is base, adapter; `tinker://UUID/sampler_weights/72`
    is UUID, sampler_weights, 72, whatever stands before it. Names of OpenAI's fine-tunes (`ft:...`) stay whole.
    """
    _, scheme, address = model.rpartition("://")
    parts = [part for part in (address if scheme else model).split("/") if part not in ("", ".", "..")]
    if not scheme and len(parts) > 1 and parts[0].lower() in PROVIDERS:
        parts = parts[1:]
    if any(part.startswith("ft:") for part in parts):
        return parts
    return parts if scheme else [piece for part in parts for piece in part.split(":") if piece]


def steps_in_model(model: str | None) -> list[NamedStep]:
    """The steps that a model's or adapter's name tells."""
    return steps_in_parts(model_parts(model), "model") if model else []


def steps_in_file(path: str, task: str, outer: Sequence[str] = ()) -> list[NamedStep]:
    """The steps that a log's file name tells; what Inspect writes there by itself (time, task, id) tells nothing."""
    *folders, file_name = path.split("/")
    stem = file_name.rpartition(".")[0] or file_name
    rest = _TIMESTAMP.sub("", stem)
    if rest != stem:
        task_name = task.rpartition("/")[2].replace("_", "-")
        rest = rest.removeprefix(task_name + "_")
    told = steps_in_name(rest, "file")
    return [
        each if each.run and each.run.lower() not in GENERIC else replace(each, run=run_of_folders([*outer, *folders]))
        for each in told
    ]


def steps_in_folders(path: str, outer: Sequence[str] = ()) -> list[NamedStep]:
    """The steps that the folders above a log tell, the innermost first.

    Args:
        path: Of the log, relative to the ingest root.
        outer: Names of the folders above the root, as far as they count.
    """
    parts: list[str] = []
    for folder in (*outer, *path.split("/")[:-1]):
        # lm-evaluation-harness writes a model's path as one folder: org__model__checkpoint-500.
        *before, last = folder.split("__")
        parts += [piece for piece in (*before, last) if piece] if steps_in_name(last, "folder") else [folder]
    return steps_in_parts(parts, "folder")


def short_model(model: str | None) -> str | None:
    """A model's name without provider and organisation: `hf/org/model` is model; None for placeholders."""
    if not model or model.lower() in _PLACEHOLDERS:
        return None
    parts = model_parts(model)
    return parts[-1] if parts else None


def as_step(value: Any) -> tuple[int | None, str | None]:
    """A step as a log or table tells it: (400, None) of 400, 400.0, "0400" or "step_400"; (None, "final") of a label.

    (None, None) where it is no step at all: negative, missing, a boolean, a long text.
    """
    if isinstance(value, bool) or value is None:
        return None, None
    if isinstance(value, (int, float)):
        return (int(value), None) if 0 <= value <= LARGEST and value == int(value) else (None, None)
    text = str(value).strip()
    if re.fullmatch(r"[0-9]{1,15}(\.0+)?", text):
        return int(text.partition(".")[0]), None
    told = steps_in_name(text, "model")
    if told:
        return told[-1].step, told[-1].label
    return (None, text) if re.fullmatch(r"[^\W\d][\w .+-]{0,39}", text) else (None, None)
