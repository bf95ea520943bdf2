"""A question in a conversation to one that stands alone, by rules: no model, no language but English.

A follow-up leaves something to the turns before it: a pronoun ("What is his office?"), or all but what
differs ("And the third?", "When?"). What it leaves out is taken from the questions asked before and from
their answers, the newest first. A question that stands alone is never altered; where the rules cannot tell
what is meant, the topic goes behind the question, where search finds it and no word is changed.

The rules lean on what is known of pronouns: what was just answered, then the subject of the question, is what
the next one is about (after Grosz, Joshi and Weinstein 1995, "Centering: a framework for modeling the local
coherence of discourse"), and an object pronoun is never the subject of its own clause (Chomsky 1981, binding
principle B).
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from qa.phrases import (
    ADVERBS,
    AUXILIARIES,
    BE,
    CONJUNCTIONS,
    DETERMINERS,
    ORDINALS,
    PREPOSITIONS,
    PRONOUNS,
    WH,
    Question,
    Token,
    parse,
    tokens,
    word_set,
)
from qa.referents import Referent, dates, referents
from qa.types import Answer, Turn

# Beyond these, what a conversation was about has been left behind.
_TURNS = 3
_LONGEST_ANSWER = 8
_LEADS = re.compile(r"^(?:(?:and|but|so|or|also|then|ok|okay|well)\b[\s,]*)+", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:what|how) about\s+", re.IGNORECASE)
_ENGLISH = (WH | AUXILIARIES | {"the", "and", "but", "about"}) - {
    "was",
    "am",
    "will",
    "had",
    "must",
    "so",
    "or",
    "be",
}
# Asked of the documents themselves: "What is this about?", "When was this published?"
_OF_DOCUMENTS = re.compile(
    r"\b(?:this|these|it|they)\b.*\b(?:about|published|posted|written|released|dated|issued|"
    r"from|come out|appear)\W*$|\b(?:how old|date of)\b.*\b(?:this|these)\b",
    re.IGNORECASE,
)
_THE_EVENT = re.compile(
    r"^(?P<opening>when|where|why|how(?: long ago)?) (?:(?:is|was|were) (?:that|this|it)|"
    r"(?:did|does|do|has|have|had|will|would) (?:it|this|that|these|those) (?:happen|occur|"
    r"take place|come about)(?:ed)?|"
    r"(?:did|does|do|has|have|had|will|would) (?:he|she|it|they) (?:do|done) (?:it|this|that|so))$",
    re.IGNORECASE,
)
_WANTED = dict.fromkeys(("he", "him", "his"), "man") | dict.fromkeys(("she", "her", "hers"), "woman")
_WANTED |= dict.fromkeys(("it", "its"), "thing")
_WANTED |= dict.fromkeys(("they", "them", "their", "theirs"), "several")
_POSSESSIVE = frozenset({"his", "her", "hers", "its", "their", "theirs"})
_BIDDING = word_set("tell give list describe explain name show say summarize summarise find please")
# Behind "that" these open a clause.
_NO_NOUN = AUXILIARIES | PRONOUNS | DETERMINERS | PREPOSITIONS | CONJUNCTIONS | ADVERBS
_SUBJECT = frozenset({"he", "she", "it", "they"})
_POINTING = frozenset({"this", "that", "these", "those"})
_TIMES = word_set("year day month time date week century decade")
# "It" stands for nothing: what is meant comes behind, or is the weather, the time, the truth.
_TO_DO = r"to (?!the\b|an?\b|him\b|her\b|them\b|it\b|(?-i:[A-Z]))\w+"
_DUMMY = re.compile(
    rf"\b(?:is|was|be|been|isn't|wasn't) it (?:\w+ ){{0,2}}?(?:that\b|{_TO_DO}|for (?:\w+ ){{1,4}}to\b)|"
    rf"\bit(?:'s| is| was| be| has been| had been)? (?:\w+ ){{0,2}}?"
    rf"(?:that\b|{_TO_DO}|for (?:\w+ ){{1,4}}to\b)|"
    rf"\bit (?:take|takes|took|cost|costs|mean|means|feel|feels|make sense|help|helps) "
    rf"(?:\w+ ){{0,3}}?{_TO_DO}|"
    r"\bit called (?:when|if)\b|\bit (?:rain|snow|seem|appear|get (?:dark|light|cold|warm|hot))|"
    r"\b(?:what time|what day|how (?:hot|cold|warm|late|early|dark)) (?:is|was|will|does|did) it\b|"
    r"\b(?:is|was|isn't|wasn't) it (?:true|possible|necessary|likely|safe|ok|okay|legal|allowed|"
    r"raining|snowing)\b",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class _Swap:
    """Put ``text`` in place of ``question[start:end]``."""

    start: int
    end: int
    text: str


def stand_alone(question: str, turns: Sequence[Turn]) -> str:
    """Return ``question`` with what it leaves to the turns before it put in.

    Args:
        question: what a person wrote.
        turns: the conversation before it, oldest first; those that carry an answer count.

    Returns:
        The question itself wherever it stands alone, is not English, or nothing was answered before.
    """
    answers = tuple(turn.answer for turn in reversed(turns) if turn.answer is not None)[:_TURNS]
    if not answers or not _is_english(question):
        return question
    bare = _LEADS.sub("", question.strip())
    words = [token for token in tokens(bare) if token.is_word]
    if not words:
        return question
    if opening := _bare_opening(bare, words):
        return _with_opening(opening, answers[0]) or _with_topic(bare, answers)
    if fragment := _fragment(bare, led=bare != question.strip()):
        return _in_place(fragment, answers[0], named=not _ABOUT.match(bare)) or _with_topic(bare, answers)
    counted = _counted(question, answers[0])
    return _with_topic(counted, answers) if counted else _with_referents(question, answers)


def _is_english(question: str) -> bool:
    return any(token.low in _ENGLISH for token in tokens(question)) or bool(_LEADS.match(question))


# All but what is asked for is left out: "When?", "Under which sultan?"


def _bare_opening(bare: str, words: Sequence[Token]) -> str:
    """Return what a question that is nothing but its opening asks for; empty for any other."""
    if match := _THE_EVENT.match(bare.rstrip("?!. ")):
        return match["opening"]
    at = next((place for place, word in enumerate(words) if word.low in WH), None)
    if (
        at is None
        or at > 3
        or any(word.low not in PREPOSITIONS | {"exchange", "return"} for word in words[:at])
    ):
        return ""
    behind = [word.low for word in words[at + 1 :]]
    if behind and behind[-1] == "exactly":
        behind.pop()
    wh = words[at].low
    if behind and behind != ["else"] and not _is_noun_asked(wh, behind, led=at > 0):
        return ""
    return bare[words[0].start : words[-1].end]


def _is_noun_asked(wh: str, behind: Sequence[str], *, led: bool) -> bool:
    if len(behind) > 3 or any(word in AUXILIARIES or word in PRONOUNS - {"one"} for word in behind):
        return False
    if wh == "how":
        return behind[0] in {"many", "much", "long", "often", "far"}
    return wh == "which" or (wh in {"what", "whose"} and (led or behind[-1] in _TIMES | {"city", "country"}))


def _with_opening(opening: str, answer: Answer) -> str | None:
    """Return the question before with another opening: "Where was he born?" and "When?" make one."""
    before = parse(answer.asked)
    if not before.wh or not before.rest:
        return None
    asks_again = opening.lower().endswith("else")
    given = "" if asks_again else _given(answer)
    if asks_again and before.opening.lower().endswith("else"):
        return answer.asked
    if before.auxiliary is None:
        if asks_again:
            return _sentence(f"{opening} {before.rest}")
        subject = _who(before, given)
        if not subject:
            return None
        # A cleft sentence keeps the verb as it is.
        verb = before.rest.split()[0]
        tense = "is" if verb.endswith("s") and not verb.endswith("ss") else "was"
        return _sentence(f"{opening} {tense} it that {subject} {before.rest}")
    if re.fullmatch(r"how (?:many|much)", opening.lower()) and before.asked_noun:
        opening = f"{opening} {before.asked_noun}"
        given = ""
    if before.preposition and given:
        given = f"{before.preposition} {given}"
    elif before.wh not in {"who", "whom", "what", "which"} or before.asked_noun in _TIMES:
        given = ""
    return _sentence(f"{opening} {before.auxiliary} {before.rest} {given}")


def _who(before: Question, given: str) -> str:
    """Return the subject that the question before asked for."""
    if before.wh == "how":
        return before.asked_noun.removeprefix("many ").removeprefix("much ")
    return given


def _given(answer: Answer) -> str:
    text = (answer.text or "").strip(" .,;:")
    return text if 0 < len(text.split()) <= _LONGEST_ANSWER else ""


# All but one phrase is left out: "And the third?", "What about 2020?", "And in Minsk?"


def _fragment(bare: str, *, led: bool) -> str:
    """Return the phrase that takes another's place in the question before; empty for a whole question."""
    phrase = _ABOUT.sub("", bare).strip(" ?!.")
    rest = [token for token in tokens(phrase) if token.is_word]
    led = led or phrase != bare.strip(" ?!.")
    if not rest or len(rest) > 8 or any(one.low in WH | AUXILIARIES | PRONOUNS - {"one"} for one in rest):
        return ""
    numbered = len(rest) <= 3 and any(one.low in ORDINALS for one in rest[:2]) and rest[0].low == "the"
    placed = len(rest) <= 4 and rest[0].low in {"in", "on", "at", "for", "from", "since", "during", "with"}
    return phrase if led or numbered or placed else ""


