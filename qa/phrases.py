"""The parts of an English question, told by the words that structure it: no tagger, no model.

A question opens with what it asks for (*who*, *which treaty*, *in which city*), goes on with an auxiliary, a
subject and a verb, or at once with the verb, and has noun phrases and prepositions around them. Nouns and
verbs are told by where they stand, not by a dictionary; where that fails, a phrase is a word too long or
too short.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

_TOKEN = re.compile(
    r"[“\"][^“”\"]+[”\"]|(?:Mr|Mrs|Ms|Dr|St|Prof)\.|[^\W\d_]+(?:['’.-][^\W_]+)*['’]?|\d[\d.,:/–-]*\d|\d|\S"
)


def word_set(words: str) -> frozenset[str]:
    """Return words, parted by spaces, as a set."""
    return frozenset(words.split())


WH = word_set("who whom whose what which when where why how")
BE = word_set("is are was were am be been being isn't aren't wasn't weren't")
DO = word_set("do does did don't doesn't didn't")
AUXILIARIES = (
    BE
    | DO
    | word_set(
        "has have had will would can could shall should may might must won't wouldn't can't cannot couldn't "
        "shouldn't hasn't haven't hadn't"
    )
)
PREPOSITIONS = word_set(
    "of in on at by for from to with without under over into onto about after before during between "
    "among against through towards toward within since until till as via near per like upon along "
    "across around behind beyond besides despite except inside outside off out up down according than"
)
CONJUNCTIONS = word_set(
    "and but or nor so yet when while because if that who which whom whose where although though unless "
    "after before since until as whether than"
)
DETERMINERS = word_set(
    "the a an this that these those my your our no some any each every all both another many several"
)
PRONOUNS = word_set(
    "he him his himself she her hers herself it its itself they them their theirs themselves i me my "
    "you your we us our one ones someone anyone everyone something anything everything"
)
ADVERBS = word_set(
    "also ever never still already originally actually else not n't exactly really only just even again "
    "later there then here now together too always often usually currently ago first's"
)
ORDINALS = word_set(
    "first second third fourth fifth sixth seventh eighth ninth tenth last next previous final other "
    "latter former latest earliest"
)
_PARTICIPLES = word_set(
    "held born made built found written known won sold given taken done said seen shown called led left "
    "lost brought bought begun broken chosen cut drawn driven fought kept met paid put read run sent "
    "set spent spoken stolen taught thought told thrown understood worn grown hidden laid become come "
    "gone"
)
_STOPS = (AUXILIARIES | PREPOSITIONS | CONJUNCTIONS | PRONOUNS | ADVERBS | WH) - {"of"}
_COUNTED = word_set("many much long old far tall large big high deep often fast")

Role = Literal["subject", "object", "after"]


@dataclass(frozen=True, slots=True)
class Token:
    """A word, number, sign, or a stretch in quotation marks: ``text == question[start:end]``."""

    text: str
    start: int
    end: int

    @property
    def low(self) -> str:
        """The word in lower case, with a straight apostrophe."""
        return self.text.lower().replace("’", "'")

    @property
    def is_word(self) -> bool:
        """Whether it is no sign."""
        return any(character.isalnum() for character in self.text)

    @property
    def is_name(self) -> bool:
        """Whether it is written like a part of a name: a capital, or quotation marks."""
        return self.text[0].isupper() or (len(self.text) > 2 and self.text[0] in '“"')


@dataclass(frozen=True, slots=True)
class Phrase:
    """A noun phrase: ``text == question[start:end]``.

    ``role``: before the verb, behind it, or ``"after"`` a preposition, which is ``preposition``.
    """

    text: str
    start: int
    end: int
    role: Role
    preposition: str = ""


@dataclass(frozen=True, slots=True)
class Question:
    """A question cut up. ``opening`` is what it asks for, with the preposition before it: "In which city".

    ``wh`` is the question word in lower case, ``asked_noun`` the noun that goes with it ("city"), or empty.
    ``auxiliary`` is ``None`` where the question word is itself the subject ("Who founded Byzantium?").
    ``rest`` is all behind opening and auxiliary, without the question mark.
    """

    text: str
    opening: str
    preposition: str
    wh: str
    asked_noun: str
    auxiliary: str | None
    rest: str
    phrases: tuple[Phrase, ...]


def tokens(text: str) -> list[Token]:
    """Return the tokens of a text in order."""
    return [Token(match.group(), match.start(), match.end()) for match in _TOKEN.finditer(text)]


def parse(text: str) -> Question:
    """Cut a question up; a text that opens with no question word has an empty ``wh``."""
    found = tokens(text)
    while found and not found[-1].is_word:
        found.pop()
    at = next((place for place, token in enumerate(found[:4]) if token.low in WH), None)
    if at is None or any(not token.is_word for token in found[:at]):
        return Question(text, "", "", "", "", None, text, tuple(noun_phrases(found, text, None)))
    end = _opening_end(found, at)
    auxiliary = found[end].low if end < len(found) and found[end].low in AUXILIARIES else None
    rest = found[end + (auxiliary is not None) :]
    # "How many people were missing": behind what was asked for comes no other subject.
    predicate = auxiliary in BE and end > at + 1 and bool(rest) and rest[0].text.islower()
    skip = auxiliary is None or (predicate and rest[0].low not in DETERMINERS)
    phrases = noun_phrases(rest, text, auxiliary, asks_subject=skip)
    return Question(
        text,
        opening=_cut(text, found[:end]),
        preposition=" ".join(token.low for token in found[:at]),
        wh=found[at].low,
        asked_noun=_cut(text, found[at + 1 : end]),
        auxiliary=auxiliary,
        rest=_cut(text, rest),
        phrases=tuple(phrases),
    )


def _opening_end(found: Sequence[Token], at: int) -> int:
    """Return where what is asked for ends: before the auxiliary, or before the verb."""
    wh = found[at].low
    end = at + 1
    if wh not in {"which", "what", "whose", "how"}:
        return end
    for place in range(end, min(end + 7, len(found))):
        if found[place].low in AUXILIARIES:
            # "What is", "which of the cities did", "how many people were".
            return place
        if not found[place].is_word:
            break
    # The question word is the subject, and its noun at most a word or two: "Which treaty established".
    if wh in {"which", "whose"} or (end < len(found) and found[end].low in _COUNTED):
        return min(end + 1 + (found[end].low in _COUNTED), len(found)) if end < len(found) else end
    return end


def noun_phrases(
    found: Sequence[Token], text: str, auxiliary: str | None, *, asks_subject: bool = False
) -> list[Phrase]:
    """Return the noun phrases among tokens behind an auxiliary, or behind a question word as subject."""
    phrases: list[Phrase] = []
    place = 1 if asks_subject else 0
    seen_verb = asks_subject or auxiliary is None
    while place < len(found):
        before = found[place - 1].low if place else ""
        if before == "to" and not found[place].is_name and found[place].low not in DETERMINERS:
            place += 1  # an infinitive
            continue
        if not seen_verb and before in PRONOUNS:
            seen_verb = True  # "did it kill": the pronoun is the subject
            place += 1
            continue
        end = _phrase_end(found, place, "" if seen_verb else "participle" if auxiliary in BE else "base")
        if end == place:
            seen_verb = seen_verb or not _is_stop(found[place])
            place += 1
            continue
        role: Role = "after" if before in PREPOSITIONS else "object" if seen_verb else "subject"
        stretch = found[place:end]
        phrases.append(
            Phrase(
                _cut(text, stretch),
                stretch[0].start,
                stretch[-1].end,
                role,
                before if role == "after" else "",
            )
        )
        if role == "subject":
            seen_verb = True
            # The verb itself opens no phrase.
            end += end < len(found) and not _is_stop(found[end]) and found[end].low not in DETERMINERS
        place = end
    return phrases


def _phrase_end(found: Sequence[Token], start: int, verb: str) -> int:
    """Return where the noun phrase that begins at ``start`` ends; ``start`` itself where none does.

    ``verb`` is the form of the verb that comes behind it: ``"base"``, ``"participle"``, or none.
    """
    end = start
    while end < len(found) and not _ends(found, start, end, verb):
        end += 1
    while end > start and found[end - 1].low in {"of", "the", "and", "a"}:
        end -= 1
    if all(token.low in DETERMINERS for token in found[start:end]):
        return start
    last = found[end - 1]
    # "the rupture last": nothing but the verb can come last.
    closed = end == len(found) or (_is_stop(found[end]) and found[end].low not in AUXILIARIES)
    if verb == "base" and closed and end - start > 1 and not last.is_name and last.text[0].isalpha():
        end -= 1
    return end


def _ends(found: Sequence[Token], start: int, place: int, verb: str) -> bool:  # noqa: PLR0911 - one a case
    token, after = found[place], found[place + 1] if place + 1 < len(found) else None
    if not token.is_word or _is_stop(token):
        return not (
            token.low == "and" and start < place and after and found[place - 1].is_name and after.is_name
        )
    if place == start or token.low == "of":
        return verb == "participle" and _is_participle(token)
    if token.low in DETERMINERS:
        return found[place - 1].low not in {"of", "and"}
    if verb == "participle" and _is_participle(token):
        return True
    if found[place - 1].is_name and not token.is_name and token.text[0].isalpha():
        if found[start].low not in DETERMINERS and not found[start].text[0].isdigit():
            # "Chopin financial support" are two phrases, "Greek settlers" is one.
            return not found[place - 1].low.endswith("'s") and (
                verb == "base" or not (after is None or _opens(after))
            )
        if token.low in ORDINALS:
            return True
        # "the Normans conquer England": what opens another phrase follows the verb.
        return verb == "base" and (after is None or _opens(after))
    return False


def _opens(token: Token) -> bool:
    return not token.is_word or _is_stop(token) or token.low in DETERMINERS or token.is_name


def _is_participle(token: Token) -> bool:
    return not token.is_name and (
        token.low in _PARTICIPLES or (token.low.endswith("ed") and len(token.low) > 3)
    )


def _is_stop(token: Token) -> bool:
    return token.low in _STOPS and not (token.is_name and token.low not in WH | AUXILIARIES | PRONOUNS)


def _cut(text: str, stretch: Sequence[Token]) -> str:
    return text[stretch[0].start : stretch[-1].end] if stretch else ""
