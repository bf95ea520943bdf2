"""Training: what a model is taught, in which order, and runs that are cut off and go on."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer
from typer.testing import CliRunner

from index import Hit, Index, Passage
from index.errors import SettingsError
from qa.confidence import Evidence
from qa.evaluation.abstention import Judged, auroc, calibration_error, observe
from qa.evaluation.corpus import Corpus
from qa.evaluation.metrics import normalize
from qa.evaluation.squad import Example, Gold
from qa.read import SpanReader
from qa.sentence_reader import SentenceReader
from qa.span_models import TorchSpanModel
from qa.training import calibrate
from qa.training.__main__ import app
from qa.training.batches import BATCH, Data, Source, batch_count, batches, collate, epoch_groups
from qa.training.calibrate import fit
from qa.training.dropout import PooledDropout, pool_dropout
from qa.training.features import MAX_TOKENS, NULL, Item, crop, feature
from qa.training.model import load_model, load_tokenizer, mean_model, save_model, score
from qa.training.negatives import mine, read_negatives, write_negatives
from qa.training.plots import plot_runs
from qa.training.recipe import Recipe, read_recipe
from qa.training.run import Run, _loss
from qa.training.split import split
from qa.training.swaps import swap
from qa.types import Reading, Span
from qa.windows import decode
from tests.conftest import HashingEncoder
from tests.readers import FAMILIES, save_reader, tokenizer_of

ROOT = Path(__file__).parent.parent
RECIPES = sorted((ROOT / "qa" / "training" / "recipes").glob("*.toml"))
TOKENIZERS = {family: tokenizer_of(family) for family in FAMILIES}
NAMES = ["ann", "bob", "cid", "dan", "eve", "fay", "gus", "hal"]
SHIPS = ["aurora", "bounty", "cutty", "dove", "emma", "flora", "golden", "hope"]


def example(number, context, answer, title="", question="who is the captain?"):
    golds = (Gold(answer, context.index(answer)),) if answer else ()
    return Example(f"q{number}", question, context, title, golds, impossible=not golds, kind="")


def questions(count=48):
    """Questions whose answers stand behind "captain is", one a paragraph."""
    found = []
    for number in range(count):
        name, ship = NAMES[number % 8], SHIPS[number * 3 % 8]
        context = f"the {ship} is at sea. the captain is {name}. the bread is {number}."
        found.append(example(number, context, name, title=f"ship {number // 4}"))
    return found


def some_data(count=48, **changes):
    data = Data([Source(questions(count), count)], {}, null_share=0.0, cropped=0.0)
    return replace(data, **changes)


# --- what a question teaches -------------------------------------------------------------------------------------


def taught(taught_feature):
    """The spans that a model which learnt its lesson would find, best first."""
    length = len(taught_feature.window.ids)
    start, end = np.full((2, length), -1e3, dtype=np.float32)
    for place, share in taught_feature.start:
        start[place] = share
    for place, share in taught_feature.end:
        end[place] = share
    return [one for one in decode(taught_feature.window, start, end, 20) if one.score > 0]


words = st.lists(
    st.sampled_from(
        ["the", "bread", "is", "Aurora", "cafe", "3.5", "“so”", "(it)", "été", "日本", "😀", "x-y", "O'Neil"]
    ),
    min_size=1,
    max_size=60,
)


@settings(max_examples=80, deadline=None)
@given(family=st.sampled_from(FAMILIES), found=words, data=st.data(), seed=st.integers(0, 99))
def test_what_is_taught_is_the_answer(family, found, data, seed):
    text = " ".join(found)
    first = data.draw(st.integers(0, len(found) - 1))
    last = data.draw(st.integers(first, min(len(found) - 1, first + 8)))
    answer = " ".join(found[first : last + 1])
    start = len(" ".join(found[:first])) + (first > 0)
    assert text[start : start + len(answer)] == answer
    one = feature(TOKENIZERS[family], Item("who?", text, (Gold(answer, start),)), np.random.default_rng(seed))
    assert [share for _, share in one.start] == [share for _, share in one.end] == [1.0]
    [(place, _)], [(stop, _)] = one.start, one.end
    cut = text[one.window.starts[place] : one.window.ends[stop]]
    assert cut.strip() == answer
    best = taught(one)
    assume(stop - place < 30)
    assert text[best[0].start : best[0].end].strip() == answer


@settings(max_examples=30, deadline=None)
@given(family=st.sampled_from(FAMILIES), place=st.integers(0, 299), seed=st.integers(0, 99))
def test_of_a_long_text_a_window_that_holds_the_answer_is_taught(family, place, seed):
    found = ["bread"] * 300
    found[place] = "Aurora"
    text = " ".join(found)
    item = Item("who?", text, (Gold("Aurora", text.index("Aurora")),))
    one = feature(TOKENIZERS[family], item, np.random.default_rng(seed))
    assert len(one.window.ids) <= MAX_TOKENS
    [best, *_] = taught(one)
    assert text[best.start : best.end].strip() == "Aurora"


def test_every_window_that_holds_the_answer_has_its_turn():
    text = "bread " * 250 + "Aurora " + "bread " * 250
    item = Item("who?", text, (Gold("Aurora", text.index("Aurora")),))
    tokenizer = TOKENIZERS["bert"]
    drawn = {feature(tokenizer, item, np.random.default_rng(seed)).start for seed in range(40)}
    assert len(drawn) == 2
    nothing = Item("who?", text, ())
    shown = {feature(tokenizer, nothing, np.random.default_rng(seed)).window.ids for seed in range(40)}
    assert len(shown) > 2


def test_answers_count_by_their_votes():
    text = "the captain is Ann Lee of the Aurora"
    answers = (Gold("Ann Lee", 15), Gold("Ann Lee", 15), Gold("Ann", 15), Gold("Lee", 19))
    one = feature(TOKENIZERS["bert"], Item("who?", text, answers), np.random.default_rng(0))
    starts = {text[one.window.starts[place] :][:3]: share for place, share in one.start}
    ends = {text[: one.window.ends[place]][-3:]: share for place, share in one.end}
    assert starts == {"Ann": 0.75, "Lee": 0.25}
    assert ends == {"Lee": 0.75, "Ann": 0.25}


@pytest.mark.parametrize("family", FAMILIES)
def test_without_an_answer_the_first_token_is_taught(family):
    one = feature(TOKENIZERS[family], Item("who?", "the bread", ()), np.random.default_rng(0))
    assert (one.start, one.end) == (NULL, NULL)
    assert taught(one) == []


def test_what_no_window_can_hold_is_not_taught():
    long = "bread " * 400
    item = Item("who?", long, (Gold(long[:-1], 0),))
    assert feature(TOKENIZERS["bert"], item, np.random.default_rng(0)) is None
    assert feature(TOKENIZERS["bert"], Item("who?", "", ()), np.random.default_rng(0)) is None


# --- passages in place of paragraphs -----------------------------------------------------------------------------

sentences = st.lists(
    st.sampled_from(
        [
            "It is so.",
            "The bread is here!",
            "Who? He.",
            "\n\n",
            "Dr. No came on 3.5. ",
            "été 😀.",
            "x" * 80 + ".",
        ]
    ),
    min_size=1,
    max_size=14,
)


@settings(max_examples=100, deadline=None)
@given(found=sentences, data=st.data(), characters=st.integers(1, 300), seed=st.integers(0, 99))
def test_a_crop_is_a_stretch_of_the_paragraph_that_holds_an_answer(found, data, characters, seed):
    text = " ".join(found)
    answers = []
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(text) - 1))
        stop = data.draw(st.integers(start + 1, min(len(text), start + 40)))
        answers.append(Gold(text[start:stop], start))
    asked = Example("q", "who?", text, "", tuple(answers), impossible=False, kind="")
    item = crop(asked, characters, np.random.default_rng(seed))
    assert item.question == "who?"
    assert item.text in text
    assert item.answers
    given_ = Counter(answer.text for answer in answers)
    for answer in item.answers:
        assert item.text[answer.start : answer.start + len(answer.text)] == answer.text
    assert Counter(answer.text for answer in item.answers) <= given_


def test_a_crop_is_about_as_long_as_asked_for_and_differs_each_time():
    text = " ".join(f"Sentence {number} stands here." for number in range(40))
    asked = example(0, text, "Sentence 20")
    crops = [crop(asked, 300, np.random.default_rng(seed)).text for seed in range(30)]
    assert all(200 < len(one) <= 300 for one in crops)
    assert len(set(crops)) > 5
    # The answer is not always in the middle.
    assert len({one.index("Sentence 20") for one in crops}) > 5
    assert all(one.startswith("Sentence") and one.endswith(".") for one in crops)


# --- questions that look answerable ------------------------------------------------------------------------------

TOLD = (
    "The Vienna meeting was led by Murad Kunakbaev of the CSTO in 2019. Before, in 2011, Anna Weber of the OSCE "
    "had opened the largest session in Minsk. Lukewarm applause came from 12 guests."
)


def swaps(question, answer="Murad Kunakbaev", elsewhere="We saw Berlin and Robert Koch in 1910.", text=TOLD):
    asked = example(0, text, answer, question=question)
    items = [swap(asked, elsewhere, np.random.default_rng(seed)) for seed in range(300)]
    assert all(item.text == text and item.answers == () for item in items if item)
    return {item.question for item in items if item}


def test_a_name_is_exchanged_for_one_that_does_not_answer():
    made = {one for one in swaps("Who led the meeting in 2019?") if "never" not in one}
    # Years for years, from the text or another one; never what stands in the sentence that answers.
    assert made == {"Who led the meeting in 2011?", "Who led the meeting in 1910?"}
    # Names of one word for names of one word.
    made = swaps("Who had gathered it for the OSCE?", "Anna Weber")
    assert {one for one in made if "never" not in one} == {
        f"Who had gathered it for the {name}?" for name in ("Berlin", "CSTO", "Vienna")
    }


def test_a_word_is_exchanged_for_its_opposite():
    made = swaps("who opened the largest session before the meeting?", "Anna Weber")
    assert {one for one in made if "never" not in one} == {
        "who opened the smallest session before the meeting?",
        "who closed the largest session before the meeting?",
        "who opened the largest session after the meeting?",
    }


def test_a_question_is_denied_once():
    assert swaps("What was it?") == {"What wasn't it?"}
    assert swaps("who spoke?") == {"who never spoke?"}
    assert swaps("What was not said?") == set()


def test_what_offers_nothing_to_exchange_is_left_out():
    # A capital at the beginning of a sentence makes no name, and a name that the text lacks is no trap.
    assert swaps("What is lukewarm about Paris?", "12 guests") <= {"What isn't lukewarm about Paris?"}
    assert swaps("Why?") == set()


@pytest.mark.parametrize("share", [0.0, 0.25, 3.0])
def test_exchanged_questions_are_added_by_their_share(share):
    asked = [replace(one, question=f"who is the last captain of {one.id}?") for one in questions()]
    data = Data([Source(asked, 48)], {}, null_share=0.0, cropped=0.0, swapped=share)
    items = order(data, 0)
    added = [item for item in items if not item.answers]
    # No more than one of each.
    assert len(added) == len({item.question for item in added}) == min(48, round(48 * share))
    assert {item.question for item in added}.isdisjoint(one.question for one in asked)


# --- the order of training ---------------------------------------------------------------------------------------


def order(data, seed):
    groups = epoch_groups(data, np.random.default_rng(seed))
    assert all(len(group) == 1 for group in groups if not data.beside)
    return [item for group in groups for item in group]


def test_the_same_seed_gives_the_same_epoch():
    data = some_data(cropped=0.5, negatives={"q1": ["the sea"], "q2": ["the bread", "x"]}, null_share=0.05)
    assert order(data, [1, 0]) == order(data, [1, 0])
    assert order(data, [1, 0]) != order(data, [1, 1]) != order(data, [2, 1])
    assert Counter(item.question for item in order(data, 0)) == Counter(
        item.question for item in order(data, 1)
    )


def test_an_epoch_draws_from_each_source_what_is_asked_for():
    first, second = questions(20), [example(100 + n, f"the sea is {n}", "sea") for n in range(30)]
    data = Data([Source(first, 20), Source(second, 7)], {}, null_share=0.0, cropped=0.0)
    seen = set()
    for seed in range(20):
        items = order(data, seed)
        of_second = [item.text for item in items if item.text.startswith("the sea is")]
        assert len(items) == 27
        assert len(set(of_second)) == 7
        assert {item.text for item in items} >= {one.context for one in first}
        seen |= set(of_second)
    # Epoch for epoch, all have their turn.
    assert len(seen) == 30


@pytest.mark.parametrize("share", [0.0, 0.25, 0.5])
def test_passages_without_answers_are_added_by_their_share(share):
    negatives = {f"q{number}": [f"the sea {number}", "the dove"] for number in range(40)}
    items = order(some_data(negatives=negatives, null_share=share), 0)
    added = [item for item in items if not item.answers]
    assert len(items) == 48 + len(added) == 48 + 48 * share
    assert all(item.text in {text for texts in negatives.values() for text in texts} for item in added)


@pytest.mark.parametrize(("cropped", "least", "most"), [(0.0, 0, 0), (0.5, 60, 140), (1.0, 200, 200)])
def test_a_share_of_questions_is_read_in_a_passage(cropped, least, most):
    text = " ".join(f"sentence {number} stands here." for number in range(60))
    asked = [example(number, text, "sentence 30") for number in range(200)]
    items = order(Data([Source(asked, 200)], {}, null_share=0.0, cropped=cropped), 0)
    assert least <= sum(len(item.text) < len(text) for item in items) <= most


def test_batches_hold_every_item_once_and_few_are_padded():
    items = [Item("who?", "bread " * (1 + number * 37 % 50), ()) for number in range(300)]
    groups = [(item,) for item in items]
    found = list(batches(TOKENIZERS["bert"], groups, np.random.default_rng(0), padding=0))
    assert len(found) == batch_count(groups) == 10
    lengths = Counter(int(length) for batch in found for length in batch.mask.sum(1))
    assert lengths == Counter(len(TOKENIZERS["bert"].encode("who?", item.text).ids) for item in items)
    real = sum(int(batch.mask.sum()) for batch in found)
    assert real > 0.85 * sum(batch.mask.numel() for batch in found)
    # In random order of lengths, and the same for the same seed.
    longest = [batch.ids.shape[1] for batch in found]
    assert longest != sorted(longest)
    again = batches(TOKENIZERS["bert"], groups, np.random.default_rng(0), padding=0)
    assert all(torch.equal(one.ids, other.ids) for one, other in zip(found, again, strict=True))


@pytest.mark.parametrize("padding", [0, 1])
def test_a_batch_says_what_is_padding(padding):
    tokenizer = TOKENIZERS["roberta"]
    rng = np.random.default_rng(0)
    items = [Item("who?", "the captain is ann", (Gold("ann", 15),)), Item("who?", "the", ())]
    features = [feature(tokenizer, item, rng) for item in items]
    batch = collate([features], padding)
    assert batch.group.tolist() == [0, 0]
    for row, one in enumerate(features):
        length = len(one.window.ids)
        assert batch.ids[row, :length].tolist() == list(one.window.ids)
        assert batch.types[row, :length].tolist() == list(one.window.types)
        assert batch.mask[row].tolist() == [1] * length + [0] * (batch.ids.shape[1] - length)
        assert (batch.ids[row, length:] == padding).all()
        assert batch.text[row, :length].tolist() == [int(start >= 0) for start in one.window.starts]
        assert not batch.text[row, length:].any()
        for votes, targets in ((one.start, batch.start[row]), (one.end, batch.end[row])):
            assert {place: pytest.approx(share) for place, share in votes} == {
                place: float(share) for place, share in enumerate(targets) if share
            }
    assert batch.start.sum(1).tolist() == batch.end.sum(1).tolist() == [1.0, 1.0]


def test_passages_that_only_look_right_stand_beside_the_own_one():
    negatives = {"q1": ["the sea 1", "the dove 1", "a third"], "q2": ["the sea 2"]}
    data = some_data(negatives=negatives, beside=2)
    groups = epoch_groups(data, np.random.default_rng(0))
    by_text = {group[0].text: group for group in groups}
    assert Counter(map(len, groups)) == {1: 46, 2: 1, 3: 1}
    for name, texts in negatives.items():
        own, *others = by_text[next(one.context for one in questions(48) if one.id == name)]
        assert own.answers
        assert {item.text for item in others} <= set(texts)
        assert len({item.text for item in others}) == len(others) == min(2, len(texts))
        assert not any(item.answers for item in others)


def test_texts_of_one_question_are_never_parted():
    groups = [tuple(Item(f"{n}?", "bread " * (n % 7 + k), ()) for k in range(n % 3 + 1)) for n in range(90)]
    found = list(batches(TOKENIZERS["bert"], groups, np.random.default_rng(0), padding=0))
    sizes = [count for batch in found for count in Counter(batch.group.tolist()).values()]
    # A text without words fits no window.
    assert sum(sizes) == sum(bool(item.text) for group in groups for item in group)
    assert max(len(batch.group) for batch in found) < BATCH + 3
    assert all(batch.group.tolist() == sorted(batch.group.tolist()) for batch in found)


def test_passages_of_one_question_share_a_softmax():
    groups = [[Item("who?", "it is ann", (Gold("ann", 6),)), Item("who?", "it is bob", ())]]
    made = [
        [feature(TOKENIZERS["bert"], item, np.random.default_rng(0)) for item in group] for group in groups
    ]
    batch = collate(made, padding=0)
    torch.manual_seed(0)
    start, end = torch.randn(2, *batch.start.shape)
    expected = []
    for scores, votes in ((start, batch.start), (end, batch.end)):
        read = torch.cat([scores[row][batch.text[row] == 1] for row in (0, 1)])
        place = (batch.text[0, : int(votes[0].argmax())] == 1).sum()
        expected.append(-read.log_softmax(0)[place])
    cpu = torch.device("cpu")
    assert _loss(start, end, batch, cpu, 1.0).item() == pytest.approx(sum(expected).item() / 2, rel=1e-5)
    # By itself, the second has "no answer" at its first token.
    alone = _loss(start, end, batch, cpu, 0.0).item()
    assert _loss(start, end, batch, cpu, 0.25).item() == pytest.approx(
        0.75 * alone + 0.25 * sum(expected).item() / 2, rel=1e-5
    )


# --- what is kept back -------------------------------------------------------------------------------------------


def test_whole_articles_are_kept_back():
    asked = [example(n, f"the sea {n}", "sea", title=f"article {n // 10}") for n in range(5_000)]
    train, back = split(asked)
    assert sorted(one.id for one in train + back) == sorted(one.id for one in asked)
    assert not {one.title for one in train} & {one.title for one in back}
    assert 0.04 < len(back) / len(asked) < 0.12
    # In the order of the file.
    assert [one.id for one in back] == [one.id for one in asked if one in set(back)]


def test_the_same_articles_are_kept_back_whatever_comes_with_them():
    titles = ["Minsk", "Vienna", "Kyiv", "Seoul", "Paris", "Delhi", "Cairo", "Lima"]
    asked = [example(n, f"the sea {n}", "sea", title=title) for n, title in enumerate(titles)]
    kept = {"Kyiv", "Seoul", "Delhi", "Cairo"}  # by the hash of the title: no other run may choose others
    assert {one.title for one in split(asked)[1]} == kept
    assert {one.title for one in split(asked[::-1][:6])[1]} == kept - {"Minsk", "Vienna"}


def test_without_articles_paragraphs_take_their_place():
    for title in ("", "the only one"):
        asked = [example(n, f"the sea {n // 3}", "sea", title=title) for n in range(900)]
        train, back = split(asked)
        assert not {one.context for one in train} & {one.context for one in back}
        assert 0.03 < len(back) / len(asked) < 0.13


# --- negatives ---------------------------------------------------------------------------------------------------


@pytest.fixture
def corpus(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        contexts = [
            f"The ship {ship} is at sea. The captain of {ship} is {name}." for ship in SHIPS for name in NAMES
        ]
        asked = [
            example(
                n, context, context.split()[-1][:-1], question=f"Who is the captain of {context.split()[2]}?"
            )
            for n, context in enumerate(contexts)
        ]
        yield Corpus(index, asked)


def test_negatives_hold_no_answer(corpus):
    asked = [
        *corpus.examples,
        Example("none", "Who?", corpus.examples[0].context, "", (), impossible=True, kind=""),
        replace(
            corpus.examples[0],
            id="two",
            answers=(Gold("ann", corpus.examples[0].context.index("ann")), Gold("The ship", 0)),
        ),
    ]
    strangers = ["Bread needs flour.", "Nobody but ANN knows.", "It is 'Bob', who bakes.", "Cid and Dan"]
    mined = dict(mine(corpus, asked, strangers))
    # Each that has an answer, once.
    assert set(mined) == {one.id for one in asked if one.answers}
    assert mined["two"]  # strangers alone: every passage names a ship
    for one in asked:
        for text in mined.get(one.id, ()):
            for gold in one.answers:
                assert f" {normalize(gold.text)} " not in f" {normalize(text)} "
                assert not re.search(rf"\b{gold.text}\b", text, re.IGNORECASE)
    texts = [text for one in corpus.examples for text in mined[one.id]]
    assert all(len(mined[one.id]) <= 6 for one in corpus.examples)
    # Hard ones, about the same ship, and a stranger here and there.
    assert {"Bread needs flour."} <= set(texts)
    assert sum("The ship" in text for text in texts) > len(texts) / 2
    assert dict(mine(corpus, asked, strangers)) == mined


def test_negatives_are_written_line_by_line_and_read_again(tmp_path):
    path = tmp_path / "negatives.jsonl"
    write_negatives(path, [("a", ["one\nline", "été 😀"]), ("b", [])])
    write_negatives(path, [("c", ["\u2028 “so”"])])
    assert read_negatives(path) == {"a": ["one\nline", "été 😀"], "b": [], "c": ["\u2028 “so”"]}
    assert len(path.read_text("utf-8").split("\n")) == 4


# --- recipes -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", RECIPES, ids=lambda path: path.stem)
def test_the_recipes_that_come_along_can_be_read(path):
    recipe = read_recipe(path)
    assert recipe.sources
    assert all(name.endswith(".train.json.gz") for name in recipe.sources)
    assert recipe.epochs > 0


def test_what_a_recipe_leaves_out_has_its_default(tmp_path):
    (tmp_path / "a.toml").write_text('epochs = 2\ndecay = 0.5\n[sources]\n"a.json" = 3\n')
    assert read_recipe(tmp_path / "a.toml") == Recipe(sources={"a.json": 3}, epochs=2, decay=0.5)
    (tmp_path / "empty.toml").write_text("")
    assert read_recipe(tmp_path / "empty.toml") == Recipe()


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("epochs = ", "not a recipe in TOML"),
        ("epochs = 1\nepochs = 2", "not a recipe in TOML"),
        ("[sources", "not a recipe in TOML"),
        ("\xff", "not a recipe in TOML"),
        ("epoch = 1", "no such thing as epoch; there is sources, epochs"),
        ("lr = 1\nbatch = 2", "no such thing as batch, lr"),
        ('epochs = "three"', "epochs is 'three', and has to be a number"),
        ("epochs = true", "epochs is True, and has to be a number"),
        ("epochs = -1", "epochs is -1, and has to be a number from 0 on"),
        ("seed = 1.5", "seed is 1.5, and has to be a whole number"),
        ("sources = 3", "sources is 3, and has to be a table of files"),
        ('[sources]\n"a.json" = "all"', "sources is .*all.*, and has to be a table of files"),
        ('[sources]\n"a.json" = -1', "sources is .*-1.*, and has to be a table of files"),
    ],
)
def test_a_wrong_recipe_is_named_with_what_is_wrong(tmp_path, content, complaint):
    path = tmp_path / "wrong.toml"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(SettingsError, match=rf"{re.escape(str(path))}: {complaint}"):
        read_recipe(path)


def test_a_missing_recipe_is_named(tmp_path):
    with pytest.raises(SettingsError, match=re.escape(str(tmp_path / "none.toml"))):
        read_recipe(tmp_path / "none.toml")


@given(
    warmup=st.floats(0, 0.5),
    decay=st.floats(0, 0.5),
    steps=st.integers(1, 2_000),
    peak=st.floats(1e-6, 1),
)
def test_the_rate_rises_holds_and_falls(warmup, decay, steps, peak):
    recipe = Recipe(learning_rate=peak, warmup=warmup, decay=decay)
    rates = [recipe.rate(step, steps) for step in range(steps)]
    assert all(0 < rate <= peak for rate in rates)
    top = rates.index(max(rates))
    assert rates[: top + 1] == sorted(rates[: top + 1])
    last = len(rates) - 1 - rates[::-1].index(max(rates))
    assert rates[last:] == sorted(rates[last:], reverse=True)
    if steps > 100:
        assert max(rates) == peak
        assert decay * steps < 2 or rates[-1] < peak


def test_the_rate_by_hand():
    recipe = Recipe(learning_rate=1.0, warmup=0.1, decay=0.2)
    rates = [recipe.rate(step, 100) for step in (0, 4, 9, 50, 80, 90, 99)]
    assert rates == pytest.approx([0.1, 0.5, 1.0, 1.0, 1.0, 0.5, 0.05])
    # Without decay a run ends at full speed, so that another can go on from it.
    assert Recipe(learning_rate=1.0, warmup=0.1, decay=0.0).rate(99, 100) == 1.0


# --- dropout -----------------------------------------------------------------------------------------------------


class Layers(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.dropout = torch.nn.Dropout(0.1)
        self.inner = torch.nn.Sequential(torch.nn.Linear(4, 4), torch.nn.Dropout(0.5))

    def forward(self, inputs):
        return self.dropout(inputs)


@pytest.mark.parametrize("p", [0.0, 0.1, 0.5])
def test_pooled_dropout_zeroes_its_share_and_keeps_the_mean(p):
    torch.manual_seed(0)
    layers = Layers()
    pool_dropout(layers, p, torch.Generator().manual_seed(0))
    assert isinstance(layers.dropout, PooledDropout)
    assert isinstance(layers.inner[1], PooledDropout)
    ones = torch.ones(100, 2_000)
    first, second = layers(ones), layers(ones)
    for masked in (first, second):
        assert (masked.shape, masked.dtype) == (ones.shape, torch.float32)
        assert float((masked == 0).float().mean()) == pytest.approx(p, abs=0.01)
        assert float(masked.mean()) == pytest.approx(1.0, abs=0.01)
        assert len(masked.unique()) == (1 if p == 0.0 else 2)
    assert p == 0.0 or not torch.equal(first, second)
    layers.eval()
    assert torch.equal(layers(ones), ones)


def test_gradients_flow_where_nothing_was_dropped():
    layers = Layers()
    pool_dropout(layers, 0.5, torch.Generator().manual_seed(0))
    inputs = torch.ones(1_000, requires_grad=True)
    output = layers(inputs)
    torch.autograd.backward(output.sum())
    assert torch.equal(inputs.grad, output.detach())


@pytest.mark.parametrize("family", FAMILIES)
def test_attention_drops_nothing(family, tmp_path):
    model = load_model(save_reader(family, tmp_path / "model"))
    dropouts = sum(type(module) is torch.nn.Dropout for module in model.modules())
    pool_dropout(model, 0.1, torch.Generator().manual_seed(0))
    pooled = [name for name, module in model.named_modules() if isinstance(module, PooledDropout)]
    plain = {name: module.p for name, module in model.named_modules() if type(module) is torch.nn.Dropout}
    assert len(pooled) + len(plain) == dropouts
    assert set(plain.values()) == {0.0}
    assert all(".self." in name for name in plain)
    assert any("embeddings" in name for name in pooled)
    # And it still runs, in training and out of it.
    ids = torch.full((2, 9), 5)
    for training in (True, False):
        assert model.train(training)(input_ids=ids).start_logits.shape == (2, 9)


# --- runs --------------------------------------------------------------------------------------------------------

RECIPE = Recipe(epochs=20.0, learning_rate=5e-3, dropout=0.0, average=0.9)


class CutOff(Run):
    """A run whose machine goes down after so many steps."""

    after = 0

    def _step(self, state, batch, device):
        if state.step == self.after:
            raise KeyboardInterrupt
        return super()._step(state, batch, device)


@pytest.fixture(scope="module")
def start(tmp_path_factory):
    return save_reader("bert", tmp_path_factory.mktemp("start") / "model")


def log(directory):
    return [json.loads(line) for line in (directory / "log.jsonl").read_text("utf-8").splitlines()]


def weights(folder):
    from safetensors.torch import load_file

    return load_file(folder / "model.safetensors")


@pytest.fixture(scope="module")
def trained(tmp_path_factory, start):
    """A run to its end, and the folder of its model."""
    run = Run(tmp_path_factory.mktemp("runs") / "whole", start, some_data(), RECIPE)
    return run, run.train({"dev": questions(8)}, score_every=20, save_every=10)


def test_a_run_learns_and_says_so(trained):
    run, _ = trained
    assert run.steps == 20 * 2
    records = log(run.directory)
    losses = [record["loss"] for record in records if "loss" in record]
    assert [record["step"] for record in records if "loss" in record] == [20, 40]
    assert losses[1] < 0.8 * losses[0]
    scored = [(record["step"], record["dev"]["dev"]) for record in records if "dev" in record]
    assert [step for step, _ in scored] == [20, 40]
    assert all(0 <= one["em"] <= one["f1"] <= 1 for _, one in scored)
    assert records[-1]["rate"] == 0.0


def test_the_model_is_one_of_hugging_face_in_half_precision(trained, start):
    from transformers import AutoModelForQuestionAnswering, AutoTokenizer

    _, folder = trained
    assert {value.dtype for value in weights(folder).values()} == {torch.float16}
    model, report = AutoModelForQuestionAnswering.from_pretrained(folder, output_loading_info=True)
    assert model.dtype == torch.float16
    assert not report["missing_keys"]
    assert not report["unexpected_keys"]
    text = "the captain is Ann"
    assert AutoTokenizer.from_pretrained(folder)(text) == AutoTokenizer.from_pretrained(start)(text)
    changed = [
        name for name, value in weights(start).items() if not torch.equal(value.half(), weights(folder)[name])
    ]
    assert len(changed) > 20


def test_the_models_tokenizer_neither_pads_nor_cuts(start, tmp_path):
    cutting = Tokenizer.from_file(str(start / "tokenizer.json"))
    cutting.enable_truncation(4)
    cutting.enable_padding(length=4)
    encoder = shutil.copytree(start, tmp_path / "encoder")
    cutting.save(str(encoder / "tokenizer.json"))
    save_model(load_model(encoder), encoder, tmp_path / "model")
    kept = Tokenizer.from_file(str(tmp_path / "model" / "tokenizer.json"))
    assert (kept.truncation, kept.padding) == (None, None)
    assert len(kept.encode("the captain is Ann, the captain is Ann").ids) > 4


def test_the_mean_of_models_is_that_of_their_weights(trained, start, tmp_path):
    _, folder = trained
    target = tmp_path / "mean"
    outcome = CliRunner().invoke(app, ["mean", str(target), str(folder), str(folder), str(start)])
    assert outcome.exit_code == 0, outcome.output
    once, twice, both = weights(start), weights(folder), weights(target)
    head = {"qa_outputs.weight", "qa_outputs.bias"}  # the start has none
    assert both.keys() == twice.keys() == once.keys() | head
    for name in once:
        expected = (once[name].float() + 2 * twice[name].float()) / 3
        assert torch.allclose(both[name].float(), expected, rtol=2e-3, atol=1e-3)


def test_models_of_other_architectures_have_no_mean(start, tmp_path):
    other = save_reader("bert", tmp_path / "other", hidden_size=32)
    with pytest.raises(SettingsError, match="other: of another architecture"):
        mean_model([start, other], tmp_path / "mean")


def test_the_model_can_be_read_with(trained):
    _, folder = trained
    asked = questions(8)
    hits = [
        Hit(Passage(number, "d", 0, len(one.context), one.context, ""), 1.0, 1.0, 1.0)
        for number, one in enumerate(asked)
    ]
    readings = SpanReader(TorchSpanModel(folder)).read(asked[0].question, hits)
    found = [reading.spans[0].text if reading.spans else "" for reading in readings]
    # What training scored is what reading finds, but for bf16.
    em = score(load_model(folder), load_tokenizer(folder), asked).exact_match
    right = [one == example_.answers[0].text for one, example_ in zip(found, asked, strict=True)]
    assert sum(one == bool(other) for one, other in zip(right, em, strict=True)) >= 6


def test_a_run_that_was_cut_off_goes_on_to_the_same_end(trained, start, tmp_path):
    run, folder = trained
    for after in (13, 27):
        cut = CutOff(tmp_path / "cut", start, some_data(), RECIPE)
        cut.after = after
        with pytest.raises(KeyboardInterrupt):
            cut.train({}, save_every=10)
        assert not (tmp_path / "cut" / "model").exists()
    again = Run(tmp_path / "cut", start, some_data(), RECIPE)
    assert again.steps == run.steps
    model = again.train({}, save_every=10)
    steps = [record["step"] for record in log(tmp_path / "cut") if "loss" in record]
    assert steps == [20, 40]
    expected, found = weights(folder), weights(model)
    assert expected.keys() == found.keys()
    for name, value in expected.items():
        assert torch.equal(value, found[name]), name


def test_a_run_at_its_end_is_not_trained_further(trained, start):
    run, folder = trained
    before = weights(folder)
    seen = len(log(run.directory))
    again = CutOff(run.directory, start, some_data(), RECIPE)
    again.after = run.steps  # one step more would raise
    assert again.train({}) == folder
    assert all(torch.equal(value, weights(folder)[name]) for name, value in before.items())
    assert all("loss" not in record for record in log(run.directory)[seen:])


@pytest.mark.parametrize(
    "changes",
    [
        {"recipe": replace(RECIPE, seed=1)},
        {"recipe": replace(RECIPE, learning_rate=1e-3)},
        {"data": some_data(40)},
        {"data": some_data(negatives={"q1": ["x"]})},
    ],
)
def test_another_run_does_not_go_on_in_its_folder(trained, start, changes):
    run, _ = trained
    arguments = {"data": some_data(), "recipe": RECIPE} | changes
    other = Run(run.directory, start, arguments["data"], arguments["recipe"])
    with pytest.raises(SettingsError, match=rf"{re.escape(str(run.directory))}.*choose another folder"):
        other.train({})


def test_without_questions_there_is_no_run(tmp_path, start):
    for sources in ([], [Source([], 0)]):
        with pytest.raises(SettingsError, match="no questions to train on"):
            Run(tmp_path, start, Data(sources, {}, 0.0, 0.0), Recipe())


def test_a_head_that_is_missing_begins_at_random_and_always_the_same(tmp_path):
    bare = save_reader("bert", tmp_path / "bare", head=False)
    recipe = replace(RECIPE, epochs=1.0)
    models = [Run(tmp_path / name, bare, some_data(), recipe).train({}) for name in ("one", "other")]
    one, other = map(weights, models)
    assert "qa_outputs.weight" in one
    assert all(torch.equal(value, other[name]) for name, value in one.items())


def test_scores_are_those_of_the_answers(start):
    model, tokenizer = load_model(start), load_tokenizer(start)
    asked = [*questions(6), example(99, "the sea", None)]
    model.train()
    found = score(model, tokenizer, asked)
    assert model.training
    assert len(found.exact_match) == len(found.f1) == 6
    assert all(em <= value for em, value in zip(found.exact_match, found.f1, strict=True))
    assert score(model, tokenizer, asked) == found


# --- calibration -------------------------------------------------------------------------------------------------

FLEET = [
    "Argo",
    "Belle",
    "Calypso",
    "Delta",
    "Erebus",
    "Fram",
    "Gloria",
    "Hansa",
    "Iris",
    "Juno",
    "Kosmos",
    "Lena",
]
CREW = [
    "Adams",
    "Brown",
    "Clark",
    "Davis",
    "Evans",
    "Frank",
    "Green",
    "Harris",
    "Irwin",
    "Jones",
    "King",
    "Lewis",
]


@pytest.fixture
def fleet(tmp_path):
    """Twelve articles, each about the captain of one ship."""
    asked = []
    for number, (ship, name) in enumerate(zip(FLEET, CREW, strict=True)):
        context = f"The ship is old. The captain of the ship {ship} is {name}. It is at sea."
        question = f"Who is the captain of the ship {ship}?"
        asked.append(example(number, context, name, title=ship, question=question))
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        yield Corpus(index, asked)


class Leading:
    """A reader whose scores say nothing, but for how far they lead where a passage is about the question."""

    kind = "spans"

    def read(self, question, hits):
        rng = np.random.default_rng(len(question))
        readings = []
        for hit in hits:
            at = re.search(r"is (\w+)\. It", hit.passage.text).start(1)
            name = hit.passage.text[at:].split(".")[0]
            place = hit.passage.start + at
            found = float(rng.uniform(-5, 5))
            about = question.split()[-1].strip("?") in hit.passage.text
            spans = (Span(place, place + len(name), name, found),)
            readings.append(Reading(hit.passage.id, spans, found - (6.0 if about else 0.0)))
        return readings


@pytest.mark.parametrize("kind", ["sentences", "spans"])
def test_what_is_fitted_tells_right_from_wrong(fleet, kind):
    reader = Leading() if kind == "spans" else SentenceReader(HashingEncoder())
    observed = list(observe(fleet, reader, fleet.examples))
    fitted, judged = fit([(fleet, observed[:12]), (fleet, observed[12:])], kind)
    assert len(judged) == 24
    assert auroc(judged) > 0.95
    assert calibration_error(judged) < 0.2
    assert [one.confidence for one in judged] == [fitted.probability(one.evidence) for one in judged]
    if kind == "spans":
        assert fitted.lead > 3 * abs(fitted.span)
        assert all(one.right for one in judged if one.answerable)
    else:
        assert (fitted.span, fitted.lead, fitted.passage) == (1.0, 0.0, 0.0)
    # The lowest thresholds that leave 4 of 5 questions unanswered where nothing answers them, ...
    without = [one.confidence for one in judged if not one.answerable]
    assert sum(confidence < fitted.threshold for confidence in without) >= 0.8 * len(without)
    assert sum(confidence < fitted.threshold - 0.01 for confidence in without) < 0.8 * len(without)
    # ... and from which 4 of 5 answers are right for sure.
    given_ = [one.right for one in judged if one.confidence >= fitted.strict]
    assert np.mean(given_) >= 0.8


def judged(*pairs):
    evidence = Evidence(0.0, 0.0, 0.0, 0.0)
    return [
        Judged(evidence, confidence, float(right), float(right), right, right, right)
        for confidence, right in pairs
    ]


@pytest.mark.parametrize(
    ("pairs", "threshold", "strict"),
    [
        (30 * [(0.9, True)] + 30 * [(0.2, False)], 0.21, 0.21),
        # Of 100 answers, 87 have to be right before 80 % of others are sure to be.
        (90 * [(0.9, True)] + 10 * [(0.5, False)], 0.51, 0.0),
        (87 * [(0.9, True)] + 13 * [(0.5, False)], 0.51, 0.0),
        (86 * [(0.9, True)] + 14 * [(0.5, False)], 0.51, 0.51),
        # A few that are all right say too little.
        (9 * [(0.9, True)] + 9 * [(0.2, False)], 0.21, 1.0),
        (40 * [(0.9, True), (0.8, False), (0.7, True), (0.1, False)], 0.81, 0.81),
        # Sure of what is wrong: nothing is sure enough to be answered.
        (40 * [(0.5, True), (0.999, False)], 1.0, 1.0),
    ],
)
def test_thresholds_by_hand(pairs, threshold, strict):
    assert calibrate._lowest(judged(*pairs)) == pytest.approx(threshold)
    assert calibrate._strict(judged(*pairs)) == pytest.approx(strict)


# --- the command line --------------------------------------------------------------------------------------------


def squad(path, examples):
    articles = [
        {
            "title": one.title,
            "paragraphs": [
                {
                    "context": one.context,
                    "qas": [
                        {
                            "id": one.id,
                            "question": one.question,
                            "answers": [
                                {"text": gold.text, "answer_start": gold.start} for gold in one.answers
                            ],
                        }
                    ],
                }
            ],
        }
        for one in examples
    ]
    path.write_text(json.dumps({"version": "1.1", "data": articles}), "utf-8")
    return path


def test_train_from_the_command_line_keeps_articles_back(tmp_path, start):
    asked = questions(60)
    squad(tmp_path / "tiny.json", asked)
    (tmp_path / "recipe.toml").write_text('epochs = 1\n[sources]\n"tiny.json" = 0\n')
    write_negatives(tmp_path / "negatives.jsonl", [("q1", ["the sea"])])
    arguments = ["train", "recipe.toml", "run", "--data", ".", "--start", start]
    arguments += ["--negatives", "negatives.jsonl", "--dev", "tiny.json"]
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        result = CliRunner().invoke(app, list(map(str, arguments)), catch_exceptions=False)
    assert result.exit_code == 0
    assert (tmp_path / "run" / "model" / "model.safetensors").is_file()
    train, back = split(asked)
    assert back
    assert f"step 2/{batch_count([(one,) for one in train])}, 0 min left" in result.output
    assert "tiny.json" in log(tmp_path / "run")[-1]["dev"]


def test_an_error_is_one_line(tmp_path):
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "qa.training",
            "train",
            tmp_path / "none.toml",
            tmp_path / "run",
            "--data",
            tmp_path,
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr.startswith(f"error: {tmp_path}")
    assert "Traceback" not in done.stderr


# --- pictures ----------------------------------------------------------------------------------------------------


def test_runs_are_drawn(trained, tmp_path):
    run, _ = trained
    plot_runs([run.directory, run.directory], tmp_path / "runs.png")
    assert (tmp_path / "runs.png").read_bytes().startswith(b"\x89PNG")


@pytest.mark.parametrize("losses", [1, 4, 5, 30])
def test_a_short_run_is_drawn_too(losses, tmp_path):
    records = [{"step": 20 * step, "loss": 1.0 / step} for step in range(1, losses + 1)]
    (tmp_path / "log.jsonl").write_text("\n".join(map(json.dumps, records)), "utf-8")
    plot_runs([tmp_path], tmp_path / "runs.svg")
    assert "<svg" in (tmp_path / "runs.svg").read_text("utf-8")


@pytest.mark.parametrize("content", [None, "", '{"step": 2, "dev": {"a": {"em": 0.1, "f1": 0.2}}}'])
def test_without_a_loss_there_is_nothing_to_draw(content, tmp_path):
    if content is not None:
        (tmp_path / "log.jsonl").write_text(content, "utf-8")
    with pytest.raises(SettingsError, match=re.escape(str(tmp_path))):
        plot_runs([tmp_path], tmp_path / "runs.png")
