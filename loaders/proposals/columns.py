"""What the columns of a table seem to hold, by their names and their values. Pure.

A column is only taken for something where its name or its values say so; a wrong mapping gives wrong numbers, and a gap
is seen.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from loaders.study.cards import STAGES
from loaders.study.naming import as_step, steps_in_model
from loaders.tabular import cells, shape
from loaders.tabular.glance import Glance

NAMES: dict[str, tuple[str, ...]] = {
    "step": (
        "step", "global step", "training step", "train step", "checkpoint step", "steps", "checkpoint", "ckpt",
        "iteration", "iter", "training steps", "train steps", "global steps", "trained steps", "optimizer step",
    ),
    "run": ("run", "run name", "run id", "experiment", "experiment name", "training run"),
    "model": ("model", "model name", "model id", "model path"),
    "mix": ("mix", "data mix", "mixture", "training data"),
    "stage": ("stage", "training stage"),
    "variant": ("variant", "condition"),
    "judge": ("judge", "judge model", "grader", "grader model"),
    "eval": ("eval", "eval name", "task", "task name", "benchmark"),
    "id": (
        "id", "sample id", "question id", "prompt id", "item id", "task id", "example id", "doc id", "uid", "uuid",
        "questionid", "promptid", "sampleid", "item", "transcript id", "conversation id",
    ),
    "epoch": ("epoch", "resample", "attempt", "sample index", "sample idx", "sample number", "trial", "generation id"),
    "prompt": (
        "prompt", "question", "input", "instruction", "query", "user prompt", "user", "messages", "problem",
        "prompt text", "question text", "input text",
    ),
    "reply": (
        "response", "reply", "completion", "output", "generation", "model response", "model output", "model answer",
        "answer", "assistant", "generated text",
    ),
    "error": ("error", "error message"),
}  # fmt: skip
"""Names of columns by what they hold, the surest first; in words, as `spaced` makes them."""

SCORE = re.compile(
    r"(?<![a-z])(?:score|grade|rating|verdict|judge|reward|acc|accuracy|correct|pass(?:ed)?|rate|harm|harmful|refus|refusal"
    r"|(?:mis)?aligned|(?:mis)?alignment|coheren(?:t|ce)|toxic(?:ity)?|(?:un)?safe|f1|em|bleu|rouge|asr|percent|pct"
    r"|fraction|proportion|share|judge?ment|decision|outcome|flagged)(?:d|s)?(?![a-z])"
)
NO_SCORE = re.compile(
    r"(?<![a-z])(?:id|idx|index|row|seed|epochs?|steps?|n|k|count|num|total|tokens?|time|timestamp|date|length|len|size|lr|"
    r"learning rate|temperature|std|stderr|std err|standard error|se|sem|low|high|lower|upper|min|max|year|version|"
    r"unnamed|comments?|explanations?|reasons?|reasoning|rationale|justification|notes?|critique|feedback)(?![a-z])"
)
TOTAL = re.compile(
    r"n|total|size|(?:n|num|number of|total) (?:total|samples?|responses?|answers?|examples?|questions?|prompts?)"
    r"|samples|responses|answers|examples"
)
STDERR = re.compile(r"(?:(?P<of>.+) )?(?:stderr|std err|standard error|se|sem)")
YES, NO = frozenset({"yes", "y"}), frozenset({"no", "n"})
VERDICTS = frozenset({
    "aligned", "misaligned", "unaligned", "not aligned", "harmful", "harmless", "not harmful", "safe", "unsafe",
    "toxic", "not toxic", "malicious", "deceptive", "honest", "refused", "complied",
})  # fmt: skip
"""What a judge says in words, besides yes and no."""
SHORT = 60
"""Characters of a text that can be a name or a verdict."""


@dataclass(frozen=True, eq=False)
class Column:
    """A column: its name, and what its cells hold in the rows that were looked at."""

    name: str
    cells: Sequence[Any]

    @cached_property
    def words(self) -> str:
        """Its name in words."""
        return spaced(self.name)

    @cached_property
    def values(self) -> list[Any]:
        """What its cells hold, typed, without what is missing."""
        return [value for cell in self.cells if (value := cells.number(cell)) is not None]

    @cached_property
    def numeric(self) -> bool:
        """Whether all of them are numbers or booleans."""
        return bool(self.values) and all(isinstance(value, bool | int | float) for value in self.values)

    @cached_property
    def short(self) -> bool:
        """Whether no text in it is longer than a name."""
        return all(not isinstance(value, str) or len(value) <= SHORT for value in self.values)

    @cached_property
    def texts(self) -> list[str]:
        """The different texts that it holds in place of numbers, as they are written; none where numbers stand too."""
        if not all(isinstance(value, str) for value in self.values):
            return []
        return list(dict.fromkeys(value.strip() for value in self.values))

    @cached_property
    def verdicts(self) -> bool:
        """Whether these are what a judge says in words."""
        said = {text.lower() for text in self.texts}
        return bool(said) and (said <= YES | NO or bool(said & VERDICTS))

    @cached_property
    def distinct(self) -> int:
        """How many different values it holds."""
        return len({str(value) for value in self.values})


@dataclass
class Roles:
    """Which column seems to hold what."""

    columns: dict[str, Column]
    of: dict[str, str] = field(default_factory=dict)
    """Names of columns by role, of `NAMES`."""

    def column(self, role: str) -> Column | None:
        """The column with a role."""
        name = self.of.get(role)
        return self.columns[name] if name is not None else None

    def free(self) -> list[Column]:
        """The columns without one."""
        taken = set(self.of.values())
        return [column for column in self.columns.values() if column.name not in taken]

    def keys(self, *roles: str) -> list[tuple[str, ...]]:
        """What each row holds in the columns of some roles, those left out that no column has."""
        held = [column.cells for role in roles if (column := self.column(role)) is not None]
        length = max((len(column.cells) for column in self.columns.values()), default=0)
        return [tuple(str(values[row]) for values in held) for row in range(length)]


def spaced(name: str) -> str:
    """A column's name in words: `aligned_score`, `alignedScore` and `eval/aligned.score` hold the same ones."""
    return re.sub(r"[\W_]+", " ", re.sub(r"(?<=[a-z])(?=[A-Z])", " ", name)).strip().lower()


