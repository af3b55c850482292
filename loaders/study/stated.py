"""Run, step and the like as a log states them itself: metadata, tags, task args, model args, table mappings."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from typing import Any

from msgspec import Struct

from loaders.study.cards import STAGES
from loaders.study.evidence import EvalEvidence, Field
from loaders.study.keys import (
    ADAPTER_KEYS,
    CHECKPOINT_KEYS,
    MIX_KEYS,
    NESTED_KEYS,
    RUN_KEYS,
    SECTION_KEYS,
    SEED_KEYS,
    STAGE_KEYS,
    STEP_KEYS,
    VARIANT_KEYS,
    WEIGHTS_KEYS,
)
from loaders.study.naming import LABELS, LONGEST, alike, as_step, is_generic, model_parts, short_model, steps_in_model

SERVERS = frozenset({"base_url", "model_base_url", "api_base", "base_urls", "endpoint"})
"""Model args that name a server; its address tells a checkpoint where a part of it is called like one."""
EVALUATED_ROLES = ("target", "subject", "policy", "evaluated", "student")
"""Roles of the model that is evaluated, where a log gives models roles; the others ask, act or grade."""

_TAG = re.compile(r"([\w-]+)\s*[=:]\s*(\S.*)")


class Stated(Struct, frozen=True, kw_only=True):
    """One thing that a log states of itself."""

    field: Field
    rule: str
    """For people: "metadata.step"."""
    value: str | int
    """A step that is a text is a label: `final`."""
    of_name: bool = False
    """A run that was read out of the name of the weights, not given as such."""


def stated(evidence: EvalEvidence) -> list[Stated]:
    """Everything that a log states, the mapping of its table first."""
    return [*_of_table(evidence), *_of_fields(evidence), *_of_tags(evidence)]


def weights_named(evidence: EvalEvidence) -> list[tuple[str, str]]:
    """Names of the evaluated weights, adapters first: rule and name."""
    found = _adapters(evidence.model_args, "model_args")
    extra = evidence.generate_config.get("extra_body")
    if isinstance(extra, Mapping):
        found += _adapters(extra, "generate_config.extra_body")
    role = next(((name, evidence.model_roles[name]) for name in EVALUATED_ROLES if name in evidence.model_roles), None)
    if role is not None:
        name, said = role
        if isinstance(said, list):
            said = said[0] if said else None
        if isinstance(said, Mapping):
            args = said.get("args")
            found += _adapters(args, f"model_roles.{name}.args") if isinstance(args, Mapping) else []
            said = said.get("model")
        if isinstance(said, str) and short_model(said):
            return [*found, (f"model_roles.{name}", said)]
    model = evidence.model if short_model(evidence.model) else evidence.target_model
    named = [*found, *([("model name", model)] if model else [])]
    if any(steps_in_model(name) for _, name in named):
        return named
    return [*_sampled(evidence), *_served(evidence), *named]


def _adapters(fields: Mapping[str, Any], source: str) -> list[tuple[str, str]]:
    return [
        (f"{source}.{key}", name)
        for key, value in fields.items()
        if _key(key) in ADAPTER_KEYS
        for name in _names(value)
    ]


def _names(value: Any) -> list[str]:
    """The one name that a value gives: of vLLM's `lora_modules`, NAME=PATH, it is the path; none of several."""
    if isinstance(value, Mapping):
        value = value.get("path") or value.get("lora_path") or value.get("lora_local_path") or list(value.values())
    if isinstance(value, list):
        value = value[0] if len(value) == 1 else None
    if isinstance(value, Mapping):
        return _names(value)
    if not isinstance(value, str) or not value:
        return []
    name, equals, path = value.partition("=")
    return [path if equals and path and re.fullmatch(r"[\w.-]+", name) and "/" in path else value]


def _sampled(evidence: EvalEvidence) -> list[tuple[str, str]]:
    """A name with a step that only the samples tell, where they tell one alone: not those of graders and the like."""
    roles = [said.get("model") if isinstance(said, Mapping) else said for said in evidence.model_roles.values()]
    others = {role for role in roles if isinstance(role, str)}
    told = [name for name in evidence.used_models if name not in others and steps_in_model(name)]
    return [("model of the samples", told[0])] if len(told) == 1 else []


def _served(evidence: EvalEvidence) -> list[tuple[str, str]]:
    """The address of a server, where a part of it is called like a checkpoint."""
    return [
        (f"model_args.{key}", value)
        for key, value in evidence.model_args.items()
        if _key(key) in SERVERS and isinstance(value, str) and steps_in_model(value)
    ]


@lru_cache(maxsize=10_000)
def _key(key: str) -> str:
    return str(key).lower().replace("-", "_")


def _of_table(evidence: EvalEvidence) -> Iterator[Stated]:
    rule = evidence.stated_rule or "table mapping"
    if evidence.stated_run:
        yield Stated(field="run", rule=rule, value=evidence.stated_run)
    yield from _step(evidence.stated_step, rule)
    if evidence.stated_mix:
        yield Stated(field="mix", rule=rule, value=evidence.stated_mix)
    if evidence.stated_stage:
        yield Stated(field="stage", rule=rule, value=evidence.stated_stage)
    if evidence.stated_variant:
        yield Stated(field="variant", rule=rule, value=evidence.stated_variant)


