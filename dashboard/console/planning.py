"""`driftline plan`: the `inspect eval` commands that fill the gaps of a run."""

from __future__ import annotations

import argparse

import msgspec

from dashboard import answers
from dashboard.console.finding import ask
from dashboard.console.printing import out, print_json
from dashboard.exports.eval_script import script, steps_of
from dashboard.queries.missing import Missing


def plan(given: argparse.Namespace) -> int:
    """Print the commands."""
    told = ask(given, answers.Gaps(run=given.run, eval=given.eval, as_of=given.as_of))
    found = msgspec.json.decode(told.data, type=Missing)
    steps = steps_of(found, task=given.task, folder=given.log_dir, model=given.model, url=given.base_url)
    if given.format == "json":
        print_json(msgspec.to_builtins(steps))
    else:
        # Not through rich: what is printed is to be run.
        print("\n".join(script(found, steps, given.model, given.path, given.store)), file=out.file)
    return 0
