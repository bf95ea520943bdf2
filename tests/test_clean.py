"""What is marked on scraped pages, and what must never be marked."""

import dataclasses
import random
import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.clean import mark
from index.types import Document, Range

SEEDS = Path(__file__).parents[1] / "seeds"

PROSE = (
    "The committee met on Tuesday to discuss the new bridge over the river, which has been closed since the "
    "flood of last spring. Its members agreed that the works should begin before winter sets in."
)


def document(text, marked=()):
    return Document("id", "page.txt", "page", text, marked=marked)


def marked_texts(text):
    return [text[r.start : r.end] for r in mark(document(text)).marked]


def marked_lines(text):
    return [line for found in marked_texts(text) for line in found.split("\n") if line.strip()]


def seed(name):
    return next(SEEDS.glob(f"{name}*.txt")).read_text(encoding="utf-8")


class TestSeeds:
    def test_first(self):
        headline = "Belarus pledges support for efforts to resolve global, regional issues"
        text = seed("000")
        assert marked_lines(text) == [
            "Official Website of the Republic of Belarus",
            "News",
            "Belarus Events Calendar",
            "Belarus’ Top Tourist Sites",
            "UNESCO World Heritage Sites in Belarus",
            "Belarusian sanatoria and health resorts",
            "Souvenirs from Belarus",
            "| Home | News | Opinions & Interviews",
            "Opinions & Interviews",
            headline,
            "Archive",
            "Su Mo Tu We Th Fr Sa",
            "Great Patriotic War monuments in Belarus",
        ]
        copy = next(r for r in mark(document(text)).marked if text[r.start : r.end] == headline)
        assert copy.start > text.index(headline)

    def test_second(self):
        text = seed("004")
        headline = "The CSTO delegation takes part in the Joint UN-OSCE Conference on Antiterrorism in Vienna"
        assert marked_lines(text) == [
            "4f7a1b04-604b-4b73-b8de-96ca6de16e3d.jpg",
            headline,
            "IMG_Кунакбаев М. в Вене 11.02.2020.jpg",
            "Back to the section",
            "Back to the all news",
        ]
        copy = next(r for r in mark(document(text)).marked if text[r.start : r.end] == headline)
        assert text[copy.end :].startswith(" 12.02.2020\n")


@pytest.mark.parametrize(
    "line",
    [
        "| Home | News | Opinions & Interviews",
        "Home > News > Article",
        "Home » Publications » 2018",
        "Home / News / Belarus",
        "You are here: Home > Documents",
        "Home | About us | Contact",
        "Home News About us Contact",
        "Skip to content",
        "1 2 3 … Next",
        "« Previous 1 2 3 4 Next »",
        "Page 2 of 7",
        "Share on Facebook",
        "Share: Facebook Twitter LinkedIn",
        "Print this page",
        "Back to top",
        "← Back to all articles",
        "[Back to top](#top)",
        "Back to the list of news",
        "Read more »",
        "Advertisement",
        "0 Comments",
        "Leave a comment",
        "© 2018 The Daily Bridge. All rights reserved.",
        "Copyright 2018 The Daily Bridge",
        "DSC_0041.JPG",
        "4f7a1b04-604b-4b73-b8de-96ca6de16e3d.webp",
        "IMG_Мост через реку 2.jpg",
        "Mon Tue Wed Thu Fri Sat Sun",
    ],
)
def test_a_line_that_no_article_holds_is_marked_below_an_article(line):
    assert marked_lines(f"{PROSE}\n\n{PROSE}\n\n{line}\n") == [line]


@pytest.mark.parametrize(
    "text",
    [
        "Open the file photo.jpg in the editor.",
        "See figure_2.png for the plan of the bridge.",
        "The logo is stored as logo_2.png and The Gazette prints it.",
        "Call image2.jpegData(compressionQuality: 1) to get the bytes of it.",
        "UIImage.pngData returns the bytes of the picture, if there are any.",
    ],
)
def test_prose_that_names_an_image_is_not_marked(text):
    assert marked_texts(f"{text} {PROSE}\n\n{PROSE}\n\n{text}\n\n{PROSE}") == []