def _in_place(fragment: str, answer: Answer, *, named: bool) -> str | None:
    """Return the question before with ``fragment`` in place of the phrase that is most like it."""
    before = parse(answer.asked)
    if not before.wh:
        return None
    for way in (_ordinal, _date, _behind_preposition, _participle):
        if found := way(fragment, before):
            return found
    return _phrase(fragment, before, answer, named=named)


def _ordinal(fragment: str, before: Question) -> str | None:
    new = next((one for one in tokens(fragment) if one.low in ORDINALS), None)
    old = next((one for one in tokens(before.text) if one.low in ORDINALS), None)
    if new is None or old is None or len(tokens(fragment)) > 3:
        return None
    return _put(before.text, _Swap(old.start, old.end, new.text))


def _date(fragment: str, before: Question) -> str | None:
    """Put a year, or a date, in the place of one, or at the end."""
    words = fragment.split()
    preposition = (
        words[0].lower() if words[0].lower() in {"in", "on", "since", "before", "after", "by"} else ""
    )
    bare = " ".join(words[1:]) if preposition else fragment
    if dates(bare) != [bare]:
        return None
    old = dates(before.text)
    if old:
        at = before.text.rindex(old[-1])
        return _put(before.text, _Swap(at, at + len(old[-1]), bare))
    return _sentence(f"{_ended(before.text)} {preposition or _on(bare)} {bare}")


