"""What is found in a text, and what is marked of it."""

from __future__ import annotations

import random

import pytest

from dashboard.texts.finding import Sought, marked, sought


def wanted(text: str) -> Sought:
    found = sought(text)
    assert found
    return found


def hits(text: str, looked_for: str) -> list[str]:
    return [each.text for each in marked(text, wanted(looked_for)) if each.kind == "hit"]


@pytest.mark.parametrize(
    ("looked_for", "text", "found"),
    [
        ("kyle", "Kyle, kyle & KYLE", ["Kyle", "kyle", "KYLE"]),
        ("shut", "it shuts, reshut", ["shut", "shut"]),
        ("shut down", "Shut\n\t down; shutdown; shut  down", ["Shut\n\t down", "shut  down"]),
        (" cat ", "cat concat cats\ncat", ["cat", "cat"]),
        (" cat", "cats concat", ["cat"]),
        ("cat ", "cats concat", ["cat"]),
        ("a.b", "a.b axb", ["a.b"]),
        ("<b>", "<B> <i>", ["<B>"]),
        ("é", "É e", ["É"]),
    ],
)
def test_it_is_found_as_the_search_of_samples_finds_it(looked_for: str, text: str, found: list[str]) -> None:
    assert hits(text, looked_for) == found


def test_nothing_is_looked_for_where_all_is_blank() -> None:
    assert sought("") is None
    assert sought(" \n ") is None


def test_what_is_marked_is_the_text_to_the_letter_wherever_it_is_cut() -> None:
    rng = random.Random(7)
    for _ in range(300):
        text = "".join(rng.choices("ab \n<&", k=40))
        start, end = sorted(rng.choices(range(45), k=2))
        for looked_for in ("a", "ab", "a b", "b "):
            made = marked(text, wanted(looked_for), start, end)
            assert "".join(each.text for each in made) == text[start:end]
            assert all(each.text for each in made)


def test_a_word_at_the_edge_of_a_stretch_is_known_by_what_stands_beyond_it() -> None:
    text = "the cats sat"
    assert [each.kind for each in marked(text, wanted("cat "), 0, 7)] == ["same"]
    assert [(each.kind, each.text) for each in marked(text, wanted("cats"), 0, 6)] == [("same", "the "), ("hit", "ca")]
