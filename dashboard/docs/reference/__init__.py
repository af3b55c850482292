"""Reference that is made of the code: commands, fields of files, metrics, statistics, pages. Each part is Markdown."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from functools import partial

from dashboard.docs.reference.commands import commands_text
from dashboard.docs.reference.fields import FILES, file_text
from dashboard.docs.reference.limits import query_limits_text
from dashboard.docs.reference.metrics import automatic_text, builtin_text
from dashboard.docs.reference.pages import pages_text
from dashboard.docs.reference.statistics import statistics_text


def sources(commands: argparse.ArgumentParser) -> Mapping[str, Callable[[], str]]:
    """What makes each part, by the name that a page's `<!-- reference: NAME -->` calls it."""
    return {
        "commands": partial(commands_text, commands),
        "query-limits": partial(query_limits_text, commands),
        "pages": pages_text,
        "built-in-metrics": builtin_text,
        "automatic-metrics": automatic_text,
        "statistics": statistics_text,
        **{name: partial(file_text, file) for name, file in FILES.items()},
    }
