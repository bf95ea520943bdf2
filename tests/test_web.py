"""The web chat without a browser: rendering, handlers, examples, headers, errors."""

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
from index.types import Section
from qa import Answer, Assistant, Candidate, Citation, Settings, wording
from qa.types import REASONS
from qa.web import corpus, examples, handlers, rendering, server, strings

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
        yield Assistant(index, Settings(threshold=0.0))


def citation(text, quote, answer=None, *, number=1, date="2020-02-12", page=None, title="A title"):
    answer = answer or quote
    start = text.index(quote)
    inside = start + quote.index(answer)
    return Citation(
        number, "d" * 12, title, date, "/tmp/folder/file.txt", page, start, start + len(quote), quote, inside,
        inside + len(answer),
    )  # fmt: skip


def passage(text, start, end):
    return Passage(1, "d" * 12, start, end, text[start:end], "")


def shown(markup):
    """What a browser shows of it."""
    return html.unescape(re.sub(r"<[^>]*>", "", markup))


# Escaping


def test_escape_leaves_nothing_that_means_something():
    escaped = rendering.escape(HOSTILE)
    assert html.unescape(escaped) == HOSTILE
    assert re.fullmatch(r"(?:[A-Za-z0-9 ]|&#\d+;)*", escaped)


def test_escape_keeps_all_characters_of_a_text():
    text = "Zażółć gęślą\tjaźń\nКунакбаев 漢字 🙂 e\u0301 100 % “quoted”"
    assert html.unescape(rendering.escape(text)) == text
    assert "\n" not in rendering.escape(text)


def test_characters_that_reorder_text_are_shown_by_name():
    for mark in "\u202e\u2066\u200f":
        escaped = rendering.escape(f"a{mark}b")
        assert mark not in escaped
        assert f"U+{ord(mark):04X}" in escaped
    assert "\x1b" not in rendering.escape("\x1b[31m")


def test_what_is_rendered_is_one_line_without_document_markup():
    text = f"Before.\n\n{HOSTILE}\nafter \u202e."
    found = citation(text, HOSTILE, title=HOSTILE)
    result = Answer(HOSTILE, HOSTILE, "answered", (Candidate(HOSTILE, 0.9, (found,)),))
    markup = rendering.answer(result, 1) + rendering.panel(
        [rendering.sources(result, 1, {"d" * 12: [passage(text, 0, len(text))]})]
    )
    assert "\n" not in markup
    assert not re.search(r"<(?:script|img|em)|\$\{|\{\{|javascript:|onerror=", markup)
    assert html.unescape(rendering.question(HOSTILE)).count(HOSTILE) == 1


# Highlighting


def test_highlight_is_exact():
    text = "One. Two two.\n\nThree\nthree. Four."
    quote = "Two two.\n\nThree\nthree."
    found = citation(text, quote)
    markup = rendering.highlighted(found, passage(text, 0, len(text)))
    assert shown(markup) == text
    before, marked, after = re.fullmatch(r"(.*)<mark>(.*)</mark>(.*)", markup).groups()
    assert (shown(before), shown(marked), shown(after)) == ("One. ", quote, " Four.")


def test_highlight_counts_from_the_passage():
    text = "x" * 100 + "One. Two. Three."
    found = citation(text, "Two.")
    assert (
        rendering.highlighted(found, passage(text, 100, 116)) == "One&#46; <mark>Two&#46;</mark> Three&#46;"
    )


def test_an_answer_within_its_quote_is_set_off():
    text = "Led by Murad Kunakbaev, they came."
    markup = rendering.highlighted(citation(text, text, "Murad Kunakbaev"), None)
    assert markup.startswith("<mark>Led by <strong>Murad Kunakbaev</strong>")
    assert "<strong>" not in rendering.highlighted(citation(text, text), None)


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
    result = Answer("Which?", "Which?", "answered", (first, second))
    message, cards = rendering.answer(result, 4), rendering.sources(result, 4, {})
    links = re.findall(r'<a class="cite" href="#([^"]+)">\[(\d)\]</a>', message)
    assert links == [("c-4-1", "1"), ("c-4-2", "2"), ("c-4-3", "3")]
    assert re.findall(r'id="(c-[^"]+)"', cards) == [anchor for anchor, _ in links]
    assert "Very likely right · 91%" in shown(message)
    assert strings.ALSO in message
    assert "12 February 2020" in shown(message)
    assert "undated" in shown(message)