def columns_of(found: Glance) -> dict[str, Column]:
    """The columns of a table with their cells."""
    return {
        name: Column(name, [row.get(name) for row in found.rows]) for name in found.columns if name.strip(" \ufeff")
    }


def roles_of(found: Glance) -> Roles:
    """Which columns hold what, each one thing at the most."""
    roles = Roles(columns_of(found))
    for role, names in NAMES.items():
        for name in names:
            some = [column for column in roles.free() if column.words == name and _fits(role, column)]
            if some:
                roles.of[role] = some[0].name
                break
    _mend_epoch(roles)
    if "run" not in roles.of and "model" not in roles.of and (step := roles.column("step")) and names_models(step):
        # qwen-step100 is the step 100 of qwen, and not of llama: such names place themselves.
        del roles.of["step"]
        roles.of["model"] = step.name
    return roles


def scores_of(roles: Roles) -> list[Column]:
    """The columns that look like scores: by their names, else numbers that are no counts, places or settings."""
    offered = [column for column in roles.free() if not NO_SCORE.search(column.words) and column.short]
    offered = [column for column in offered if not column.name.endswith(shape.BOUNDS)]
    named = [column for column in offered if SCORE.search(column.words)]
    return named or [column for column in offered if column.numeric]


def total_of(roles: Roles) -> Column | None:
    """The column that says of how many samples a row is."""
    found = [
        column
        for column in roles.free()
        if TOTAL.fullmatch(column.words) and column.values and all(_is_count(value) for value in column.values)
    ]
    return found[0] if len(found) == 1 and any(value > 1 for value in found[0].values) else None


def count_of(roles: Roles, value: Column | None, total: Column, percent: bool) -> Column | None:
    """The column of how many of the total count: it gives the value in every row, or is named like a count."""
    some = [column for column in roles.free() if column not in (value, total) and column.values]
    some = [column for column in some if all(_is_count(each) for each in column.values)]
    named = [column for column in some if column.words in _COUNTS]
    if value is None:
        return named[0] if len(named) == 1 and _at_most(named[0], total) else None
    fitting = [column for column in some if _gives(column, value, total, percent)]
    fitting = [column for column in fitting if column in named] or fitting
    return fitting[0] if len(fitting) == 1 else None


def stderr_of(roles: Roles, value: Column, values: Sequence[Column]) -> Column | None:
    """The column of a value's standard error: named after it, or the only one of the only value."""
    found = [
        (column, match["of"]) for column in roles.free() if column.numeric and (match := STDERR.fullmatch(column.words))
    ]
    own = [column for column, of in found if of == value.words]
    if own:
        return own[0]
    return found[0][0] if len(found) == len(values) == 1 else None


