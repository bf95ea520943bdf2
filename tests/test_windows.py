"""Windows of tokens over a text, of three kinds of tokenizers, and the spans that logits over them mean."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from index.encode import default_checkpoint
from qa.windows import Window, decode, null_score, windows
from tests.readers import FAMILIES, tokenizer_of

QUESTION = "Who is the captain of the Aurora?"
TEXTS = [
    "The captain of the Aurora is John Carter.",
    " the  bread\nof the\tday ",
    "A cafe\u0301 in Saint-E\u0301tienne: 5 € a cup!",
    "👍🏽 ok 😀😀 the end",
    "日本語 the 日本 is 東京。",
    "Кто и the где? ١٢٣ हिन्दी",
    "a\u200bb \ufeffc\u00add",
    "x",
]
TOKENIZERS = {family: tokenizer_of(family) for family in FAMILIES}


def shipped():
    """The tokenizer of all-MiniLM-L6-v2, with its whole vocabulary."""
    tokenizer = Tokenizer.from_file(str(default_checkpoint() / "tokenizer.json"))
    tokenizer.no_padding()
    tokenizer.no_truncation()
    return tokenizer


TOKENIZERS["minilm"] = shipped()

prose = st.text(
    st.one_of(st.sampled_from("the breadx isTHE.,!-\n\t é\u0301日😀🏽"), st.characters(codec="utf-8")),
    max_size=150,
)
names = st.sampled_from(sorted(TOKENIZERS))


def places(window):
    """The tokens of the text: their place in the window, and their offsets."""
    return [
        (place, int(start), int(end))
        for place, (start, end) in enumerate(zip(window.starts, window.ends, strict=True))
        if start >= 0
    ]


def says(tokenizer, token, text):
    """Whether ``text`` is what a token stands for."""
    if token == "[UNK]":
        return bool(text.strip())
    if tokenizer is TOKENIZERS["roberta"]:
        said = tokenizer.decoder.decode([token]).strip(" ")
        return said == text or (len(text) == 1 and not text.isascii() and "\ufffd" in said)
    said = token.removeprefix("##").replace("▁", " ").strip()
    return said == tokenizer.normalizer.normalize_str(text).strip()


# --- windows -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", sorted(TOKENIZERS))
def test_a_token_stands_where_its_offsets_say(name, text):
    tokenizer = TOKENIZERS[name]
    for max_tokens in (40, 400):
        for window in windows(tokenizer, QUESTION, text, max_tokens, 4):
            for place, start, end in places(window):
                token = tokenizer.id_to_token(window.ids[place])
                # SentencePiece puts a space before the text, and its token on the first letter.
                if not (token == "▁" and start == 0):
                    assert says(tokenizer, token, text[start:end]), (token, text[start:end])


@pytest.mark.parametrize("text", TEXTS)
@pytest.mark.parametrize("name", sorted(TOKENIZERS))
def test_a_text_that_fits_is_paired_as_the_tokenizer_pairs_texts(name, text):
    [window] = windows(TOKENIZERS[name], QUESTION, text, 400, 4)
    pair = TOKENIZERS[name].encode(QUESTION, text)
    assert window.ids == tuple(pair.ids)
    assert window.types == tuple(pair.type_ids)
    of_text = [
        (place, *offsets)
        for place, (sequence, offsets) in enumerate(zip(pair.sequence_ids, pair.offsets, strict=True))
        if sequence == 1 and offsets[0] < offsets[1]
    ]
    assert places(window) == of_text
    # What is not of the text has no place in it.
    rest = np.ones(len(window.ids), dtype=bool)
    rest[[place for place, _, _ in of_text]] = False
    assert (window.starts[rest] == -1).all()
    assert (window.ends[rest] == -1).all()


@settings(max_examples=100, deadline=None)
@given(name=names, question=prose, text=prose, max_tokens=st.integers(14, 60), stride=st.integers(0, 60))
def test_of_any_question_and_text(name, question, text, max_tokens, stride):
    tokenizer = TOKENIZERS[name]
    before = tokenizer.to_str()
    found = windows(tokenizer, question, text, max_tokens, stride)
    assert tokenizer.to_str() == before
    whole = tokenizer.encode(text, add_special_tokens=False)
    assert bool(found) == bool(whole.ids)
    for window in found:
        assert len(window.ids) == len(window.types) == len(window.starts) == len(window.ends) <= max_tokens
        spots = [(start, end) for _, start, end in places(window)]
        assert all(0 <= start < end <= len(text) for start, end in spots)
        assert spots == sorted(spots)
    # Every token of the text lies in a window, and no other.
    covered = {spot for window in found for spot in ((start, end) for _, start, end in places(window))}
    assert covered == {offsets for offsets in whole.offsets if offsets[0] < offsets[1]}


@settings(max_examples=60, deadline=None)
@given(name=names, words=st.integers(1, 120), max_tokens=st.integers(16, 60), stride=st.integers(0, 30))
def test_windows_follow_one_another_and_overlap(name, words, max_tokens, stride):
    tokenizer = TOKENIZERS[name]
    text = " ".join("the" if number % 3 else f"bread{number}" for number in range(words))
    found = windows(tokenizer, "who?", text, max_tokens, stride)
    asked = len(tokenizer.encode("who?", add_special_tokens=False).ids)
    special = tokenizer.num_special_tokens_to_add(is_pair=True)
    room = max_tokens - special - asked
    overlap = min(stride, room // 2)
    # The tokens of the text come last, before one closing token.
    parts = [list(window.ids[special + asked - 1 : -1]) for window in found]
    ids = parts[0]
    for one, following in zip(parts, parts[1:], strict=False):
        assert len(one) == room
        assert one[room - overlap :] == following[:overlap]
        ids = ids + following[overlap:]
    assert ids == tokenizer.encode(text, add_special_tokens=False).ids


@pytest.mark.parametrize("name", sorted(TOKENIZERS))
def test_a_question_longer_than_a_window_leaves_room_for_the_text(name):
    tokenizer = TOKENIZERS[name]
    text = "the captain is Carter " * 30
    for max_tokens in (20, 64, 320):
        found = windows(tokenizer, "who is the captain? " * 100, text, max_tokens, 8)
        assert all(len(window.ids) <= max_tokens for window in found)
        special = tokenizer.num_special_tokens_to_add(is_pair=True)
        read = [sum(window.starts >= 0) for window in found]
        assert max(read) >= max_tokens / 2 - special - max_tokens / 8  # spaces may be tokens of no width
        covered = {start for window in found for _, start, _ in places(window)}
        assert {text.index("Carter"), text.rindex("captain")} <= {
            start + len(text[start:]) - len(text[start:].lstrip()) for start in covered
        }


@pytest.mark.parametrize("text", ["", " ", "\n\n", "\u200b\x00"])
@pytest.mark.parametrize("name", sorted(TOKENIZERS))
def test_where_nothing_is_there_is_nothing_to_answer(name, text):
    for window in windows(TOKENIZERS[name], QUESTION, text, 64, 8):
        logits = np.ones(len(window.ids), dtype=np.float32)
        for span in decode(window, logits, logits, 5):
            assert text[span.start : span.end] != ""
    assert windows(TOKENIZERS[name], QUESTION, "", 64, 8) == []


@pytest.mark.parametrize("name", sorted(TOKENIZERS))
def test_a_text_may_be_read_without_a_question(name):
    [window] = windows(TOKENIZERS[name], "", "the bread", 64, 8)
    assert [end for _, _, end in places(window)][-1] == len("the bread")


# --- decoding ----------------------------------------------------------------------------------------------------


def window_of(inside):
    """A window whose tokens of the text have two characters each, a space between them."""
    starts = np.full(len(inside), -1, dtype=np.int64)
    starts[inside] = 3 * np.arange(sum(inside))
    ends = np.where(starts >= 0, starts + 2, -1)
    return Window(tuple(range(len(inside))), (0,) * len(inside), starts, ends)


@st.composite
def scored_windows(draw):
    inside = draw(st.lists(st.booleans(), min_size=1, max_size=24))
    length = len(inside) + draw(st.integers(0, 4))  # padding
    values = st.lists(st.floats(-20, 20, width=32), min_size=length, max_size=length)
    start, end = (np.array(draw(values), dtype=np.float32) for _ in range(2))
    return window_of(np.array(inside)), start, end


@settings(max_examples=200, deadline=None)
@given(scored=scored_windows(), most=st.integers(1, 30), max_tokens=st.integers(1, 30))
def test_decoding_finds_what_trying_every_pair_finds(scored, most, max_tokens):
    window, start, end = scored
    tried = {}
    for first, from_ in enumerate(window.starts):
        for last in range(first, min(first + max_tokens, len(window.ids))):
            if from_ >= 0 and window.starts[last] >= 0:
                tried[int(from_), int(window.ends[last])] = float(start[first] + end[last])
    found = decode(window, start, end, most, max_tokens)
    assert [span.score for span in found] == sorted(tried.values(), reverse=True)[:most]
    assert all(tried[span.start, span.end] == span.score for span in found)
    assert len({(span.start, span.end) for span in found}) == len(found)


def test_the_span_with_the_highest_logits_comes_first():
    window = window_of(np.array([False, False, True, True, True, True, False]))
    start = np.array([9, 9, 0, 5, 0, 1, 9], dtype=np.float32)
    end = np.array([9, 9, 8, 0, 4, 3, 9], dtype=np.float32)
    # The highest end of all stands before the highest start.
    best, *rest = decode(window, start, end, 20)
    assert (best.start, best.end, best.score) == (3, 8, 9.0)
    assert {(span.start, span.end, span.score) for span in rest[:2]} == {(3, 11, 8.0), (0, 2, 8.0)}
    [alone] = decode(window, start, end, 1, max_tokens=1)
    assert (alone.start, alone.end, alone.score) == (0, 2, 8.0)


def test_no_more_than_30_tokens_unless_asked_for():
    window = window_of(np.ones(64, dtype=bool))
    start, end = np.zeros((2, 64), dtype=np.float32)
    start[0], end[63] = 50, 50
    longest = max(decode(window, start, end, 10_000), key=lambda span: span.end - span.start)
    assert longest.end - longest.start == 3 * 30 - 1
    assert decode(window, start, end, 1, max_tokens=64)[0].score == 100


def test_without_tokens_of_the_text_there_are_no_spans():
    window = window_of(np.zeros(5, dtype=bool))
    assert decode(window, np.ones(5, dtype=np.float32), np.ones(5, dtype=np.float32), 3) == []


@given(st.lists(st.floats(-50, 50, width=32), min_size=2, max_size=9))
def test_no_answer_scores_what_the_first_token_scores(values):
    start, end = values, values[::-1]
    expected = values[0] + values[-1]
    assert null_score(start, end) == expected
    arrays = np.array(start, dtype=np.float32), np.array(end, dtype=np.float32)
    assert null_score(*arrays) == expected
