"""One person's first day with the chat, from a clean start to the day after: real server, real Chromium."""

import json

import pytest
from browser import Watched, chromium, serving, wait_for
from files import docx_bytes, pdf_bytes

from qa.evaluation.squad import read_squad
from qa.web import strings

SEEDS_QUESTION = "Where did Stanislav Zas lay flowers?"
PAGES = [
    ["The annual report of the Halley institute, by its board."],
    [
        "The expedition to Gull Rock was led by Ada Byron, who had been",
        "there twice before. It left the harbour of Saint Elmo on 1 May 2019",
        "with a crew of forty, and came back in October of the same year.",
    ],
]
TEA = (
    "Green tea is steamed soon after picking. Black tea is oxidised first, which takes about four hours. "
    "The tea garden of Darjeeling was founded by Archibald Campbell in 1841."
)


def write_tea(document):
    document.core_properties.title = "Tea gardens"
    document.add_heading("Tea gardens", 1)
    document.add_paragraph(TEA)


@pytest.fixture
def clean(tmp_path, models):
    """A VERBATIM_HOME with nothing in it but converted models, which would take half a minute."""
    home = tmp_path / "home"
    home.mkdir()
    (home / "cache").symlink_to(models)
    return home


def test_a_day_with_the_chat(clean, tmp_path):
    report, tea = tmp_path / "annual report.pdf", tmp_path / "tea.docx"
    report.write_bytes(pdf_bytes(PAGES, title="Annual report"))
    tea.write_bytes(docx_bytes(write_tea))
    with chromium() as browser:
        with serving(clean) as server:
            wait_for(*server)
            me = Watched(browser, server[0], accept_downloads=True)
            ask_the_seeds(me)
            add_documents(me, report, tea)
            filter_and_remove(me)
            exports = give_feedback_and_export(me, tmp_path)
            cookies = me.context.storage_state()
            me.close()
        assert "Ada Byron" in exports
        with serving(clean) as server:
            wait_for(*server)
            again = Watched(browser, server[0], storage_state=cookies)
            find_the_conversation(again)
            again.close()


def ask_the_seeds(me):
    page = me.page
    assert strings.SEEDS in page.locator("#top").inner_text()
    turn = me.ask(SEEDS_QUESTION)
    assert turn.locator("blockquote strong").count() > 0
    turn.locator("a.cite").first.click()
    card = page.locator("#c-1-1")
    card.locator("mark").wait_for()
    card.locator("[data-action=view]").click()
    mark = page.locator("#document mark.answer").first
    mark.wait_for()
    quoted = "".join(page.locator("#document mark").all_text_contents())
    assert " ".join(quoted.split()) in " ".join(turn.locator("blockquote").first.inner_text().split())
    assert mark.evaluate(
        "mark => { const box = mark.getBoundingClientRect(); return box.top > 0 && box.bottom < innerHeight }"
    )
    page.keyboard.press("Escape")
    follow = me.ask("When did he do that?")
    assert "Zas" in follow.locator(".asked q").inner_text()
    assert follow.locator(".answer").is_visible()


def add_documents(me, report, tea):
    page = me.page
    page.click("[data-tab=documents] >> nth=0")
    assert page.locator("#about-seeds").is_visible()
    lines = me.upload(report, tea)
    assert [line.get_attribute("class") for line in lines.all()] == ["added", "added"]
    page.locator("#documents tr", has_text="Annual report").wait_for()
    page.locator("#over-name", has_text=strings.OWN).wait_for()
    assert page.locator("#documents tr", has_text="Annual report").locator(".pages").inner_text() == "2"
    page.click("[data-tab=ask] >> nth=0")
    turn = me.ask("Who led the expedition to Gull Rock?")
    assert "Ada Byron" in turn.locator("blockquote strong").first.inner_text()
    assert "p. 2" in turn.locator(".from").first.inner_text()
    turn = me.ask("Who founded the tea garden of Darjeeling?")
    assert "Archibald Campbell" in turn.locator("blockquote strong").first.inner_text()
    # What was answered from the seeds can still be checked.
    page.locator("#t-1 a.cite").first.click()
    page.locator("#c-1-1 [data-action=view]").click()
    page.locator("#document mark").first.wait_for()
    page.keyboard.press("Escape")


def filter_and_remove(me):
    page = me.page
    page.click("[data-tab=documents] >> nth=0")
    page.locator("#documents tr", has_text="Annual report").locator("[data-choose]").check()
    page.click("#ask-chosen")
    assert "Annual report" in page.locator("#chosen").inner_text()
    turn = me.ask("Who founded the tea garden of Darjeeling in 1841?")
    assert "Campbell" not in turn.inner_text()
    page.click("#chosen [data-action=ask-all]")
    page.click("[data-tab=documents] >> nth=0")
    row = page.locator("#documents tr", has_text="Tea gardens")
    row.locator("[data-action=remove]").click()
    page.click("#sure-yes")
    row.wait_for(state="detached")
    page.click("[data-tab=ask] >> nth=0")
    page.locator("#t-4", has_text="has been removed").wait_for()
    assert "Archibald Campbell" not in page.content()
    turn = me.ask("Who founded the tea garden of Darjeeling?")
    assert "Campbell" not in turn.locator(".answer").inner_text()


def give_feedback_and_export(me, folder):
    page = me.page
    page.locator("#t-3 .thumb.right").click()
    page.locator("#t-3 .thumb.right[aria-pressed=true]").wait_for()
    turn = page.locator("#t-2")
    turn.locator(".thumb.wrong").click()
    turn.locator(".correction .chip").first.click()
    page.fill("#words", "Independence Day")
    page.keyboard.press("Enter")
    page.locator("#document mark", has_text="Independence Day").wait_for()
    page.click("[data-action=mark-this]")
    page.locator("#t-2 .told", has_text="Independence Day").wait_for()
    with page.expect_download() as download:
        page.click("a[href='/chat/feedback.json']")
    squad = folder / "feedback.json"
    download.value.save_as(squad)
    assert "Independence Day" in squad.read_text("utf-8")
    assert {"Who led the expedition to Gull Rock?"} <= {one.question for one in read_squad(squad)}
    return "".join(exported(me, folder, kind) for kind in ("json", "markdown", "text"))


def exported(me, folder, kind):
    me.page.click("#menu summary")
    with me.page.expect_download() as download:
        me.page.click(f"[data-export={kind}]")
    path = folder / f"exported.{kind}"
    download.value.save_as(path)
    text = path.read_text("utf-8")
    assert "annual report.pdf" in text
    if kind == "json":
        assert [turn["role"] for turn in json.loads(text)["turns"]][:2] == ["user", "assistant"]
    return text


def find_the_conversation(again):
    page = again.page
    page.fill("#search-conversations", "gull rock")
    page.locator("#conversations a", has_text=SEEDS_QUESTION).click()
    page.wait_for_selector("body.ready")
    assert "Ada Byron" in page.locator("#t-3 blockquote").first.inner_text()
    assert page.locator("#t-3 .thumb.right[aria-pressed=true]").count() == 1
    page.locator("#t-3 a.cite").first.click()
    page.locator("#c-3-1 [data-action=view]").click()
    page.locator("#document mark", has_text="Ada Byron").wait_for()
    page.keyboard.press("Escape")
    page.fill("#search-conversations", "no such words")
    page.locator("#conversations", has_text=strings.NO_CONVERSATIONS_FOUND).wait_for()
