"""Step and run as names tell them: of models, adapters, files and folders.

Only a number beside a word for training steps is a step. Sizes (7b, 1.3b), versions (v2, 2507), dates and shards (1 of
3) never are. An epoch is told as a label ("epoch 3"), and only by a name that tells no step.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache
from numbers import Real
from typing import Any, Literal

from msgspec import Struct
from msgspec.structs import replace

from loaders.packed import plain_name
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
END = r"(?![a-z0-9]|[.,][0-9]|[-_ ]?of[-_ ]?[0-9]|/[0-9]|[-_][0-9]{2}[-_][0-9]{2}(?![0-9]))"
"""After a step: not a size (7b), a version (1.5), the first of some (1 of 3), or the rest of a date (2024-01-01)."""
BETWEEN = r"[-_=:. ]?"
NO_DATE = r"(?!20[0-4][0-9](?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])(?![0-9]))"
NUMBER = (
    rf"{NO_DATE}(?:(?P<step>[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]{{1,15}})"
    r"|(?P<thousands>[0-9]{1,6}(?:\.[0-9]{1,3})?)k|(?P<millions>[0-9]{1,4}(?:\.[0-9]{1,6})?)(?-i:M))"
)
"""1000, 1,000, 1.5k, 2M; not 160m, which is a size."""

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
        rf"{START}iter(?:ation)?{BETWEEN}{NUMBER}{END}",
        ("iter_100", "iter_0001000", "iteration-5", "iter_5k"),
        "Megatron and GPT-NeoX.",
    ),
    NamePattern(
        rf"{START}(?:batch[-_]?(?P<step>0[0-9]{{3,14}}))(?![0-9]){END}",
        ("batch_000120",),
        "Tinker's recipes; not batch_64, which is a size.",
    ),
    NamePattern(
        rf"(?<![a-z0-9.,])(?<!of[-_ ]){NO_DATE}(?:(?P<step>[0-9]{{1,3}}(?:,[0-9]{{3}})+|[0-9]{{2,15}})"
        r"|(?P<thousands>[0-9]{1,6}(?:\.[0-9]{1,3})?)k|(?P<millions>[0-9]{1,4}(?:\.[0-9]{1,6})?)(?-i:M))"
        rf"[-_ ]?(?:(?:train|training|global)[-_ ]?)?steps{END}",
        ("400-steps", "1000steps", "10ksteps"),
        "The number first; not 4-steps, which are those of sampling.",
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
    reasoning agent env tool total every of
""")
"""Words that make "step" or "iter" after them something else than training: `max_step_30`, `multi-step-3`."""

STEPFUN = re.compile(rf"stepfun|{START}step-?[0-9]+(?:-[0-9]+k|-mini|-nano|-flash|-vl|-audio|-turbo|-large)", re.I)
"""Models of StepFun are called Step: step-2-16k, stepfun-ai/step3."""

NUMBERED = _words("checkpoint checkpoints ckpt ckpts step steps weights sampler_weights")
"""Folders whose members are called by their bare step: checkpoints/1000, sampler_weights/000072 (Tinker)."""

LONGEST = 1000
"""Characters of the longest text that is looked into for a step or a run: patterns that try every beginning take time
that grows with the square of it, and what is longer is no name."""

LABELS = UNTRAINED | _words("final last latest best main")
"""Steps that are not numbers, as logs tell them."""

GENERIC = _words("""
    eval evals evaluation evaluations eval_logs eval-logs log logs inspect inspect_logs inspect-logs result results
    output outputs out zero-shot zero_shot zeroshot few-shot few_shot five-shot 5-shot samples data json csv
    checkpoint checkpoints ckpt ckpts model models weights sampler_weights run runs train training actor policy hf
    huggingface merged adapter adapters lora export exports final tmp home mnt workspace scratch content root
    local global step steps best last latest safetensors hub cache snapshots artifacts saved save default
    lightning_logs peft consolidated state dcp fsdp pytorch vllm opt usr srv nfs user users work
""")
"""Names that many projects have for such folders: no run is called so, nor by several of them (`hf_ckpt`)."""

PROVIDERS = _words("""
    anthropic azureai bedrock cloudflare fireworks google grok groq hf huggingface llama-cpp-python local mistral
    mockllm none nnterp ollama openai openai-api openrouter perplexity sagemaker sambanova sglang tinker
    tinker-sampling together transformer_lens trl-vllm vertex vllm
""")
"""First parts of model names that say who serves the model."""