def test_an_instruction_that_names_an_image_is_not_marked():
    assert marked_texts(f"{PROSE}\n\nOpen figure 3.jpg\n\n{PROSE}") == []
    assert marked_texts(f"{PROSE}\n\nMinsk conference 3.jpg\n\n{PROSE}") == ["Minsk conference 3.jpg"]


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("4f7a1b04-604b.jpgOn July 3, Minsk hosted celebrations.", "4f7a1b04-604b.jpg"),
        ("It rained.  bridge_01.PNGThe works go on.", "bridge_01.PNG"),
        ("It rained.IMG_0012.jpgThe works go on.", "IMG_0012.jpg"),
        ("sunset.jpgOn Monday the works went on.", "sunset.jpg"),
        ("IMG_Мост М. в Вене 11.02.2020.jpgA report was read.", "IMG_Мост М. в Вене 11.02.2020.jpg"),
    ],
)
def test_only_the_name_is_marked_where_an_image_is_glued_to_a_sentence(text, name):
    assert marked_texts(f"{text} {PROSE}") == [name]


CALENDARS = [
    (
        "October 2018\nMon Tue Wed Thu Fri Sat Sun\n1 2 3 4 5 6 7\n8 9 10 11 12 13 14\n15 16 17 18 19 20 21\n"
        "22 23 24 25 26 27 28\n29 30 31\n« Sep Nov »"
    ),
    "Su Mo Tu We Th Fr Sa\n30 1 2 3 4 5 6\n7 8 9 10 11 12 13",
    "M T W T F S S\n1 2 3 4 5 6 7",
    "Mo\nTu\nWe\nTh\nFr\nSa\nSu\n1\n2\n3\n4\n5",
    "| Mo | Tu | We | Th | Fr | Sa | Su |\n|---|---|---|---|---|---|---|\n| 1 | 2 | 3 | 4 | 5 | 6 | 7 |",
]


@pytest.mark.parametrize("calendar", CALENDARS)
@pytest.mark.parametrize("page", ["{0}\n\n{1}\n\n{1}", "{1}\n\n{0}\n\n{1}", "{1}\n\n{0}"])
def test_calendars_are_marked_wherever_they_stand(calendar, page):
    assert marked_lines(page.format(calendar, PROSE)) == calendar.split("\n")


@pytest.mark.parametrize(
    "timetable",
    [
        "Mon Tue Wed Thu Fri Sat Sun\n9-17 9-17 9-17 9-17 9-15 closed closed",
        "Mon Tue Wed Thu Fri Sat Sun\nAnna Boris Anna Boris Anna Boris Clara",
        "Monday\n9 to 5\nTuesday\n9 to 5\nWednesday\n10 to 6",
        "| Mon | Tue | Wed | Thu | Fri | Sat | Sun |\n|---|---|---|---|---|---|---|\n| swim | run | rest | run | swim | run | rest |",
    ],
)
def test_timetables_are_not_calendars(timetable):
    assert marked_texts(f"{PROSE}\n\n{timetable}\n\n{PROSE}\n\n{timetable}") == []


class TestHeadlineCopies:
    HEADLINE = "Old bridge over the river to be repaired"

    def test_a_copy_is_marked_and_its_date_is_not(self):
        text = f"{self.HEADLINE}\n\n{self.HEADLINE} 12.02.2020\n\n{PROSE}"
        (found,) = mark(document(text)).marked
        assert found.start == len(self.HEADLINE) + 2
        assert text[found.start : found.end] == self.HEADLINE

    def test_a_date_or_an_author_may_stand_between(self):
        text = f"{self.HEADLINE}\n\n9 Oct 2018\n\nBy Anna Smith\n\n{self.HEADLINE.upper()}\n\n{PROSE}"
        assert marked_texts(text) == [self.HEADLINE.upper()]

    def test_a_repeated_sentence_is_not_a_headline(self):
        clause = "The tenant shall pay the rent on the first day of each month."
        assert marked_texts(f"{clause}\n\n{clause}\n\n{PROSE}\n\n{clause}") == []

    def test_a_refrain_is_not_a_headline(self):
        verse = "O roll on, river, roll on\nO roll on, river, roll on\nDown to the silver sea"
        assert marked_texts(f"{PROSE}\n\n{verse}\n\n{verse}\n") == []

    def test_a_heading_that_comes_again_over_other_text_stays(self):
        text = f"{self.HEADLINE}\n\n{PROSE}\n\n{PROSE}\n\n{self.HEADLINE}\n\n{PROSE}"
        assert marked_texts(text) == []

    def test_a_copy_stays_where_the_first_is_marked_already(self):
        text = f"{self.HEADLINE}\n\n{self.HEADLINE}\n\n{PROSE}"
        first = Range(0, len(self.HEADLINE))
        assert mark(document(text, (first,))).marked == (first,)


