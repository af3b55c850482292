"""People, a probe and an ingest that write into one store at once, and whether all that they were told is there.

As a program, `python -m tests.writing_people STORE LOGS SEED`: it writes until it is killed, and prints what each was
told, a JSON list a line, once it was told so: the kind of what was written, and its number.
"""

from __future__ import annotations

import json
import random
import sys
import threading
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

from dashboard import links
from dashboard.probe.saving import ColumnRow, EndRow, PieceRow, ProbeRow, ReplyRow, save
from dashboard.review.threads.changing import begin_thread, comment, resolve, set_tags
from dashboard.review.threads.reading import on_point
from dashboard.review.verdicts import give_verdict
from dashboard.review.views import edit_view, save_view
from dashboard.review.writing import now
from loaders.errors import StoreBusy
from loaders.ingest import ingest
from loaders.store import Store
from tests.builders import StoreBuilder
from tests.log_files import write_log
from tests.reviewing import ANN, BEN, filled

POINT = on_point("blackmail | misaligned | open@100", "open", 100)
TAGS = ("bug", "interesting")
Told = tuple[str, int]


def reviewed_store(path: Path) -> None:
    """A file with something to review in it."""
    filled(StoreBuilder(path)).store.close()


class Person:
    """Somebody who writes one thing after the other, each with a number of its own in its text.

    Args:
        store: Where.
        more: Characters of each text, besides.
    """

    def __init__(self, store: Store, more: int = 0) -> None:
        self._store, self._more = store, " " + "x" * more if more else ""
        with store.cursor() as cursor:
            self._log = str(cursor.execute("SELECT min(eval_key) FROM evals WHERE task = 'blackmail'").fetchall()[0][0])

    def note(self, number: int) -> None:
        """A note with two tags, answered and resolved."""
        thread = begin_thread(
            self._store, ANN, POINT, page=links.CURVES, address={"run": ["open"]}, as_of=1,
            text=f"note {number}{self._more}", tags=TAGS,
        )  # fmt: skip
        comment(self._store, BEN, thread, f"answer {number}{self._more}")
        resolve(self._store, BEN, thread)
        set_tags(self._store, ANN, thread, TAGS[:1])

    def view(self, number: int) -> None:
        """A saved view, edited once."""
        view = save_view(
            self._store, ANN, page=links.CURVES, address={"run": ["open"]}, title=f"view {number}", note=self._more
        )
        edit_view(self._store, BEN, view, title=f"edited {number}", note=self._more)

    def verdict(self, number: int) -> None:
        """A verdict with a note."""
        give_verdict(
            self._store, ANN, log=self._log, sample="1", epoch=1, metric="misaligned", verdict="misaligned",
            note=f"verdict {number}{self._more[:4000]}", as_of=1,
        )  # fmt: skip

    def reply(self, number: int) -> None:
        """A probe of one reply, saved in three goes: what is asked, a piece of it, the last piece with its end."""
        at, probe = now(), f"p{number}"
        save(self._store, [
            ProbeRow(probe, "probe", f"probe {number}", "ann", at, "0", "[]", "{}", None, None),
            ColumnRow("lab", "openai", "m", probe_id=probe, position=0),
            ReplyRow(number, probe, 0, "bare", 0, 0, 0, None, None, None, 0, at),
        ])  # fmt: skip
        save(self._store, [PieceRow(number, 0, "text", f"reply {self._more}")])
        end = EndRow(number, "complete", "stop", None, None, 200, "m", 1, 1, 1, 0.1, 0.2, at)
        save(self._store, [PieceRow(number, 1, "text", f"{number}"), end])

    def kinds(self) -> dict[str, Callable[[int], None]]:
        """What may be written."""
        return {"note": self.note, "view": self.view, "verdict": self.verdict, "reply": self.reply}


def found(store: Store) -> dict[str, Counter[int]]:
    """How often what was written is there, by kind and number; all of it, as whoever wrote it was told."""
    with store.cursor() as cursor:
        return {kind: Counter(dict(cursor.execute(sql).fetchall())) for kind, sql in WHOLE.items()}


def halves(store: Store) -> dict[str, int]:
    """What is there in part, where it should be all there or not at all; by what is wrong with it."""
    with store.cursor() as cursor:
        return {what: n for what, sql in HALF.items() if (n := cursor.execute(sql).fetchall()[0][0])}


def lost_and_twice(store: Store, told: Sequence[Told]) -> tuple[list[Told], list[Told]]:
    """Of what was told to be written, what is not there; and what is there more than once."""
    there = found(store)
    lost = [(kind, number) for kind, number in told if not there[kind][number]]
    return lost, [(kind, number) for kind, numbers in there.items() for number, n in numbers.items() if n > 1]


