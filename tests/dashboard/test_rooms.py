"""Room for what comes late: every key that is given finds a style in the document, and none finds another's."""

from __future__ import annotations

import re

import pytest

from dashboard.rooms import MOST, STEP, room_key, styles


@pytest.mark.parametrize("height", [10, 14, 396, 1000, MOST, 10 * MOST])
def test_a_key_finds_the_style_of_its_height_alone(height: int) -> None:
    heights = re.findall(r'\[class\*="(\w+)"\]\{--dl-room:(\d+)px\}', styles())
    found = [int(px) for part, px in heights if part in f"st-key-{room_key('chart_place_3', height)}"]
    assert len(found) == 1
    assert abs(found[0] - min(height, MOST)) <= STEP / 2


def test_what_has_no_height_keeps_no_room() -> None:
    assert not re.search(re.escape(room_key("x", 0).removeprefix("x")), styles())