def test_a_cookie_banner_is_told_from_a_policy_by_its_button():
    banner = "This website uses cookies to give you the best experience."
    assert marked_lines(f"{banner}\nAccept\n\n{PROSE}") == [banner, "Accept"]
    assert marked_texts(f"{banner}\n\n{PROSE}") == []


def test_a_list_of_links_below_the_article_is_marked_and_the_byline_above_it_is_not():
    links = ["Related articles", "Ferry service resumes", "Mayor visits the harbour", "Home", "Sitemap"]
    text = "\n\n".join([PROSE, "Anna Smith, Press Secretary", *links])
    assert marked_lines(text) == links


def test_a_title_above_the_menu_stays_where_no_other_headline_follows():
    text = f"Old bridge to be repaired\nHome\nNews\nContact us\nSitemap\n\n{PROSE}"
    assert marked_lines(text) == ["Home", "News", "Contact us", "Sitemap"]


def test_a_title_in_the_words_of_a_menu_stays():
    assert marked_lines(f"Home\nNews\nContact us\nSitemap\n\nPrivacy policy\n\n{PROSE}") == [
        "Home",
        "News",
        "Contact us",
        "Sitemap",
    ]
    assert marked_lines(f"Home > About\n\nAbout\n\n{PROSE}") == ["Home > About"]


def test_short_unknown_entries_are_marked_where_a_headline_follows_the_menu():
    menu = ["Daily Bridge", "Home", "News", "Ferries", "Contact us", "Souvenirs"]
    text = "\n".join(menu) + f"\n\nOld bridge to be repaired\n\n{PROSE}"
    assert marked_lines(text) == menu


def test_a_list_of_anything_below_a_common_heading_stays():
    assert marked_texts(f"{PROSE}\n\nMost popular\nBread\nMilk") == []


def test_a_list_that_the_text_announces_is_no_menu():
    menu = "Home\nNews\nAbout us\nContact us\nSitemap"
    assert marked_texts(f"{PROSE}\n\nThe menu of the site has these five entries:\n{menu}\n\n{PROSE}") == []


CONTENT = {
    "letter": f"Anna Smith\n12 Harbour Street\nMinsk 220030\n\n9 October 2018\n\nDear Mr Brown,\n\n{PROSE}\n\nYours sincerely\n\nAnna Smith\nHead of Office\nTel. 555 0123",
    "recipe": f"Pancakes\n\nIngredients\n\n2 eggs\n200 g flour\nA pinch of salt\nMilk\n\nMethod\n\n{PROSE}\n\nServe hot\nServes four",
    "poem": "The river\n\nThe river runs down to the sea\nAnd never comes back again\nIt carries the leaves of the tree\n\nBack to the sea\nBack to the hills\n\nThe river runs down to the sea",
    "glossary": f"{PROSE}\n\nHome\nA place to live\n\nSearch\nTo look for something\n\nPress\nThe newspapers of a country\n\n{PROSE}",
    "keys": f"Country: Belarus\nCapital: Minsk\nContact: Anna Smith\nEmail: anna@example.org\nHome: 555 0123\n\n{PROSE}\n\nTags: bridge, river",
    "pairs": f"Country: Belarus; Capital: Minsk\nCountry: Austria; Capital: Vienna\n\n{PROSE}",
    "cv": f"Anna Smith\n\nContact\nanna@example.org\n12 Harbour Street\n\nProfile\n\n{PROSE}\n\nExperience\n2010-2018 Editor, The Daily Bridge\n\nLanguages\nEnglish\nRussian\n\nInterests\nTravel\nNews\nPhotography",
    "table": f"{PROSE}\n\n| Home | Away | News |\n|---|---|---|\n| 3 | 2 | yes |\n| 1 | 1 | no |\n\n{PROSE}",
    "bullets": f"{PROSE}\n\n- Bread\n- Milk\n- Search the attic\n- Call home\n\n{PROSE}",
    "dialogue": f"{PROSE}\n\nAnna: Where is it?\nBoris: At home\nAnna: Any news\nBoris: Search me\nAnna: Print it\n",
    "code": f"{PROSE}\n\n```\nHome\nNews\nAbout us\nContact us\nSitemap\nBack to top\nphoto_1.jpg\n```\n\n{PROSE}",
    "note": "Buy milk\nCall Anna\nSearch the attic\nNews\nHome\nContact\nArchive\nSitemap",
    "manual": f"Sharing pictures\n\n{PROSE}\n\nShare on Facebook\n\n{PROSE}\n\nPress the button:\n\nHome > Settings > Share\n\n{PROSE}",
    "policy": f"Privacy Policy\n\n{PROSE}\n\nCookies\n\nWe use cookies to remember you.\n\nContact us\n\n{PROSE}",
    "licence": f"Copyright (c) 2020 Anna Smith\n\n{PROSE}\n\n{PROSE}",
    "competitors": f"{PROSE}\n\nCompetitors\n\nFacebook\nTwitter\nInstagram\nYouTube\nReddit",
    "byline": f"{PROSE}\n\n\nThe CSTO Press Secretary Vladimir Zaynetdinov\n",
}


