"""What an answer looks like in a terminal: how sure it is, and what is left out."""

import io

import pytest
from rich.console import Console

from qa.terminal import show_answer
from qa.types import Answer, Candidate, Citation
from qa.wording import FAINT, UNSURE


def shown(*confidences, terminal=False):
    """Print an answer with one candidate of each confidence; return what was written."""
    candidates = [candidate(number, one) for number, one in enumerate(confidences, 1)]
    written = io.StringIO()
    out = Console(
        file=written, width=80, force_terminal=terminal, color_system="standard" if terminal else None
    )
    show_answer(Answer("Who?", "Who?", "answered", tuple(candidates)), out)
    return written.getvalue()


def candidate(number, confidence):
    name = f"Anna {number}"
    quote = f"The captain is {name}."
    start = quote.index(name)
    citation = Citation(
        number, "d", "The ship", None, "ship.txt", None, 0, len(quote), quote, start, start + len(name)
    )
    return Candidate(name, confidence, (citation,))


def test_a_clear_answer_comes_first_and_further_ones_behind():
    text = shown(0.8, 0.5)
    assert text.startswith("[1] “The captain is **Anna 1**.”\n")
    assert text.index("Anna 1") < text.index("\nFurther candidates:\n[2] ") < text.index("Anna 2")
    assert "No clear answer" not in text


def test_an_unclear_answer_is_headed_as_such():
    text = shown(UNSURE - 0.01, 0.15)
    assert text.startswith("No clear answer. The nearest passages:\n[1] “The captain is **Anna 1**.”\n")
    assert "19%" in text
    assert "Anna 2" in text
    assert "Further candidates" not in text
    assert "No clear answer" not in shown(UNSURE)


@pytest.mark.parametrize("first", [0.8, 0.2, 0.06])
def test_faint_further_candidates_are_left_out(first):
    text = shown(first, min(first, FAINT), FAINT - 0.01, 0.01)
    assert "Anna 1" in text
    assert ("Anna 2" in text) == (first >= FAINT)
    assert "Anna 3" not in text
    assert "Anna 4" not in text
    assert "Further candidates" not in shown(0.8, 0.01)


def test_only_a_clear_answer_is_green():
    green = "\x1b[1;32m"
    assert green in shown(0.8, terminal=True)
    assert green not in shown(UNSURE - 0.01, terminal=True)
    assert "\x1b[1mAnna 1" in shown(UNSURE - 0.01, terminal=True)
