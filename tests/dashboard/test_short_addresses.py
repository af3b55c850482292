"""Addresses that name many runs with long names, in fewer characters and none of them lost."""

from __future__ import annotations

import pytest

from dashboard.links import query
from dashboard.short_addresses import ROOM, pack, shortened, unpack, whole

LONG = [
    f"Qwen3-235B-A22B-Instruct-2507 2025-10-{day:02}T{7 + day % 12:02}-{day * 7 % 60:02}-31+00-00 reward hacking"
    for day in range(1, 31)
]
"""What runs are called whose logs name a model and a time only."""


@pytest.mark.parametrize(
    "names",
    [
        LONG, ["", "a", "", "aa", "a"], ["a.b.1.", "1.2.3.4", ".."], ["é, 日本 & more", "é, 本 & more"], [],
        ["x" * 300] * 3, ["aba", "ababa", "aba"],
    ],
)  # fmt: skip
def test_names_come_back_as_they_were(names: list[str]) -> None:
    assert unpack(pack(names)) == names


def test_thirty_long_names_have_room_in_an_address_and_the_rest_stays_readable() -> None:
    address = {"eval": ["shutdown"], "metric": ["mean_reward_hacking"], "run": LONG, "x": ["tokens"]}
    assert len(query(address)) > 2000
    short = shortened(address)
    assert len(query(short)) <= ROOM
    assert short["eval"] == ["shutdown"]
    assert whole(short) == {"eval": ["shutdown"], "metric": ["mean_reward_hacking"], "x": ["tokens"], "run": LONG}


def test_an_address_that_has_room_names_everything_as_it_is() -> None:
    address = {"run": LONG[:3], "eval": ["a", "b"]}
    assert shortened(address) == address
    assert whole(address) == address


@pytest.mark.parametrize("text", ["x", "1.0.1.a", "0.0.9.short", "0.0.1.a0.0", "0.0.1.a1.1.0."])
def test_what_was_never_packed_is_no_list(text: str) -> None:
    assert unpack(text) is None
    assert whole({"run.": [text], "eval": ["e"]}) == {"eval": ["e"]}
