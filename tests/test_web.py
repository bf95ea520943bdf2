"""The web chat without a browser: rendering, handlers, examples, headers, errors."""

import dataclasses
import html
import re
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HashingEncoder
from fastapi.testclient import TestClient

from index import Document, Index, Passage
from index.errors import LoadError, SettingsError, VerbatimError
from index.types import Range, Section
from qa import Answer, Assistant, Candidate, Citation, Settings, wording
from qa.types import REASONS
from qa.web import corpus, examples, handlers, prose, rendering, server, strings
from qa.web.corpus import Corpus

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


@pytest.fixture
def some(assistant):
    return Corpus(assistant, "some documents", "Add some.")


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
    return Document("d" * 12, "d", "d", text, **parts)


def answered(*candidates):
    return Answer("?", "?", "answered", candidates)


def message(result, turn=1, documents=()):
    return rendering.answer(result, turn, {one.id: one for one in documents}, "Add some.")


def cards(result, turn=1, passages=()):
    return rendering.sources(result, turn, {}, {"d" * 12: passages})


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
    assert re.fullmatch(r"(?:[A-Za-z0-9 ]|&#\d+;)*", escaped)


def test_escape_keeps_all_characters_of_a_text():
    text = "Zażółć gęślą\tjaźń\nКунакбаев 漢字 🙂 e\u0301 100 % “quoted”"
    assert html.unescape(prose.escape(text)) == text
    assert "\n" not in prose.escape(text)


def test_characters_that_reorder_text_are_shown_by_name():
    for mark in "\u202e\u2066\u200f":
        escaped = prose.escape(f"a{mark}b")
        assert mark not in escaped
        assert f"U+{ord(mark):04X}" in escaped
    assert "\x1b" not in prose.escape("\x1b[31m")


def test_what_is_rendered_is_one_line_without_document_markup():
    text = f"Before.\n\n{HOSTILE}\nafter \u202e."
    found = citation(text, HOSTILE, title=HOSTILE)
    result = Answer(HOSTILE, HOSTILE, "answered", (Candidate(HOSTILE, 0.9, (found,)),))
    markup = message(result) + rendering.panel([cards(result, passages=[passage(text, 0, len(text))])])
    assert "\n" not in markup
    assert not re.search(r"<(?:script|img|em)|\$\{|\{\{|javascript:|onerror=", markup)
    assert html.unescape(rendering.question(HOSTILE)).count(HOSTILE) == 1


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
    assert prose.prose("| a\n| b") == "&#124; a<br>&#124; b"
    assert prose.prose("a \t b") == "a &#9; b"


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
    assert markup == "One&#46; <mark>Two&#46;</mark> Three&#46;"


def test_an_answer_within_its_quote_is_set_off_in_chat_and_card():
    text = "They came. Led by Murad Kunakbaev, they went."
    found = citation(text, "Led by Murad Kunakbaev, they went.", "Murad Kunakbaev")
    marked = "Led by <strong>Murad Kunakbaev</strong>&#44; they went&#46;"
    card = rendering.highlighted(found, None, passage(text, 0, len(text)))
    assert card == f"They came&#46; <mark>{marked}</mark>"
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
    links = re.findall(r'<a class="cite" href="#([^"]+)">\[(\d)\]</a>', markup)
    assert links == [("c-4-1", "1"), ("c-4-2", "2"), ("c-4-3", "3")]
    assert re.findall(r'id="(c-[^"]+)"', cards(answered(first, second), 4)) == [anchor for anchor, _ in links]
    assert "Very likely right · 91%" in shown(markup)
    assert strings.ALSO in markup
    assert "12 February 2020" in shown(markup)
    assert "undated" in shown(markup)


def from_lines(markup):
    return [shown(line) for line in re.findall(r'<p class="from">(.*?)</p>', markup)]


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
        for one, confidence in zip(at, (0.2499, 0.1, 0.0999), strict=True)
    )
    result = answered(first, second, third)
    assert shown(message(result)).startswith("No clear answer. The nearest passages:")
    assert quotes(message(result)) == ["“One.”", "“Two.”"]
    assert "Uncertain: check the source · 25%" in shown(message(result))
    assert strings.NEAREST in cards(result)
    assert re.findall(r'id="(c-[^"]+)"', cards(result)) == ["c-1-1", "c-1-2"]
    clear = answered(dataclasses.replace(first, confidence=0.25), second, third)
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
    markup = shown(cards(answered(Candidate("One.", 1.0, (found,)))))
    assert "undated · page 3 · file.txt" in markup
    assert "/tmp/folder" not in markup


@pytest.mark.parametrize("status", [status for status in REASONS if status != "answered"])
def test_an_abstention_says_why(status):
    text = "One. Two."
    result = Answer("?", "?", status, near_misses=(citation(text, "Two."),))
    told = shown(message(result))
    assert (strings.EMPTY if status == "no_index" else REASONS[status]) in told
    assert ("Add some." in told) == (status in {"no_index", "off_topic"})
    assert "{" not in told
    markup = shown(cards(result, passages=[passage(text, 0, 9)]))
    assert strings.NEAREST in markup
    assert "One. Two." in markup
    assert strings.SOURCES_NONE in cards(Answer("?", "?", status))


def test_an_empty_page_says_how_to_add_documents():
    assert "Add some." in shown(rendering.welcome(0, "Add some."))
    assert "Add some." not in shown(rendering.welcome(1, "Add some."))


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


# Conversations


