"""A browser on a busy machine: it talks to a real dashboard as Streamlit's own does, but as late as a test wants."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from streamlit.proto.BackMsg_pb2 import BackMsg
from streamlit.proto.ForwardMsg_pb2 import ForwardMsg
from websockets.sync.client import ClientConnection, connect
from websockets.typing import Origin, Subprotocol

WAIT_SECONDS = 60


@dataclass
class LateBrowser:
    """What it was told so far.

    Attributes:
        socket: Leads to the dashboard.
        told: Every message, in order.
    """

    socket: ClientConnection
    told: list[ForwardMsg] = field(default_factory=list)

    def ask(
        self,
        query: str = "",
        *,
        name: str = "",
        page: str = "",
        part: str = "",
        widgets: dict[str, str] | None = None,
    ) -> None:
        """Ask for a page, or for a part of it as a timer does.

        Args:
            query: The address that it shows.
            name: Of the page in the address; where its hash is not known yet.
            page: The page's hash.
            part: The id of the part; "" for the whole page.
            widgets: What stands in widgets whose value is a text.
        """
        asked = BackMsg()
        rerun = asked.rerun_script
        rerun.query_string, rerun.page_name, rerun.page_script_hash = query, name, page
        rerun.fragment_id, rerun.is_auto_rerun = part, bool(part)
        for widget, value in (widgets or {}).items():
            rerun.widget_states.widgets.add(id=widget, string_value=value)
        self.socket.send(asked.SerializeToString())

    def read(self, seconds: float = WAIT_SECONDS) -> ForwardMsg:
        """The next message; a TimeoutError where none comes."""
        got = self.socket.recv(timeout=seconds)
        assert isinstance(got, bytes)
        message = ForwardMsg()
        message.ParseFromString(got)
        self.told.append(message)
        return message

    def read_to_end(self) -> None:
        """Read until the dashboard has drawn what it was asked for."""
        while self.read().WhichOneof("type") != "script_finished":
            pass

    def read_to_silence(self, seconds: float = 3) -> None:
        """Read until nothing comes for some time."""
        try:
            while True:
                self.read(seconds)
        except TimeoutError:
            return

    def page(self) -> str:
        """The hash of the page that is shown, as the navigation tells it; a first request has none of its own."""
        return [one.navigation.page_script_hash for one in self.told if one.WhichOneof("type") == "navigation"][-1]

    def widget(self, key: str) -> str:
        """The id of a widget by its key."""
        deltas = [one.delta.new_element for one in self.told if one.WhichOneof("type") == "delta"]
        ids = [str(getattr(getattr(one, one.WhichOneof("type") or "", None), "id", "")) for one in deltas]
        return next(one for one in ids if one.endswith(f"-{key}"))

    def parts(self) -> list[str]:
        """The ids of all parts that can be drawn anew without their page."""
        drawn = [one.delta.fragment_id for one in self.told if one.WhichOneof("type") == "delta"]
        return list(dict.fromkeys(part for part in drawn if part))

    def drawn(self) -> list[tuple[str, list[str]]]:
        """What was begun to be drawn, in order: the page's hash, and the parts; none for the whole page."""
        return [(one.new_session.page_script_hash, parts_of(one)) for one in _begun(self.told)]


def parts_of(message: ForwardMsg) -> list[str]:
    """The parts that a message's run draws; none for the whole page."""
    return list(message.metadata.run.fragment_ids)


def _begun(told: list[ForwardMsg]) -> list[ForwardMsg]:
    return [one for one in told if one.WhichOneof("type") == "new_session"]


@contextmanager
def late_browser(origin: str) -> Iterator[LateBrowser]:
    """Connect to a dashboard."""
    address = origin.replace("http", "ws", 1) + "/_stcore/stream"
    with connect(address, subprotocols=[Subprotocol("streamlit")], origin=Origin(origin), max_size=None) as socket:
        yield LateBrowser(socket)
