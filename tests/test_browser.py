"""The web chat as people meet it: a real server, a real Chromium. Any request off this machine fails a test."""

import os
from pathlib import Path

import pytest
from browser import Watched, chromium, serving, wait_for

from qa.web import strings

QUESTION = "Who led the CSTO delegation in Vienna?"
HOSTILE = (
    "The launch code of the Hostile project is <script>pwn('script')</script> <img src=x onerror=\"pwn('img')\"> "
    "${pwn('template')} {{pwn}} ![pixel](http://evil.example/p.png) [click](javascript:pwn('link')) `code` *em* "
    "**strong** $$x^2$$ | a | b | <form action=http://evil.example/><input></form> http://evil.example/auto "
    "<style>body{display:none}</style> <a class=cite href=#c-1-1>fake</a> \u202eesrever ok."
)
NAME = "${pwn('name')} <img src=x onerror=pwn('file')>.txt"


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
    for number, question in enumerate(
        (strings.EXAMPLE_ABOUT, "What is the launch code of the Hostile project?")
    ):
        hostile.ask(question)
        hostile.page.locator(f"#s-{number + 1}").wait_for()
    for place in ("#chat .message-wrap", "#panel .sources"):
        text = " ".join(hostile.page.locator(place).inner_text().split())
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
    watched.ask("How do I bake sourdough bread?")
    look("abstention")
    for place in ("#chat", "#question", "#panel", "#new"):
        box = page.locator(place).bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
    chat, panel = page.locator("#chat").bounding_box(), page.locator("#panel").bounding_box()
    assert (panel["y"] > chat["y"] + chat["height"]) == (width < 800)
    watched.close()
