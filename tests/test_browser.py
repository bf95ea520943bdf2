"""The web chat as people meet it: a real server, a real Chromium. Any request off this machine fails a test."""

import contextlib
import itertools
import os
import threading
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from browser import Watched, chromium, serving_here
from conftest import HashingEncoder
from files import pdf_bytes

from index import Index
from qa import Answer, Assistant, Candidate, Settings
from qa.cite import cite
from qa.conversations import Conversations
from qa.types import Span
from qa.web import strings
from qa.web.access import Access
from qa.web.corpus import Corpus
from qa.web.server import create_app

QUESTION = "Who led the CSTO delegation in Vienna?"
OFF_TOPIC = "How do I bake sourdough bread?"
HOSTILE = (
    "The launch code of the Hostile project is <script>pwn('script')</script> <img src=x onerror=\"pwn('img')\"> "
    "${pwn('template')} {{pwn}} ![pixel](http://evil.example/p.png) [click](javascript:pwn('link')) `code` *em* "
    "**strong** $$x^2$$ | a | b | <form action=http://evil.example/><input></form> http://evil.example/auto "
    "<style>body{display:none}</style> <a class=cite href=#c-1-1>fake</a> <svg onload=pwn('svg')> "
    "<button data-action=delete>fake</button> <div style='position:fixed;inset:0'>over</div> \u202eesrever ok."
)
NAME = "${pwn('name')} <img src=x onerror=pwn('file')> \u202e.txt"

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
    "How long does it take to Seal Bay?": ((0.19, ["70"]), (0.14, ["eight months"]), (0.06, ["40"])),
    "How much salt did they take?": ((0.78, ["3 sacks"]), (0.2, ["3 May"])),
}


SLOW_ANSWER = threading.Event()
SLOW_ANSWER.set()


class Scripted(Assistant):
    """Gives the answers of :data:`TOLD`, which a reader of short spans might give."""

    def stages(self, question, **_):
        yield "searching"
        SLOW_ANSWER.wait(30)
        numbers = itertools.count(1)
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
def serve(tmp_path_factory):
    """Start servers of this process; each has a home of its own."""
    with contextlib.ExitStack() as stack:

        def start(assistant, name, *, kind="index", password=None, examples=None):
            folder = tmp_path_factory.mktemp("server")
            conversations = stack.enter_context(
                contextlib.closing(Conversations(folder / "conversations.db"))
            )
            corpus = Corpus(assistant, name, kind, folder / "documents")
            app = create_app(corpus, conversations, Access(os.urandom(32), password))
            if examples:
                app.state.service.examples = lambda: examples
            return stack.enter_context(serving_here(app))

        yield start


@pytest.fixture(scope="module")
def scripted(serve, tmp_path_factory):
    """A server over documents of its own, whose answers are known."""
    folder = tmp_path_factory.mktemp("scripted")
    (folder / "logbook.txt").write_text(LOGBOOK)
    (folder / "letter to Jean.txt").write_text(LETTER)
    (folder / "report.pdf").write_bytes(pdf_bytes(REPORT, title="Annual report"))
    with Index.open(folder / "index", encoder=HashingEncoder()) as index:
        index.add(sorted(folder.glob("*.*")))
        assistant = Scripted(index, Settings(reader="sentences"))
        yield serve(assistant, str(folder), examples=list(TOLD))


@pytest.fixture(scope="module")
def real(serve, seeds):
    """A server over the seeds, with the real models."""
    return serve(seeds, strings.SEEDS)


@pytest.fixture(scope="module")
def evil(serve, tmp_path_factory, encoder):
    """A server that answers whatever it is asked, over an index of no documents yet."""
    with Index.open(tmp_path_factory.mktemp("evil") / "index", encoder=encoder) as index:
        yield serve(Assistant(index, Settings(threshold=0.0)), "evil")


@pytest.fixture(scope="module")
def browser():
    with chromium() as started:
        yield started


@pytest.fixture
def chat(browser, real):
    watched = Watched(browser, real)
    yield watched
    watched.close()


@pytest.fixture
def told(browser, scripted):
    watched = Watched(browser, scripted)
    yield watched
    watched.close()


