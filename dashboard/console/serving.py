"""`driftline serve`."""

from __future__ import annotations

import argparse
import json

import msgspec

from dashboard import commands
from dashboard.console.opening import nothing, readable, without_pandas
from dashboard.console.printing import err, out
from dashboard.handover import Owner, hand_over
from dashboard.places import small_study
from dashboard.queries.servable import ALL, Servable, choose
from dashboard.serving.start import Options
from dashboard.serving.terminal import Asked
from dashboard.serving.terminal import serve as serve_them
from loaders.errors import DriftlineError

SMALL = "smol"
"""What `driftline serve` calls the small study that comes along."""


def serve(given: argparse.Namespace) -> int:
    """Serve checkpoints, or print how; the store is let go of before a server starts."""
    options = Options(given.max_model_len, given.dtype, tuple(given.extra))
    texts, name = list(given.checkpoints), None
    if not (given.path or given.store) and all(text.partition("/")[0] == SMALL for text in texts):
        name = SMALL
        known = _of_small_study()
        runs = dict.fromkeys(one.run for one in known if one.has_weights)
        texts = [
            wanted
            for text in texts
            for wanted in ([text.partition("/")[2]] if "/" in text else [f"{run}@{ALL}" for run in runs])
        ]
    else:
        with without_pandas(), readable(given) as place:
            if isinstance(place, Owner):
                rows = json.loads(hand_over(place, "servable", {}))
                known = [msgspec.convert(row, Servable) for row in rows]
            else:
                known = commands.run_servable(place)
    asked = Asked(
        checkpoints=choose(texts, known),
        engine=given.engine,
        port=given.port,
        options=options,
        name=name,
        printed=given.printed,
    )
    return serve_them(asked, out, err)


def _of_small_study() -> list[Servable]:
    folder = small_study()
    if not folder.is_dir():
        raise DriftlineError(f"The small study is missing: {folder}. Use --path PATH for a study of yours.")
    with without_pandas(), nothing() as store:
        commands.run_ingest(store, commands.IngestArguments([str(folder)]), None)
        return commands.run_servable(store)
