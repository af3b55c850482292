"""How two replies differ."""

from __future__ import annotations

import random
import time
from itertools import pairwise

import pytest

from dashboard.texts.word_differences import Segment, differences, similarity


def rebuilt(segments: list[Segment]) -> tuple[str, str]:
    """Both texts again."""
    return (
        "".join(each.text for each in segments if each.kind != "added"),
        "".join(each.text for each in segments if each.kind != "removed"),
    )


def test_words_that_differ_are_told():
    assert differences("I will report this.", "I will not report that.") == [
        Segment("same", "I will "),
        Segment("added", "not "),
        Segment("same", "report "),
        Segment("removed", "this"),
        Segment("added", "that"),
        Segment("same", "."),
    ]


@pytest.mark.parametrize(
    ("base", "other", "kinds", "alike"),
    [
        ("", "", [], 1.0),
        ("Same.", "Same.", ["same"], 1.0),
        ("", "New", ["added"], 0.0),
        ("Old", "", ["removed"], 0.0),
        ("Old", "New", ["removed", "added"], 0.0),
        ("a\nb", "a b", ["removed", "added", "same"], 0.333),
        ("Grüße, Ω 漢字!", "Grüße, Ω 漢字?", ["same", "removed", "added"], 0.917),
    ],
)
def test_edges(base, other, kinds, alike):
    found = differences(base, other)
    assert [each.kind for each in found] == kinds
    assert rebuilt(found) == (base, other)
    assert similarity(found) == pytest.approx(alike, abs=0.001)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(30))
def test_both_texts_can_be_read_out_of_it(seed):
    chance = random.Random(seed)
    words = ["I ", "will", "\n", "report. ", " ", "não ", "?", "blackmail ", "\t", "..."]
    size = chance.choice([3, 30, 300, 3000])
    base = [chance.choice(words) for _ in range(size)]
    other = [word for word in base if chance.random() > 0.1]
    for _ in range(size // 10):
        other.insert(chance.randrange(len(other) + 1), chance.choice(words))
    found = differences("".join(base), "".join(other))
    assert rebuilt(found) == ("".join(base), "".join(other))
    assert all(one.kind != two.kind for one, two in pairwise(found))
    assert similarity(found) > 0.4 or size == 3


def test_a_word_changed_in_a_long_reply_is_found():
    chance = random.Random(1)
    sentences = [
        " ".join(f"word{chance.randrange(3000)}" for _ in range(chance.randrange(5, 20))) + ". " for _ in range(12_000)
    ]
    changed = list(sentences)
    changed[500] = "Here " + changed[500]
    changed[9000] = changed[9000].replace("word", "other", 1)
    found = differences("".join(sentences), "".join(changed))
    assert next(each.text.strip() for each in found if each.kind == "added") == "Here"
    assert rebuilt(found) == ("".join(sentences), "".join(changed))
    assert similarity(found) > 0.999


def hostile(kind: str) -> tuple[str, str]:
    """Two texts of 1 MB that are hard to compare."""
    chance = random.Random(2)
    match kind:
        case "unlike":
            return tuple(  # type: ignore[return-value]
                "".join(f"w{chance.randrange(20_000)}{chance.choice(' .')} " for _ in range(140_000)) for _ in range(2)
            )
        case "one word":
            return "ha " * 350_000, "ha " * 200_000 + "ho " + "ha " * 100_000
        case "two words":
            return tuple("".join(chance.choice(("ha ", "ho ")) for _ in range(350_000)) for _ in range(2))  # type: ignore[return-value]
        case "few sentences":
            pool = [f"Sentence {number} of the pool. " for number in range(150)]
            return tuple("".join(chance.choice(pool) for _ in range(40_000)) for _ in range(2))  # type: ignore[return-value]
        case "rotated":
            words = [f"w{number}. " for number in range(130_000)]
            return "".join(words), "".join(words[65_000:] + words[:65_000])
        case _:
            return "x" * 1_000_000, "x" * 999_999 + "y"


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["unlike", "one word", "two words", "few sentences", "rotated", "one token"])
def test_megabytes_take_seconds_at_the_most(kind):
    base, other = hostile(kind)
    started = time.perf_counter()
    found = differences(base, other)
    assert time.perf_counter() - started < 10
    assert rebuilt(found) == (base, other)
