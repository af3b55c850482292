"""Writing in a thread of its own, while the next files are read: DuckDB works on one core, Python on the other.

One piece of work at a time, and told of only where it is asked for: order, ids and reports are as without the thread.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType

import duckdb

from loaders.errors import DriftlineError
from loaders.store.write import ReadFile, Writer

Waiting = tuple[ReadFile, str]
"""A file that is read and not yet written, with what will be reported of it."""


class WriteBehind:
    """A context; at its end, also by Ctrl+C, nothing is being written any more."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="driftline-write")
        self._under_way: tuple[Writer, list[Waiting], Future[list[int]]] | None = None

    def __enter__(self) -> WriteBehind:
        return self

    def __exit__(self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None) -> None:
        self._thread.shutdown(wait=True)

    def begin(self, writer: Writer, files: list[Waiting]) -> None:
        """Begin to write; what was begun before has to be finished."""
        self._under_way = writer, files, self._thread.submit(writer.write, [read for read, _ in files])

    def finish(self) -> Iterator[tuple[Waiting, int | Exception]]:
        """Wait for what is being written; each file with its source, or with why it can't be stored.

        Where it can't be written as one, each file is by itself, so that one can't keep others out.

        Raises:
            DriftlineError: The store itself can't be written, for lack of room say: that is no file's fault.
        """
        if self._under_way is None:
            return
        (writer, files, done), self._under_way = self._under_way, None
        try:
            yield from zip(files, done.result(), strict=True)
        except (duckdb.OperationalError, duckdb.FatalException, OSError) as error:
            raise DriftlineError(
                f"The store can't be written: {(str(error).splitlines() or [''])[0]}. What was imported before is kept:"
                " make room, and import again."
            ) from error
        except Exception as error:  # noqa: BLE001 - a value that no column can hold
            if len(files) == 1:
                yield files[0], error
                return
            for one in files:
                self.begin(writer, [one])
                yield from self.finish()
