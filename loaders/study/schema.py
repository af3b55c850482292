"""JSON schemas of `run.yaml` and `study.yaml`.

Each leaf has a `description` that completes the sentence "wants ...": error messages are made of it. What a schema
can't say (conditions, regular expressions, fields that depend on each other) is checked in `loaders.study.reading`.
"""

from __future__ import annotations

from typing import Any

from loaders.study.cards import STAGES
from loaders.study.conditions import SCORE_FIELDS

Schema = dict[str, Any]

LARGEST = 2**53
"""Whole numbers up to here survive JSON and DOUBLE columns."""

TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": 10_000, "description": "a text"}
NAME: Schema = {
    "type": "string",
    "pattern": r"^[^\s\x00-\x1f](?:[^\x00-\x1f]*[^\s\x00-\x1f])?$",
    "maxLength": 200,
    "description": "a name: one line of text of at most 200 characters, without spaces at its ends",
}
WHOLE: Schema = {
    "type": "integer",
    "minimum": 0,
    "maximum": LARGEST,
    "description": "a whole number, 0 or more",
}
AMOUNT: Schema = {"type": "number", "minimum": 0, "maximum": 1e18, "description": "a number, 0 or more"}
STEP: Schema = {
    "type": ["integer", "string"],
    "minimum": 0,
    "maximum": LARGEST,
    "minLength": 1,
    "maxLength": 100,
    "description": "a step: a whole number, 0 or more, or a label such as final",
}
GLOB: Schema = {
    "type": "string",
    "minLength": 1,
    "maxLength": 1000,
    "pattern": r"^(?!/)(?!\.\./)",
    "description": "a glob relative to this file's folder, such as rl/**/*.eval",
}
WEIGHTS: Schema = {
    "type": "string",
    "pattern": (
        r"^(?:hub:[A-Za-z0-9][\w.-]*(?:/[A-Za-z0-9][\w.-]*)?"
        r"|package:[A-Za-z_]\w*(?:/(?!\.\.?(?:/|$))[^/\x00-\x1f]+)+"
        r"|(?!hub:|package:)[^\x00-\x1f]+)$"
    ),
    "maxLength": 1000,
    "description": "a path of a model's folder or file, package:MODULE/FILE, or hub:ORG/NAME",
}
ADAPTER: Schema = {
    "type": "string",
    "pattern": r"^[^\x00-\x1f]+$",
    "maxLength": 1000,
    "description": "a path of an adapter's folder",
}
STAGE: Schema = {"enum": list(STAGES), "description": f"one of {', '.join(STAGES)}"}


def mapping(properties: dict[str, Schema], required: tuple[str, ...] = (), **more: Any) -> Schema:
    """The schema of a mapping with these fields and no others; `more` is added to it."""
    fields = ", ".join(properties)
    return {
        "type": "object",
        "properties": properties,
        "required": list(required),
        "additionalProperties": False,
        "description": f"a mapping with the fields {fields}",
        **more,
    }


def list_of(items: Schema, what: str, **more: Any) -> Schema:
    """The schema of a list, `what` saying of what in the plural; `more` is added to it, such as `minItems`."""
    return {"type": "array", "items": items, "maxItems": 10_000, "description": f"a list of {what}", **more}


def _named(values: Schema, what: str) -> Schema:
    return {
        "type": "object",
        "propertyNames": NAME,
        "additionalProperties": values,
        "description": f"a mapping from name to {what}",
    }


MIX = mapping(
    {
        "name": NAME,
        "components": list_of(
            mapping(
                {
                    "name": NAME,
                    "kind": NAME,
                    "tokens": AMOUNT,
                    "share": {"type": "number", "minimum": 0, "maximum": 1, "description": "a share, from 0 to 1"},
                },
                ("name",),
            ),
            "components",
        ),
    },
    type=["object", "string"],
    minLength=1,
    maxLength=200,
    description="a name, or a mapping with the fields name, components",
)

