"""The picker of a section: in the sidebar, on all pages of charts, the same on each until another is picked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pandas as pd

from dashboard.kit.pickers import controls, kept
from dashboard.kit.pickers.kept import NARROWED, SECTION
from dashboard.queries.sections import ALL, section_of, sections


@dataclass(frozen=True, slots=True)
class Section:
    """Which section a page shows.

    Attributes:
        name: Of the section; `ALL`. Its runs are offered first.
        default: The section that defaults are of: `ALL` where a link names runs without one, as links did before there
            were sections.
    """

    name: str
    default: str


def pick_section(
    runs: pd.DataFrame, suggest: Callable[[], str], offered: Sequence[str] | None = None, *, follows: bool = False
) -> Section:
    """Pick a section, or all of them; nothing is asked where all runs are of one.

    Args:
        runs: `RUN_COLUMNS`.
        suggest: Says what the page's data suggest, shown until one is picked.
        offered: Those of which the page has something to show; all where nothing is said.
        follows: Whether the suggestion is followed while the page stays, too: it depends on the page's view.
    """
    options = [name for name in sections(runs) if offered is None or name in offered]
    if not options:
        return Section(ALL, ALL)
    options.append(ALL)
    picked_before, named, told = kept.section(), controls.restored(SECTION), _named_runs(runs)
    by_link = named is None and bool(told)
    if by_link:
        default = section_of(told, runs)
    elif picked_before is not None and not (named is None and controls.restored("eval")):
        default = picked_before
    elif controls.source() is None and not follows:
        default = next(iter(controls.named(SECTION)), ALL)
    else:
        default = suggest()
    default = default if default in options else suggest()
    default = default if default in options else ALL
    before = controls.noticed("suggested", [default])
    followed = (
        follows and picked_before is None and before not in (None, [default]) and controls.named(SECTION) == before
    )
    if followed:
        controls.put(SECTION, default)
    picked = controls.pick_one(
        "Section", SECTION, options, default=default, titles={ALL: "All"},
        help="Runs that belong together: of one folder, or as their cards say. Those of the section are offered first.",
    )  # fmt: skip
    last = controls.noticed(SECTION, [picked])
    if last not in (None, [picked]) and not followed:
        controls.begin_anew(NARROWED)
        kept.forget_runs()
        kept.keep_section(picked)
    elif named is not None and picked in named:
        kept.keep_section(picked)
    return Section(picked, ALL if by_link else picked)


def _named_runs(runs: pd.DataFrame) -> list[str]:
    """The runs that an address names, by themselves, by their mixes or by their checkpoints."""
    checkpoints = controls.restored("checkpoint") or []
    mixes = runs[runs["mix"].isin(controls.restored("mix") or [])]["run"].tolist()
    names = [*(controls.restored("run") or []), *checkpoints, *mixes]
    return [*names, *(name.rpartition("@")[0] for name in checkpoints)]
