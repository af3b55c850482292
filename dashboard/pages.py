"""The pages: one more is one entry here, and a folder in `app_pages`.

Navigation, addresses, saved views and tests read this list. Pure: no page is needed to ask it.
"""

from __future__ import annotations

from dataclasses import dataclass

from dashboard import links
from dashboard.links import BOUND, FILTER, MARGINS, MEASURED


@dataclass(frozen=True)
class Page:
    """A page.

    Attributes:
        name: In addresses.
        title: As the navigation and its own head show it.
        section: Of the navigation that it stands in; empty for those that stand by themselves.
        icon: Name of a Material symbol.
        help: What it shows, in a sentence.
        parameters: The query parameters that belong to it.
        for_admins: Whether the navigation shows it to admins alone.
        folder: That its script is in; the name where nothing else is said.
    """

    name: str
    title: str
    section: str
    icon: str
    help: str
    parameters: frozenset[str]
    for_admins: bool = False
    folder: str = ""

    @property
    def file(self) -> str:
        """Its script, from the folder of `app.py`: by it Streamlit knows the page."""
        return f"app_pages/{self.folder or self.name}/page.py"


PAGES = (
    Page(
        links.OVERVIEW, "Overview", "", "home",
        "What improved, got worse and is new; the runs as a table; warnings.",
        BOUND | MARGINS | {"eval", "metric", "run", "text", "by", "sort", "hide", "color"},
    ),
    Page(
        links.CURVES, "Curves", "", "show_chart",
        "Rates by training step, a line per run or data mix. Click a point to see its samples.",
        BOUND | MEASURED | {"run", "mix", "stage", "training"},
    ),
    Page(
        links.MIXES, "Data mixes", "", "scatter_plot",
        "Rates by training tokens: Pareto frontier, ablations, scaling, composition of mixes.",
        BOUND | MEASURED | {"run", "mix", "baseline", "against"},
    ),
    Page(
        links.PERSISTENCE, "Persistence", "", "timeline",
        "Runs through further training: rate by step, and difference from a baseline.",
        BOUND | MEASURED | MARGINS | {"run", "baseline"},
    ),
    Page(
        links.ASSESSMENT, "Assessment", "", "grid_on",
        "Metrics by checkpoint, as a heatmap or dot plot with intervals.",
        BOUND | MEASURED | {"run", "checkpoint", "category", "colour"},
    ),
    Page(
        links.COMPARE, "Compare", "", "compare_arrows",
        "Two to eight checkpoints: differences with intervals, and flipped questions.",
        BOUND | MEASURED | MARGINS | {"checkpoint", "baseline", "pair", "target", "target_score"},
    ),
    Page(
        links.SAMPLES, "Samples", "Samples", "list",
        "Samples by run, step, eval, outcome and text. Click a row to read its transcript.",
        FILTER | {"page", "rows"},
    ),
    Page(
        links.TRANSCRIPT, "Transcript", "Samples", "forum",
        "One sample: messages, tool calls, scores and provenance.",
        FILTER | {"log", "sample", "epoch", "find", "part", "message", "view"},
    ),
    Page(
        links.BESIDE, "Side by side", "Samples", "view_column_2",
        "One question at two to six checkpoints, turn by turn, with divergences and scores.",
        BOUND | {"eval", "metric", "sample", "checkpoint", "epoch", "to", "variant", "run", "part"},
    ),
    Page(
        links.PROBE, "Probe", "Models", "science",
        "Prompt several checkpoints, side by side.",
        frozenset(
            {"probe", "view", "ask", "point", "by", "to", "sample_no", "model", "preset", "run", "eval", "metric"}
        )
        | {"log", "sample", "epoch", "upto", "reply"},
    ),
    Page(
        links.RESCORINGS, "Re-scoring", "Models", "gavel",
        "Stored transcripts re-scored by another model or rubric.",
        FILTER | {"begin", "judging", "between", "said"},
        folder="rescorings",
    ),
    Page(
        links.GALLERY, "Gallery", "Review", "gallery_thumbnail",
        "The study's figures: small pictures, with published numbers beside its own.",
        frozenset(),
    ),
    Page(
        links.VIEWS, "Saved views", "Review", "bookmarks",
        "Pages saved with a title and a note.",
        frozenset({"view", "find"}),
    ),
    Page(
        links.NOTES, "Notes", "Review", "comment",
        "Notes on points, samples, messages and replies.",
        frozenset({"thread", "state", "kind", "tag", "author", "text"}),
    ),
    Page(
        links.AGREEMENT, "Agreement", "Review", "handshake",
        "Human labels vs the judge, rates corrected for its errors, and a queue of samples to label.",
        frozenset({"eval", "run", "metric", "person", "until", "cell", "view", "show"}),
    ),
    Page(
        links.REPORT, "Report", "Review", "summarize",
        "Saved views, notes and transcripts as one file that opens offline.",
        frozenset({"title", "saved"}),
    ),
    Page(
        links.DATA, "Data", "Data", "database",
        "Runs, coverage, files and imports: what was read, and what was not.",
        frozenset({"show", "run", "table", "eval"}),
    ),
    Page(
        links.AUDIT, "Audit log", "Data", "policy",
        "Who shared, exported, prompted, re-scored, wrote and signed in, and when.",
        frozenset({"who", "action", "text", "since", "until", "page"}),
        for_admins=True,
    ),
)  # fmt: skip
"""In the order of the navigation."""

FILTERED = frozenset(
    {
        links.CURVES, links.MIXES, links.PERSISTENCE, links.ASSESSMENT, links.COMPARE, links.SAMPLES, links.BESIDE,
        links.AUDIT,
    }
)  # fmt: skip
"""Pages whose pickers stand in the sidebar whenever there is anything to show."""
ASKING = frozenset({links.PROBE, links.RESCORINGS})
"""Pages whose sidebar tells of the models that can be asked, always."""

NAMED = {page.name: page for page in PAGES}


def page_file(name: str) -> str:
    """The script of a page, for links that Streamlit makes."""
    return NAMED[name].file
