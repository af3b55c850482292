"""A study in a notebook or a script, as pandas frames: the numbers of the pages, by the same code.

```python
from dashboard import notebook

study = notebook.open("runs/my-study")
study.rates(eval="blackmail")
```

Each call opens the store and lets go of it, or asks the dashboard that runs on it: a notebook is in nobody's way.
"""

from __future__ import annotations

import io
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import pandas as pd
import pyarrow.parquet as pq

from dashboard import answers, commands
from dashboard.console.finding import ask
from dashboard.exports.encoded import frame_from

Names = str | Sequence[str]
"""One name, or several; none means any."""


def open(path: str | Path | None = None, *, store: str | Path | None = None) -> Study:
    """A folder of logs that `driftline ingest` or `driftline view` read.

    Args:
        path: The folder; None for the demo study.
        store: The store's file, in place of the one that belongs to the folder.
    """
    return Study(path, store)


class Study:
    """What a store holds. Every method raises `loaders.errors.DriftlineError` with what is allowed instead.

    Frames have whole numbers and booleans that may be missing (`Int64`, `boolean`); of what has a limit,
    `attrs["more"]` tells that rows were left out.
    """

    def __init__(self, path: str | Path | None, store: str | Path | None) -> None:
        self._given = Namespace(path=path and str(path), store=store and str(store), data=None)

    def runs(self) -> pd.DataFrame:
        """A row for each run."""
        return self._frame(answers.Runs())

    def evals(self) -> pd.DataFrame:
        """A row for each eval, with the names of its metrics."""
        return self._frame(answers.Evals())

    def rates(
        self, *, run: Names = (), mix: Names = (), stage: Names = (), eval: Names = (), metric: Names = (),
        split: Names = (), interval: str = "wilson", repeats: str = "pooled",
    ) -> pd.DataFrame:  # fmt: skip
        """Rates with their intervals, as `driftline rates` has them: a share is from 0 to 1."""
        options = _named(run=run, mix=mix, stage=stage, eval=eval, metric=metric, split=split)
        given = msgspec.convert(options | {"interval": interval, "repeats": repeats}, commands.RateArguments)
        return self._frame(answers.Rates(rates=given))

    def compare(
        self, *checkpoints: str, baseline: str | None = None, eval: Names = (), metric: Names = (), split: Names = (),
        correction: str = "holm", interval: str = "wilson", repeats: str = "pooled",
    ) -> pd.DataFrame:  # fmt: skip
        """Differences from a baseline, as `driftline compare RUN@STEP ...` has them."""
        options = _named(eval=eval, metric=metric, split=split) | {
            "checkpoints": list(checkpoints), "baseline": baseline, "correction": correction, "interval": interval,
            "repeats": repeats,
        }  # fmt: skip
        return self._frame(answers.Compare(compare=msgspec.convert(options, commands.CompareArguments)))

    def samples(
        self, *, run: Names = (), mix: Names = (), stage: Names = (), step: int | str | Sequence[int | str] = (),
        eval: Names = (), log: Names = (), metric: str | None = None, outcome: Names = (), text: str | None = None,
        sort: str | None = None, descending: bool = False, limit: int = 1000, offset: int = 0, full: bool = True,
    ) -> pd.DataFrame:  # fmt: skip
        """Samples with their outcome, texts whole unless `full` is False."""
        options = _named(run=run, mix=mix, stage=stage, eval=eval, log=log, outcome=outcome)
        options["step"] = (step,) if isinstance(step, int | str) else tuple(step)
        options |= {"metric": metric, "text": text, "sort": sort, "descending": descending}
        options |= {"limit": limit, "offset": offset, "full": full}
        return self._frame(msgspec.convert({"type": "samples"} | options, answers.Samples))

    def search(self, text: str, *, run: Names = (), eval: Names = (), limit: int = 100) -> pd.DataFrame:
        """Samples that hold a text, each with the first place of it."""
        options = {"type": "samples", "text": text, "excerpts": True, "limit": limit} | _named(run=run, eval=eval)
        return self._frame(msgspec.convert(options, answers.Samples))

    def transcript(self, log: str, sample: str | int, epoch: int = 1) -> dict[str, Any]:
        """One sample: `log`, `sample`, `scores` (a list) and `messages` (a list), as plain dicts.

        Of an audit, `messages` are what its target saw in the end, and `views` what else was seen: by the auditor, by
        both combined, and in branches that were left.
        """
        told: dict[str, Any] = msgspec.json.decode(
            ask(self._given, answers.Transcript(log=log, sample=str(sample), epoch=epoch)).data
        )
        return told

    def query(self, sql: str, *, limit: int = 100_000, seconds: float = 60.0) -> pd.DataFrame:
        """One SELECT over the views that `views` lists."""
        return self._frame(answers.Query(sql=sql, limit=limit, seconds=seconds))

    def views(self) -> pd.DataFrame:
        """What SQL may name: a row for each column of each view."""
        return self._frame(answers.Views())

    def _frame(self, asked: answers.Asked) -> pd.DataFrame:
        asked.encoding = "parquet"
        found = ask(self._given, asked)
        frame = frame_from(pq.read_table(io.BytesIO(found.data)))
        frame.attrs["more"] = found.more
        return frame


def _named(**names: Names) -> dict[str, Any]:
    return {name: [given] if isinstance(given, str) else list(given) for name, given in names.items()}