@pytest.fixture
def screenshots(tmp_path):
    folder = Path(os.environ.get("VERBATIM_SCREENSHOTS") or tmp_path)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


# Reading an answer


def test_the_page_says_what_it_answers_over(chat):
    assert f"{strings.OVER}: {strings.SEEDS} — 2 documents" in chat.page.locator("#top").inner_text()
    assert strings.SOURCES_EMPTY in chat.page.locator("#side").inner_text()
    assert chat.page.title() == strings.TITLE


def test_an_answer_is_quoted_cited_and_highlighted(chat):
    turn = chat.ask(QUESTION)
    assert "Murad Kunakbaev" in turn.locator("blockquote strong").first.inner_text()
    card = chat.page.locator("#c-1-1")
    assert "Murad Kunakbaev" in card.locator("mark").inner_text()
    assert "12 February 2020" in card.inner_text()
    assert "004_d820ce9e78da0c40.txt" in card.inner_text()
    assert card.locator("mark").inner_text() in turn.locator("blockquote").first.inner_text()
    turn.locator(".why summary").click()
    assert turn.locator(".why tbody tr").count() == 8
    assert "Murad Kunakbaev" in turn.locator(".why tbody tr .span").first.inner_text()


def test_a_citation_leads_to_its_source_by_mouse_and_key(told):
    page = told.page
    for question in list(TOLD)[:2]:
        told.ask(question)
    first, second = page.locator("#s-1"), page.locator("#s-2")
    assert (first.is_visible(), second.is_visible()) == (False, True)
    page.click('a[href="#c-1-1"]')
    page.locator("#c-1-1.flash").wait_for()
    assert (first.is_visible(), second.is_visible()) == (True, False)
    assert page.evaluate("document.activeElement.id") == "c-1-1"
    page.focus('a[href="#c-2-1"]')
    page.keyboard.press("Enter")
    page.locator("#c-2-1.flash").wait_for()
    assert (first.is_visible(), second.is_visible()) == (False, True)