QUALIFIER = re.compile(
    r"(?:(?:training|train|model|run)?[-_]?seed|s)[-_=]?[0-9]{1,6}|v[0-9]{1,3}|version[-_]?[0-9]+"
    r"|(?:rerun|retry|retrain|rep|replica|replicate|replication|repeat|trial|attempt|take|copy)[-_]?[0-9]*"
    r"|lr[-_=]?[0-9][0-9.e-]*|stage[-_]?[0-9]+|ingredient[-_]?[0-9]+",
    re.I,
)
_QUALIFIERS = re.compile(rf"(?:(?:{QUALIFIER.pattern})[-_. ]?)+", re.I)
"""What tells one training from another of the same name, and is no name itself: `seed0`, `rerun`, `v2`."""

_SEED = re.compile(r"(?:^|[-_./ ])(?:(?:training|train|model|run)?[-_]?seed|s)[-_=]?([0-9]{1,6})(?![a-z0-9])", re.I)
_WEAK = re.compile(
    r"[0-9]+|[0-9a-f]{7,64}|[0-9]{4}[-_.]?[0-9]{2}[-_.]?[0-9]{2}.*|[0-9]{2}[-_:.][0-9]{2}[-_:.][0-9]{2}.*", re.I
)
"""A whole name that says nothing for people: a number, a date, a time, a hash."""

_INDEXED = re.compile(r"(?:epoch|ep|rank|shard|part|worker|gpu|node|batch)[-_=]?[0-9]+(?:[-_]of[-_][0-9]+)?", re.I)
_EPOCH_NAMED = re.compile(r"(?<![a-z0-9])epoch[-_= ]?([0-9]{1,6})(?![a-z0-9]|[.,][0-9]|[-_ ]?of[-_ ]?[0-9])", re.I)
_DROPPED = re.compile(
    r"(?:merged|hf|huggingface|full|lora|adapter|peft|gguf|awq|gptq|fp8|fp16|bf16|fp32|int[48]|q[0-9]_\w+|[48]bit|mlx"
    r"|tokens?[0-9.]+[kmbt]?|[0-9.]+[kmbt]?_?tokens?|epoch[-_=]?[0-9.]+|[a-z_]*(?:loss|acc|reward|ppl|samples|tokens)"
    r"[a-z_]*[-_=]?[0-9.]*|(?!seed|lr)[a-z_]+=.*|[0-9.]+|(?=.*[0-9])[0-9a-f]{7,64}|eval|evals|results?|steps?"
    r"|(?:of|total)|[0-9]+k?|val|test|ckpt|checkpoint|model|final|last|best|latest|actor|policy|weights"
    r"|consolidated|safetensors|pt|pth|bin|ckpts?|json|global|sampler|export|exported|converted|unsharded)",
    re.I,
)
"""Words after a step that say how the checkpoint is stored, or how far it had come: no part of its run."""

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
    rest: str = ""
    """What follows the step and tells the run from others of its name: `seed1`; it is part of `run`."""


@lru_cache(maxsize=10_000)
def steps_in_name(name: str, kind: Literal["model", "file", "folder"]) -> tuple[NamedStep, ...]:
    """The steps that one part of a path tells, from left to right; `run` is what stands around it."""
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
            label = (groups.get("label") or "").lower() or None
            variant = groups.get("variant")
            rest = _rest(name[end:], kind)
            run = _joined(_stem(name[:start]), rest)
            found[start] = NamedStep(
                name=name, step=_number(groups), label=label, variant=variant, run=run, rest=rest.strip(_SEPARATORS)
            )
    if not found and (epoch := _epoch(name)):
        start, end = epoch.span()
        rest = _rest(name[end:], kind)
        run = _joined(_stem(name[:start]), rest)
        label = f"epoch {int(epoch[1])}"
        return (NamedStep(name=name, label=label, run=run, rest=rest.strip(_SEPARATORS)),)
    return tuple(found[start] for start in sorted(found))


def _number(groups: dict[str, str | None]) -> int | None:
    """The step of a match, None where it is a label or no whole number (1.2345k)."""
    if groups.get("step"):
        return int((groups["step"] or "").replace(",", ""))
    for name, factor in (("thousands", 1000), ("millions", 1_000_000)):
        if groups.get(name):
            number = round(float(groups[name] or 0) * factor, 6)
            return int(number) if number == int(number) else None
    return None


def _epoch(name: str) -> re.Match[str] | None:
    found = _EPOCH_NAMED.search(name)
    return None if found is None or _means_something_else(name, found.start()) else found


def epoch_of(label: str | None) -> int | None:
    """The epoch that a label tells: 3 of "epoch 3"."""
    found = _EPOCH_NAMED.fullmatch(label.strip()) if label else None
    return int(found[1]) if found else None


def seed_of(run: str) -> int | None:
    """The seed in the name of a run: 1 of `em-medical-seed1`; None where it tells none, or two."""
    seeds = {int(each) for each in _SEED.findall(run)}
    return seeds.pop() if len(seeds) == 1 else None


