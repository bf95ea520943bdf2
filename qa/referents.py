"""What a conversation has named, and what of it a pronoun can stand for.

Guessed from how it was asked ("Who ...?" is answered by a person) and how it is written. Knows no names.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from qa.phrases import BE, DETERMINERS, Phrase, Question, Token, parse, tokens, word_set
from qa.types import Answer

Kind = Literal["person", "place", "date", "number", "thing", "name"]

_LONGEST = 8
_LONGEST_LIST = 16
_MONTH = (
    r"(?:January|February|March|April|May|June|July|August|September|October|November|December|"
    r"Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept?|Oct|Nov|Dec)\.?"
)
_DATE = re.compile(
    rf"\b(?:\d{{1,2}}(?:st|nd|rd|th)?\s+{_MONTH}(?:,?\s+\d{{4}})?|"
    rf"{_MONTH}\s+\d{{1,2}}(?:st|nd|rd|th)?(?:\s*[-–]\s*\d{{1,2}})?(?:,?\s+\d{{4}})?|"
    rf"{_MONTH}\s+\d{{4}}|(?:1\d|20)\d\ds?|\d{{2,4}}\s+(?:BCE?|CE|AD))(?!\w)"
)
_PEOPLE = word_set(
    "person man woman boy girl child son daughter father mother parent brother sister husband wife "
    "uncle aunt cousin grandfather grandmother king queen prince princess emperor empress sultan duke "
    "pope bishop president minister chancellor secretary mayor governor senator general admiral captain "
    "officer chief chairman chairwoman chair head ceo boss coach student scientist artist musician "
    "architect politician godfather friend rival poet guest hero actress waitress nurse official"
)
_MEN = word_set(
    "man boy son father brother husband uncle grandfather king prince emperor sultan duke pope chairman "
    "godfather actor hero"
)
_WOMEN = word_set(
    "woman girl daughter mother sister wife aunt grandmother queen princess empress chairwoman duchess "
    "actress"
)
_PERSON_ENDINGS = ("er", "or", "ist", "ian", "man", "ess")
_NO_PERSON = word_set(
    "number river order power tower chapter paper computer newspaper letter water summer winter border "
    "quarter center center's centre theater theater's theatre member's matter layer factor floor color "
    "colour error sector motor tractor mirror author's harbor harbour flower answer cover offer career "
    "manner corner dinner weather process success address access business witness congress fortress "
    "mattress progress list"
)
_PLACES = word_set(
    "city town village country state region province place capital continent island county district "
    "borough building house church palace street area location venue room museum school university"
)
_TIMES = word_set("year day month time date week century decade age period")
# A name with one of these is none of a person.
_THINGS = re.compile(
    r"\b(?:conference|university|committee|council|organi[sz]ation|union|commission|day|war|battle|treaty|"
    r"monument|museum|museums|earthquake|album|song|film|movie|novel|book|company|corporation|inc|ltd|party|act|"
    r"agency|office|ministry|department|bank|river|mount|lake|sea|ocean|city|county|street|avenue|empire|kingdom|"
    r"republic|dynasty|palace|church|school|college|institute|award|prize|cup|league|club|team|band|group|"
    r"festival|project|operation|program|programme|system|summit|forum|association|foundation|state|states|islands?)\b",
    re.IGNORECASE,
)
_LIVED = re.compile(
    r"\b(?:born|marry|married|die|died|live|lived|grow up|study|studied|say|said|parents|father|mother|wife|"
    r"husband|brother|sister|son|daughter|buried|raised|childhood|career)\b",
    re.IGNORECASE,
)
_PERSONAL = re.compile(r"\b(?:he|him|his|she|her|hers)\b", re.IGNORECASE)
_WORTH: dict[str, dict[str, float]] = {
    "man": {"person": 3, "name": 1.5},
    "woman": {"person": 3, "name": 1.5},
    "thing": {"thing": 3, "name": 2.5, "place": 1},
    "several": {"thing": 0.4, "person": 0.2, "name": 0.5, "place": 0.1},
    "place": {"place": 3, "name": 1},
    "pointed": {"thing": 3, "name": 1},
    "topic": {"person": 2, "place": 1, "thing": 2, "name": 2.5},
}


@dataclass(frozen=True, slots=True)
class Referent:
    """Something named: ``noun`` is what kind it was called, in lower case ("session"), or empty.

    ``given``: it is the answer, and not a phrase of the question. ``prominence`` from 0 to 1.2 orders
    phrases of one question. ``sex`` is ``"man"`` or ``"woman"`` where the noun, or a pronoun that
    stood for it, tells.
    """

    text: str
    kind: Kind
    several: bool
    noun: str
    given: bool
    prominence: float
    sex: str = ""

    def suits(self, wanted: str) -> float:
        """Return how well a pronoun that wants a kind of thing can stand for this; 0 where it cannot."""
        worth = _WORTH[wanted].get(self.kind, 0.0)
        if wanted == "several":
            worth += 3 * self.several
        if self.sex and self.sex != wanted and wanted in {"man", "woman"}:
            return 0.0
        if not worth:
            return 0.0
        if wanted == "topic":
            return worth - 1.5 * self.given + self.prominence
        few = 0.2 if self.several and wanted in {"man", "woman", "thing"} else 1.0
        return few * (worth + 1.2 * self.given + self.prominence)


def dates(text: str) -> list[str]:
    """Return the dates and years in a text, in order, each as it is written."""
    return _DATE.findall(text)


def referents(answer: Answer, conversation: Sequence[Answer]) -> list[Referent]:
    """Return what a question and its answer have named, the answer first.

    ``conversation`` holds all turns that count: a name that "he" stood for once is a person's.
    """
    question = parse(answer.asked)
    people = _people(conversation)
    found = list(_given(answer, question))
    for phrase in question.phrases:
        found += _of_phrase(phrase, question, people)
    found += _asked_for(question)
    return found


def _people(conversation: Sequence[Answer]) -> dict[str, str]:
    """Return the names that are people's, as far as the conversation tells, each with the sex if it does."""
    people: dict[str, str] = {}
    for answer in conversation:
        question = parse(answer.asked)
        if answer.text and question.wh in {"who", "whom"}:
            people.setdefault(_name_alone(answer.text), "")
        pronoun = _PERSONAL.search(answer.question)
        # A topic put behind a question was no pronoun's.
        if pronoun and answer.asked != answer.question and not answer.asked.endswith(")?"):
            sex = "man" if pronoun.group().lower() in {"he", "him", "his"} else "woman"
            for phrase in question.phrases:
                if phrase.text not in answer.question:
                    people[phrase.text.partition("'s ")[0]] = sex
    return people


