"""TensorBoard's event files, by whatever library they were written: the scalars of each tag, by step.

The frames around the events are read here, so that a file which is still written, or broken further on, gives what is
whole; the events themselves are the protocol buffers of tensorboardX. Images, histograms and texts are passed over.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from loaders.errors import RejectedFile
from loaders.listing import EVENTS
from loaders.packed import MAX_WHOLE_BYTES
from loaders.records import LoadedFile
from loaders.training_series import series_of

FORMAT = "tensorboard"
LENGTH = struct.Struct("<QI")
"""Of an event, with its checksum; the event and its own checksum follow."""
CHECKSUM = struct.Struct("<I")
MOST_CHECKED = 65_536
"""Bytes of the longest event whose checksum is compared: scalars are short, and for images it takes long."""
FLOAT, DOUBLE = 1, 2
"""TensorFlow's numbers for types of tensors."""


def matches(path: Path, head: bytes) -> bool:  # noqa: ARG001 - by its name alone
    """Whether `read` is the one to read this file."""
    return EVENTS in path.name


def read(path: Path) -> LoadedFile:
    """Read one file.

    Raises:
        RejectedFile: It doesn't begin with an event, or no whole event of it has a scalar.
        OSError: It can't be read.
    """
    # Imported when there is such a file: what a command imports, it waits for.
    from google.protobuf.message import DecodeError
    from tensorboardX.proto.event_pb2 import Event

    notes: list[str] = []
    rows: list[tuple[int, dict[str, float]]] = []
    began = 0.0
    for at, data in _events(path, notes):
        try:
            event = Event.FromString(data)
        except DecodeError:
            notes.append(f"is broken at byte {at:,}: what follows is left out")
            break
        began = began or event.wall_time
        if scalars := dict(_scalars(event)):
            rows.append((event.step, scalars))
    series = series_of(rows, notes, rank=began)
    if not series:
        said = "; ".join(notes) or "it may hold images or texts alone"
        raise RejectedFile(path, f"has no scalar: {said}. Leave it out with `ignore:` in study.yaml")
    return LoadedFile(FORMAT, training=series, notes=notes, growing=True)


def _events(path: Path, notes: list[str]) -> Iterator[tuple[int, bytes]]:
    """Where each whole event begins, and its bytes; the last one may be cut off."""
    with path.open("rb") as file:
        while True:
            at = file.tell()
            head = file.read(LENGTH.size)
            if len(head) < LENGTH.size:
                return
            length, check = LENGTH.unpack(head)
            if _masked(head[:8]) != check:
                if at == 0:
                    raise RejectedFile(path, "is no event file of TensorBoard: its first bytes are no event")
                notes.append(f"is broken at byte {at:,}: what follows is left out")
                return
            if length > MAX_WHOLE_BYTES:
                notes.append(f"says of {length:,} bytes at byte {at:,}: what follows is left out")
                return
            data, end = file.read(length), file.read(CHECKSUM.size)
            if len(end) < CHECKSUM.size:
                return
            if length <= MOST_CHECKED and _masked(data) != CHECKSUM.unpack(end)[0]:
                notes.append(f"is broken at byte {at:,}: what follows is left out")
                return
            yield at, data


def _masked(data: bytes) -> int:
    """The checksum of some bytes as event files have it."""
    from tensorboardX.crc32c import crc32c

    found = int(crc32c(data))
    return ((found >> 15 | found << 17) + 0xA282EAD8) & 0xFFFFFFFF


def _scalars(event: Any) -> Iterator[tuple[str, float]]:
    """Tags with their numbers: as PyTorch and tensorboardX write them, and as TensorFlow 2 does."""
    for value in event.summary.value:
        kind = value.WhichOneof("value")
        if kind == "simple_value":
            yield value.tag, value.simple_value
        elif kind == "tensor" and not value.tensor.tensor_shape.dim and value.tensor.dtype in (FLOAT, DOUBLE):
            tensor = value.tensor
            told = [*tensor.float_val, *tensor.double_val]
            if len(tensor.tensor_content) in (4, 8):
                told += struct.unpack("<f" if tensor.dtype == FLOAT else "<d", tensor.tensor_content)
            if len(told) == 1:
                yield value.tag, told[0]