@pytest.mark.parametrize("kind", CONTENT)
def test_content_is_never_marked(kind):
    assert marked_texts(CONTENT[kind]) == []


NOUNS = ["river", "bridge", "harbour", "market", "school", "museum", "railway", "forest", "castle", "village"]
VERBS = ["opens", "repairs", "visits", "discusses", "supports", "closes", "presents", "receives", "announces"]
NAMES = ["Anna Smith", "Boris Ivanov", "Clara Jones", "David Novak", "Elena Petrova", "Frank Miller"]
ENTRIES = [
    "Home",
    "News",
    "About us",
    "Contact",
    "Archive",
    "Search",
    "Login",
    "Sitemap",
    "RSS",
    "Privacy policy",
]
UNKNOWN = ["Tourist Sites", "Souvenirs", "Regional Offices", "Health Resorts", "History of the Town"]
BACK = ["Back to top", "Back to the section", "« Back to all news", "Return to the archive"]
BARS = ["Share on Facebook", "Share: Facebook Twitter Telegram", "Print this page", "Email to a friend"]


@dataclasses.dataclass
class Page:
    """A generated page: its lines, and which of them are content and which boilerplate, by kind."""

    lines: list[str] = dataclasses.field(default_factory=list)
    content: list[str] = dataclasses.field(default_factory=list)
    boilerplate: list[tuple[str, str]] = dataclasses.field(default_factory=list)

    def keep(self, text):
        self.content += text.split("\n")
        self.lines += [text, ""]

    def drop(self, kind, text):
        self.boilerplate += [(kind, line) for line in text.split("\n") if line]
        self.lines += [text, ""]


def sentence(rng):
    words = [rng.choice(["the", "a", "this"]), rng.choice(NOUNS), rng.choice(VERBS), "the", rng.choice(NOUNS)]
    words += ["of the", rng.choice(NOUNS), "near the", rng.choice(NOUNS), "in", str(rng.randint(1900, 2020))]
    return " ".join(words).capitalize() + "."


def headline(rng, number):
    return f"{rng.choice(NOUNS).capitalize()} council {rng.choice(VERBS)} {rng.choice(NOUNS)} plan number {number}"


def article(rng, page, number):
    title = headline(rng, number)
    page.keep(title)
    if rng.random() < 0.5:
        page.boilerplate.append(("copy", title))
        page.lines += [title + rng.choice(["", " 12.02.2020"]), ""]
    else:
        page.keep("9 Oct 2018")
    for _ in range(rng.randint(2, 4)):
        if rng.random() < 0.3:
            page.drop("image", f"IMG_{rng.randint(1000, 9999)}.jpg")
        page.keep(" ".join(sentence(rng) for _ in range(rng.randint(2, 5))))
    if rng.random() < 0.5:
        page.keep("\n".join(f"- {noun}" for noun in rng.sample(NOUNS, 4)))
        page.keep(" ".join(sentence(rng) for _ in range(3)))
    page.keep(rng.choice([f"By {rng.choice(NAMES)}", rng.choice(NAMES), f"{rng.choice(NAMES)}, editor"]))
    for link in rng.sample(BACK, 2):
        page.drop("back", link)