def _given(answer: Answer, question: Question) -> Iterator[Referent]:
    text = (answer.text or "").strip(" .,;:“”\"'")
    if question.wh in {"who", "whom"}:
        text = _name_alone(text)
    several = bool(re.search(r",|\band\b", text)) or _is_plural(text)
    if not text or len(text.split()) > (_LONGEST_LIST if several else _LONGEST):
        return
    kind = _kind_of_answer(text, question)
    if kind is not None:
        words = re.sub(r"^(?:in|at|on|by|from|to|during)\s+", "", text)
        noun = question.asked_noun.split()[-1].lower() if question.asked_noun else _head(question)
        sex = _sex(noun) or _sex(_noun(question.phrases[0].text) if question.phrases else "")
        yield Referent(words, kind, several, noun, given=True, prominence=0.0, sex=sex)


def _name_alone(text: str) -> str:
    """Return the name in "head of the Office, Murad Kunakbaev" or "the Austrian Karl Renner, who ..."."""
    parts = [part.strip() for part in re.split(r",|\bwho\b|\(|\)", text) if part.strip()]
    names = [
        part for part in parts if all(token.is_name for token in tokens(part)) and len(part.split()) <= 5
    ]
    lists = [part for part in parts if part not in names and all(_is_listed(token) for token in tokens(part))]
    # Of several names none is the one.
    return names[0] if len(names) == 1 and not lists else text


def _is_listed(token: Token) -> bool:
    return token.is_name or token.low == "and"


def _kind_of_answer(text: str, question: Question) -> Kind | None:  # noqa: PLR0911 - one a kind
    if dates(text) and len(text.split()) <= 6:
        return "date"
    if question.wh in {"who", "whom", "whose"}:
        return "thing" if _THINGS.search(text) else "person"
    if question.wh == "when":
        return "date"
    if question.wh == "where":
        return "place"
    if question.wh not in {"what", "which"}:
        return None
    noun = question.asked_noun.split()[-1].lower() if question.asked_noun else _head(question)
    if noun in _TIMES:
        return "date"
    if noun in _PLACES:
        return "place"
    if _is_person(noun):
        return "person"
    first = tokens(text)[0]
    # A name or a described thing can be spoken of; "to block the channels" cannot.
    named = any(token.is_name for token in tokens(text))
    if text[0].isdigit() or re.search(
        r"\b(?:mean|means|about|happen|happened)\W*$", question.text, re.IGNORECASE
    ):
        return None
    return "thing" if named or first.low in DETERMINERS else None