def test_a_citation_leads_to_its_source_by_touch(browser, scripted):
    phone = Watched(browser, scripted, viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page = phone.page
    phone.ask("Who led the expedition?")
    assert not page.locator("#side").is_visible()
    page.tap('a[href="#c-1-2"]')
    page.locator("#c-1-2.flash").wait_for()
    assert page.locator("#c-1-2").evaluate(
        "card => { const at = card.getBoundingClientRect(); return at.top >= 0 && at.top < innerHeight }"
    )
    page.tap("[data-action=close-side]")
    page.locator("#side").wait_for(state="hidden")
    assert page.evaluate("document.activeElement.hash") == "#c-1-2"
    phone.close()


def test_a_quote_is_shown_in_its_whole_document(told):
    page = told.page
    told.ask("Who led the expedition?")
    page.click("#c-1-2 [data-action=view]")
    page.locator("#document mark.answer").wait_for()
    assert page.locator("#document .page-mark").all_inner_texts() == [
        strings.PAGE_MARK.format(1),
        strings.PAGE_MARK.format(2),
    ]
    assert page.locator("#document mark.answer").inner_text() == "Ada Byron"
    assert "page 2 of 2" in page.locator("#document .facts").inner_text()
    page.fill("#words", "with a   CREW")
    page.keyboard.press("Enter")
    page.locator("#document mark", has_text="with a crew").wait_for()
    with page.expect_download() as download:
        page.click("#document .facts a")
    assert download.value.suggested_filename == "report.pdf"
    page.keyboard.press("Escape")
    page.locator("#document").wait_for(state="hidden")


def test_a_huge_document_is_shown_in_parts(browser, serve, tmp_path):
    text = "".join(f"Line {number} tells of the rocket and its pilot. 🚀\n" for number in range(100_000))
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        index.add_texts([("huge.txt", text[:60_000]), ("long.txt", "The pilot of the long flight was Ada.")])
        watched = Watched(
            browser, serve(Assistant(index, Settings(reader="sentences", threshold=0.0)), "huge")
        )
        page = watched.page
        page.click("[data-tab=documents] >> nth=0")
        page.click("#documents .title >> text=huge")
        page.locator("#text .stretch").first.wait_for()
        assert len(page.locator("#text .stretch").all_inner_texts()[0]) < 30_000
        for _ in range(6):
            page.locator("#text").evaluate("element => element.scrollTo(0, element.scrollHeight)")
            page.wait_for_timeout(150)
        page.locator("[data-action=later]").wait_for(state="hidden")
        shown = "".join(page.locator("#text .stretch span").all_text_contents())
        assert shown == text[:60_000]
        watched.close()


def test_words_of_a_wrapped_document_flow_and_its_rows_do_not(told):
    turn = told.ask("Who led the expedition?")
    quote = turn.locator("blockquote").first
    assert "who had been there twice before" in quote.inner_text()
    assert quote.locator("strong").all_inner_texts() == ["Ada Byron"]
    assert quote.locator("a").all_inner_texts() == ["[1]", "[2]"]
    passage = told.page.locator("#c-1-1 .passage")
    assert "most of a decade. It was led" in passage.inner_text()
    assert "\n- salt, 3 sacks\n- lamp oil, 12 barrels\n" in passage.inner_text()
    assert "\n| Line | Minutes |\n| Gull Rock | 45 |\n| Seal Bay | 70 |" in passage.inner_text()
    assert "April, and Saint Elmo" in told.page.locator("#c-1-2 .passage").inner_text()
    turn = told.ask("How much salt did they take?")
    assert "- salt, 3 sacks\n- lamp oil, 12 barrels\n" in turn.locator("blockquote").first.inner_text()


def test_an_answer_is_marked_more_strongly_than_its_quote(told):
    told.ask("Who led the expedition?")
    mark = told.page.locator("#c-1-1 mark")
    strong = mark.locator("strong")
    colour = "element => getComputedStyle(element).backgroundColor"
    assert strong.evaluate(colour) != mark.evaluate(colour) != told.page.locator("#c-1-1").evaluate(colour)


def test_answers_that_differ_stand_side_by_side_and_weak_ones_are_told(told):
    turn = told.ask("When did the ship leave?")
    answers, also = turn.locator(".list").all()
    assert strings.SEVERAL in answers.inner_text()
    assert answers.locator("strong").all_inner_texts() == ["1 May", "3 May"]
    left, right = (item.bounding_box() for item in answers.locator("li").all())
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    first, second = (line.replace("\xa0", " ") for line in answers.locator(".from").all_inner_texts())
    assert "p. 2 · report.pdf" in first
    assert second == "letter to Jean.txt · undated"
    assert strings.ALSO in also.inner_text()
    turn = told.ask("How long does it take to Seal Bay?")
    assert turn.locator(".answer").inner_text().startswith(strings.UNCLEAR)
    assert turn.locator(".answer li").count() == 2
    assert strings.NEAREST in told.page.locator("#side").inner_text()


def test_an_off_topic_question_is_not_answered(chat):
    turn = chat.ask(OFF_TOPIC)
    assert "Not in these documents" in turn.inner_text()
    assert strings.ADVICE["off_topic"] in turn.inner_text()
    assert turn.locator("blockquote").count() == 0
    assert strings.NEAREST in chat.page.locator("#side").inner_text()
    assert chat.page.locator("#side mark").count() > 0


def test_copies_carry_their_citations(browser, scripted):
    watched = Watched(browser, scripted, permissions=["clipboard-read", "clipboard-write"])
    turn = watched.ask("Who led the expedition?")
    for copy, answer in zip(
        turn.locator("[data-action=copy]").all(), ("Ada Byron", "**Ada Byron**"), strict=True
    ):
        copy.click()
        watched.page.locator("#toast", has_text=strings.COPIED).wait_for()
        copied = watched.page.evaluate("navigator.clipboard.readText()")
        assert answer in copied
        assert "report.pdf" in copied
        assert "logbook.txt" in copied
    watched.close()


# Conversation


def test_an_example_is_answered(chat):
    chat.page.locator(".example", has_text=strings.EXAMPLE_PUBLISHED).click()
    assert "9 Oct 2018" in chat.turn(1).inner_text()
    assert chat.page.locator("#t-1 h2").inner_text() == strings.EXAMPLE_PUBLISHED


def test_a_question_is_shown_as_it_was_written(told):
    question = "Is <b>*this*</b> `code` $$x$$ ${1+1}?\n\tYes."
    told.page.fill("#question", question)
    told.page.keyboard.press("Enter")
    told.page.locator("#turns .turn h2").wait_for()
    assert told.page.locator("#turns .turn h2").inner_text() == question


def test_questions_are_edited_asked_again_undone_and_cleared(told):
    page = told.page
    questions = list(TOLD)
    for question in questions[:3]:
        told.ask(question)
    page.click("#t-2 [data-action=edit]")
    assert page.locator("#question").input_value() == questions[1]
    page.fill("#question", questions[3])
    page.keyboard.press("Enter")
    page.locator("#t-2 h2", has_text="salt").wait_for()
    assert page.locator("#turns > .turn").count() == 2
    page.click("#t-2 [data-action=retry]")
    page.locator("#t-2.pending").wait_for(state="detached")
    page.locator("#t-2 .answer").wait_for()
    page.click("#t-2 [data-action=undo]")
    page.locator("#t-2").wait_for(state="detached")
    assert page.locator("#question").input_value() == questions[3]
    page.reload()
    assert page.locator("#turns > .turn").count() == 1
    page.click("#menu summary")
    page.click("[data-action=clear]")
    page.click("#sure-yes")
    page.locator("#welcome").wait_for()
    assert page.locator("#sources .group").count() == 0


def test_conversations_are_renamed_found_and_deleted(told):
    page = told.page
    told.ask("Who led the expedition?")
    page.click("#menu summary")
    page.click("[data-action=rename]")
    page.fill("#new-title", "<b>Polar</b> leaders")
    page.keyboard.press("Enter")
    page.locator("#conversations a", has_text="<b>Polar</b> leaders").wait_for()
    assert page.locator("#title").inner_text() == "<b>Polar</b> leaders"
    page.click("#new")
    page.wait_for_url(f"{told.address}/")
    told.ask("When did the ship leave?")
    page.locator("#conversations a", has_text="ship").wait_for()
    page.fill("#search-conversations", "leaders")
    page.locator("#conversations a", has_text="ship").wait_for(state="detached")
    page.click("#conversations a")
    page.locator("#t-1", has_text="Ada Byron").wait_for()
    page.click("#menu summary")
    page.click("[data-action=delete]")
    page.click("#sure-yes")
    page.locator("#welcome").wait_for()
    assert page.locator("#conversations a").all_inner_texts()[0].startswith("When did the ship leave?")


def test_a_question_on_its_way_can_be_stopped(told):
    page = told.page
    SLOW_ANSWER.clear()
    page.fill("#question", "Who led the expedition?")
    page.keyboard.press("Enter")
    page.locator("#stop").wait_for()
    page.locator(".example[disabled]").first.wait_for(state="attached")
    page.locator("#stop").click()
    page.locator("#toast", has_text=strings.STOPPED).wait_for()
    SLOW_ANSWER.set()
    assert page.locator("#turns .turn").count() == 0
    assert page.locator("#question").input_value() == "Who led the expedition?"
    assert page.locator("#conversations a").count() == 0
    told.ask("When did the ship leave?")
    assert page.locator("#turns .turn").count() == 1
    SLOW_ANSWER.clear()
    page.fill("#question", "Who led the expedition?")
    page.keyboard.press("Enter")
    for name in ("edit", "retry", "undo"):
        page.locator(f"#t-1 [data-action={name}][disabled]").wait_for(state="attached")
    SLOW_ANSWER.set()
    told.turn(2)
    assert page.locator("#turns [disabled]").count() == 0


def test_a_document_removed_while_a_question_runs_is_not_shown(browser, serve, tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        index.add_texts([("logbook.txt", LOGBOOK), ("letter.txt", LETTER)])
        question = "How much salt did they take?"
        assistant = Scripted(index, Settings(reader="sentences"))
        watched = Watched(browser, serve(assistant, "some", examples=[question]))
        page = watched.page
        watched.ask(question)
        SLOW_ANSWER.clear()
        page.fill("#question", question)
        page.keyboard.press("Enter")
        page.click("[data-tab=documents] >> nth=0")
        page.locator("#documents tr", has_text="letter.txt").locator("[data-action=remove]").click()
        page.click("#sure-yes")
        page.locator("#documents tr", has_text="letter.txt").wait_for(state="detached")
        page.click("[data-tab=ask] >> nth=0")
        page.locator("#t-1", has_text="3 May").wait_for(state="detached")
        assert page.locator("#turns > .turn").count() == 2
        assert page.locator("#turns > .pending").count() == 1
        page.click("#stop")
        SLOW_ANSWER.set()
        page.locator(".pending").wait_for(state="detached")
        assert page.locator("#t-1").count() == 1
        watched.close()


def test_opinions_are_kept_and_taken_back(told):
    page = told.page
    told.ask("Who led the expedition?")
    right, wrong = page.locator(".thumb.right"), page.locator(".thumb.wrong")
    right.click()
    page.locator(".thumb.right[aria-pressed=true]").wait_for()
    right.click()
    page.locator(".thumb.right[aria-pressed=false]").wait_for()
    wrong.click()
    page.click(".correction [data-verdict=unanswerable]")
    page.locator(".told", has_text=strings.VERDICTS["unanswerable"]).wait_for()
    page.reload()
    assert page.locator(".thumb.wrong").get_attribute("aria-pressed") == "true"
    # Words marked with the mouse are told as code points of the document.
    page.click(".correction [data-action=mark] >> nth=0")
    page.locator("#marking").wait_for()
    page.evaluate(
        """() => {
          const run = [...document.querySelectorAll("#text [data-start]:not(.stretch)")].find((one) => one.textContent.includes("Polar Institute"));
          const at = run.firstChild.data.indexOf("Polar Institute");
          getSelection().setBaseAndExtent(run.firstChild, at, run.firstChild, at + 15);
        }"""
    )
    page.locator("#marked", has_text="Polar Institute").wait_for()
    page.click("[data-action=mark-this]")
    page.locator(".told", has_text=strings.MARKED.format("Polar Institute")).wait_for()


# Documents


def test_documents_are_dropped_found_and_listed_in_parts(browser, serve, tmp_path):
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        index.add_texts([(f"text {number:03}", f"Text number {number}.") for number in range(60)])
        watched = Watched(
            browser, serve(Assistant(index, Settings(reader="sentences", threshold=0.0)), "many")
        )
        page = watched.page
        dropped = page.evaluate_handle(
            """() => {
              const dropped = new DataTransfer();
              dropped.items.add(new File(["Green tea is steamed."], "tea.txt"));
              dropped.items.add(new File(["MZ"], "setup.exe"));
              return dropped;
            }"""
        )
        page.dispatch_event("#turns", "drop", {"dataTransfer": dropped})
        page.locator("#uploads li.added", has_text="tea.txt").wait_for()
        page.locator("#uploads li.failed", has_text="Send one of").wait_for()
        rows = page.locator("#documents tbody tr[data-document]")
        page.locator("#documents .title", has_text="tea").wait_for()
        assert rows.count() == 50
        page.click("[data-action=more-documents]")
        page.locator("#documents .title", has_text="text 000").wait_for()
        assert rows.count() == 61
        page.fill("#search-documents", "TEA")
        page.locator("#documents .title", has_text="text 059").wait_for(state="detached")
        assert rows.count() == 1
        page.click("[data-action=read-again]")
        page.locator("#toast", has_text=strings.UP_TO_DATE).wait_for()
        watched.close()


def drop(page, *paths):
    """Drop files and folders of this machine on the page, as a person's hand does."""
    data = {"items": [], "files": [str(path) for path in paths], "dragOperationsMask": 1}
    session = page.context.new_cdp_session(page)
    for kind in ("dragEnter", "dragOver", "drop"):
        session.send("Input.dispatchDragEvent", {"type": kind, "x": 600, "y": 300, "data": data})


def test_a_folder_is_dropped_with_what_is_below_it(browser, serve, tmp_path):
    folder = tmp_path / "trips"
    (folder / "2019" / "deep").mkdir(parents=True)
    (folder / "empty").mkdir()
    for path in ("notes.txt", "2019/notes.txt", "2019/deep/log.md"):
        (folder / path).write_text(f"This tells of {path}.")
    (folder / "photo.jpg").write_bytes(b"a picture")
    (folder / ".hidden.txt").write_text("hidden")
    (tmp_path / "alone.txt").write_text("This stands alone.")
    with Index.open(tmp_path / "index", encoder=HashingEncoder()) as index:
        watched = Watched(browser, serve(Assistant(index, Settings(reader="sentences")), "some"))
        page = watched.page
        drop(page, folder, tmp_path / "alone.txt")
        lines = page.locator("#uploads li.added")
        lines.nth(3).wait_for()
        assert sorted(page.locator("#uploads li bdi").all_inner_texts()) == [
            "alone.txt",
            "trips - 2019 - deep - log.md",
            "trips - 2019 - notes.txt",
            "trips - notes.txt",
        ]
        page.locator("#toast", has_text="1 file of other kinds").wait_for()
        page.locator("#documents tr", has_text="trips - 2019 - notes.txt").wait_for()
        drop(page, folder / "empty")
        page.locator("#toast", has_text="“empty” holds no files").wait_for()
        assert lines.count() == 4
        watched.close()


def test_an_emptied_index_offers_the_seeds(browser, serve, tmp_path, home, encoder, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(home))
    (tmp_path / "tea.txt").write_text("Green tea is steamed.")
    with Index.open(tmp_path / "index", encoder=encoder) as index:
        watched = Watched(browser, serve(Assistant(index, Settings(reader="sentences")), "mine", kind="own"))
        page = watched.page
        page.locator("#welcome [data-action=seeds]").wait_for()
        page.click("[data-tab=documents] >> nth=0")
        watched.upload(tmp_path / "tea.txt")
        page.click("#documents [data-action=remove]")
        page.click("#sure-yes")
        # What was said of its upload goes with it.
        page.locator("#uploads").wait_for(state="hidden")
        page.click("#documents [data-action=seeds]")
        page.locator("#over-name", has_text=strings.SEEDS).wait_for()
        page.locator("#about-seeds").wait_for()
        assert page.locator("#documents [data-choose]").count() == 2
        watched.close()


# Manner


@pytest.mark.parametrize("width", [1280, 390])
def test_the_answer_is_always_in_view(browser, scripted, width):
    chat = Watched(browser, scripted, viewport={"width": width, "height": 844})
    for question, answers in TOLD.items():
        turn = chat.ask(question)
        shown = sum(confidence >= 0.1 for confidence, _ in answers)
        assert turn.locator("blockquote").count() == shown
        for quote in turn.locator("blockquote").all():
            outer, inner = quote.bounding_box(), quote.locator("strong").bounding_box()
            assert quote.evaluate("element => element.scrollHeight <= element.clientHeight + 1")
            assert outer["y"] <= inner["y"] + 2
            assert inner["y"] + inner["height"] <= outer["y"] + outer["height"] + 2
            assert inner["x"] + inner["width"] <= width
        assert turn.locator(".from").count() == shown
        at, frame = turn.locator("h2").bounding_box(), chat.page.locator("#turns").bounding_box()
        assert frame["y"] <= at["y"] < frame["y"] + frame["height"]
    assert "… “" in turn.locator("blockquote").last.inner_text().replace("\xa0", " ")
    chat.close()


def test_the_keyboard_alone_is_enough(told):
    page = told.page
    assert page.evaluate("document.activeElement.id") == "question"
    page.keyboard.type("Who led the expedition?")
    page.keyboard.press("Enter")
    told.turn(1)
    assert page.evaluate("document.activeElement.id") == "question"
    _tab_to(page, "a.cite", back=True)
    page.keyboard.press("Enter")
    page.locator(".card.flash").wait_for()
    _tab_to(page, "[data-action=view]")
    page.keyboard.press("Enter")
    page.locator("#document mark.answer").wait_for()
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.dataset.action") == "view"
    _tab_to(page, "[data-tab=documents]", back=True)
    page.keyboard.press("Enter")
    page.locator("#library").wait_for()
    _tab_to(page, "[data-choose]")
    page.keyboard.press("Space")
    _tab_to(page, "#ask-chosen", back=True)
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "question"
    assert page.locator("#chosen .chosen").count() == 1


def _tab_to(page, selector, *, back=False):
    for _ in range(60):
        page.keyboard.press("Shift+Tab" if back else "Tab")
        if page.evaluate("selector => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"{selector} is out of reach")


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_every_state_fits_and_is_accessible(browser, scripted, real, screenshots, width, height):
    options = {"viewport": {"width": width, "height": height}, "reduced_motion": "reduce"}
    watched = Watched(browser, real, **options)
    page = watched.page

    def look(name, *, checked=False):
        for scheme, rules in (
            ("dark", {"type": "rule", "values": ["color-contrast"]}),
            ("light", {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]}),
        ):
            page.emulate_media(color_scheme=scheme)
            page.screenshot(path=screenshots / f"{name}-{scheme}-{width}.png")
            if checked:
                found = Axe().run(page, options={"runOnly": rules, "resultTypes": ["violations"]})
                problems = [(one["id"], one["nodes"][0]["html"]) for one in found.response["violations"]]
                assert (name, scheme, problems) == (name, scheme, [])
        assert page.evaluate("document.documentElement.scrollWidth") == width

    page.locator(".example").first.wait_for()
    look("empty", checked=width > 800)
    watched.ask(QUESTION)
    look("answer")
    page.locator("#t-1 .thumb.wrong").click()
    page.locator("#t-1 .correction").wait_for()
    page.locator("#t-1 .why summary").click()
    page.locator("#t-1 .why summary").scroll_into_view_if_needed()
    look("why", checked=width > 800)
    page.locator("#t-1 a.cite").first.click()
    page.locator("#c-1-1").wait_for()
    look("sources", checked=width < 800)
    page.click("#c-1-1 [data-action=view]")
    page.locator("#document mark").first.wait_for()
    look("document", checked=width > 800)
    page.keyboard.press("Escape")
    if width < 800:
        page.keyboard.press("Escape")
    watched.ask(OFF_TOPIC)
    look("abstention", checked=width < 800)
    if width < 1100:
        page.click("#open-list")
        look("list", checked=width < 800)
        page.keyboard.press("Escape")
    page.click("[data-tab=documents] >> nth=0")
    page.locator("[data-choose]").first.check()
    look("documents", checked=width > 800)
    watched.close()
    watched = Watched(browser, scripted, **options)
    page = watched.page
    for number, question in enumerate(TOLD):
        watched.ask(question)
        look(f"short{number}", checked=number == 1)
    watched.close()


# Safety


def test_two_browsers_share_nothing_but_documents(browser, scripted):
    mine, theirs = Watched(browser, scripted), Watched(browser, scripted)
    mine.ask("Who led the expedition?")
    theirs.ask("When did the ship leave?")
    addresses = {watched: watched.page.url for watched in (mine, theirs)}
    assert mine.page.locator("#turns .turn").count() == 1
    for watched, other in ((mine, theirs), (theirs, mine)):
        watched.page.reload()
        assert watched.page.locator("#conversations a").count() == 1
        address = addresses[other]
        assert watched.page.goto(address).status == 404
        assert strings.NO_CONVERSATION in watched.page.locator("#turns").inner_text()
        watched.page.locator("body.ready").wait_for()
        for ending in ("/export", "/opinion"):
            path = address.replace("/c/", "/chat/") + ending
            told = watched.page.evaluate(
                """async ([path, method]) => {
                  const body = method === "POST" ? JSON.stringify({ turn: 1, verdict: "right" }) : undefined;
                  const sent = await fetch(path, { method, body, headers: { "Content-Type": "application/json" } });
                  return [sent.status, await sent.text()];
                }""",
                [path, "POST" if ending == "/opinion" else "GET"],
            )
            assert told[0] == 404
            assert "Byron" not in told[1]
        # The browser's console tells of each refusal.
        assert all("404" in error for error in watched.errors)
        watched.errors.clear()
        watched.close()


def test_a_link_of_another_site_keeps_the_conversations(browser, scripted):
    watched = Watched(browser, scripted)
    page = watched.page
    watched.ask("Who led the expedition?")
    # Another name of this machine is another site.
    page.goto(scripted.replace("127.0.0.1", "localhost"))
    page.evaluate("address => { location.href = address }", scripted)
    page.wait_for_url(f"{scripted}/")
    page.locator("#conversations a", has_text="Who led the expedition?").wait_for()
    watched.close()


def test_a_hostile_document_is_shown_and_does_nothing(browser, evil, tmp_path):
    watched = Watched(browser, evil)
    page = watched.page
    assert strings.EMPTY in page.locator("#welcome").inner_text()
    (tmp_path / NAME).write_text(f"# <b>pwn</b> ${{pwn('title')}} \u202e\n\n{HOSTILE}\n", encoding="utf-8")
    page.click("[data-tab=documents] >> nth=0")
    watched.upload(tmp_path / NAME)
    page.locator("#documents tr [data-choose]").check()
    page.click("#ask-chosen")
    seen = dict.fromkeys(("#turns", "#side", "#text"), "")
    for number, question in enumerate(
        (
            strings.EXAMPLE_ABOUT,
            "What is fake in the style of the body, with the input and the form?",
            "What is the launch code of the Hostile project?",
        ),
        1,
    ):
        watched.ask(question)
        page.locator(f"#t-{number} .why summary").click()
        for place in ("#turns", "#side"):
            seen[place] += f"{page.locator(place).inner_text()}\n"
    page.click("#sources .chosen [data-action=view] >> nth=0")
    page.locator("#document mark").first.wait_for()
    seen["#text"] = page.locator("#text").inner_text()
    for place, found in seen.items():
        text = " ".join(found.split())
        for part in HOSTILE.split("\u202e", maxsplit=1)[0].split():
            assert part in text
        assert "U+202E" in text
        markup = page.locator(f"{place} :is(script, img, form, input, style, code, em, svg, iframe)")
        assert markup.count() == 0
        assert page.locator(f"{place} a:not([href^='#c-'], [href^='/api/documents/'])").count() == 0
        assert page.locator(f"{place} [style]").count() == 0
    assert "\u202e" not in page.evaluate("document.body.innerText")
    assert page.locator("a, button", has_text="fake").count() == 0
    page.keyboard.press("Escape")
    page.reload()
    page.click("[data-tab=documents] >> nth=0")
    with page.expect_download() as download:
        page.click("#documents [download]")
    assert download.value.suggested_filename.endswith(".txt")
    assert page.evaluate("window.pwned") == []
    watched.close()


def test_a_password_is_asked_for_and_remembered(browser, serve, seeds):
    address = serve(seeds, "secret", password="open sesame")
    context = browser.new_context()
    page = context.new_page()
    page.goto(f"{address}/documents")
    assert page.title().startswith(strings.LOG_IN)
    assert Axe().run(page).response["violations"] == []
    for password in ("wrong", "open sesame"):
        page.fill("[name=password]", password)
        page.keyboard.press("Enter")
        page.wait_for_load_state()
    page.locator("#library").wait_for()
    assert page.url == f"{address}/documents"
    page.click(f"text={strings.LOG_OUT}")
    page.locator("[name=password]").wait_for()
    context.close()


def test_questions_are_answered_while_documents_are_read(browser, serve, tmp_path, encoder):
    (tmp_path / "first.txt").write_text("The pilot of the first rocket was Ada Byron, who flew it in May.")
    long = tmp_path / "long.txt"
    long.write_text(
        "".join(f"Paragraph {n} tells of bread number {n}, its flour and salt.\n\n" for n in range(1500))
    )
    with Index.open(tmp_path / "index", encoder=encoder) as index:
        index.add([tmp_path / "first.txt"])
        watched = Watched(browser, serve(Assistant(index, Settings()), "some"))
        page = watched.page
        page.click("[data-tab=documents] >> nth=0")
        page.set_input_files("#files", [long])
        page.locator("#uploads li.reading").wait_for()
        page.click("[data-tab=ask] >> nth=0")
        turn = watched.ask("Who was the pilot of the first rocket?")
        assert "Ada Byron" in turn.locator("strong").first.inner_text()
        assert page.locator("#uploads li.reading").count() == 1
        page.locator("#uploads li.added").wait_for(state="attached", timeout=120_000)
        watched.close()