def _on(date: str) -> str:
    return "in" if re.fullmatch(r"(?:[A-Z]\w+ )?\d{4}s?|[A-Z]\w+", date) else "on"


def _behind_preposition(fragment: str, before: Question) -> str | None:
    first = fragment.split(maxsplit=1)[0].lower()
    if first not in PREPOSITIONS:
        return None
    places = {"in", "at", "on"}
    for phrase in reversed(before.phrases):
        same = phrase.preposition == first or {phrase.preposition, first} <= places
        if same and phrase.role == "after" and not dates(phrase.text):
            start = before.text.rindex(phrase.preposition, 0, phrase.start)
            return _put(before.text, _Swap(start, phrase.end, fragment))
    return _sentence(f"{_ended(before.text)} {fragment}")


def _participle(fragment: str, before: Question) -> str | None:
    """Put "missing" in the place of "injured"."""
    words = fragment.split()
    if len(words) > 1 or not fragment.islower() or before.auxiliary not in BE:
        return None
    first = re.search(rf"\b{before.auxiliary}\s+(\w+(?:ed|en|t))\b", before.text, re.IGNORECASE)
    return _put(before.text, _Swap(first.start(1), first.end(1), fragment)) if first else None


def _phrase(fragment: str, before: Question, answer: Answer, *, named: bool) -> str | None:
    best: tuple[float, _Swap] | None = None
    for start, end in _places(before):
        old = before.text[start:end]
        score = _likeness(fragment, old)
        # "The Secretary General" takes the place of "the press secretary", not of the CSTO with it.
        score -= 2 * (" of " in old and " of " not in fragment)
        if answer.question != answer.asked and old.lower() in answer.question.lower():
            score += 4  # where the last one went
        if best is None or score > best[0]:
            best = score, _Swap(start, end, fragment)
    # "What about the depth?" asks for anything; only what is like a phrase of the question takes its place.
    if best is None or best[0] < (2 if named or any(t.is_name for t in tokens(fragment)) else 3.5):
        return None
    return _put(before.text, best[1])


