"""Whatever a message, a judgement or a name holds, what is drawn of it is text."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest

from dashboard.texts.finding import sought
from dashboard.texts.messages import Message, Part, messages_of
from dashboard.texts.rendering import (
    FOLDED,
    LONG,
    DrawnMessage,
    DrawnPart,
    Judgement,
    Text,
    draw,
    folded_html,
    judgement_html,
    messages_html,
)
from dashboard.texts.word_differences import differences

HOSTILE = "<img src=x onerror=alert(1)></pre></details></div>\"'><script>{{ 7 * 7 }}{% raw %}&lt;</script> &amp;"


class Seen(HTMLParser):
    """What a browser would make of some HTML: its tags in order, whether they are closed, and its text."""

    def __init__(self, made: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.text = ""
        self.feed(made)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append(tag)
        self.tags.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def hostile_messages() -> list[Message]:
    row = {
        "role": HOSTILE, "text": HOSTILE, "reasoning": HOSTILE, "model": HOSTILE, "source": HOSTILE,
        "content": [{"type": HOSTILE}], "error": {"message": HOSTILE},
        "tool_calls": [{"function": HOSTILE, "arguments": {HOSTILE: HOSTILE}, "parse_error": HOSTILE}],
    }  # fmt: skip
    return messages_of([row, row | {"role": "tool", "function": HOSTILE, "error": HOSTILE, "tool_calls": None}])


@pytest.mark.parametrize("find", ["", "script", "<script>", "&"])
def test_a_message_is_text_whatever_is_in_it(find: str) -> None:
    seen = Seen(messages_html(draw(hostile_messages(), sought(find), notes={1: 2}, chosen=1, can_be_picked=True)))
    assert seen.open == []
    assert set(seen.tags) <= {"div", "span", "pre", "details", "summary", "i", "mark"}
    assert {name for name, _ in seen.attributes} <= {"class", "role", "tabindex", "data-message", "open"}
    # Role, model, source, reasoning, text, media, call, argument, parse error, error; and the tool's.
    assert seen.text.count(HOSTILE) >= 15
    assert ("mark" in seen.tags) == bool(find)


def test_a_judgement_is_text_whatever_is_in_it() -> None:
    pair = (HOSTILE, HOSTILE)
    said = Judgement(HOSTILE, [pair], link=HOSTILE, warning=HOSTILE, note=HOSTILE, texts=[pair], folded=[pair])
    seen = Seen(judgement_html(said))
    assert seen.open == []
    assert set(seen.tags) <= {"div", "span", "pre", "details", "summary", "a", "b"}
    assert seen.text.count(HOSTILE) == 9
    assert ("href", HOSTILE) in seen.attributes


def test_line_breaks_and_blanks_stay() -> None:
    text = "  one\n\n\ttwo  \n"
    assert text in Seen(messages_html(draw([Message("user", (Part("text", text),))]))).text


def test_long_texts_are_cut_and_what_is_left_out_is_counted() -> None:
    text = "x" * LONG.most + "y" * 1234
    seen = Seen(messages_html(draw([Message("user", (Part("text", text),))])))
    assert seen.text.count("x") == LONG.most
    assert "1,234 more characters are not shown; the download has them." in seen.text


def test_a_hit_beyond_the_cut_is_shown_with_its_place() -> None:
    text = "x" * (LONG.most + 99) + " needle"
    seen = Seen(messages_html(draw([Message("user", (Part("text", text),))], sought("needle"))))
    assert f"at character {LONG.most + 100:,}:" in seen.text
    assert seen.tags.count("mark") == 1


def test_long_results_and_arguments_are_folded_and_opened_for_what_is_found_in_them() -> None:
    long = "word " * FOLDED
    said = messages_of(
        [{"role": "tool", "text": long}, {"role": "assistant", "tool_calls": [{"arguments": {"a": long}}]}]
    )
    folded = messages_html(draw(said))
    assert folded.count('<details class="dl-fold"><summary>') == 2
    assert messages_html(draw(said, sought("WORD"))).count('<details class="dl-fold" open>') == 2


def test_names_of_tools_and_arguments_are_found_and_marked_as_the_search_finds_them() -> None:
    said = messages_of([{"role": "assistant", "tool_calls": [{"function": "send_mail", "arguments": {"to": "a"}}]}])
    for text in ("send_mail", "to"):
        wanted = sought(text)
        assert wanted
        assert wanted.count(said[0].texts) == 1
        assert f'<mark class="dl-hit">{text}</mark>' in messages_html(draw(said, wanted))


def test_an_empty_message_says_so_and_no_text_is_no_fold() -> None:
    assert "(empty)" in messages_html(draw(messages_of([{"role": "user"}])))
    assert folded_html([("Metadata", "")]).strip() == ""


@pytest.mark.parametrize(
    ("base", "other", "read"),
    [
        ("Cancel the booking.", "Cancel the Tuesday.", "Cancel the booking Tuesday."),
        ("let it", "let go", "let it go"),
        ("a booking today", "a Tuesday today", "a booking Tuesday today"),
        ("stop", "stop, now", "stop, now"),
    ],
)
def test_a_word_in_the_place_of_another_is_not_run_into_it(base: str, other: str, read: str) -> None:
    drawn = DrawnPart("text", (), [((), Text("dl-text", differences(base, other)))])
    assert Seen(messages_html([DrawnMessage("", "", [drawn])])).text == read
