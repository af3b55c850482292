"""What a schema says of a parsed YAML document, in sentences with lines; and what no schema can say.

Every problem is a path in the document and a sentence for people that ends in what is allowed.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from itertools import chain
from typing import Any

import msgspec
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

from loaders.json_text import json_text
from loaders.study import schema
from loaders.study.conditions import Path, dotted, parse, unknown_field
from loaders.study.yaml_lines import Document
from loaders.table_mapping import Source

Problem = tuple[Path, str]

SHARES_SLACK = 1e-6
"""Shares of a mix may add up to this much over 1: they are written as rounded decimals."""

PACKED = re.compile(r"[?&](\w+\.)=")
"""A list of names in an address that the dashboard has shortened: nobody reads there which runs it names."""

SHOWN = 80
"""Characters of a wrong value that an error shows."""


def normalise(value: Any, wanted: schema.Schema, document: Document, path: Path = ()) -> Any:
    """The value as its schema means it, before it is checked.

    Texts that look like numbers or booleans become texts again, as they were written (`name: 007`), whole floats
    become integers (`tokens: 3e6`), and known fields left empty are not given.
    """
    if isinstance(value, dict) and wanted.get("type") != "string":
        known = wanted.get("properties", {})
        others = wanted.get("additionalProperties")
        others = others if isinstance(others, dict) else {}
        return {
            key: normalise(item, known.get(key, others), document, (*path, key))
            for key, item in value.items()
            if not (item is None and key in known)
        }
    if isinstance(value, list) and isinstance(wanted.get("items"), dict):
        return [normalise(item, wanted["items"], document, (*path, i)) for i, item in enumerate(value)]
    types = wanted.get("type")
    types = types if isinstance(types, list) else [types]
    if isinstance(value, (int, float)) and "string" in types and not {"integer", "number", "boolean"} & {*types}:
        return document.text(path) or value
    if isinstance(value, float) and value.is_integer() and "integer" in types:
        return int(value)
    return value


def schema_problems(value: Any, wanted: schema.Schema) -> list[Problem]:
    """Everything in which a value breaks a schema."""
    errors = Draft202012Validator(wanted).iter_errors(value)
    return list(dict.fromkeys(chain.from_iterable(map(_sentences, errors))))


def _sentences(error: ValidationError) -> Iterable[Problem]:
    path: Path = tuple(error.absolute_path)
    wanted: schema.Schema = dict(error.schema) if isinstance(error.schema, Mapping) else {}
    given: Any = error.instance
    if error.validator == "additionalProperties":
        allowed = list(wanted["properties"])
        for name in given:
            if name not in allowed:
                yield (*path, name), unknown_field(name, allowed)
    elif error.validator == "required":
        for name in wanted["required"]:
            if name not in given:
                description = wanted["properties"][name]["description"]
                yield path, f"`{name}` is missing (wants {description})"
    elif "propertyNames" in error.absolute_schema_path:
        yield (*path, str(given)), f"wants as key {wanted['description']}, not {shown(given)}"
    elif error.validator == "uniqueItems":
        yield path, "the same item twice"
    else:
        yield path, f"wants {wanted['description']}{_bound(error, wanted)}, not {shown(given)}"


def _bound(error: ValidationError, wanted: schema.Schema) -> str:
    """The bound that was broken, where the description doesn't tell it."""
    return {
        "maxLength": f" of at most {wanted.get('maxLength')} characters",
        "minItems": " with at least one item",
        "maxItems": f" with at most {wanted.get('maxItems')} items",
        "maximum": f" and at most {wanted.get('maximum')}",
    }.get(str(error.validator), "")


def shown(value: Any) -> str:
    """A wrong value for people: as JSON has it, cut to a readable length."""
    if value is None:
        return "nothing (null)"
    text = repr(value) if isinstance(value, str) else json_text(value)
    return text if len(text) <= SHOWN else f"{text[:SHOWN]}..."


def card_problems(card: Any, path: Path = ()) -> list[Problem]:
    """What no schema says of a run card: shares that add up, steps told once, a parent's step."""
    found: list[Problem] = []
    if not isinstance(card, dict):
        return found
    if "color" in card and "colour" in card:
        found.append(((*path, "colour"), "the same field as `color`: leave one of them out"))
    parent = card.get("parent")
    if isinstance(parent, str):
        run, at, step = parent.rpartition("@")
        if at and not (run and step.isdecimal()):
            found.append(((*path, "parent"), f"wants RUN@STEP with a whole number as step, not {parent!r}"))
    mix = card.get("mix")
    components = mix.get("components") if isinstance(mix, dict) else None
    if isinstance(components, list):
        shares = [part.get("share") for part in components if isinstance(part, dict)]
        total = sum(share for share in shares if isinstance(share, (int, float)) and share <= 1)
        if total > 1 + SHARES_SLACK:
            found.append(((*path, "mix", "components"), f"the shares add up to {total:.6g}, and at most 1 is allowed"))
    steps: dict[str, int] = {}
    checkpoints = card.get("checkpoints")
    for i, checkpoint in enumerate(checkpoints if isinstance(checkpoints, list) else ()):
        step = str(checkpoint.get("step")) if isinstance(checkpoint, dict) else ""
        if step and steps.setdefault(step, i) != i:
            where = dotted((*path, "checkpoints", steps[step]))
            found.append(((*path, "checkpoints", i, "step"), f"step {step} is a duplicate of {where}"))
        if isinstance(checkpoint, dict) and "label" in checkpoint and step and not step.isdecimal():
            text = f"beside a step that is a label already, {step!r} (allowed beside a number)"
            found.append(((*path, "checkpoints", i, "label"), text))
    return found