def _places(before: Question) -> Iterator[tuple[int, int]]:
    """Yield the phrases of a question, and in "the Board of the Union" its two parts as well."""
    for phrase in before.phrases:
        yield phrase.start, phrase.end
        if " of " in phrase.text:
            at = phrase.text.index(" of ")
            yield phrase.start, phrase.start + at
            yield phrase.start + at + len(" of "), phrase.end


def _likeness(new: str, old: str) -> float:
    left, right = ([one for one in tokens(text) if one.is_word] for text in (new, old))
    words = [{one.low for one in side if one.low not in DETERMINERS | {"of"}} for side in (left, right)]
    names = [sum(one.is_name for one in side) for side in (left, right)]
    alike = 3.0 * bool(words[0] & words[1]) + 2 * (bool(names[0]) == bool(names[1]))
    alike += left[-1].low == right[-1].low
    return alike + (len(left) == len(right)) + 0.5 * ((left[0].low == "the") == (right[0].low == "the"))


def _counted(question: str, answer: Answer) -> str | None:
    """Return "How many were injured?" with what is counted: "How many people were injured?"."""
    now, before = parse(question), parse(answer.asked)
    if now.wh != "how" or now.asked_noun not in {"many", "much"} or now.auxiliary is None:
        return None
    if not before.asked_noun.startswith(f"{now.asked_noun} "):
        return None
    return question.replace(now.opening, f"{now.opening} {before.asked_noun.split(' ', 1)[1]}", 1)


# A pronoun stands for what was named before.


def _with_referents(question: str, answers: Sequence[Answer]) -> str:
    if _OF_DOCUMENTS.search(question) and not re.search(r"\b(?:it|they)\b", question, re.IGNORECASE):
        return question
    found = tokens(question)
    swaps: list[_Swap] = []
    unresolved = False
    done: dict[str, bool] = {}
    for place in range(len(found)):
        wanted = _wanted(question, found, place)
        if wanted is None or done.get(wanted):
            continue
        if swap := _resolved(question, found, place, wanted, answers):
            swaps.append(swap)
            # What comes again is now named in the question itself.
            done[wanted] = wanted not in {"time", "number"}
        else:
            unresolved = unresolved or wanted in {"man", "woman", "thing", "several"}
    altered = question
    for swap in reversed(swaps):
        altered = _put(altered, swap)
    return _with_topic(altered, answers) if unresolved and not swaps else altered


def _wanted(question: str, found: Sequence[Token], place: int) -> str | None:
    """Return what kind of thing a pronoun for something outside stands for; for any other token ``None``."""
    low, before = found[place].low, _low(found, place - 1)
    after = _low(found, place + 1)
    if low in _WANTED:
        inside = (low == "it" and _DUMMY.search(question)) or _is_inside(found, place)
        return None if inside else _WANTED[low]
    if (
        low == "there"
        and place > 0
        and before not in AUXILIARIES
        and after not in BE | {"has", "have", "had"}
    ):
        return "place"
    if low == "then" and place > 1 and not after.isalpha():
        return "time"
    if low in ORDINALS and before == "the" and _low(found, place - 2) in PREPOSITIONS:
        return None if after.isalnum() and after != "one" else "number"
    return _pointed(found, place) if low in _POINTING and place > 0 else None


def _low(found: Sequence[Token], place: int) -> str:
    return found[place].low if 0 <= place < len(found) else ""


def _pointed(found: Sequence[Token], place: int) -> str | None:
    """Tell "that" for a thing ("will that be held", "that year") from "that" for a clause."""
    before, after = _low(found, place - 1), _low(found, place + 1)
    if _named_before(found, place):
        return None
    if before in AUXILIARIES and (after in AUXILIARIES or after.endswith("ed") or not after.isalpha()):
        return "pointed"
    if not after.isalpha():
        return "pointed" if before in PREPOSITIONS else None
    # "The threats that Belarus wants to reduce" is a clause.
    return None if after in _NO_NOUN or found[place + 1].is_name else "noun"


