"""Replies that are under way: written by the engine's loop, read by pages on threads of their own."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, replace
from time import monotonic

from dashboard.probe.asked import Prompt
from dashboard.probe.replies import Piece, Status
from dashboard.probe.saving import EndRow, PieceRow
from dashboard.queries.probes import SavedReply

MOST_PARTS = 200


@dataclass
class LiveReply:
    """One reply under way.

    Attributes:
        saved: As it was planned.
        prompt: What is asked.
        unsaved: Pieces that have come since the last look of the one who saves.
        note: What it waits for, in words.
    """

    saved: SavedReply
    probe_id: str
    endpoint: str
    model: str
    prompt: Prompt
    status: Status = "waiting"
    note: str = ""
    pieces: dict[str, list[str]] = field(default_factory=dict)
    unsaved: list[PieceRow] = field(default_factory=list)
    seq: int = 0
    tries: int = 0
    sent_at: float = 0.0
    first_token_s: float | None = None
    last_s: float | None = None
    end: EndRow | None = None

    def sent(self) -> None:
        """A request goes out."""
        self.status, self.note, self.tries, self.sent_at = "asking", "", self.tries + 1, monotonic()

    def take(self, piece: Piece) -> None:
        """A piece has come."""
        if piece.kind != "note":
            self.last_s = monotonic() - self.sent_at
        if self.first_token_s is None and piece.kind != "note":
            self.first_token_s, self.status = self.last_s, "streaming"
        parts = self.pieces.setdefault(piece.kind, [])
        parts.append(piece.text)
        # Only the loop joins, and in one step: readers on other threads always see a whole list.
        if len(parts) > MOST_PARTS and piece.kind != "tool_call":
            self.pieces[piece.kind] = ["".join(parts)]
        # A store is for reading later: pieces that come within one saving are one row.
        if self.unsaved and self.unsaved[-1].kind == piece.kind and piece.kind != "tool_call":
            last = self.unsaved[-1]
            self.unsaved[-1] = PieceRow(last.reply_id, last.seq, last.kind, last.text + piece.text)
        else:
            self.unsaved.append(PieceRow(self.saved.reply_id, self.seq, piece.kind, piece.text))
            self.seq += 1

    def text(self, kind: str = "text") -> str:
        """What has come of one kind."""
        return "".join(list(self.pieces.get(kind, ())))

    def now(self) -> SavedReply:
        """The reply as it is at this moment."""
        end = self.end
        return replace(
            self.saved,
            status=self.status,
            text=self.text(),
            reasoning=self.text("reasoning"),
            calls=tuple(self.pieces.get("tool_call", ())),
            note=self.text("note"),
            tries=self.tries,
            first_token_s=self.first_token_s,
            seconds=end.seconds if end else (self.last_s if self.first_token_s is not None else None),
            stop_reason=end.stop_reason if end else None,
            error_kind=end.error_kind if end else None,
            error=end.error if end else (self.note or None),
            http_status=end.http_status if end else None,
            served_model=end.served_model if end else None,
            input_tokens=end.input_tokens if end else None,
            output_tokens=end.output_tokens if end else None,
            ended_at=end.ended_at if end else None,
        )


class Changes:
    """Tells readers on other threads that something of a probe has changed, without polling."""

    def __init__(self) -> None:
        self._condition = threading.Condition()
        self._counts: dict[str, int] = {}

    def tell(self, probe_id: str) -> None:
        """Something has changed."""
        with self._condition:
            self._counts[probe_id] = self._counts.get(probe_id, 0) + 1
            self._condition.notify_all()

    def count(self, probe_id: str) -> int:
        """How often something has changed so far."""
        with self._condition:
            return self._counts.get(probe_id, 0)

    def wait(self, probe_id: str, seen: int, seconds: float) -> int:
        """Wait until the count is another than `seen`, but not longer than `seconds`; returns the count."""
        with self._condition:
            self._condition.wait_for(lambda: self._counts.get(probe_id, 0) != seen, seconds)
            return self._counts.get(probe_id, 0)