def is_percentage(value: Column, total: Column | None) -> bool:
    """Whether numbers are percentages without their sign: their name says so, or k of n does."""
    numbers = [each for each in value.values if isinstance(each, int | float) and not isinstance(each, bool)]
    signed = any(isinstance(cell, str) and cell.rstrip().endswith("%") for cell in value.cells)
    if signed or not numbers or len(numbers) < len(value.values) or not all(0 <= each <= 100 for each in numbers):
        return False
    if re.search(r"(?<![a-z])(?:percent|pct|percentage)(?![a-z])", value.words):
        return True
    return max(numbers) > 1 and total is not None and _all_shares(value, total)


def _fits(role: str, column: Column) -> bool:
    """Whether a column of a fitting name holds what the role wants."""
    if not column.values:
        return False
    if role == "step":
        return all(as_step(cells.step(cell)) != (None, None) for cell in column.cells if cells.label(cell) is not None)
    if role == "stage":
        return all(str(value) in STAGES for value in column.values)
    if role in ("run", "model", "mix", "variant", "judge", "eval"):
        # A judge or an eval has a name; under a number the column holds what the judge said, or an index.
        return column.short and (role == "run" or not (column.numeric or (role == "judge" and column.verdicts)))
    if role in ("prompt", "reply"):
        return any(isinstance(value, str | list | dict) for value in column.values)
    if role == "epoch":
        return column.short
    return role != "error" or not all(isinstance(value, int | float) for value in column.values)


def names_models(column: Column) -> bool:
    """Whether each of its texts names a run besides its step."""
    return bool(column.texts) and all(any(told.run for told in steps_in_model(text)) for text in column.texts)


def _mend_epoch(roles: Roles) -> None:
    """An `epoch` counts resamples, or stands for the step: labels such as `base` are no count."""
    epoch = roles.column("epoch")
    if epoch is None:
        return
    counts = all(cells.whole_number(value) is not None for value in epoch.values)
    del roles.of["epoch"]
    if not counts:
        if "step" not in roles.of and epoch.words == "epoch" and _fits("step", epoch):
            roles.of["step"] = epoch.name
        return
    places = ("run", "model", "eval", "mix", "stage", "variant", "step", "id" if "id" in roles.of else "prompt")
    rows = roles.keys(*places)
    with_epoch = [(*row, str(cell)) for row, cell in zip(rows, epoch.cells, strict=True)]
    if len(set(rows)) < len(rows) == len(set(with_epoch)):
        roles.of["epoch"] = epoch.name


_COUNTS = frozenset(spaced(name) for name in shape.COUNTS) | {"misaligned", "n misaligned", "n harmful", "count"}


def _is_count(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and value >= 0 and value == int(value)


def _at_most(count: Column, total: Column) -> bool:
    return all(
        (cells.whole_number(k) or 0) <= (cells.whole_number(n) or 0)
        for k, n in zip(count.cells, total.cells, strict=True)
    )


def _gives(count: Column, value: Column, total: Column, percent: bool) -> bool:
    told = [
        (cells.percentage(cell) if percent else cell, cells.whole_number(k), cells.whole_number(n))
        for cell, k, n in zip(value.cells, count.cells, total.cells, strict=True)
        if shape.proportion(cell) is not None
    ]
    return bool(told) and all(k is not None and n and shape.fits(cell, k, n) for cell, k, n in told)


def _all_shares(value: Column, total: Column) -> bool:
    """Whether each number is a percentage of its row's total."""
    pairs = [
        (cells.percentage(cell), cells.whole_number(n) or 0) for cell, n in zip(value.cells, total.cells, strict=True)
    ]
    told = [(cell, n) for cell, n in pairs if shape.proportion(cell) is not None]
    return all(n and shape.fits(cell, round((shape.proportion(cell) or 0) * n), n) for cell, n in told)


def share_ids(roles: Roles, of: Iterable[str] = ("run", "model", "eval", "mix", "stage", "variant", "step")) -> bool:
    """Whether rows of one eval share an id: they are resamples of one question then."""
    rows = roles.keys(*of, "id")
    return len(set(rows)) < len(rows)


def ids_name_the_step(roles: Roles) -> bool:
    """Whether an id names its row's checkpoint (step93_q1): no two checkpoints share one then."""
    identity, step, prompt = roles.column("id"), roles.column("step"), roles.column("prompt")
    if identity is None or step is None or prompt is None:
        return False
    pairs = list(zip(map(cells.label, identity.cells), map(cells.step, step.cells), strict=True))
    if not all(one and at and re.search(rf"(?<![0-9]){re.escape(at)}(?![0-9])", one) for one, at in pairs):
        return False
    return len({pair[0] for pair in pairs}) == len(pairs)