PARENT = mapping(
    {"run": NAME, "step": WHOLE},
    ("run",),
    type=["object", "string"],
    minLength=1,
    maxLength=220,
    description="a mapping with the fields run, step, or a text such as sdf@400",
)

LOG: dict[str, Schema] = {"match": GLOB, "step": STEP, "mix": NAME, "stage": STAGE, "variant": NAME}

COLOR: Schema = {"type": "string", "pattern": "^#[0-9A-Fa-f]{6}$", "description": 'a color as "#rrggbb", in quotes'}
"""`colour`, as it was spelled first, is read as `color`."""

CARD_FIELDS: dict[str, Schema] = {
    "name": NAME,
    "label": NAME,
    "base_model": NAME,
    "weights": WEIGHTS,
    "parent": PARENT,
    "stage": STAGE,
    "section": NAME,
    "mix": MIX,
    "seed": {"type": "integer", "minimum": -LARGEST, "maximum": LARGEST, "description": "a whole number"},
    "color": COLOR,
    "colour": COLOR,
    "links": {
        "type": "object",
        "propertyNames": NAME,
        "additionalProperties": TEXT,
        "description": "a mapping from text to address",
    },
    "notes": TEXT,
    "step": STEP,
    "tokens_per_step": AMOUNT,
    "checkpoints": list_of(
        mapping(
            {
                "step": STEP,
                "tokens": AMOUNT,
                "label": NAME,
                "epoch": AMOUNT,
                "weights": WEIGHTS,
                "adapter": ADAPTER,
            },
            ("step",),
        ),
        "checkpoints",
    ),
    "logs": list_of(mapping(LOG, ("match",)), "entries with match, step, mix, stage, variant"),
}

RUN_CARD = mapping(CARD_FIELDS)

CONDITION: Schema = {"type": "object", "description": "a condition: a mapping with one of all, any, not, score, sample"}
"""Only that it is a mapping: `loaders.study.conditions` checks the rest."""

SCORE_FIELD: Schema = {
    "type": "string",
    "pattern": rf"^(?:{'|'.join(SCORE_FIELDS)}|metadata\.[^\s]+)$",
    "description": f"one of {', '.join(SCORE_FIELDS)}, metadata.NAME",
}

SCORE_OF_MEAN = mapping({"score": NAME, "key": NAME, "field": SCORE_FIELD}, ("score",))

METRIC = mapping(
    {
        "name": NAME,
        "title": NAME,
        "evals": list_of(NAME, "globs on eval or task names", minItems=1),
        "kind": {"enum": ["rate", "mean", "reported"], "description": "one of rate, mean, reported"},
        "misaligned": CONDITION,
        "among": CONDITION,
        "missing": CONDITION,
        "score": SCORE_OF_MEAN,
        "reported": mapping({"metric": NAME, "scorer": NAME, "key": NAME, "reducer": NAME}, ("metric",)),
        "better": {"enum": ["lower", "higher"], "description": "one of lower, higher"},
        "unit": NAME,
    },
    ("name", "evals"),
)

PLACES = ("task_args", "metadata", "model_args", "generate_config")
"""Mappings of a log that `where:` looks into, as `task_args.scenario`."""
PLAIN_PLACES = ("model", "path", "tag", "variant")

EVAL = mapping(
    {
        "title": NAME,
        "task": NAME,
        "where": {
            "type": "object",
            "propertyNames": {
                "pattern": rf"^(?:(?:{'|'.join(PLACES)})\.[^\s]+|{'|'.join(PLAIN_PLACES)})$",
                "description": f"one of {', '.join(f'{place}.NAME' for place in PLACES)}, {', '.join(PLAIN_PLACES)}",
            },
            "additionalProperties": {
                "type": ["string", "number", "boolean", "null", "array"],
                "items": {"type": ["string", "number", "boolean", "null"], "description": "a value"},
                "minItems": 1,
                "maxLength": 1000,
                "description": "a value, null for none, or a list of them",
            },
            "description": "a mapping such as task_args.scenario: blackmail",
        },
        "cluster": {
            "type": "string",
            "pattern": r"^(question|metadata\.[^\s]+)$",
            "description": "question, or metadata.NAME",
        },
    },
    ("task",),
)