def _head(question: Question) -> str:
    """Return the noun of "What is the code name of the operation?"."""
    if question.wh not in {"what", "who"} or not question.phrases:
        return ""
    return _noun(question.phrases[0].text)


def _noun(text: str) -> str:
    head = [token.low for token in tokens(text.split(" of ", maxsplit=1)[0]) if token.is_word]
    return head[-1] if head else ""


def _is_person(noun: str) -> bool:
    return noun in _PEOPLE or (noun.endswith(_PERSON_ENDINGS) and noun not in _NO_PERSON and len(noun) > 4)


def _sex(noun: str) -> str:
    return "man" if noun in _MEN else "woman" if noun in _WOMEN else ""


def _is_plural(text: str) -> bool:
    noun = _noun(text)
    return noun in {"people", "men", "women", "children"} or (
        len(noun) > 3 and noun.endswith("s") and not noun.endswith(("ss", "us", "is", "'s"))
    )


def _of_phrase(phrase: Phrase, question: Question, people: dict[str, str]) -> Iterator[Referent]:
    """Yield a phrase and, of "the Board of the Union" and "Chopin's father", the parts."""
    text = phrase.text
    prominence = {"subject": 1.0, "object": 0.5, "after": 0.3}[phrase.role]
    owner, mark, owned = text.partition("'s ")
    if mark:
        yield _named(owner, phrase, question, people, prominence)
        # Of "What was his purpose?" it is he who stays the topic.
        if owned and not (question.wh in {"what", "who"} and question.auxiliary in BE):
            yield _named(text, phrase, question, people, prominence - 0.2)
        return
    head, of, tail = text.partition(" of ")
    # What "the magnitude of" something is was asked for; the thing stays the topic.
    asked_for = of and question.wh in {"what", "who"} and phrase.role == "subject" and not question.asked_noun
    if of and (asked_for or not any(token.is_name for token in tokens(head))):
        yield _named(tail, phrase, question, people, prominence + (0.2 if asked_for else -0.1))
    if not asked_for:
        yield _named(text, phrase, question, people, prominence)


def _named(
    text: str, phrase: Phrase, question: Question, people: dict[str, str], prominence: float
) -> Referent:
    kind = _kind_of_phrase(text, phrase, question, people)
    sex = people.get(text) or _sex(_noun(text))
    return Referent(text, kind, _is_several(text), _noun(text), given=False, prominence=prominence, sex=sex)


def _kind_of_phrase(  # noqa: PLR0911 - one a kind
    text: str, phrase: Phrase, question: Question, people: dict[str, str]
) -> Kind:
    words = tokens(text)
    if text in people:
        return "person"
    if dates(text) == [text]:
        return "date"
    if text[0].isdigit() and len(words) == 1:
        return "number"
    if _THINGS.search(text):
        return "thing"
    noun = _noun(text)
    if not any(word.is_name for word in words):
        return "person" if _is_person(noun) else "place" if noun in _PLACES else "thing"
    if words[0].low == "the" or words[0].text[0] in '“"' or not words[-1].is_name:
        return "person" if _is_person(noun) and noun in _PEOPLE else "thing"
    if re.fullmatch(r"[A-Z]{2,}", text):
        return "thing"
    if phrase.preposition in {"in", "at", "near", "from", "to"}:
        return "place"
    if _LIVED.search(question.text) or (question.wh == "who" and question.auxiliary in {"is", "was"}):
        return "person" if phrase.role == "subject" else "name"
    return "name"


def _is_several(text: str) -> bool:
    last = [token for token in tokens(text) if token.is_word][-1]
    return _is_plural(text) and (not last.is_name or text.lower().startswith("the "))


def _asked_for(question: Question) -> Iterator[Referent]:
    """Yield "the boroughs" of "How many boroughs does the city have?"."""
    noun = question.asked_noun.removeprefix("many ").strip()
    if question.wh in {"how", "which", "what"} and noun and _is_plural(noun) and noun.islower():
        owner = question.phrases[0].text if question.phrases else ""
        has = re.search(r"\b(?:have|has|had)$", question.rest)
        text = f"the {noun} of {owner}" if has and owner else f"the {noun}"
        yield Referent(text, "thing", several=True, noun=noun.rstrip("s"), given=False, prominence=0.4)