def menu(rng, page, known, unknown):
    entries = rng.sample(ENTRIES, known)
    inner = rng.sample(UNKNOWN, unknown)
    rng.shuffle(middle := entries[1:-1] + inner)
    entries = [entries[0], *middle, entries[-1]]
    page.drop("menu", ("\n" if rng.random() < 0.7 or inner else "\n\n").join(entries))


def generated_page(rng):
    page = Page()
    menu(rng, page, rng.randint(4, 8), rng.randint(0, 3))
    page.drop(
        "trail", rng.choice(["| Home | News | Interviews", "Home > News > Town", "Home » Archive » 2018"])
    )
    for number in range(rng.randint(1, 3)):
        article(rng, page, number)
    page.drop("bar", rng.choice(BARS))
    if rng.random() < 0.6:
        page.drop("related", "Related articles\n" + "\n".join(headline(rng, n) for n in range(50, 53)))
    page.drop("calendar", rng.choice(CALENDARS))
    menu(rng, page, rng.randint(4, 7), 0)
    page.drop("rights", "© 2018 The Daily Bridge. All rights reserved.")
    return page


def outcome(page):
    """Return the content lines that were marked, and of each kind of boilerplate how many were, of all."""
    text = "\n".join(page.lines)
    lines = [line.strip() for line in marked_lines(text)]
    lost = [line for line in set(page.content) if lines.count(line) > page_count(page, line)]
    counts = {}
    for kind, line in page.boilerplate:
        hit, total = counts.get(kind, (0, 0))
        counts[kind] = (hit + (line in lines), total + 1)
    return lost, counts


def page_count(page, line):
    return sum(line == dropped for _, dropped in page.boilerplate)


def test_generated_pages():
    rng = random.Random(20200212)
    totals = {}
    for _ in range(200):
        page = generated_page(rng)
        lost, counts = outcome(page)
        assert lost == [], "\n".join(page.lines)
        for kind, (hit, total) in counts.items():
            hits, all_ = totals.get(kind, (0, 0))
            totals[kind] = (hits + hit, all_ + total)
    for kind in ("calendar", "trail", "image", "back", "copy"):
        hit, total = totals[kind]
        assert hit == total, kind
    assert sum(hit for hit, _ in totals.values()) >= 0.9 * sum(total for _, total in totals.values()), totals


PIECES = st.sampled_from(
    [
        PROSE, "Home", "News", "Contact us", "Home > News > Town", "Su Mo Tu We Th Fr Sa", "1 2 3 4 5 6 7",
        "Back to top", "Old bridge to be repaired", "Old bridge to be repaired 12.02.2020", "9 Oct 2018",
        "IMG_1.jpg", "a_1.jpgOn Monday it rained.", "Related articles", "By Anna Smith", "- Bread", "| a | b |",
        "```", "© 2018 Town", "We use cookies.", "Accept", "", "  ", "\u00a0", "\x0b", "12.02.2020",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.one_of(PIECES, st.text(max_size=30)), max_size=30).map("\n".join), st.text(max_size=300)
)


@given(TEXTS, st.data())
@settings(max_examples=300, deadline=None)
def test_marks_are_ordered_and_in_bounds_and_marking_twice_changes_nothing(text, data):
    cuts = sorted(data.draw(st.sets(st.integers(0, len(text)), max_size=4)))
    existing = tuple(Range(*pair) for pair in zip(cuts[::2], cuts[1::2], strict=False))
    once = mark(document(text, existing))
    assert once.text == text
    position = 0
    for found in once.marked:
        assert position <= found.start < found.end <= len(text)
        position = found.end + 1
    for old in existing:
        assert any(new.start <= old.start and old.end <= new.end for new in once.marked)
    assert mark(once) == once


@pytest.mark.parametrize(
    "text",
    [
        "word one two. " * 700_000,
        "." * 10_000_000,
        ".jpg" * 500_000,
        PROSE + "\nHome > " * 50_000,
        PROSE + "\n" + "Minsk opens bridge\n" * 50_000,
        PROSE + "\n" + "!?.,;\n" * 50_000,
        PROSE + "\n" + "Su Mo Tu We Th Fr Sa\n" * 50_000,
    ],
    ids=["line", "dots", "names", "trails", "headlines", "punctuation", "weekdays"],
)
def test_time_grows_with_the_length_only(text):
    start = time.process_time()
    mark(document(text))
    assert time.process_time() - start < 15