def test_a_card_shows_where_the_quote_stands():
    text = "One."
    found = citation(text, "One.", page=3, date=None)
    cards = rendering.sources(Answer("?", "?", "answered", (Candidate("One.", 1.0, (found,)),)), 1, {})
    assert "undated · page 3 · file.txt" in shown(cards)
    assert "/tmp/folder" not in shown(cards)


@pytest.mark.parametrize("status", [status for status in REASONS if status != "answered"])
def test_an_abstention_says_why(status):
    text = "One. Two."
    result = Answer("?", "?", status, near_misses=(citation(text, "Two."),))
    assert REASONS[status] in shown(rendering.answer(result, 1))
    cards = shown(rendering.sources(result, 1, {"d" * 12: [passage(text, 0, 9)]}))
    assert strings.NEAREST in cards
    assert "One. Two." in cards
    assert strings.SOURCES_NONE in rendering.sources(Answer("?", "?", status), 1, {})


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


def test_a_question_is_answered_in_stages(assistant):
    before = handlers.Conversation()
    steps = list(handlers.ask(assistant, "  Who was the pilot of the rocket? ", before))
    assert [step.messages[-1]["content"] for step in steps[:2]] == [
        rendering.stage(strings.SEARCHING),
        rendering.stage(strings.READING),
    ]
    assert [message["role"] for message in steps[-1].messages] == ["user", "assistant"]
    assert "Ada Byron" in steps[-1].messages[-1]["content"]
    assert before == handlers.Conversation()
    *_, second = handlers.ask(assistant, "What does bread need?", steps[-1])
    assert second.messages[:2] == steps[-1].messages
    assert [re.search(r'id="s-(\d)"', group)[1] for group in second.sources] == ["1", "2"]


def test_a_question_that_cannot_be_asked_is_told_kindly(assistant):
    (step,) = handlers.ask(assistant, "x" * 2001, handlers.Conversation())
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
        assert examples.examples(Assistant(index)) == []


# The server


def test_headers_health_and_files(assistant):
    with TestClient(server.create_app(assistant, "some documents"), "http://127.0.0.1") as client:
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
    with TestClient(server.create_app(assistant, HOSTILE), "http://127.0.0.1") as client:
        first, second = client.get("/"), client.get("/")
    nonce = re.search(r"'nonce-([^']+)'", first.headers["content-security-policy"])[1]
    assert first.text.count("<script") == first.text.count(f'<script nonce="{nonce}"') > 0
    assert nonce not in second.text
    assert "<img src=x" not in first.text


def test_the_page_exposes_no_endpoint_to_clients(assistant):
    with TestClient(server.create_app(assistant, "some documents"), "http://127.0.0.1") as client:
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
    monkeypatch.setattr("index.index.load_encoder", lambda _name=None: HashingEncoder())
    return tmp_path / "home"


def test_paths_have_an_index_of_their_own(fast_home, tmp_path):
    (tmp_path / "a.txt").write_text("The rocket flew in May.")
    (tmp_path / "b.txt").write_text("Bread needs flour.")
    opened, label = corpus.open_corpus([tmp_path / "a.txt"], None)
    with opened:
        assert label == str(tmp_path / "a.txt")
        assert [info.sources for info in opened.index.documents()] == [(str(tmp_path / "a.txt"),)]
        assert opened.index.directory == corpus.paths_directory([tmp_path / "a.txt"])
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
    corpus.open_corpus([folder], None)[0].close()
    (folder / "a.txt").unlink()
    with corpus.open_corpus([folder], None)[0] as opened:
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
    opened, label = corpus.open_corpus([], None)
    opened.close()
    assert label == strings.SEEDS
    with Index.open() as index:
        index.add_texts([("mine", "My own words.")])
    opened, label = corpus.open_corpus([], None)
    with opened:
        assert label == str(fast_home / "index")
        assert [info.title for info in opened.index.documents()] == ["mine"]
