"""What one entry of `tables:` in a study file says: which column, or which part of the path, is what.

`msgspec.convert(entry, TableMapping)` checks an entry of the YAML; its errors name the field.
"""

from __future__ import annotations

from msgspec import Struct, field

from loaders.regex import compiled

Scalar = str | int | float | bool


YAML_WORDS = {True: ("true", "yes", "on"), False: ("false", "no", "off")}
"""What YAML reads as a boolean, in any case of letters."""


class Lookup(Struct, forbid_unknown_fields=True):
    """A field that is read from each row, or from the file's path."""

    column: str | None = None
    """Name of a column, as in the file's header."""
    columns: list[str] = field(default_factory=list)
    """Several columns, whose cells are joined; empty ones are left out."""
    path: str | None = None
    """Regular expression (RE2) with a group or more, searched in the path relative to the study file's folder; the
    groups that match are joined, and where none does the field is missing."""
    header: str | None = None
    """Regular expression (RE2) with one group, searched in the columns' names: each column that matches is a row of its
    own, with what the group found here and the cell in the column `value`."""
    value: Scalar | None = None
    """A constant, where a bare text could be taken for a column."""
    join: str = "-"
    """Stands between what is joined."""
    optional: bool = False
    """A path that doesn't match leaves the field missing, and doesn't reject the file."""
    map: dict[Scalar, Scalar | None] = field(default_factory=dict)
    """Renames values; a value that is not in it stays, and `null` makes it missing. Keys are kept as text."""

    def __post_init__(self) -> None:
        """Check what types can't say; msgspec adds the field's name to the message."""
        given = [self.column is not None, bool(self.columns), self.path is not None]
        if sum([*given, self.header is not None, self.value is not None]) != 1:
            raise ValueError(
                "wants exactly one of `column` (a name), `columns` (a list of names), `path` and `header` (regular"
                " expressions) and `value` (a constant)"
            )
        for name, regex, most in (("path", self.path, 9), ("header", self.header, 1)):
            if regex is None:
                continue
            try:
                groups = compiled(regex).groups
            except ValueError as e:
                raise ValueError(f"`{name}` {regex!r} is not a regular expression: {e}") from e
            if not 1 <= groups <= most:
                wanted = "exactly one is" if most == 1 else f"one to {most} are"
                raise ValueError(f"`{name}` {regex!r} has {groups} groups, and {wanted} wanted")
        # YAML gives 0 or 1.5 where a cell holds "0" or "1.5", and true where the key was `true`, `yes` or `on`.
        keys = dict(self.map)
        self.map = {scalar_text(key): value for key, value in keys.items()}
        for key, value in keys.items():
            for word in YAML_WORDS[key] if isinstance(key, bool) else ():
                self.map.setdefault(word, value)


Source = Scalar | Lookup
"""Where a field comes from: a constant, a column or a part of the path. A text that names a column is that column."""


class Share(Struct, forbid_unknown_fields=True, kw_only=True):
    """A number that a row reports of a whole eval: a share of n, or any other value."""

    value: Source | None = None
    """Missing where `k` and `n` give it."""
    n: Source | None = None
    k: Source | None = None
    """How many of the n; without it value times n, where that is a whole number as far as value was rounded."""
    stderr: Source | None = None
    percent: bool = False
    """Whether `value` and `stderr` are written as percentages without their sign: 63.4 is 0.634."""

    def __post_init__(self) -> None:
        """Check what types can't say."""
        if self.value is None and (self.k is None or self.n is None):
            raise ValueError("wants `value`, or `k` and `n`")


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
    reported: dict[str, Share] = field(default_factory=dict)
    """Numbers that each row reports of a whole eval; with it the rows are no samples."""
    metadata: list[str] | None = None
    """Columns kept as metadata of the sample; None keeps all columns that no other field reads."""


def scalar_text(value: Scalar) -> str:
    """A YAML scalar as a cell would spell it: `true` for True, `3` for 3 and `0.5` for 0.5."""
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(value)