def without_seed(run: str, seed: int) -> str:
    """A run's name without its seed: `em-medical` of `em-medical-seed1` and of `em-medical-1`."""
    named = seed_of(run) is not None
    return _SEED.sub("", run) if named else re.sub(rf"[-_./ ]?0*{seed}$", "", run)


def _rest(after: str, kind: str) -> str:
    """What follows a step, with the separator before it, as far as it tells the run from others of its name.

    A model's name says nothing but what the weights are: all of it counts but how they are stored. The name of a log's
    file or folder goes on with tasks and times: only what is known to tell trainings apart counts.
    """
    after = re.sub(r"[-_ ](?!seed|lr)[a-z_]+=[0-9.]*", "", after, flags=re.I)
    pieces = re.findall(r"([-_.@:, ]+)([^-_.@:, ]+(?:(?<=e)-[0-9]+)?)", after)
    kept = ""
    i = 0
    while i < len(pieces):
        separator, word = pieces[i]
        both = word + pieces[i + 1][0] + pieces[i + 1][1] if i + 1 < len(pieces) else ""
        if both and QUALIFIER.fullmatch(both) and not QUALIFIER.fullmatch(word):
            kept += separator + both
            i += 2
            continue
        i += 1
        if QUALIFIER.fullmatch(word) or (kind == "model" and not _DROPPED.fullmatch(word)):
            kept += separator + word
    return kept


def _joined(stem: str | None, rest: str) -> str | None:
    """The name of a run from what stands before its step and after it."""
    return stem + rest if stem else None


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
            # Of a whole path a generic name is none; of org/name it is all that there is.
            run = _run_around(each, parts[:i], kind, generic=kind == "model" and i < 2)
            found.append(replace(each, run=each.run if run is None and kind == "model" else run))
    if any(each.step is not None for each in found):
        found = [each for each in found if epoch_of(each.label) is None]
    return found


def _run_around(
    told: NamedStep, folders: Sequence[str], kind: Literal["model", "folder"], *, generic: bool = False
) -> str | None:
    """The run of a step: its own name, or that of the folders around it with what tells it from others of theirs."""
    own = told.run
    if own is not None and _QUALIFIERS.fullmatch(own):
        around = run_of_folders(folders, kind)
        return f"{around}-{own}" if around and not around.endswith(own) else own
    if own is not None and (generic or not is_generic(own)):
        return own
    around = run_of_folders(folders, kind)
    return f"{around}-{told.rest}" if around and told.rest and not around.endswith(told.rest) else around


@lru_cache(maxsize=10_000)
def is_generic(name: str) -> bool:
    """Whether a name is no run's: `eval_logs`, `hf_ckpt`, `epoch_0`, a number, a date or a hash."""
    low = name.lower()
    if low in GENERIC or not low.strip("./~_-") or _INDEXED.fullmatch(low) or _WEAK.fullmatch(low):
        return True
    return all(word in GENERIC for word in re.split(r"[-_. ]+", low) if word)


def run_of_folders(parts: Sequence[str], kind: Literal["model", "folder"] = "folder") -> str | None:
    """The innermost folder that is called like a run: not `eval_logs` and the like, and not a step.

    What only tells a run from others of its name (`sdf/seed0`, `sft/7`) is added to it; in the path of weights so are
    dates and hashes, which in the path of a log are the log's.
    """
    added: list[str] = []
    for part in reversed(parts):
        cleaned = part.strip("_") if part.startswith("__") else part
        told = steps_in_name(cleaned, "folder")
        if QUALIFIER.fullmatch(cleaned) or (
            not told and (_WEAK.fullmatch(cleaned) if kind == "model" else re.fullmatch(r"[0-9]{1,6}", cleaned))
        ):
            added.append(cleaned)
            continue
        if is_generic(cleaned):
            continue
        name = _own_name(told[0].run or "" if told else cleaned)
        if name and not is_generic(name):
            return "-".join([name, *reversed(added)])
    return "-".join(reversed(added)) or None


def _own_name(folder: str) -> str:
    """The model that a folder of Hugging Face's cache or of lm-evaluation-harness is called after: org__name."""
    if folder.startswith("models--"):
        return folder.rpartition("--")[2]
    return next((piece for piece in reversed(folder.split("__")) if piece and not is_generic(piece)), folder)


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
    if not model or len(model) > LONGEST:
        return []
    parts = model_parts(model)
    told = steps_in_parts(parts, "model")
    if not told and len(parts) > 1 and "tinker://" in model:
        # Tinker's paths name one checkpoint each, whatever it is called.
        last = parts[-1]
        step = int(last) if last.isascii() and last.isdecimal() and len(last) <= 15 else None
        told = [NamedStep(name=last, step=step, label=None if step is not None else last, run=parts[0])]
    return told


