"""The web chat as people meet it: a real server, a real Chromium. Any request off this machine fails a test."""

import os
from pathlib import Path

import pytest
from browser import Watched, chromium, serving, serving_here, wait_for
from conftest import HashingEncoder
from files import pdf_bytes

from index import Index
from qa import Answer, Assistant, Candidate, Settings
from qa.cite import cite
from qa.types import Span
from qa.web import strings
from qa.web.corpus import Corpus
from qa.web.server import create_app

QUESTION = "Who led the CSTO delegation in Vienna?"
HOSTILE = (
    "The launch code of the Hostile project is <script>pwn('script')</script> <img src=x onerror=\"pwn('img')\"> "
    "${pwn('template')} {{pwn}} ![pixel](http://evil.example/p.png) [click](javascript:pwn('link')) `code` *em* "
    "**strong** $$x^2$$ | a | b | <form action=http://evil.example/><input></form> http://evil.example/auto "
    "<style>body{display:none}</style> <a class=cite href=#c-1-1>fake</a> \u202eesrever ok."
)
NAME = "${pwn('name')} <img src=x onerror=pwn('file')>.txt"

# Documents whose lines are wrapped, or mean something, and what is answered from them: each answer is a few
# words of one of them.
LOGBOOK = (
    "The Halley expedition of the winter before last had been planned for most of a\n"
    "decade. It was led by Ada Byron of the Polar Institute, who had\n"
    "been there twice before and knew the ice well. The supplies were meant to last\n"
    "for eight months, although most of the party did not believe that they would.\n\n"
    "- flour, 40 sacks\n- salt, 3 sacks\n- lamp oil, 12 barrels\n\n"
    "| Line | Minutes |\n| Gull Rock | 45 |\n| Seal Bay | 70 |\n"
)
LETTER = (
    "My dear Jean, "
    + "we waited at the quay, through rain and fog and whatever else that harbour had in store for us, " * 3
    + "until on 3 May the ship at last put out to sea, "
    + "and I shall not forget how the whole town stood along the pier and waved until nothing was left to see, "
    + "nor how quiet it was on the way home, when nobody had anything to say that the others did not know."
)
REPORT = [
    ["The annual report of the institute."],
    [
        "The ship was made ready in the last week of April, and",
        "Saint Elmo's harbour saw it off on 1 May with a crew of",
        "forty. Ada Byron led it, as she had led the two before.",
    ],
]
TOLD = {
    "Who led the expedition?": ((0.93, ["Ada Byron of", "Ada Byron led"]), (0.31, ["My dear Jean"])),
    "When did the ship leave?": ((0.62, ["1 May"]), (0.48, ["3 May"]), (0.12, ["eight months"])),
    "How long does it take to Seal Bay?": ((0.21, ["70"]), (0.14, ["eight months"]), (0.06, ["40"])),
    "How much salt did they take?": ((0.78, ["3 sacks"]), (0.2, ["3 May"])),
}


class Scripted(Assistant):
    """Gives the answers of :data:`TOLD`, which a reader of short spans might give."""

    def stages(self, question, **_):
        yield "searching"
        numbers = iter(range(1, 100))
        told = [
            (confidence, [self._cite(next(numbers), words) for words in spans])
            for confidence, spans in TOLD[question]
        ]
        candidates = [Candidate(_answer(cited[0]), confidence, tuple(cited)) for confidence, cited in told]
        yield Answer(question, question, "answered", tuple(candidates))

    def _cite(self, number, words):
        for document in map(self.index.document, self.index.document_ids()):
            for passage in self.index.passages(document.id):
                if words in passage.text:
                    start = passage.start + passage.text.index(words)
                    words = words.removesuffix(" of").removesuffix(" led")
                    return cite(number, Span(start, start + len(words), words, 1.0), passage, document)
        raise AssertionError(words)


def _answer(citation):
    return citation.quote[citation.answer_start - citation.start : citation.answer_end - citation.start]