def test_a_question_is_answered_in_stages(some):
    before = handlers.Conversation()
    steps = list(handlers.ask(some, "  Who was the pilot of the rocket? ", before))
    assert [step.messages[-1]["content"] for step in steps[:2]] == [
        rendering.stage(strings.SEARCHING),
        rendering.stage(strings.READING),
    ]
    assert [message["role"] for message in steps[-1].messages] == ["user", "assistant"]
    assert "Ada Byron" in steps[-1].messages[-1]["content"]
    assert before == handlers.Conversation()
    *_, second = handlers.ask(some, "What does bread need?", steps[-1])
    assert second.messages[:2] == steps[-1].messages
    assert [re.search(r'id="s-(\d)"', group)[1] for group in second.sources] == ["1", "2"]


def test_a_question_that_cannot_be_asked_is_told_kindly(some):
    (step,) = handlers.ask(some, "x" * 2001, handlers.Conversation())
    assert "2,001 characters" in shown(step.messages[-1]["content"])
    assert step.sources == ()


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


# The server


def test_headers_health_and_files(some):
    with TestClient(server.create_app(some), "http://127.0.0.1") as client:
        for path in ("/", "/healthz", "/web/style.css", "/web/style.js", "/nowhere"):
            response = client.get(path)
            policy = response.headers["content-security-policy"]
            assert "unsafe-eval" not in policy
            assert "http" not in policy
            assert "frame-ancestors 'none'" in policy
            assert response.headers["x-content-type-options"] == "nosniff"
            assert response.headers["x-frame-options"] == "DENY"
            assert response.headers["referrer-policy"] == "no-referrer"
        assert client.get("/healthz").json() == {"status": "ok"}
        assert client.head("/healthz").status_code == 200
        assert "#chat" in client.get("/web/style.css").text
        assert client.get("/web/server.py").status_code == 422
        for host, status in (("evil.example", 400), ("[::1]:7860", 200), ("localhost:7860", 200)):
            assert client.get("/healthz", headers={"host": host}).status_code == status


def test_scripts_of_the_page_carry_the_nonce_of_its_policy(assistant):
    with TestClient(server.create_app(Corpus(assistant, HOSTILE, HOSTILE)), "http://127.0.0.1") as client:
        first, second = client.get("/"), client.get("/")
    nonce = re.search(r"'nonce-([^']+)'", first.headers["content-security-policy"])[1]
    assert first.text.count("<script") == first.text.count(f'<script nonce="{nonce}"') > 0
    assert nonce not in second.text
    assert "<img src=x" not in first.text


def test_the_page_exposes_no_endpoint_to_clients(some):
    with TestClient(server.create_app(some), "http://127.0.0.1") as client:
        info = client.get("/gradio_api/info").json()
        assert info == {"named_endpoints": {}, "unnamed_endpoints": {}}
        assert client.get("/docs").status_code == 404


def test_a_port_in_use_is_named_with_the_fix():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {port}\b.*--port {port + 1}"):
            server.serve([], None, "127.0.0.1", port)


@pytest.mark.parametrize(
    ("host", "port"), [("127.0.0.1", 70000), ("127.0.0.1", -1), ("no.such.host.invalid", 7860)]
)
def test_an_address_that_cannot_be_had_is_one_line(host, port):
    with pytest.raises(SettingsError, match="--") as caught:
        server.serve([], None, host, port)
    assert "\n" not in str(caught.value)


def test_listening_elsewhere_is_warned_of(capsys):
    server.announce("x", "127.0.0.1", 7860)
    assert not capsys.readouterr().err
    server.announce("x", "0.0.0.0", 7860)
    assert "without a password" in capsys.readouterr().err


def test_app_ends_with_one_line_and_code_1(tmp_path):
    app = Path(__file__).parent.parent / "app.py"
    command = [sys.executable, str(app), "--port", "0", "--index", str(tmp_path / "none")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 1
    assert re.fullmatch(r"verbatim: .*no index there.*\n", done.stderr)


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
    assert (opened.name, opened.adding) == (strings.SEEDS, strings.ADD_TO_SEEDS)
    with Index.open() as index:
        index.add_texts([("mine", "My own words.")])
    opened = corpus.open_corpus([], None)
    with opened.assistant as assistant:
        assert (opened.name, opened.adding) == (str(fast_home / "index"), strings.ADD)
        assert [info.title for info in assistant.index.documents()] == ["mine"]


def test_how_to_add_documents_fits_what_the_page_was_opened_over(fast_home, tmp_path):
    folder, file = tmp_path / "my papers", tmp_path / "my papers" / "a.txt"
    folder.mkdir()
    file.write_text("The rocket flew in May.")
    for paths, index, adding in (
        ([file], None, strings.ADD_TO_FILES),
        ([file, folder], None, strings.ADD_TO_FOLDER.format(folder)),
        ([folder], tmp_path / "my index", f"Add documents with: qa index PATH --index '{tmp_path}/my index'"),
        ([], tmp_path / "my index", f"Add documents with: qa index PATH --index '{tmp_path}/my index'"),
    ):
        opened = corpus.open_corpus(paths, index)
        opened.assistant.close()
        assert opened.adding == adding
        assert ("qa index" in opened.adding) == (index is not None)


def test_a_page_over_paths_advises_what_is_useful_there(fast_home, tmp_path):
    (tmp_path / "a.txt").write_text("The rocket flew in May.")
    opened = corpus.open_corpus([tmp_path], None)
    with opened.assistant:
        *_, last = handlers.ask(opened, "Zyzzyva quux?", handlers.Conversation())
    told = shown(last.messages[-1]["content"])
    assert REASONS["off_topic"] in told
    assert str(tmp_path) in told
    assert "qa index" not in told
