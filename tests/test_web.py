"""The web chat without a browser: prose, rendering, turns, the document view, examples, the corpus."""

import dataclasses
import html
import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from conftest import HashingEncoder
from hypothesis import given
from hypothesis import strategies as st

from index import Document, Index, Passage
from index.errors import LoadError, VerbatimError
from index.types import Range, Section
from qa import Answer, Assistant, Candidate, Citation, Settings, wording
from qa.types import REASONS, Span, Trace
from qa.web import corpus, document_view, examples, prose, rendering, strings, turns
from qa.web.document_view import Focus
from qa.web.rendering import Cited
from qa.wording import UNSURE

HOSTILE = (
    "<script>pwn()</script> <img src=x onerror=pwn()> ${pwn()} {{pwn}} [a](javascript:pwn()) ![i](http://e.x/i) "
    "`code` *em* **strong** __u__ ~~s~~ $$x^2$$ http://e.x/ www.e.x # h | a | b | & &amp; \" ' %%%LATEX_BLOCK_0%%%"
)


@pytest.fixture
def assistant(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        index.add_texts(
            [
                (
                    "launch.txt",
                    "The rocket flew in May. The pilot of the rocket, Ada Byron, said it was loud.",
                ),
                (
                    "bread.txt",
                    "Bread needs flour, water and salt. The baker Jean Moreau said time matters most.",
                ),
            ]
        )
        yield Assistant(index, Settings(reader="sentences", threshold=0.0))


def citation(text, quote, answer=None, *, number=1, document="d" * 12, **facts):
    answer = answer or quote
    start = text.index(quote)
    inside = start + quote.index(answer)
    found = Citation(
        number, document, "A title", "2020-02-12", "/tmp/folder/file.txt", None, start, start + len(quote), quote,
        inside, inside + len(answer),
    )  # fmt: skip
    return dataclasses.replace(found, **facts)


def passage(text, start, end):
    return Passage(1, "d" * 12, start, end, text[start:end], "")


def document(text, **parts):
    return Document("d" * 12, "d", parts.pop("title", "d"), text, **parts)


def answered(*candidates):
    return Answer("?", "?", "answered", candidates)


def cited(documents=(), passages=()):
    return Cited(
        {one.id: one for one in documents}, {"d" * 12: passages}, lambda source: source.endswith(".txt")
    )


def message(result, turn=1, documents=()):
    return rendering.answer(result, turn, {one.id: one for one in documents})


def cards(result, turn=1, passages=(), documents=()):
    return rendering.sources(result, turn, cited(documents, passages))


def shown(markup):
    """What a browser shows of it, where it collapses no space."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup.replace("<br>", "\n")))


def quotes(markup):
    """What a browser shows of each quote, without its citations."""
    found = re.findall(r"<blockquote[^>]*>(.*?)</blockquote>", markup)
    return [
        shown(re.sub(r"(?:&nbsp;)?<span class=\"cites.*", "", quote)).replace("\xa0", " ") for quote in found
    ]


# Escaping


def test_escape_leaves_nothing_that_means_something():
    escaped = prose.escape(HOSTILE)
    assert html.unescape(escaped) == HOSTILE
    assert not set(escaped) & set("<>\"'")
    assert re.fullmatch(r"(?:[^&]|&#\d+;)*", escaped)


def test_escape_keeps_all_characters_of_a_text():
    text = "Zażółć gęślą\tjaźń\nКунакбаев 漢字 🙂 e\u0301 100 % “quoted”"
    assert html.unescape(prose.escape(text)) == text


def test_values_of_attributes_stay_within_their_quotes():
    assert html.unescape(prose.attribute(HOSTILE)) == HOSTILE
    assert not set(prose.attribute(HOSTILE)) & set("<>\"'")
    assert prose.plain("a\u202eb") == "aU+202Eb"


def test_characters_that_reorder_text_are_shown_by_name():
    for mark in "\u202e\u2066\u200f":
        escaped = prose.escape(f"a{mark}b")
        assert mark not in escaped
        assert f"U+{ord(mark):04X}" in escaped
    assert "\x1b" not in prose.escape("\x1b[31m")


class Tags(HTMLParser):
    """The tags of some HTML with their attributes, but for quotes and labels, and its text."""

    def __init__(self, markup):
        super().__init__()
        self.tags, self.text = [], ""
        self.feed(markup)

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, tuple(name for name, _ in attributes)))

    def handle_data(self, data):
        self.text += data


def rendered(text):
    """All that is rendered of an answer whose every text is ``text``."""
    whole = f"Before.\n\n{text}\nafter."
    found = citation(whole, text, title=text, source=f"/tmp/{text}/file.txt", date=text)
    trace = Trace("d" * 12, 0, len(whole), whole, 0.5, 0.5, 1.0, 0.1, (Span(9, 9 + len(text), text, 0.9),))
    result = Answer(text, f"{text}?", "answered", (Candidate(text, 0.9, (found,)),), (), (trace,))
    known = cited([document(whole, title=text)], [passage(whole, 0, len(whole))])
    stretch = document_view.stretch(document(whole), Range(0, len(whole)), None)
    return turns.turn(result, 1, known) + rendering.sources(result, 1, known) + stretch


def test_no_text_becomes_markup():
    hostile, tame = Tags(rendered(f"{HOSTILE} \u202e x")), Tags(rendered("Some words of no harm"))
    controls = [("span", ("class",)), ("span", ("data-start", "data-whole"))]
    kinds = {tag for tag in hostile.tags if tag not in controls}
    assert kinds == {tag for tag in tame.tags if tag not in controls}
    assert "\u202e" not in hostile.text
    for part in HOSTILE.split():
        assert part in hostile.text


@given(st.text(min_size=1).filter(str.strip))
def test_no_text_at_all_becomes_markup(text):
    shown_tags = {tag for tag, _ in Tags(rendered(text)).tags}
    assert shown_tags <= {tag for tag, _ in Tags(rendered("Some words")).tags} | {"br", "span"}


# Line breaks


WRAPPED = (
    "The mission of the launch was to bring supplies to those who live at\n"
    "Halley Station, and to bring back all that had been measured there in\n"
    "the winter. It was Ada Byron who led it.\n\n"
    "- flour\n- water\n\n"
    "| Line | Minutes |\n| Gull Rock | 45 |\n"
)


def flowing(text, part=None, around=None):
    whole = Range(0, len(text))
    return prose.unwrapped(text, part or whole, around or whole)


def test_breaks_of_wrapped_lines_become_spaces_and_others_stay():
    text = flowing(WRAPPED)
    assert text.split("\n") == [
        WRAPPED.split("\n\n", maxsplit=1)[0].replace("\n", " "), "", "- flour", "- water", "", "| Line | Minutes |", "| Gull Rock | 45 |", "",
    ]  # fmt: skip
    assert len(text) == len(WRAPPED)


def test_any_part_of_a_text_has_the_breaks_of_the_whole():
    whole = flowing(WRAPPED)
    for start in range(0, len(WRAPPED), 7):
        for end in range(start, len(WRAPPED) + 1, 5):
            part = Range(start, end)
            assert flowing(WRAPPED, part, Range(0, len(WRAPPED))) == whole[start:end]


def test_breaks_are_shown_by_elements():
    assert prose.prose("a\nb \n  \n c") == 'a<br>b<br><span class="gap"></span>c'
    assert prose.prose("| a\n| b") == "| a<br>| b"
    assert prose.prose("a \t b") == "a \t b"


def test_chat_and_card_show_the_breaks_that_the_document_has():
    # By itself, the quote's first line is too short to count as wrapped.
    quote = "was\nHalley Station who asked."
    text = f"The mission of the launch of the year before this one {quote}\n\n- flour\n- water\n"
    found = citation(text, quote)
    result = answered(Candidate(quote, 0.9, (found,)))
    assert quotes(message(result)) == [f"“{quote}”"]
    assert quotes(message(result, documents=[document(text)])) == ["“was Halley Station who asked.”"]
    card = shown(rendering.highlighted(found, document(text), passage(text, 0, len(text) - 1)))
    assert card == text.replace("was\n", "was ").replace("\n\n", "\n").rstrip()


def test_a_document_that_was_replaced_since_is_not_what_is_shown():
    text = "One. Two. Three."
    found = citation(text, "Two.")
    other = "Something else stands here now."
    assert quotes(message(answered(Candidate("Two.", 0.9, (found,))), documents=[document(other)])) == [
        "“Two.”"
    ]
    assert rendering.passage_of(found, [passage(other, 0, len(other))]) is None


def test_surroundings_end_with_the_section_and_at_marked_text():
    text = "Menu\n" + "One. " * 8 + "Two. Footer\nNext."
    parts = {
        "sections": (Section(0, 57, "A"), Section(57, len(text), "B")),
        "marked": (Range(0, 5), Range(50, 56)),
    }
    at = text.index("Two.")
    assert prose.surroundings(document(text, **parts), Range(at, at + 4)) == Range(5, 50)
    assert prose.surroundings(document(text), Range(at, at + 4)) == Range(0, len(text))


def test_surroundings_of_a_huge_document_are_not_all_of_it():
    text = "A line of a huge document.\n" * 100_000
    around = prose.surroundings(document(text), Range(1_000_000, 1_000_010))
    assert around.start < 1_000_000 < around.end
    assert around.end - around.start < 10_000
    assert text[around.start - 1] == text[around.end] == "\n"


# Cutting


def test_an_excerpt_holds_the_answer_between_whole_words():
    text = "zero one two three four five six seven eight nine"
    at = text.index("five")
    cut = prose.excerpt(text, Range(at, at + 4), 20)
    assert text[cut.start : cut.end] == "four five six seven"
    assert prose.excerpt(text, Range(at, at + 4), 500) == Range(0, len(text))
    assert prose.excerpt(text, Range(at, at + 4), 1) == Range(at, at + 4)
    assert text[slice(*dataclasses.astuple(prose.excerpt(text, Range(at + 1, at + 2), 4)))] == "five"


def test_what_one_side_does_not_need_the_other_gets():
    text = "zero one two three four five six seven eight nine"
    cut = prose.excerpt(text, Range(0, 4), 20)
    assert text[cut.start : cut.end] == "zero one two three"
    cut = prose.excerpt(text, Range(45, 49), 20)
    assert text[cut.start : cut.end] == "six seven eight nine"


def test_a_long_quote_of_a_further_answer_is_cut_around_the_answer():
    before, after = "It took a while until they knew it. " * 9, " and that was the end of it" * 9
    quote = f"{before}Then Ada Byron{after}."
    first = Candidate("One.", 0.9, (citation("One.", "One."),))
    other = Candidate("Ada Byron", 0.4, (citation(quote, quote, "Ada Byron", number=2),))
    markup = message(answered(first, other))
    assert "<strong>Ada Byron</strong>" in markup
    _, cut = quotes(markup)
    words = re.fullmatch(r"… “(.*)” …", cut)[1]
    assert f" {words} " in quote
    assert 250 < len(words) <= 280
    assert [shown(markup) for markup in re.findall(r"<mark>.*?</mark>", cards(answered(first, other)))] == [
        "One.",
        quote,
    ]


def test_an_answer_longer_than_an_excerpt_is_shown_whole():
    long = "It took a while until they knew it. " * 20
    quote = f"Well. {long.strip()} End."
    first = Candidate("One.", 0.9, (citation("One.", "One."),))
    other = Candidate(long.strip(), 0.4, (citation(quote, quote, long.strip(), number=2),))
    assert quotes(message(answered(first, other)))[1] == f"… “{long.strip()}” …"


# Highlighting


def test_highlight_is_exact():
    text = "One. Two two.\n\nThree\nthree. Four."
    quote = "Two two.\n\nThree\nthree."
    found = citation(text, quote)
    markup = rendering.highlighted(found, None, passage(text, 0, len(text)))
    before, marked, after = re.fullmatch(r"(.*)<mark>(.*)</mark>(.*)", markup).groups()
    assert (shown(before), shown(marked), shown(after)) == ("One. ", "Two two.\nThree three.", " Four.")


def test_highlight_counts_from_the_passage():
    text = "x" * 100 + "One. Two. Three."
    markup = rendering.highlighted(citation(text, "Two."), None, passage(text, 100, 116))
    assert markup == "One. <mark>Two.</mark> Three."


def test_an_answer_within_its_quote_is_set_off_in_chat_and_card():
    text = "They came. Led by Murad Kunakbaev, they went."
    found = citation(text, "Led by Murad Kunakbaev, they went.", "Murad Kunakbaev")
    marked = "Led by <strong>Murad Kunakbaev</strong>, they went."
    card = rendering.highlighted(found, None, passage(text, 0, len(text)))
    assert card == f"They came. <mark>{marked}</mark>"
    assert rendering.highlighted(found, None, None) == f"<mark>{marked}</mark>"
    assert f"“{marked}”" in message(answered(Candidate("Murad Kunakbaev", 0.9, (found,))))
    whole = citation(text, "They came.")
    assert "<strong>" not in rendering.highlighted(whole, None, None)


def test_the_passage_is_the_one_that_holds_the_quote():
    text = "One. Two. Three. Four."
    passages = [passage(text, 0, 9), passage(text, 5, 16), passage(text, 10, 22)]
    assert rendering.passage_of(citation(text, "Two. Three."), passages) == passages[1]
    assert rendering.passage_of(citation(text, "One. Two. Three."), passages) is None
    assert rendering.passage_of(citation(text, "One."), []) is None


# Answers


def test_citations_link_to_their_cards():
    text = "One. Two. Three."
    first = Candidate("One.", 0.912, (citation(text, "One."), citation(text, "Two.", number=2)))
    second = Candidate("Three.", 0.6, (citation(text, "Three.", number=3, date=None, title="Other"),))
    markup = message(answered(first, second), 4)
    links = re.findall(r'<a class="cite" href="#([^"]+)" aria-label="Source \d">\[(\d)\]</a>', markup)
    assert links == [("c-4-1", "1"), ("c-4-2", "2"), ("c-4-3", "3")]
    assert re.findall(r'id="(c-[^"]+)"', cards(answered(first, second), 4)) == [anchor for anchor, _ in links]
    assert "Very likely right · 91%" in shown(markup)
    assert strings.ALSO in markup
    assert "12 February 2020" in shown(markup)
    assert "undated" in shown(markup)


def from_lines(markup):
    return [plain(line) for line in re.findall(r'<p class="from">(.*?)</p>', markup)]


def plain(markup):
    return shown(markup).replace("\xa0", " ")


def test_an_answer_names_page_and_file():
    found = citation("One.", "One.", page=3, source="/home/me/papers/report.pdf")
    first = Candidate("One.", 0.9, (found,))
    other = Candidate("Two.", 0.4, (citation("Two.", "Two.", date=None),))
    assert from_lines(message(answered(first, other))) == [
        "A title · 12 February 2020 · p. 3 · report.pdf",
        "A title · undated · file.txt",
    ]


@pytest.mark.parametrize("title", ["report", "report.pdf"])
def test_a_file_that_is_named_like_its_title_is_named_once(title):
    found = citation("One.", "One.", title=title, source="/tmp/report.pdf", page=3)
    markup = message(answered(Candidate("One.", 0.9, (found,))))
    assert from_lines(markup) == ["report.pdf · 12 February 2020 · p. 3"]


def test_an_answer_of_low_confidence_is_not_shown_as_one():
    text = "One. Two. Three."
    at = [citation(text, quote, number=number) for number, quote in enumerate(text.split(), 1)]
    first, second, third = (
        Candidate(one.quote, confidence, (one,))
        for one, confidence in zip(at, (UNSURE - 0.0001, 0.1, 0.0999), strict=True)
    )
    result = answered(first, second, third)
    assert shown(message(result)).startswith("No clear answer. The nearest passages:")
    assert quotes(message(result)) == ["“One.”", "“Two.”"]
    assert "Uncertain: check the source · 20%" in shown(message(result))
    assert strings.NEAREST in cards(result)
    assert re.findall(r'id="(c-[^"]+)"', cards(result)) == ["c-1-1", "c-1-2"]
    clear = answered(dataclasses.replace(first, confidence=UNSURE), second, third)
    assert strings.UNCLEAR not in message(clear)
    assert strings.SOURCES in cards(clear)
    assert quotes(message(clear)) == ["“One.”", "“Two.”"]


def test_the_first_answer_is_shown_however_faint():
    result = answered(Candidate("One.", 0.01, (citation("One.", "One."),)))
    assert quotes(message(result)) == ["“One.”"]
    assert 'id="c-1-1"' in cards(result)


def test_answers_of_different_documents_stand_side_by_side():
    may = citation("It flew on 1 May.", "It flew on 1 May.", "1 May")
    june = citation(
        "It flew in June.", "It flew in June.", "June", number=2, document="e" * 12, title="Other", date=None
    )
    july = citation("It flew in July.", "It flew in July.", "July", number=3, document="f" * 12)
    again = citation("It flew: 1 May.", "It flew: 1 May.", "1 May", number=4, document="g" * 12)
    first = Candidate("1 May", 0.8, (may, again))
    markup = message(answered(first, Candidate("June", 0.4, (june,)), Candidate("July", 0.39, (july,))))
    several, also = markup.split(strings.ALSO)
    assert strings.SEVERAL in shown(several)
    assert quotes(several) == ["“It flew on 1 May.”", "“It flew in June.”"]
    assert from_lines(several) == ["A title · 12 February 2020 · file.txt", "Other · undated · file.txt"]
    items = several.split("<li>")[1:]
    assert [re.findall(r"\[(\d)\]", shown(item)) for item in items] == [["1", "4"], ["2"]] != []
    assert quotes(also) == ["“It flew in July.”"]
    # Where the second is one of the first's documents, they do not differ by document.
    second = Candidate("June", 0.7, (dataclasses.replace(june, document_id="g" * 12),))
    assert strings.SEVERAL not in shown(message(answered(first, second)))


def test_a_card_shows_where_the_quote_stands():
    found = citation("One.", "One.", page=3, date=None)
    markup = plain(cards(answered(Candidate("One.", 1.0, (found,)))))
    assert "undated · page 3 · file.txt" in markup
    assert "/tmp/folder" not in markup


@pytest.mark.parametrize("status", [status for status in REASONS if status != "answered"])
def test_an_abstention_says_why(status):
    text = "One. Two."
    result = Answer("?", "?", status, near_misses=(citation(text, "Two."),))
    told = shown(message(result))
    assert (strings.EMPTY if status == "no_index" else REASONS[status]) in told
    assert strings.ADVICE[status] in told
    assert "{" not in told
    markup = shown(cards(result, passages=[passage(text, 0, 9)]))
    assert strings.NEAREST in markup
    assert "One. Two." in markup
    assert strings.SOURCES_NONE in cards(Answer("?", "?", status))


@pytest.mark.parametrize(
    ("confidence", "words"),
    [(1.0, "Certain · 100%"), (0.9999, "Very likely right · 99%"), (0.9, "Very likely right · 90%"),
     (0.7, "Likely right · 70%"), (0.2, "Uncertain: check the source · 20%"), (0.0, "Uncertain: check the source · 0%")],
)  # fmt: skip
def test_confidence_in_words(confidence, words):
    assert wording.confidence_in_words(confidence) == words


def test_dates_are_written_out():
    assert wording.written_date("2020-02-12") == "12 February 2020"
    assert wording.written_date(None) == "undated"
    assert wording.written_date("2020") == "2020"


# Examples


def test_examples_are_answered_questions_about_these_documents(assistant):
    found = examples.examples(assistant)
    assert strings.EXAMPLE_ABOUT in found
    assert len(found) <= examples.MOST
    assert all(assistant.answer(question).candidates for question in found)


def test_suggestions_come_from_speakers_titles_and_names():
    text = "Opening hours\n\nToday the poet Ada Byron said so, and John Smith of the Red Cross agreed."
    document = Document(
        "d", "d", "d", text, (Section(0, len(text), "Opening hours", title_at=Section(0, 13, "")),)
    )
    found = list(examples.suggestions([document]))
    assert found[:2] == ["What did Ada Byron say?", "What is said about “Opening hours”?"]
    assert "What is said about Red Cross?" in found


def test_no_documents_no_examples(tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        assert examples.examples(Assistant(index, Settings(reader="sentences"))) == []


# Documents


@pytest.fixture
def fast_home(tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("VERBATIM_READER", "sentences")
    monkeypatch.setattr("index.index.load_encoder", lambda _name=None: HashingEncoder())
    return tmp_path / "home"


def test_paths_have_an_index_of_their_own(fast_home, tmp_path):
    (tmp_path / "a.txt").write_text("The rocket flew in May.")
    (tmp_path / "b.txt").write_text("Bread needs flour.")
    opened = corpus.open_corpus([tmp_path / "a.txt"], None)
    with opened.assistant as assistant:
        assert opened.name == str(tmp_path / "a.txt")
        assert [info.sources for info in assistant.index.documents()] == [(str(tmp_path / "a.txt"),)]
        assert assistant.index.directory == corpus.paths_directory([tmp_path / "a.txt"])
    assert not (fast_home / "index").exists()
    both = [tmp_path / "a.txt", tmp_path / "b.txt"]
    assert (
        corpus.paths_directory(both) == corpus.paths_directory(both[::-1]) != corpus.paths_directory(both[:1])
    )


def test_each_encoder_has_an_index_of_its_own():
    paths = [Path("a.txt")]
    assert corpus.paths_directory(paths, "another") != corpus.paths_directory(paths)


def test_paths_that_change_are_read_again(fast_home, tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "a.txt").write_text("The rocket flew in May.")
    (folder / "b.txt").write_text("Bread needs flour.")
    corpus.open_corpus([folder], None).assistant.close()
    (folder / "a.txt").unlink()
    with corpus.open_corpus([folder], None).assistant as opened:
        assert [info.sources for info in opened.index.documents()] == [(str(folder / "b.txt"),)]


def test_paths_with_nothing_to_read_are_an_error(fast_home, tmp_path, capsys):
    (tmp_path / "a.zip").write_bytes(b"PK")
    with pytest.raises(LoadError, match=r"nothing there could be read"):
        corpus.open_corpus([tmp_path / "missing.txt", tmp_path / "a.zip"], None)
    assert "missing.txt" in capsys.readouterr().err


def test_an_index_that_is_not_there_is_an_error(fast_home, tmp_path):
    with pytest.raises(VerbatimError, match="no index there"):
        corpus.open_corpus([], tmp_path / "none")


def test_the_users_own_index_comes_before_the_seeds(fast_home):
    opened = corpus.open_corpus([], None)
    opened.assistant.close()
    assert (opened.name, opened.kind, opened.uploads) == (strings.SEEDS, "seeds", fast_home / "documents")
    with Index.open() as index:
        index.add_texts([("mine", "My own words.")])
    opened = corpus.open_corpus([], None)
    with opened.assistant as assistant:
        assert (opened.name, opened.kind, opened.uploads) == (strings.OWN, "own", fast_home / "documents")
        assert [info.title for info in assistant.index.documents()] == ["mine"]


def test_an_emptied_index_of_ones_own_does_not_hide_the_seeds(fast_home):
    with Index.open() as index:
        index.add_texts([("mine", "My own words.")])
        index.remove("mine")
    opened = corpus.open_corpus([], None)
    with opened.assistant as assistant:
        assert (opened.name, opened.kind, opened.uploads) == (strings.SEEDS, "seeds", fast_home / "documents")
        assert len(assistant.index.document_ids()) == 2
    assert (fast_home / "index" / "index.db").is_file()


def test_an_index_of_a_name_keeps_its_uploads_with_it(fast_home, tmp_path):
    (tmp_path / "a.txt").write_text("The rocket flew in May.")
    for paths, index, kind in (
        ([tmp_path / "a.txt"], tmp_path / "mine", "index"),
        ([tmp_path / "a.txt"], None, "paths"),
    ):
        opened = corpus.open_corpus(paths, index)
        opened.assistant.close()
        assert (opened.kind, opened.uploads) == (kind, opened.assistant.index.directory / "documents")


def test_what_was_uploaded_stays_when_paths_are_opened_again(fast_home, tmp_path):
    (tmp_path / "a.txt").write_text("The rocket flew in May.")
    opened = corpus.open_corpus([tmp_path / "a.txt"], None)
    with opened.assistant as assistant:
        opened.uploads.mkdir()
        (opened.uploads / "b.txt").write_text("Bread needs flour.")
        assistant.index.add([opened.uploads / "b.txt"])
    with corpus.open_corpus([tmp_path / "a.txt"], None).assistant as assistant:
        assert len(assistant.index.documents()) == 2


# Turns


def test_a_turn_tells_the_question_that_was_asked_and_carries_its_copies():
    text = "They came. Led by Murad Kunakbaev, they went."
    found = citation(text, "Led by Murad Kunakbaev, they went.", "Murad Kunakbaev")
    result = Answer("Who led?", "Who led them?", "answered", (Candidate("Murad Kunakbaev", 0.9, (found,)),))
    markup = turns.turn(result, 3, cited([document(text)]), "wrong")
    assert 'data-question="Who led?" data-asked="Who led them?"' in markup
    assert f'{strings.ASKED} <q dir="auto">Who led them?</q>' in markup
    copies = [html.unescape(copy) for copy in re.findall(r'data-copy="([^"]*)"', markup)]
    assert "**Murad Kunakbaev**" in copies[1]
    assert all("file.txt" in copy for copy in copies)
    assert re.search(r'thumb wrong"[^>]* aria-pressed="true"', markup)
    assert strings.VERDICTS["wrong"] in markup
    assert strings.ASKED not in turns.turn(answered(*result.candidates), 1, cited())


def test_why_lists_the_passages_that_were_read():
    text = "One. Two. Three."
    trace = Trace("d" * 12, 0, 9, "One. Two.", 0.875, 0.5, 3.25, -1.5, (Span(5, 8, "Two", 4.125),))
    markup = turns.turn(Answer("?", "?", "not_found", trace=(trace,)), 1, cited([document(text)]))
    for told in ("0.88", "0.50", "3.2", "4.12", "-1.50", ">Two<"):
        assert told in markup
    assert strings.WHY_TITLES in turns.turn(
        answered(Candidate("One.", 1.0, (citation(text, "One."),))), 1, cited()
    )


def test_a_removed_document_leaves_no_link():
    text = "One. Two."
    found = citation(text, "One.")
    assert strings.GONE in cards(answered(Candidate("One.", 0.9, (found,))))
    there = cards(answered(Candidate("One.", 0.9, (found,))), documents=[document(text)])
    assert strings.GONE not in there
    assert 'href="/api/documents/dddddddddddd/file" download' in there
    assert 'data-start="0" data-end="4" data-answer-start="0" data-answer-end="4"' in there
    assert strings.WHY not in turns.turn(Answer("?", "?", "removed"), 1, cited())


def test_a_turn_says_that_only_some_documents_were_asked():
    for status in ("answered", "not_found"):
        told = shown(turns.turn(Answer("?", "?", status, chosen=1), 1, cited()))
        assert "Asked of 1 chosen document only." in told
    assert "Asked of 1,200 chosen documents only." in turns.turn(
        Answer("?", "?", "off_topic", chosen=1200), 1, cited()
    )
    assert "chosen" not in turns.turn(Answer("?", "?", "off_topic"), 1, cited())


def test_what_was_answered_from_a_removed_document_can_be_asked_again():
    markup = turns.turn(Answer("<it>?", "Where is <it>?", "removed"), 1, cited())
    assert 'data-action="example" data-question="Where is &lt;it&gt;?"' in markup


# The document view


def runs(markup):
    """The runs of a stretch as the page's scripts see them: where each begins, its text, whether it counts as one."""
    found = re.findall(
        r'<(?:span|mark)(?: class="[^"]*")? data-start="(\d+)"( data-whole)?>(.*?)</(?:span|mark)>',
        markup,
        re.DOTALL,
    )
    return [(int(start), "whole" if whole else html.unescape(text)) for start, whole, text in found]


@given(st.data())
def test_every_run_of_a_stretch_tells_where_it_stands(data):
    text = data.draw(st.text(st.sampled_from("ab <&\n🚀é\u202e\u0001"), min_size=1, max_size=60))
    place = st.integers(0, len(text))
    cut = [Range(*sorted((data.draw(place), data.draw(place)))) for _ in range(3)]
    marked = tuple(one for one in cut[:1] if one.start < one.end)
    pages = (Range(0, cut[1].start), Range(cut[1].start, len(text)))
    part = cut[2]
    quote = Range(*sorted((data.draw(place), data.draw(place))))
    focus = Focus(quote, quote)
    shown_runs = runs(document_view.stretch(document(text, marked=marked, pages=pages), part, focus))
    position = part.start
    for start, run in shown_runs:
        assert start == position
        position += 1 if run == "whole" else len(run)
        if run != "whole":
            assert run.replace("\u2401", "\u0001") == text[start:position]
    assert position == part.end


def test_a_document_shows_its_quote_pages_and_boilerplate():
    text = "Menu\nOne. Two two. Three.\nFooter"
    parts = {"marked": (Range(0, 5), Range(26, 32)), "pages": (Range(0, 10), Range(10, 32))}
    markup = document_view.stretch(document(text, **parts), Range(0, 32), Focus(Range(10, 18), Range(10, 13)))
    assert '<span class="marked" data-start="0">Menu\n</span>' in markup
    assert (
        '<mark class="quoted answer" data-start="10">Two</mark><mark class="quoted" data-start="13"> two.</mark>'
        in markup
    )
    assert '<span class="page-mark">Page 2</span><mark' in markup
    assert '<span class="marked" data-start="26">Footer</span>' in markup


def test_stretches_follow_each_other_without_gaps():
    text = "".join(f"Line {number} of a long document.\n" for number in range(5_000))
    whole = document(text)
    part = document_view.around(whole, Focus(Range(90_000, 90_010), Range(90_000, 90_010)))
    assert part.start < 90_000 < part.end
    assert part.end - part.start < 25_000
    start, end = part.start, part.end
    while start > 0:
        earlier = document_view.before(whole, start)
        assert earlier.end == start > earlier.start
        start = earlier.start
    while end < len(text):
        later = document_view.after(whole, end)
        assert later.start == end < later.end
        end = later.end
    assert text[part.start - 1] == "\n"
    assert document_view.around(document("x" * 100_000), None) == Range(0, document_view.STRETCH)