def _of_fields(evidence: EvalEvidence) -> Iterator[Stated]:
    args = evidence.model_args
    for source, fields in (("metadata", evidence.metadata), ("task_args", evidence.task_args), ("model_args", args)):
        for key, value in fields.items():
            # A section among arguments is mostly a part of a dataset.
            if source == "metadata" or _key(key) not in SECTION_KEYS:
                yield from _field(_key(key), value, f"{source}.{key}")
            if _key(key) in NESTED_KEYS and isinstance(value, Mapping):
                for inner, inner_value in value.items():
                    yield from _field(_key(inner), inner_value, f"{source}.{key}.{inner}")
            elif source == "metadata" and _key(key) in WEIGHTS_KEYS and isinstance(value, str):
                yield from _checkpoint(value, f"{source}.{key}")
    # GPT-NeoX tells the step that it loaded as `iteration`; elsewhere the word means many things.
    if "iteration" in args:
        yield from _step(args["iteration"], "model_args.iteration")
    if isinstance(args.get("revision"), str):
        yield from _revision(args["revision"], evidence)
    elif isinstance(args.get("revision"), int):
        yield from _step(args["revision"], "model_args.revision")


def _revision(revision: str, evidence: EvalEvidence) -> Iterator[Stated]:
    """A branch of a model's repository: the step is in its name, the run is the model's."""
    named = steps_in_model(revision)[:1]
    step, label = (named[0].step, named[0].label) if named else (None, revision.lower())
    if step is not None or label in LABELS:
        yield from _named(step, label, "model_args.revision")
        for rule, name in weights_named(evidence)[:1]:
            run = short_model(name)
            if run is not None and is_generic(run):
                run = "/".join(model_parts(name)[-2:])
            if run is not None and not steps_in_model(name):
                # stage2-ingredient1-step1000: what stands around the step is a part of the model's training.
                part = named[0].run if named else None
                if part and not is_generic(part) and not alike(run, part):
                    run = f"{run}-{part}"
                yield Stated(field="run", rule=f"{rule} {name}", value=run, of_name=True)


def _of_tags(evidence: EvalEvidence) -> Iterator[Stated]:
    for tag in evidence.tags:
        tag = str(tag).strip()
        if pair := _TAG.fullmatch(tag):
            yield from _field(_key(pair[1]), pair[2], f"tag {tag}")
        elif re.fullmatch(r"(?:checkpoint|ckpt|(?:global[-_])?step)[-_]?[0-9]+", tag, re.I):
            yield from _step(tag, f"tag {tag}")


def _field(key: str, value: Any, rule: str) -> Iterator[Stated]:
    if key in STEP_KEYS:
        yield from _step(value, rule)
    elif key in CHECKPOINT_KEYS:
        yield from _checkpoint(value, rule)
    elif key in RUN_KEYS and (text := _text(value)):
        yield Stated(field="run", rule=rule, value=text)
    elif key in MIX_KEYS and (text := _text(value)):
        yield Stated(field="mix", rule=rule, value=text)
    elif key in STAGE_KEYS and isinstance(value, str) and value in STAGES:
        # Other words than ours for a stage are no statement about training ("stage: warmup").
        yield Stated(field="stage", rule=rule, value=value)
    elif key in VARIANT_KEYS and (text := _text(value)):
        yield Stated(field="variant", rule=rule, value=text)
    elif key in SECTION_KEYS and (text := _text(value)):
        yield Stated(field="section", rule=rule, value=text)


def _text(value: Any) -> str | None:
    """A name as a log states it, of any type: "7" of 7 and of 7.0; None of what is no name, or far too long for one."""
    if isinstance(value, bool):
        return None
    if isinstance(value, float):
        value = int(value) if value.is_integer() and abs(value) < 1e15 else None
    text = str(value).strip() if isinstance(value, (str, int)) else ""
    return text if 0 < len(text) <= LONGEST else None


def training_seed(evidence: EvalEvidence) -> int | None:
    """The seed of training that a log states, in its metadata or in what it says there of the training."""
    nested = evidence.metadata.get("training")
    fields = {**(nested if isinstance(nested, Mapping) else {}), **evidence.metadata}
    found = {as_step(value)[0] for key, value in fields.items() if _key(key) in SEED_KEYS}
    if not found and isinstance(nested, Mapping):
        found = {as_step(nested.get("seed"))[0]}
    return found.pop() if len(found) == 1 else None


def _step(value: Any, rule: str) -> Iterator[Stated]:
    yield from _named(*as_step(value), rule)


def _named(step: int | None, label: str | None, rule: str) -> Iterator[Stated]:
    if step is not None:
        yield Stated(field="step", rule=rule, value=step)
    elif label is not None:
        yield Stated(field="step", rule=rule, value=label)


def _checkpoint(value: Any, rule: str) -> Iterator[Stated]:
    """A step, or a path or name that tells one; a name that tells none is no statement."""
    step, label = as_step(value) if not isinstance(value, Mapping) else (None, None)
    if step is not None or (label or "").lower() in LABELS:
        yield from _named(step, label, rule)
    if isinstance(value, str):
        for named in steps_in_model(value)[:1]:
            if step is None:
                yield from _named(named.step, named.label, rule)
            if named.run:
                yield Stated(field="run", rule=rule, value=named.run, of_name=True)
