"""How much of the text a question asks for: a few words, their whole sentence, or the whole list.

Knows the words of questions; knows nothing of scores.
"""

from __future__ import annotations

import re

from index.lines import is_list_item
from index.sentences import paragraphs, sentences
from index.types import Passage, Range
from qa.enumerations import enumeration_end
from qa.types import Span

# "How" with these asks for a measure, which a few words give.
_EXPLAIN = re.compile(
    r"\bwhy\b|\bhow\b(?! (?:many|much|often|long|old|far|tall|large|big|high|deep|wide|fast|late|early|soon|"
    r"frequently|close|heavy|expensive)\b)|\bwhat (?:is|was) the (?:reason|purpose)\b",
    re.IGNORECASE,
)
_ENUMERATE = re.compile(
    r"\b(?:what|which|who) (?:are|were)\b|"
    r"\b(?:what|which) (?:\w+ ){0,2}(?!(?:is|was|has|does|his|its|this)\b)\w+[^\W_su]s "
    r"(?:are|were|do|does|did|have|had|can|could|will|would|should|may|must|\w+ed|gave|made)\b|"
    r"^\W*(?:please )?(?:list|name|give)\b.*\b\w{2,}s\b",
    re.IGNORECASE,
)
# An explanation in fewer words is a fragment of one.
_FEWEST_WORDS = 5
_LONGEST = 400


def widen(question: str, span: Span, passage: Passage) -> Span:
    """Return ``span``, or the sentence or the list of ``passage`` that it belongs to.

    A question for a reason or a manner gets the sentence where the span is a fragment of fewer than 5
    words; one for several things gets all items of a list that the span lies in, or of the enumeration that
    it begins, if they have at most 400 characters together.
    """
    inside = Range(span.start - passage.start, span.end - passage.start)
    wider: Range | None = None
    if _ENUMERATE.search(question):
        wider = _list_around(passage.text, inside) or _enumeration(passage.text, inside)
    elif _EXPLAIN.search(question) and len(span.text.split()) < _FEWEST_WORDS:
        wider = next((one for one in sentences(passage.text) if _holds(one, inside)), None)
    if wider is None or wider.end - wider.start > _LONGEST:
        return span
    start, end = passage.start + wider.start, passage.start + wider.end
    return Span(start, end, passage.text[wider.start : wider.end], span.score)


def _list_around(text: str, span: Range) -> Range | None:
    blocks = list(paragraphs(text))
    touched = [place for place, one in enumerate(blocks) if one.start < span.end and span.start < one.end]
    if not touched or not all(is_list_item(_of(text, blocks[place])) for place in touched):
        return None
    first, last = touched[0], touched[-1]
    while first > 0 and is_list_item(_of(text, blocks[first - 1])):
        first -= 1
    while last + 1 < len(blocks) and is_list_item(_of(text, blocks[last + 1])):
        last += 1
    start, end = blocks[first].start, blocks[last].end
    stretch = text[start:end]
    return Range(start + len(stretch) - len(stretch.lstrip()), end - len(stretch) + len(stretch.rstrip()))


def _enumeration(text: str, span: Range) -> Range | None:
    end = enumeration_end(text, span.start, span.end)
    return Range(span.start, end) if end > span.end else None


def _of(text: str, block: Range) -> str:
    return text[block.start : block.end].strip()


def _holds(block: Range, span: Range) -> bool:
    return block.start <= span.start and span.end <= block.end
