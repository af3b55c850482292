"""What one entry of `tables:` in a study file says: which column, or which part of the path, is what.

`msgspec.convert(entry, TableMapping)` checks an entry of the YAML; its errors name the field.
"""

from __future__ import annotations

import re

from msgspec import Struct, field

Scalar = str | int | float | bool


YAML_WORDS = {True: ("true", "yes", "on"), False: ("false", "no", "off")}
"""What YAML reads as a boolean, in any case of letters."""


class Lookup(Struct, forbid_unknown_fields=True):
    """A field that is read from each row, or from the file's path."""

    column: str | None = None
    """Name of a column, as in the file's header."""
    path: str | None = None
    """Regular expression with exactly one group, searched in the path relative to the study file's folder."""
    map: dict[Scalar, Scalar | None] = field(default_factory=dict)
    """Renames values; a value that is not in it stays, and `null` makes it missing. Keys are kept as text."""

    def __post_init__(self) -> None:
        """Check what types can't say; msgspec adds the field's name to the message."""
        if (self.column is None) == (self.path is None):
            raise ValueError("wants exactly one of `column` (a name) and `path` (a regular expression)")
        if self.path is not None:
            try:
                groups = re.compile(self.path).groups
            except re.error as e:
                raise ValueError(f"`path` {self.path!r} is not a regular expression: {e}") from e
            if groups != 1:
                raise ValueError(f"`path` {self.path!r} has {groups} groups, and exactly one is wanted")
        # YAML gives 0 or 1.5 where a cell holds "0" or "1.5", and true where the key was `true`, `yes` or `on`.
        given = dict(self.map)
        self.map = {scalar_text(key): value for key, value in given.items()}
        for key, value in given.items():
            for word in YAML_WORDS[key] if isinstance(key, bool) else ():
                self.map.setdefault(word, value)


Source = Scalar | Lookup
"""Where a field comes from: a constant, a column or a part of the path."""


class TableMapping(Struct, forbid_unknown_fields=True, kw_only=True):
    """One entry of `tables:`: how the rows of the matching files become evals, samples and scores."""

    match: str
    """Glob on the path, relative to the study file's folder."""
    eval: Source
    run: Source | None = None
    mix: Source | None = None
    step: Source | None = None
    stage: Source | None = None
    variant: Source | None = None
    model: Source | None = None
    judge: Source | None = None
    id: Source | None = None
    """Id of a sample; the row's number where it is not given."""
    question: Source | None = None
    """Rows of one group that share it are resamples of one question. Default: each id is a question."""
    epoch: Source | None = None
    prompt: Source | None = None
    reply: Source | None = None
    """A text, or chat turns as `prompt` may hold them."""
    error: Source | None = None
    """What broke the sample: it has no outcome then, whatever its scores say."""
    scores: dict[str, Source] = field(default_factory=dict)
    metadata: list[str] | None = None
    """Columns kept as metadata of the sample; None keeps all columns that no other field reads."""


def scalar_text(value: Scalar) -> str:
    """A YAML scalar as a cell would spell it: `true` for True, `3` for 3 and `0.5` for 0.5."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