@pytest.fixture(scope="module")
def scripted(tmp_path_factory):
    """A server in this process, over documents of its own, whose answers are known."""
    folder = tmp_path_factory.mktemp("scripted")
    (folder / "logbook.txt").write_text(LOGBOOK)
    (folder / "letter to Jean.txt").write_text(LETTER)
    (folder / "report.pdf").write_bytes(pdf_bytes(REPORT, title="Annual report"))
    with Index.open(folder / "index", encoder=HashingEncoder()) as index:
        index.add(sorted(folder.glob("*.*")))
        assistant = Scripted(index, Settings(reader="sentences"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr("qa.web.server.examples", lambda _: list(TOLD))
            app = create_app(Corpus(assistant, str(folder), "Add some."))
        with serving_here(app) as address:
            yield address


@pytest.fixture(scope="module")
def addresses(home, tmp_path_factory):
    """Two servers, started together: over the seeds, and over a hostile document."""
    folder = tmp_path_factory.mktemp("hostile")
    (folder / NAME).write_text(f"# <b>pwn</b> ${{pwn('title')}}\n\n{HOSTILE}\n", encoding="utf-8")
    with serving(home) as seeds, serving(home, folder, VERBATIM_THRESHOLD="0") as hostile:
        wait_for(*seeds)
        wait_for(*hostile)
        yield seeds[0], hostile[0]


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def chat(browser, addresses):
    watched = Watched(browser, addresses[0])
    yield watched
    watched.close()


@pytest.fixture
def hostile(browser, addresses):
    watched = Watched(browser, addresses[1])
    yield watched
    watched.close()


@pytest.fixture
def screenshots(tmp_path):
    folder = Path(os.environ.get("VERBATIM_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_the_page_says_what_it_answers_over(chat):
    header = chat.page.locator("#header").inner_text()
    assert f"Answering over: {strings.SEEDS}" in header
    assert "2 documents" in header
    assert strings.SOURCES_EMPTY in chat.page.locator("#panel").inner_text()
    assert chat.page.title() == strings.TITLE
    assert chat.page.locator("footer").count() == 0


def test_an_answer_is_quoted_cited_and_highlighted(chat):
    message = chat.ask(QUESTION)
    assert "Murad Kunakbaev" in message.inner_text()
    mark = chat.page.locator("mark", has_text="Murad Kunakbaev")
    mark.first.wait_for()
    card = chat.page.locator("#panel .card", has=mark).first
    assert "12 February 2020" in card.inner_text()
    assert "004_d820ce9e78da0c40.txt" in card.inner_text()
    assert mark.first.inner_text() in chat.page.locator("#chat .answer").inner_text()


def test_a_citation_leads_to_its_source_by_mouse_and_key(chat):
    chat.ask(QUESTION)
    chat.ask("When is Independence Day celebrated?")
    first, second = chat.page.locator("#s-1"), chat.page.locator("#s-2")
    assert (first.is_visible(), second.is_visible()) == (False, True)
    chat.page.click('#chat a[href="#c-1-1"]')
    chat.page.locator("#c-1-1.flash").wait_for()
    assert (first.is_visible(), second.is_visible()) == (True, False)
    assert chat.page.evaluate("document.activeElement.id") == "c-1-1"
    chat.page.focus('#chat a[href="#c-2-1"]')
    chat.page.keyboard.press("Enter")
    chat.page.locator("#c-2-1.flash").wait_for()
    assert (first.is_visible(), second.is_visible()) == (False, True)


def test_an_off_topic_question_is_not_answered(chat):
    message = chat.ask("How do I bake sourdough bread?")
    assert "Not in these documents" in message.inner_text()
    assert message.locator("blockquote").count() == 0
    assert strings.NEAREST in chat.page.locator("#panel").inner_text()
    assert chat.page.locator("#panel mark").count() > 0


def test_an_example_is_answered(chat):
    example = chat.page.locator("#examples .example", has_text=strings.EXAMPLE_PUBLISHED)
    example.click()
    assert "9 Oct 2018" in chat.answer(0).inner_text()
    assert chat.page.locator("#chat .question").inner_text() == strings.EXAMPLE_PUBLISHED


def test_a_question_is_shown_as_it_was_written(chat):
    question = "Is <b>*this*</b> `code` $$x$$ ${1+1}?"
    chat.ask(question)
    assert chat.page.locator("#chat .question").inner_text() == question


def test_a_new_conversation_is_empty_and_no_ones_but_mine(chat, browser, addresses):
    chat.ask(QUESTION)
    other = Watched(browser, addresses[0])
    assert other.page.locator("#chat .user-row").count() == 0
    other.ask("How do I bake sourdough bread?")
    assert chat.page.locator("#chat .user-row").count() == 1
    other.close()
    chat.page.click("#new")
    chat.page.locator("#chat .welcome").wait_for()
    assert strings.SOURCES_EMPTY in chat.page.locator("#panel").inner_text()
    chat.ask(QUESTION)
    assert chat.page.locator("#chat .user-row").count() == 1


def test_a_hostile_document_is_shown_and_does_nothing(hostile):
    # Between them, the quotes hold all of it; of the sources only those of the last answer are in view.
    about_its_end = "What is fake in the style of the body, with the input and the form?"
    about_its_start = "What is the launch code of the Hostile project?"
    seen = dict.fromkeys(("#chat .message-wrap", "#panel .sources"), "")
    for number, question in enumerate((strings.EXAMPLE_ABOUT, about_its_end, about_its_start)):
        hostile.ask(question)
        hostile.page.locator(f"#s-{number + 1}").wait_for()
        for place in seen:
            seen[place] += f"{hostile.page.locator(place).inner_text()}\n"
    for place, found in seen.items():
        text = " ".join(found.split())
        for part in HOSTILE.split("\u202e", maxsplit=1)[0].split():
            assert part in text
        assert "U+202E" in text
        assert "\u202e" not in text
        markup = hostile.page.locator(
            f"{place} :is(script, img, form, input, style, code, em, table, .katex)"
        )
        assert markup.count() == 0
        assert hostile.page.locator(f"{place} a:not([href^='#c-'])").count() == 0
    assert NAME in hostile.page.locator("#panel").inner_text()
    assert hostile.page.locator("a", has_text="fake").count() == 0
    assert hostile.page.evaluate("window.pwned") == []


def test_words_of_a_wrapped_document_flow_and_its_rows_do_not(browser, scripted):
    chat = Watched(browser, scripted)
    message = chat.ask("Who led the expedition?")
    quote = message.locator("blockquote").first
    assert "who had been there twice before" in quote.inner_text()
    assert quote.locator("strong").all_inner_texts() == ["Ada Byron"]
    assert quote.locator("a").all_inner_texts() == ["[1]", "[2]"]
    passage = chat.page.locator("#c-1-1 .passage")
    assert "most of a decade. It was led" in passage.inner_text()
    assert "\n- salt, 3 sacks\n- lamp oil, 12 barrels\n" in passage.inner_text()
    assert "\n| Line | Minutes |\n| Gull Rock | 45 |\n| Seal Bay | 70 |" in passage.inner_text()
    assert "April, and Saint Elmo" in chat.page.locator("#c-1-2 .passage").inner_text()
    message = chat.ask("How much salt did they take?")
    assert "- salt, 3 sacks\n- lamp oil, 12 barrels\n" in message.locator("blockquote").first.inner_text()
    chat.close()


def test_an_answer_is_marked_more_strongly_than_its_quote(browser, scripted):
    chat = Watched(browser, scripted)
    chat.ask("Who led the expedition?")
    mark = chat.page.locator("#c-1-1 mark")
    strong = mark.locator("strong")
    assert strong.all_inner_texts() == ["Ada Byron"]
    colour = "element => getComputedStyle(element).backgroundColor"
    assert strong.evaluate(colour) != mark.evaluate(colour) != chat.page.locator("#c-1-1").evaluate(colour)
    chat.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_answer_is_always_in_view(browser, scripted, width):
    chat = Watched(browser, scripted, viewport={"width": width, "height": 844})
    for number, (question, told) in enumerate(TOLD.items()):
        message = chat.ask(question)
        shown = sum(confidence >= 0.1 for confidence, _ in told)
        assert message.locator("blockquote").count() == shown
        for quote in message.locator("blockquote").all():
            outer, inner = quote.bounding_box(), quote.locator("strong").bounding_box()
            assert quote.evaluate("element => element.scrollHeight <= element.clientHeight + 1")
            assert outer["y"] <= inner["y"] + 2
            assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 2
            assert inner["x"] + inner["width"] <= width
        assert message.locator(".from").count() == shown
        question_at = chat.page.locator("#chat .message.user").last.bounding_box()["y"]
        assert question_at >= max(chat.page.locator("#chat").bounding_box()["y"], 0) + 10
        assert chat.page.locator(f"#s-{number + 1} .card").count() == sum(
            len(spans) for least, spans in told if least >= 0.1
        )
    assert "… “" in message.locator("blockquote").last.inner_text().replace("\xa0", " ")
    chat.close()


def test_answers_that_differ_stand_side_by_side_and_weak_ones_are_told(browser, scripted):
    chat = Watched(browser, scripted)
    message = chat.ask("When did the ship leave?")
    told, also = message.locator(".list").all()
    assert strings.SEVERAL in told.inner_text()
    assert told.locator("strong").all_inner_texts() == ["1 May", "3 May"]
    assert told.locator("li .cites").all_inner_texts() == ["[1]", "[2]"]
    first, second = told.locator(".from").all_inner_texts()
    assert "p. 2 · report.pdf" in first
    assert second == "letter to Jean.txt · undated"
    assert strings.ALSO in also.inner_text()
    message = chat.ask("How long does it take to Seal Bay?")
    assert message.inner_text().startswith(strings.UNCLEAR)
    assert message.locator("li").count() == 2
    assert strings.NEAREST in chat.page.locator("#panel").inner_text()
    chat.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_short_answers_fit(browser, scripted, screenshots, scheme, width, height):
    chat = Watched(browser, scripted, viewport={"width": width, "height": height}, color_scheme=scheme)
    for number, question in enumerate(TOLD):
        chat.ask(question)
        chat.page.wait_for_timeout(300)
        chat.page.screenshot(path=screenshots / f"short{number}-{scheme}-{width}.png", full_page=width < 800)
        assert chat.page.evaluate("document.documentElement.scrollWidth") == width
    chat.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_the_page_fits(browser, addresses, screenshots, scheme, width, height):
    watched = Watched(browser, addresses[0], viewport={"width": width, "height": height}, color_scheme=scheme)
    page = watched.page

    def look(name):
        page.wait_for_timeout(300)
        page.screenshot(path=screenshots / f"{name}-{scheme}-{width}.png", full_page=width < 800)
        assert page.evaluate("document.documentElement.scrollWidth") == width

    look("empty")
    watched.ask(QUESTION)
    look("answer")
    watched.ask(strings.EXAMPLE_ABOUT)
    look("about")
    watched.ask("How do I bake sourdough bread?")
    look("abstention")
    for place in ("#chat", "#question", "#panel", "#new"):
        box = page.locator(place).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    chat, panel = page.locator("#chat").bounding_box(), page.locator("#panel").bounding_box()
    assert (panel["y"] > chat["y"] + chat["height"]) == (width < 800)
    watched.close()
