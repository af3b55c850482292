"""The fields of the YAML files, from the JSON schemas that they are checked against.

A schema says what a field wants; what it means stands in `meanings.yaml`. A field without a meaning and a meaning
without a field are errors: none can be forgotten.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import yaml

from dashboard.access.access_file import ACCESS_FILE
from dashboard.docs.contents import FOLDER
from dashboard.docs.markdown import code, escaped, table
from dashboard.docs.reference.undocumented import Undocumented
from dashboard.probe.models_schema import MODELS_FILE
from loaders.study.schema import CARD_FIELDS, RUN_CARD, STUDY, Schema

MEANINGS = FOLDER / "reference" / "meanings.yaml"


@dataclass(frozen=True)
class File:
    """A YAML file of a user's.

    Attributes:
        name: As it is called.
        schema: Of its whole content.
        elsewhere: Fields of an entry that are those of another file, by the entry's place: the file's name, and the
            fields.
    """

    name: str
    schema: Schema
    elsewhere: Mapping[str, tuple[str, frozenset[str]]]


FILES = {
    "run-yaml": File("run.yaml", RUN_CARD, {}),
    "study-yaml": File("study.yaml", STUDY, {"runs": ("run.yaml", frozenset(CARD_FIELDS))}),
    "models-yaml": File("models.yaml", MODELS_FILE, {}),
    "access-yaml": File("access.yaml", ACCESS_FILE, {}),
}


def file_text(file: File) -> str:
    """A table for each mapping of a file.

    Raises:
        Undocumented: A field has no meaning, or a meaning no field.
    """
    known = _meanings()[file.name]
    parts = []
    used = set()
    for place, schema, left_out in _mappings(file):
        meanings = known.get(place, {})
        fields = {name: wants for name, wants in schema["properties"].items() if name not in left_out}
        if set(fields) != set(meanings):
            odd = ", ".join(sorted(set(fields) ^ set(meanings)))
            raise Undocumented(
                f"{MEANINGS.name}, {file.name}, {place}: these are only here or only in the schema: {odd}"
            )
        used.add(place)
        rows = [
            (
                code(name) + (" (required)" if name in schema["required"] else ""),
                escaped(str(wants["description"])),
                meanings[name],
            )
            for name, wants in fields.items()
        ]
        heading = [f"## {code(place)}"] if place != "top" else []
        also = [f"Besides these, every field of `{file.elsewhere[place][0]}`."] if left_out else []
        parts += [*heading, table(("Field", "Value", "Meaning"), rows), *also]
    if stale := set(known) - used:
        raise Undocumented(f"{MEANINGS.name}, {file.name}: the schema has no {', '.join(sorted(stale))}")
    return "\n\n".join(parts)


def _mappings(file: File) -> Iterator[tuple[str, Schema, frozenset[str]]]:
    """Each mapping of fields in a file once, by its place (`metrics`, `metrics.score`), outermost first."""
    waiting: list[tuple[str, Schema]] = [("", file.schema)]
    seen: list[Schema] = []
    while waiting:
        place, schema = waiting.pop(0)
        if "properties" in schema:
            if any(schema is known for known in seen):
                continue
            seen.append(schema)
            left_out = file.elsewhere.get(place, ("", frozenset[str]()))[1]
            yield place or "top", schema, left_out
            waiting += [
                (f"{place}.{name}".lstrip("."), inner)
                for name, inner in schema["properties"].items()
                if name not in left_out
            ]
        for inner in (schema.get("items"), schema.get("additionalProperties")):
            if isinstance(inner, dict):
                waiting.append((place, inner))


@cache
def _meanings() -> dict[str, dict[str, dict[str, str]]]:
    found: dict[str, Any] = yaml.safe_load(MEANINGS.read_text(encoding="utf-8"))
    return found