GROUP = mapping(
    {"title": NAME, "evals": list_of(NAME, "names of evals", minItems=1, uniqueItems=True), "metric": NAME}, ("evals",)
)

SOURCE = mapping(
    {
        "column": NAME,
        "columns": list_of(NAME, "names of columns, whose cells are joined", minItems=1),
        "path": TEXT,
        "header": TEXT,
        "value": {"type": ["string", "number", "boolean"], "description": "a constant"},
        "join": {"type": "string", "maxLength": 20, "description": "a text that stands between what is joined"},
        "optional": {"type": "boolean", "description": "true where the path need not match"},
        "map": {"type": "object", "description": "a mapping from value to value"},
    },
    type=["object", "string", "number", "boolean"],
    description=(
        "a column's name, a constant, or one of {column: NAME}, {columns: [NAME, ...]}, {path: REGEX with groups},"
        " {header: REGEX with one group} (a run or eval per matching column) and {value: CONSTANT}, with map at will"
    ),
)

SOURCES = (
    *("eval", "run", "mix", "step", "stage", "variant", "model", "judge"),
    *("id", "question", "epoch", "prompt", "reply", "error"),
)
"""Fields of a table mapping that are read from a column or the path."""

PERCENT: Schema = {"type": "boolean", "description": "true where the value is a percentage without its sign"}
SHARE_FIELDS = ("value", "n", "k", "stderr")
"""Fields of a number that a table reports."""

TABLE = mapping(
    {
        "match": GLOB,
        **dict.fromkeys(SOURCES, SOURCE),
        "scores": _named(SOURCE, "column"),
        "reported": _named(
            mapping({**dict.fromkeys(SHARE_FIELDS, SOURCE), "percent": PERCENT}), ", ".join(SHARE_FIELDS)
        ),
        "metadata": list_of(NAME, "names of columns"),
    },
    ("match", "eval"),
)

PUBLISHED = mapping(
    {
        "text": TEXT,
        "value": {"type": "number", "description": "a number; of a rate a fraction, such as 0.22"},
        "checkpoint": {
            "type": "string",
            "minLength": 1,
            "maxLength": 320,
            "description": "RUN@STEP, RUN@LABEL, or RUN for its latest checkpoint",
        },
        "eval": NAME,
        "metric": NAME,
    },
    ("text",),
)

FIGURE = mapping(
    {
        "title": NAME,
        "link": {
            "type": "string",
            "pattern": r"^/[a-z][a-z-]*(?:\?[^\s#]*)?$",
            "maxLength": 10_000,
            "description": "the address of a page without its server, such as /curves?run=a&run=b",
        },
        "notes": TEXT,
        "published": list_of(PUBLISHED, "numbers with text, value, checkpoint, eval, metric"),
    },
    ("title", "link"),
)

STUDY = mapping(
    {
        "name": NAME,
        "title": NAME,
        "notes": TEXT,
        "simulated": {
            "type": ["boolean", "string"],
            "minLength": 1,
            "maxLength": 10_000,
            "description": "true, false, or the text of the notice",
        },
        "runs": list_of(mapping({"match": GLOB, **CARD_FIELDS}, ("match",)), "run cards with a match"),
        "logs": list_of(
            mapping({"run": NAME, **LOG}, ("match",)), "entries with match, run, step, mix, stage, variant"
        ),
        "evals": _named(EVAL, "eval"),
        "metrics": list_of(METRIC, "metrics"),
        "groups": _named(GROUP, "group"),
        "tables": list_of(TABLE, "mappings of tables"),
        "figures": list_of(FIGURE, "figures with title, link, notes, published"),
        "ignore": list_of(GLOB, "globs of files that are not read"),
    }
)