def _is_inside(found: Sequence[Token], place: int) -> bool:
    """Whether a pronoun stands for something that the question itself names."""
    low, after = found[place].low, _low(found, place + 1)
    wh = next((at for at, token in enumerate(found) if token.low in WH), 0)
    comma = any(token.text == "," for token in found[:wh])
    if _named_behind(found, place) or after == "own" or (comma and place > wh) or _begins_named(found, place):
        return True
    first = next((at for at, token in enumerate(found) if token.low in AUXILIARIES), None)
    if low in _SUBJECT and first is not None and place == first + 1:
        return False  # nothing is named yet
    if _WANTED[low] == "several" and _several_before(found, place):
        return True
    if _is_possessive(found, place):
        return _noun_before(found, place, first) or _is_of_who(found, place, first)
    # "The land they own": a subject with something named before it.
    if low in _SUBJECT and (low != "it" or (after.isalpha() and after not in PREPOSITIONS | ADVERBS)):
        return _noun_before(found, place, first)
    return any(
        token.low in CONJUNCTIONS | WH | {"to"} and _noun_before(found, at, first)
        for at, token in enumerate(found[:place])
        if at > 1
    )


def _begins_named(found: Sequence[Token], place: int) -> bool:
    """Whether the question begins with a subject ("People who fled said they ...") or with a clause."""
    first = found[0].low
    if first in {"when", "if", "before", "after", "while", "as", "where"}:
        return any(token.low in WH and 2 < at < place for at, token in enumerate(found))
    opens = WH | AUXILIARIES | PREPOSITIONS | CONJUNCTIONS | PRONOUNS | ADVERBS | _BIDDING
    return place > 0 and first not in opens


def _several_before(found: Sequence[Token], place: int) -> bool:
    """Whether a plural stands before the pronoun, a verb behind "who" excepted."""
    return any(
        len(token.low) > 3
        and token.low.endswith("s")
        and not token.low.endswith(("ss", "us", "is"))
        and token.low not in _NO_NOUN | {"does"}
        for token in found[2:place]
    )


def _is_of_who(found: Sequence[Token], place: int, auxiliary: int | None) -> bool:
    """Whether "their" or "its" is of the one that is asked for: "Who is known for their music?"."""
    asked = found[0].low
    bound = (asked == "who" and found[place].low == "their") or (
        asked == "what" and found[place].low == "its"
    )
    return bound and (auxiliary is None or (auxiliary == 1 and place > auxiliary + 1))


def _is_possessive(found: Sequence[Token], place: int) -> bool:
    low = found[place].low
    after = found[place + 1] if place + 1 < len(found) else None
    if low == "her":
        return after is not None and after.is_word and after.low not in PREPOSITIONS | ADVERBS | CONJUNCTIONS
    return low in _POSSESSIVE


def _named_before(found: Sequence[Token], place: int) -> bool:
    return any(
        token.is_name and token.low not in WH | AUXILIARIES and at for at, token in enumerate(found[:place])
    )


def _named_behind(found: Sequence[Token], place: int) -> bool:
    """Whether the pronoun is in a clause in front of the question: "When he came, what did Zas say?"."""
    comma = next((at for at, token in enumerate(found) if token.text == "," and at > place), None)
    opens = found[0].low in CONJUNCTIONS | PREPOSITIONS or found[0].low in {"when", "while"}
    return comma is not None and opens and any(token.is_name for token in found[comma:])


def _noun_before(found: Sequence[Token], place: int, auxiliary: int | None) -> bool:
    """Whether something is named before ``place`` that a pronoun there can stand for."""
    for at in range(1, place):
        token, before = found[at], found[at - 1].low
        if not token.is_word or token.low in WH | AUXILIARIES | PRONOUNS | PREPOSITIONS:
            continue
        if token.is_name or (before in DETERMINERS and before not in _POINTING):
            return True
        if auxiliary is not None and at == auxiliary + 1 and token.low not in ADVERBS | DETERMINERS:
            return not token.low.endswith("ed")
        # "Which cities celebrate their days": what is asked for is the subject.
        if auxiliary is None and before in {"which", "many", "whose"}:
            return True
    return False