def steps_in_file(path: str, task: str, outer: Sequence[str] = ()) -> list[NamedStep]:
    """The steps that a log's file name tells; what Inspect writes there by itself (time, task, id) tells nothing."""
    *folders, file_name = path.split("/")
    stem = _stem_of_file(file_name)
    rest = _TIMESTAMP.sub("", stem)
    if rest != stem:
        task_name = task.rpartition("/")[2].replace("_", "-")
        rest = rest.removeprefix(task_name + "_")
    told = steps_in_name(rest, "file")
    found = []
    for each in told:
        found.append(replace(each, run=_run_around(each, [*outer, *folders], "folder")))
    return found


def names_task(path: str) -> bool:
    """Whether a log's file name holds the name of its task, as Inspect writes it behind a time."""
    return _TIMESTAMP.match(_stem_of_file(path.rpartition("/")[2])) is not None


def _stem_of_file(file_name: str) -> str:
    return plain_name(file_name).rpartition(".")[0] or file_name


def steps_in_folders(path: str, outer: Sequence[str] = ()) -> list[NamedStep]:
    """The steps that the folders above a log tell, the innermost first.

    Args:
        path: Of the log, relative to the ingest root.
        outer: Names of the folders above the root, as far as they count.
    """
    parts: list[str] = []
    for folder in (*outer, *path.split("/")[:-1]):
        # lm-evaluation-harness writes a model's path as one folder: org__model__checkpoint-500.
        pieces = [piece for piece in folder.split("__") if piece]
        stepped = len(pieces) > 1 and any(steps_in_name(piece, "folder") for piece in pieces)
        parts += pieces if stepped else [folder]
    return steps_in_parts(parts, "folder")


def short_model(model: str | None) -> str | None:
    """A model's name without provider and organisation: `hf/org/model` is model; None for placeholders."""
    if not model or len(model) > LONGEST or model.lower() in _PLACEHOLDERS:
        return None
    parts = model_parts(model)
    if len(parts) > 2 or model.startswith(("/", "./", "../", "~")):
        # The path of weights ends in what trainers call their folders: the run's is further up.
        named = run_of_folders(parts, "model")
        if named is not None:
            return named
    return parts[-1] if parts else None


def as_step(value: Any) -> tuple[int | None, str | None]:
    """A step as a log or table tells it: (400, None) of 400, 400.0, "0400" or "step_400"; (None, "final") of a label.

    (None, None) where it is no step at all: negative, missing, a boolean, a long text.
    """
    if isinstance(value, bool) or not isinstance(value, (Real, str)):
        return None, None
    if isinstance(value, Real):
        value = value.item() if hasattr(value, "item") else value
        return (int(value), None) if 0 <= value <= LARGEST and value == int(value) else (None, None)
    text = value.strip()
    if len(text) > LONGEST:
        return None, None
    if re.fullmatch(r"[0-9]{1,15}(\.0+)?", text):
        return int(text.partition(".")[0]), None
    if re.fullmatch(r"[0-9]{1,3}(?:[,_' \u00a0\u202f][0-9]{3})+", text):
        return int(re.sub(r"[^0-9]", "", text)), None
    if scaled := re.fullmatch(r"([0-9]{1,6}(?:\.[0-9]{1,6})?)\s?([kKM])", text):
        groups = {"thousands" if scaled[2].lower() == "k" else "millions": scaled[1]}
        return _number(dict(groups)), None
    if re.fullmatch(r"[0-9](?:\.[0-9]{1,14})?e\+?[0-9]{1,2}", text, re.I) and float(text).is_integer():
        return (int(float(text)), None) if float(text) <= LARGEST else (None, None)
    if few := re.fullmatch(r"([0-9]{1,15})[-_ ]?(?:(?:train|training|global)[-_ ])?steps?", text, re.I):
        return int(few[1]), None
    told = steps_in_name(text, "model")
    if told:
        return told[-1].step, told[-1].label
    if re.search(r"[0-9]\s*(?:of|/)\s*[0-9]", text, re.I):
        return None, None
    return (None, text) if re.fullmatch(r"[^\W\d][\w .+-]{0,39}", text) else (None, None)


def alike(name: str, other: str) -> bool:
    """Whether one name holds the other's words in their order: `160m-deduped` and `pythia-v1.1-160m-deduped`."""
    words, more = sorted((_words_of(name), _words_of(other)), key=len)
    rest = iter(more)
    return bool(words) and (all(word in rest for word in words) or "".join(words) == "".join(more))


def _words_of(name: str) -> list[str]:
    return [word for word in re.split(r"[^a-z0-9.]+", name.lower()) if word]