NEEDED = {"rate": "misaligned", "mean": "score", "reported": "reported"}
"""The field that says what a metric of a kind is of."""


NUMBER = ("value", "checkpoint", "eval")
"""What a published number is known by; one that is only said in words has none of these."""


def study_problems(study: Any) -> list[Problem]:
    """What no schema says of a study file: conditions, fields that belong to a metric's kind, sources of tables."""
    found: list[Problem] = []
    if not isinstance(study, dict):
        return found
    for i, card in enumerate(_items(study, "runs")):
        found += card_problems(card, ("runs", i))
    seen: dict[tuple[str, str], int] = {}
    for i, metric in enumerate(_items(study, "metrics")):
        found += _metric_problems(metric, ("metrics", i))
        same = (str(metric.get("name")), str(metric.get("evals")))
        if seen.setdefault(same, i) != i:
            text = f"metrics[{seen[same]}] has the same name for the same evals"
            found.append((("metrics", i, "name"), text))
    for name in study["groups"] if isinstance(study.get("groups"), dict) else ():
        if isinstance(study.get("evals"), dict) and name in study["evals"]:
            found.append((("groups", name), "is the name of an eval too, and names stand in links"))
    titles: dict[str, int] = {}
    for i, figure in enumerate(_items(study, "figures")):
        if "title" in figure and titles.setdefault(str(figure["title"]), i) != i:
            found.append((("figures", i, "title"), f"figures[{titles[str(figure['title'])]}] has the same title"))
        if packed := PACKED.findall(str(figure.get("link", ""))):
            names = ", ".join(f"`{name}`" for name in packed)
            text = f"{names} is a list that the dashboard has shortened: name each (run=a&run=b)"
            found.append((("figures", i, "link"), text))
        for j, number in enumerate(_items(figure, "published")):
            told = [name for name in NUMBER if name in number]
            if told and len(told) < len(NUMBER):
                absent = ", ".join(f"`{name}`" for name in NUMBER if name not in number)
                found.append(
                    (("figures", i, "published", j), f"{absent} missing: a value is of a checkpoint on an eval")
                )
    for i, table in enumerate(_items(study, "tables")):
        for field in schema.SOURCES:
            if field in table:
                found += _source_problems(table[field], ("tables", i, field))
        scores = table.get("scores")
        for name, source in (scores if isinstance(scores, dict) else {}).items():
            found += _source_problems(source, ("tables", i, "scores", name))
        reported = table.get("reported")
        for name, share in (reported if isinstance(reported, dict) else {}).items():
            found += _share_problems(share, ("tables", i, "reported", name))
    return found


def _items(study: dict[str, Any], field: str) -> list[dict[str, Any]]:
    """The mappings of a list; other items become empty mappings, to keep the indices."""
    items = study.get(field)
    return [item if isinstance(item, dict) else {} for item in items] if isinstance(items, list) else []


def _metric_problems(metric: dict[str, Any], path: Path) -> list[Problem]:
    found: list[Problem] = []
    for field in ("misaligned", "among", "missing"):
        if isinstance(metric.get(field), dict):
            parse(metric[field], (*path, field), found)
    kind = metric.get("kind", "rate")
    if not isinstance(kind, str) or kind not in NEEDED or not metric:
        return found
    if NEEDED[kind] not in metric:
        found.append((path, f"`{NEEDED[kind]}` is missing, which a metric of kind {kind} is of"))
    # `reported` may stand beside any kind: there it names the header's number that the metric should equal.
    unfit = [field for other, field in NEEDED.items() if other != kind and other != "reported"]
    if kind == "reported":
        unfit += ["among", "missing"]
    for field in unfit:
        if field in metric:
            found.append(((*path, field), f"does not belong to a metric of kind {kind}"))
    return found


def _share_problems(share: Any, path: Path) -> list[Problem]:
    if not isinstance(share, dict):
        return []
    if "value" not in share and not {"k", "n"} <= set(share):
        return [(path, "wants `value`, or `k` and `n`")]
    return [problem for field in schema.SHARE_FIELDS for problem in _source_problems(share.get(field), (*path, field))]


def _source_problems(source: Any, path: Path) -> list[Problem]:
    """What the typed mapping of tables says of a field's source, where the schema has nothing to say."""
    if not isinstance(source, dict) or not set(source) <= set(schema.SOURCE["properties"]):
        return []
    try:
        msgspec.convert(source, Source)
    except msgspec.ValidationError as e:
        return [(path, str(e).partition(" - at `$")[0])]
    return []