_NUMBER = "regexp_extract({}, '^{} (\\d+)', 1)::INT AS number"
WHOLE = {
    "note": f"""
        SELECT {_NUMBER.format("first.text", "note")}, count(*) FROM threads
        JOIN comments first USING (thread_id) JOIN comments second USING (thread_id)
        WHERE first.text LIKE 'note %' AND second.text = replace(first.text, 'note ', 'answer ')
          AND list_sort((SELECT list(mark) FROM thread_marks m WHERE m.thread_id = threads.thread_id))
            = ['resolved', 'tagged', 'tagged', 'untagged']
        GROUP BY ALL""",
    "view": f"""
        SELECT {_NUMBER.format("second.title", "edited")}, count(*) FROM saved_views first
        JOIN saved_views second USING (view_id)
        WHERE first.version = 1 AND second.version = 2 AND first.title = replace(second.title, 'edited ', 'view ')
        GROUP BY ALL""",
    "verdict": f"""
        SELECT {_NUMBER.format("note", "verdict")}, count(*) FROM sample_verdicts WHERE note LIKE 'verdict %'
        GROUP BY ALL""",
    "reply": """
        SELECT reply_id, count(*) FROM probe_replies JOIN probe_ends USING (reply_id) JOIN probes USING (probe_id)
        JOIN probe_columns USING (probe_id)
        WHERE probe_id = 'p' || reply_id AND title = 'probe ' || reply_id
          AND (SELECT list(text ORDER BY seq) FROM probe_pieces p WHERE p.reply_id = probe_replies.reply_id)[2]
            = reply_id::VARCHAR
        GROUP BY ALL""",
    "log": """
        SELECT regexp_extract(model, '\\d+$')::INT, count(*) FROM evals
        WHERE task = 'arriving' AND n_samples = 2
          AND (SELECT count(*) FROM samples s WHERE s.eval_id = evals.eval_id) = 2
        GROUP BY ALL""",
}
HALF = {
    "a thread without a comment": "SELECT count(*) FROM threads ANTI JOIN comments USING (thread_id)",
    "a comment without its thread": "SELECT count(*) FROM comments ANTI JOIN threads USING (thread_id)",
    "a mark without its thread": "SELECT count(*) FROM thread_marks ANTI JOIN threads USING (thread_id)",
    "a thread with one of its tags": """
        SELECT count(*) FROM threads
        WHERE (SELECT count(*) FROM thread_marks m WHERE m.thread_id = threads.thread_id AND mark = 'tagged') <> 2""",
    "a note, view or verdict that the audit log lacks, or the other way round": """
        SELECT abs((SELECT count(*) FROM threads) + (SELECT count(*) FROM comments WHERE text LIKE 'answer %')
            + (SELECT count(*) FROM thread_marks WHERE mark IN ('resolved', 'untagged'))
            + (SELECT count(*) FROM saved_views) + (SELECT count(*) FROM sample_verdicts)
            - (SELECT count(*) FROM audit WHERE action IN ('note', 'view', 'verdict')))""",
    "a reply without its probe": "SELECT count(*) FROM probe_replies ANTI JOIN probes USING (probe_id)",
    "a probe without its reply": "SELECT count(*) FROM probes ANTI JOIN probe_replies USING (probe_id)",
    "an end without the last piece": """
        SELECT count(*) FROM probe_ends
        WHERE (SELECT count(*) FROM probe_pieces p WHERE p.reply_id = probe_ends.reply_id) <> 2""",
    "a log without all of its samples": """
        SELECT count(*) FROM evals
        WHERE (SELECT count(*) FROM samples s WHERE s.eval_id = evals.eval_id) <> n_samples""",
}


def main(path: Path, logs: Path, seed: int) -> None:
    """Write until killed."""
    store = Store.open(path)
    printing = threading.Lock()

    def tell(kind: str, number: int) -> None:
        with printing:
            sys.stdout.write(json.dumps([kind, number]) + "\n")
            sys.stdout.flush()

    def write(kind: str, work: Callable[[int], None]) -> None:
        number = seed * 100_000
        while True:
            number += 1
            work(number)
            tell(kind, number)

    def arrive(number: int) -> None:
        write_log(logs / f"r/checkpoint-{number}/log.eval", [1, 0], task="arriving", model=f"vllm/org/tiny-{number}")
        ingest([logs], store)

    rng = random.Random(seed)

    def now_and_then(number: int) -> None:
        threading.Event().wait(rng.random())
        with suppress(StoreBusy):
            store.compact(patience=0.5)

    works = Person(store).kinds() | {"log": arrive, "compaction": now_and_then}
    threads = [threading.Thread(target=write, args=one, daemon=True) for one in works.items()]
    for thread in threads:
        thread.start()
    tell("begun", 0)
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))