def _resolved(
    question: str, found: Sequence[Token], place: int, wanted: str, answers: Sequence[Answer]
) -> _Swap | None:
    token = found[place]
    before = found[place - 1].low if place else ""
    if wanted == "time":
        given = [one for answer in answers[:1] for one in dates(answer.text or "") or dates(answer.asked)]
        return _Swap(token.start, token.end, f"{_on(given[0])} {given[0]}") if given else None
    if wanted == "number":
        return _numbered(found, place, answers)
    if wanted == "noun":
        return _pointed_noun(found, place, answers)
    referent = _referent(question, wanted, answers)
    if referent is None:
        return None
    if wanted == "place":
        text = referent.text if before in PREPOSITIONS else f"in {referent.text}"
    elif _is_possessive(found, place):
        text = f"{referent.text}'" if referent.text.endswith("s'") else f"{referent.text}'s"
    else:
        text = referent.text
    return _Swap(token.start, token.end, text)


def _referent(question: str, wanted: str, answers: Sequence[Answer]) -> Referent | None:
    """Return what suits a pronoun best: in the newest turn that has something, what suits it most."""
    for answer in answers:
        suited = [(one.suits(wanted), -place, one) for place, one in enumerate(referents(answer, answers))]
        best = max(suited, key=lambda one: one[:2], default=None)
        if best is not None and best[0] > 0 and best[2].text.lower() not in question.lower():
            return best[2]
    return None


def _numbered(found: Sequence[Token], place: int, answers: Sequence[Answer]) -> _Swap | None:
    """Give an ordinal its noun: "the third" after "How many sessions" is "the third session"."""
    token = found[place]
    end = found[place + 1].end if place + 1 < len(found) and found[place + 1].low == "one" else token.end
    for answer in answers:
        before = parse(answer.asked)
        if before.asked_noun.startswith("many ") and before.asked_noun.endswith("s"):
            return _Swap(token.start, end, f"{token.text} {before.asked_noun.removeprefix('many ')[:-1]}")
        words = tokens(answer.asked)
        for one, after in itertools.pairwise(words):
            if one.low in ORDINALS and after.is_word and after.low not in PREPOSITIONS | AUXILIARIES:
                return _Swap(token.start, end, f"{token.text} {after.text}")
    return None


def _pointed_noun(found: Sequence[Token], place: int, answers: Sequence[Answer]) -> _Swap | None:
    """Put what was named in the place of "that year", "this conference"."""
    token, noun = found[place], found[place + 1]
    before = found[place - 1].low if place else ""
    if noun.low in _TIMES:
        given = [*dates(answers[0].text or ""), *dates(answers[0].asked)]
        if noun.low == "year":
            given = [year for one in given for year in re.findall(r"\b\d{4}\b", one)]
        if not given:
            return None
        start = found[place - 1].start if before in {"at", "in", "on", "during"} else token.start
        text = given[0] if before in PREPOSITIONS and start == token.start else f"{_on(given[0])} {given[0]}"
        return _Swap(start, noun.end, text)
    for answer in answers:
        for one in referents(answer, answers):
            if one.noun == noun.low:
                return _Swap(token.start, noun.end, one.text)
    return None


# Sentences


def _with_topic(question: str, answers: Sequence[Answer]) -> str:
    """Return the question with the topic of the conversation behind it, for search to find."""
    topics = [one for answer in answers for one in referents(answer, answers) if one.suits("topic") > 0]
    best = max(topics, key=lambda one: one.suits("topic"), default=None)
    if best is None or best.text.lower() in question.lower():
        return question
    return f"{_ended(question)} ({best.text})?"


def _put(text: str, swap: _Swap) -> str:
    put = text[: swap.start] + swap.text + text[swap.end :]
    return put[:1].upper() + put[1:]


def _ended(text: str) -> str:
    return text.strip().rstrip("?!. ")


def _sentence(text: str) -> str:
    line = " ".join(text.split())
    return f"{line[:1].upper()}{line[1:]}?"
