"""Which articles and chapters are found in a plain text, their titles and dates."""

import dataclasses
import datetime as dt
import random
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from index.clean import mark
from index.dates import (
    find_added_date,
    find_date,
    find_dateline,
    find_dates,
    find_opening_dateline,
    find_trailing_date,
)
from index.load import load
from index.sections import find_sections, is_machine_made
from index.types import Document, Range, Section

SEEDS = Path(__file__).parents[1] / "seeds"

PROSE = (
    "The committee met on Tuesday to discuss the new bridge over the river, which has been closed since the "
    "flood of last spring. Its members agreed that the works should begin before winter sets in."
)
HEADLINE = "Old bridge over the river to be repaired"


def sectioned(text, title="notes", sections=()):
    return find_sections(mark(Document("id", "notes.txt", title, text, sections=sections)))


def found(text, title="notes"):
    return [(section.title, section.date) for section in sectioned(text, title).sections]


def seed(name):
    path = next(SEEDS.glob(f"{name}*.txt"))
    return sectioned(path.read_text(encoding="utf-8"), path.stem)


class TestSeeds:
    def test_first(self):
        document = seed("000")
        title = "Belarus pledges support for efforts to resolve global, regional issues"
        (section,) = document.sections
        assert document.title == section.title == title
        assert section.title_at.start == document.text.index(title)
        assert (section.start, section.end, section.date) == (0, len(document.text), "2018-10-09")
        assert document.text[section.date_at.start : section.date_at.end] == "9 Oct 2018"

    def test_second(self):
        document = seed("004")
        untitled, dated = document.sections
        assert document.title == untitled.title
        assert (
            untitled.title == "On July 3, Minsk hosted celebrations dedicated to the Independence Day of the…"
        )
        assert (untitled.start, untitled.date, untitled.title_at, untitled.date_at) == (0, None, None, None)
        assert dated.title == (
            "The CSTO delegation takes part in the Joint UN-OSCE Conference on Antiterrorism in Vienna"
        )
        assert dated.start == dated.title_at.start == document.text.index(dated.title) == untitled.end
        assert (dated.end, dated.date) == (len(document.text), "2020-02-12")
        assert document.text[dated.date_at.start : dated.date_at.end] == "12.02.2020"


class TestArticles:
    def test_the_first_line_above_prose_is_the_title(self):
        document = sectioned(f"\n{HEADLINE}\n\n{PROSE}\n")
        assert document.title == HEADLINE
        assert [(s.start, s.end) for s in document.sections] == [(0, len(document.text))]

    @pytest.mark.parametrize(
        "opening",
        [
            "Dear Mr Brown,",
            "Introduction",
            "the river",
            "It rained all day on the old bridge.",
            "To: Anna\nFrom: Boris",
            "9 October 2018",
        ],
    )
    def test_other_first_lines_are_no_title(self, opening):
        assert sectioned(f"{opening}\n\n{PROSE}").title == "notes"

    def test_prose_alone_keeps_the_name_of_the_file(self):
        assert found(PROSE) == [("notes", None)]

    def test_a_machine_made_name_gives_way_to_the_first_words(self):
        document = sectioned(f"It rained all day long. {PROSE}", "00_69e41dfd36f388bb")
        assert document.title == "It rained all day long."
        assert [(s.title, s.title_at) for s in document.sections] == [("It rained all day long.", None)]

    def test_a_machine_made_name_stays_where_no_section_has_a_better_one(self):
        section = Section(0, len(PROSE), "00_69e41dfd36f388bb")
        assert sectioned(PROSE, "00_69e41dfd36f388bb", (section,)).title == "00_69e41dfd36f388bb"
        named = Section(0, len(PROSE), HEADLINE)
        assert sectioned(PROSE, "00_69e41dfd36f388bb", (named,)).title == HEADLINE
        assert sectioned(PROSE, "notes", (named,)).title == "notes"

    def test_articles_one_after_the_other(self):
        parts = [
            *(HEADLINE, "9 Oct 2018", PROSE),
            *("10 Oct 2018", "Ferry service opens again", PROSE),
            *("Market opens in spring 11.10.2018", PROSE),
            *("School plan adopted", "School plan adopted", PROSE),
        ]
        text = "\n\n".join(parts)
        assert found(text) == [
            (HEADLINE, "2018-10-09"),
            ("Ferry service opens again", "2018-10-10"),
            ("Market opens in spring", "2018-10-11"),
            ("School plan adopted", None),
        ]

    def test_a_date_that_belongs_to_the_headline_stays_in_it(self):
        assert sectioned(f"The flood of 9 October 2018\n\n{PROSE}").title == "The flood of 9 October 2018"

    def test_dates_in_prose_do_not_count(self):
        text = f"{HEADLINE}\n\nOn 9 October 2018 it rained. {PROSE}\n\n{PROSE} It ended on 10.10.2018\n"
        assert found(text) == [(HEADLINE, None)]

    @pytest.mark.parametrize(
        "dateline",
        ["LARNSBY, 12 November 2023 - ", "LARNSBY, Nov. 12, 2023 (Agency) — ", "Larnsby, 12.11.2023 – "],
    )
    def test_the_first_paragraph_may_open_with_the_date(self, dateline):
        for headline in (f"{HEADLINE}\n\n", f"{HEADLINE}\nBy Anna Smith\n\n", ""):
            text = f"{headline}{dateline}{PROSE}\n\n{PROSE}"
            (section,) = sectioned(text).sections
            assert section.date == "2023-11-12"
            assert find_date(text[section.date_at.start : section.date_at.end]).iso == section.date

    def test_a_dateline_makes_a_headline_of_the_line_above(self):
        second = "LARNSBY, 13 November 2023 - "
        text = f"{HEADLINE}\n\n{PROSE}\n\n{PROSE}\n\n{PROSE}\n\nFerry service opens again\n\n{second}{PROSE}"
        assert found(text) == [(HEADLINE, None), ("Ferry service opens again", "2023-11-13")]

    def test_dates_of_an_agenda_date_nothing(self):
        agenda = f"Larnsby, 3 May 2023 - {PROSE}\nLarnsby, 4 June 2023 - {PROSE}\n"
        assert found(f"{HEADLINE}\n\n{agenda}") == [(HEADLINE, None)]

    def test_a_dateline_further_down_dates_nothing(self):
        text = f"{HEADLINE}\n\n{PROSE}\n\nLARNSBY, 12 November 2023 - {PROSE}"
        assert found(text) == [(HEADLINE, None)]

    def test_a_text_without_a_headline_has_the_date_it_opens_with(self):
        assert found(f"Published 14 March 2023 by Anna Holt\n\n{PROSE}") == [("notes", "2023-03-14")]
        assert found(f"{PROSE}\n\n14 March 2023\n\n{PROSE}") == [("notes", None)]

    def test_a_signature_with_a_date_is_no_headline(self):
        assert found(f"{HEADLINE}\n\n{PROSE}\n\nAnna Smith, Head of Office\n12.02.2020\n") == [
            (HEADLINE, None)
        ]

    def test_a_menu_above_is_part_of_the_first_article(self):
        text = f"Home\nNews\nContact us\nHome > News\n\n{HEADLINE}\n\n{HEADLINE}\n\n{PROSE}"
        (section,) = sectioned(text).sections
        assert (section.start, section.title) == (0, HEADLINE)
        assert section.title_at.start == text.index(HEADLINE)

    def test_a_headline_between_two_menus_is_found(self):
        text = f"Home\nNews\nContact us\n{HEADLINE}\nShare\nPrint\nRSS\nSitemap\n{PROSE}"
        assert sectioned(text).title == HEADLINE

    def test_nothing_in_nothing(self):
        assert sectioned("").sections == ()
        assert found(" \n\n ") == [("notes", None)]


class TestChapters:
    LONG = "\n\n".join([PROSE] * 6)

    @pytest.mark.parametrize(
        "headings",
        [
            ["CHAPTER I", "CHAPTER II", "CHAPTER III"],
            ["Article 1 - Scope", "Article 2 - Term", "ARTICLE 3: Notice"],
            ["1. Introduction", "2. Methods", "2.1 Samples", "3. Results"],
            ["THE RIVER", "THE BRIDGE", "THE FLOOD"],
        ],
    )
    def test_headings_of_a_long_text(self, headings):
        text = "\n\n".join(part for heading in headings for part in (heading, self.LONG))
        document = sectioned(text)
        assert document.title in ("notes", headings[0])
        assert [section.title for section in document.sections] == headings
        assert [text[s.title_at.start : s.title_at.end] for s in document.sections] == headings

    def test_a_chapter_and_its_name_are_one_title(self):
        text = "\n\n".join(f"CHAPTER {n}\n\nThe river of {n}\n\n{self.LONG}" for n in ("I", "II", "III"))
        assert [s.title for s in sectioned(text).sections] == [
            f"CHAPTER {n} The river of {n}" for n in ("I", "II", "III")
        ]

    def test_numbered_steps_and_contents_are_no_headings(self):
        contents = "\n\n".join(f"{n}. Part {n}" for n in range(1, 9))
        steps = "\n\n".join(f"{n}. Stir the pot and wait for it to boil." for n in range(1, 9))
        assert found(f"{PROSE}\n\n{contents}\n\n{self.LONG}\n\n{steps}\n\n{self.LONG}") == [("notes", None)]

    def test_the_name_of_a_chapter_in_capitals_is_no_section_of_its_own(self):
        names = ["THE RIVER", "THE BRIDGE", "THE FLOOD"]
        text = "\n\n".join(f"CHAPTER {n}\n\n{name}\n\n{self.LONG}" for n, name in enumerate(names, 1))
        assert [t for t, _ in found(text)] == [f"CHAPTER {n} {name}" for n, name in enumerate(names, 1)]

    def test_a_date_between_a_heading_and_a_headline_goes_to_one_of_them(self):
        text = f"THE FLOOD\n\n{self.LONG}\n\nTHE RIVER\n\n{self.LONG}\n\nTHE BRIDGE\n\n9 Oct 2018\n\n"
        text += f"{HEADLINE}\n\n{HEADLINE}\n\n{PROSE}"
        dated = [s for s in sectioned(text).sections if s.date]
        assert len({(s.date_at.start, s.date_at.end) for s in dated}) == len(dated) == 1
        assert all(s.start <= s.date_at.start and s.date_at.end <= s.end for s in dated)

    @pytest.mark.parametrize(
        "headings",
        [
            ["1. Introduction", "2. Data and tools", "3. Methods"],
            ["1 Purpose", "2 Scope", "2.1 Exceptions", "3 Contact"],
            ["Article 1 - Scope", "Article 2 - Term", "Article 3 - Notice"],
        ],
    )
    def test_headings_of_a_short_text(self, headings):
        text = "\n\n".join(part for heading in headings for part in (heading, PROSE))
        assert len(text) < 2_000
        assert [title for title, _ in found(text)] == headings

    def test_numbers_below_numbers_are_headings_however_little_they_head(self):
        headings = ["1. Purpose", "2. Scope", "2.1 Staff", "2.2 Guests"]
        text = "\n\n".join(f"{heading}\n\nThis is for all of us." for heading in headings)
        assert [title for title, _ in found(text)] == headings

    def test_a_numbered_heading_is_no_name_of_the_one_above(self):
        text = f"1. Purpose\n\n{PROSE}\n\n2. Scope\n\n2.1 Staff\n\n{PROSE}\n\n3. Contact\n\n{PROSE}\n"
        assert [t for t, _ in found(text)] == ["1. Purpose", "2. Scope", "2.1 Staff", "3. Contact"]

    @pytest.mark.parametrize(
        "items",
        [
            [f"{n}. Part {n}\n\nIt rains." for n in range(1, 5)],
            [f"{n}. Apples\n\nWe eat them in the autumn." for n in range(1, 5)],
            [f"{n}. Apples" for n in range(1, 5)],
            [f"{n}. Apples\n{PROSE}" for n in range(1, 5)],
            [f"{n}. Stir the pot and wait for it to boil\n\n{PROSE}" for n in range(1, 5)],
            [f"{n}. Stir the pot.\n\n{PROSE}" for n in range(1, 5)],
            [f"{heading}\n\n{PROSE}" for heading in ("THE RIVER", "THE BRIDGE", "THE FLOOD")],
            ["1. Introduction\n\n" + PROSE, "2. Methods\n\n" + PROSE],
        ],
    )
    def test_lists_and_emphasis_of_a_short_text_are_no_headings(self, items):
        text = "\n\n".join([PROSE, *items, PROSE])
        assert len(text) < 2_000
        assert found(text) == [("notes", None)]


class TestSectionsOfALoader:
    TEXT = f"# {HEADLINE}\n\n9 Oct 2018\n\n{PROSE}\n\n# Ferry\n\n{PROSE}\n\n10.10.2018\n"
    SECOND = TEXT.index("# Ferry")

    def sections(self):
        first = Section(0, self.SECOND, HEADLINE, title_at=Range(2, 2 + len(HEADLINE)))
        ferry = Range(self.SECOND + 2, self.SECOND + 7)
        return first, Section(self.SECOND, len(self.TEXT), "Ferry", title_at=ferry)

    def test_a_date_beside_the_title_is_added_and_no_other(self):
        first, second = sectioned(self.TEXT, sections=self.sections()).sections
        assert first.date == "2018-10-09"
        assert self.TEXT[first.date_at.start : first.date_at.end] == "9 Oct 2018"
        assert second == self.sections()[1]

    def test_a_date_that_is_known_stays(self):
        known = Section(0, len(self.TEXT), HEADLINE, "1999-01-01", Range(2, 2 + len(HEADLINE)))
        assert sectioned(self.TEXT, sections=(known,)).sections == (known,)

    def test_the_first_paragraph_may_open_with_the_date(self):
        text = f"# {HEADLINE}\n\nBy Anna Smith\n\nLARNSBY, 12 November 2023 - {PROSE}\n"
        (section,) = sectioned(text, sections=(Section(0, len(text), HEADLINE, None, Range(2, 42)),)).sections
        assert (section.date, text[section.date_at.start : section.date_at.end]) == (
            "2023-11-12",
            "12 November 2023",
        )


class TestDatesOfMetadata:
    """A date that comes from outside of the text is cited where the text shows it."""

    @pytest.fixture
    def shown(self, tmp_path):
        """Load a file; return of each section its date and the text that shows it."""

        def read(name, text):
            (tmp_path / name).write_text(text, "utf-8")
            document = find_sections(mark(load(tmp_path / name)))
            return [
                (s.date, s.date_at and document.text[s.date_at.start : s.date_at.end])
                for s in document.sections
            ], document

        return read

    @pytest.mark.parametrize("form", ["2023-03-14", '"2023-03-14"', "2023-03-14T10:00:00Z", "March 14, 2023"])
    def test_front_matter_shows_it(self, shown, form):
        text = f"---\ntitle: The bridge\ndate: {form}\n---\n\n# One\n\nOn 14 March 2023 it rained.\n\n# Two\n\n{PROSE}\n"
        pairs, document = shown("notes.md", text)
        assert [date for date, _ in pairs] == ["2023-03-14"] * 2
        assert {find_date(said).iso for _, said in pairs} == {"2023-03-14"}
        assert all(section.date_at.end < text.index("# One") for section in document.sections)

    @pytest.mark.parametrize("said", ["14 March 2023", "Mar. 14, 2023", "14.03.2023"])
    def test_the_text_shows_it_in_any_form(self, shown, said):
        head = '<meta property="article:published_time" content="2023-03-14T08:00:00Z">'
        text = f"<head>{head}</head><h1>The bridge</h1><p>{PROSE}</p><p>It rained on {said} in Larnsby.</p>"
        assert shown("page.html", text)[0] == [("2023-03-14", said)]
        assert shown("page.html", text.replace(said, "that day"))[0] == [("2023-03-14", None)]
        assert shown("page.html", text.replace(said, "15 March 2023"))[0] == [("2023-03-14", None)]

    def test_a_section_shows_its_own(self):
        part = f"{PROSE} It was 14 March 2023.\n\n"
        sections = [Section(start, start + len(part), "The bridge", "2023-03-14") for start in (0, len(part))]
        second = sectioned(part * 2, sections=tuple(sections)).sections[1]
        assert second.start < second.date_at.start

    def test_marked_text_does_not_show_it(self):
        text = f"{PROSE}\n\n14 March 2023\n"
        at = Range(text.index("14"), len(text) - 1)
        made = Document("id", "a.html", "notes", text, (Section(0, len(text), "The bridge", "2023-03-14"),))
        assert find_sections(made).sections[0].date_at == at
        hidden = dataclasses.replace(made, marked=(at,))
        assert find_sections(hidden).sections[0].date_at is None


@pytest.mark.parametrize(
    ("text", "shown", "iso"),
    [
        ("9 Oct 2018", "9 Oct 2018", "2018-10-09"),
        ("October 9, 2018", "October 9, 2018", "2018-10-09"),
        ("Oct. 9th 2018", "Oct. 9th 2018", "2018-10-09"),
        ("the 1st of May 2020", "1st of May 2020", "2020-05-01"),
        ("09.10.2018", "09.10.2018", "2018-10-09"),
        ("03/04/2020", "03/04/2020", "2020-04-03"),
        ("12/25/2019", "12/25/2019", "2019-12-25"),
        ("2018-10-09T14:35:00Z", "2018-10-09", "2018-10-09"),
        ("2018/10/09", "2018/10/09", "2018-10-09"),
        ("29.02.2020", "29.02.2020", "2020-02-29"),
        ("30.02.2020 and 1.3.2020", "1.3.2020", "2020-03-01"),
    ],
)
def test_dates(text, shown, iso):
    date = find_date(text)
    assert (text[date.start : date.end], date.iso) == (shown, iso)


@pytest.mark.parametrize(
    "text",
    [
        "MINSK, 9 October (BelTA)",
        "29.02.2019",
        "October 2018",
        "1.2.2020.4",
        "32 May 2020",
        "10-2018-11",
        "v12.02.2020",
        "",
    ],
)
def test_what_is_no_date(text):
    assert find_date(text) is None


@pytest.mark.parametrize(
    "line",
    [
        "9 Oct 2018",
        "Tuesday, 9 October 2018",
        "Tue, Oct 9, 2018 at 2:35 p.m.",
        "09.10.2018 14:35",
        "Published: 9 October 2018",
        "Posted on October 9, 2018",
        "Published 9 Oct 2018 | Updated: 10 Oct 2018",
        "By Anna Smith, 9 October 2018",
        "By Anna Smith on 9 October 2018",
        "Anna Smith | 9 October 2018",
        "[2018-10-09]",
        "Published 9 October 2018 by Anna Smith",
        "Published by Anna Smith on 9 October 2018",
        "9 October 2018, 14:35 by Anna Smith and Boris Brown",
        "Posted on 9 October 2018 by admin",
    ],
)
def test_datelines(line):
    assert find_dateline(line).iso == "2018-10-09"


@pytest.mark.parametrize(
    "line",
    [
        "The conference opened on 9 October 2018",
        "It ended on 9 October 2018.",
        "Effective date of the contract: 9 October 2018",
        "9 October 2018 was a rainy day",
        "Conference in Vienna 12.02.2020",
        "9 October",
        "9 October 2018 by train",
        "Signed on 9 October 2018 by both of them",
        "The law of 9 October 2018 by Anna Smith",
    ],
)
def test_what_is_no_dateline(line):
    assert find_dateline(line) is None


@pytest.mark.parametrize(
    "opening",
    [
        "LARNSBY, 9 October 2018 - ",
        "LARNSBY, Oct. 9, 2018 (Agency) — ",
        "LARNSBY, October 9, 2018 /Agency/ -- ",
        "LARNSBY (Agency), 09.10.2018 – ",
        "LARNSBY, Tuesday, 9 October 2018 – “",
        "SPRINGFIELD, Ill., Oct. 9, 2018—",
        "NEW LARNSBY, 9 October 2018 - ",
        "Larnsby-on-Sea, 9 October 2018 – ",
    ],
)
def test_opening_datelines(opening):
    line = f"{opening}The council has agreed to close the bridge. " + PROSE * 3
    date = find_opening_dateline(line)
    assert date.iso == "2018-10-09"
    assert find_date(line[date.start : date.end]).iso == "2018-10-09"


@pytest.mark.parametrize(
    "line",
    [
        "LARNSBY, 9 October 2018",
        "LARNSBY, 9 October - The council has agreed.",
        "LARNSBY, 31 September 2018 - The council has agreed.",
        "LARNSBY, 9 October 2018, saw the council agree.",
        "On 9 October 2018 the council agreed - The bridge is closed.",
        "On Tuesday, 9 October 2018 - The council met.",
        "Tuesday, 9 October 2018 - The council met.",
        "In Larnsby, 9 October 2018 - The council met.",
        "The council met in Larnsby, 9 October 2018 - The bridge is closed.",
        "Anna Smith, 9 October 1950 – 3 May 2018, was a painter.",
        "Anna Smith, 9 October 1950 – May 3, 2018, was a painter.",
        "9 October 2018 - The council has agreed.",
        "",
    ],
)
def test_what_is_no_opening_dateline(line):
    assert find_opening_dateline(line) is None


def test_all_dates_of_a_text():
    text = "From 9 Oct 2018 to 10.10.2018, not 30.02.2020. " * 20
    assert [date.iso for date in find_dates(text)] == ["2018-10-09", "2018-10-10"] * 20
    assert list(find_dates("No year at all.")) == []


def test_a_trailing_date_closes_its_line():
    assert find_trailing_date("Conference in Vienna (12.02.2020)").iso == "2020-02-12"
    assert find_trailing_date("On 12.02.2020 in Vienna") is None


@pytest.mark.parametrize(
    ("title", "iso"),
    [
        ("Minutes of the committee meeting, 13 May 2025", "2025-05-13"),
        ("5.2.1 (3 April 2025)", "2025-04-03"),
        ("Release 7 \u2013 2025-04-03", "2025-04-03"),
        ("Price list, valid from 1 February 2025", None),
        ("The lease of 29 September 2020", None),
        ("Anna Smith, 9 October 1950 \u2013 3 May 2018", None),
        ("On 13 May 2025, in Larnsby", None),
        (", 13 May 2025", None),
    ],
)
def test_a_date_added_to_a_title(title, iso):
    found = find_added_date(title)
    assert (found and found.iso) == iso


def test_a_title_shows_the_date_of_its_section(tmp_path):
    text = "# Notes\n\n## 5.2.1 (3 April 2025)\n\nThe app no longer crashes.\n\n## 5.2.0 (17 March 2025)\n\nIt did.\n"
    path = tmp_path / "notes.md"
    path.write_text(text)
    document = find_sections(mark(load(path)))
    shown = {section.title: section.date for section in document.sections}
    assert shown["5.2.1 (3 April 2025)"] == "2025-04-03"
    assert shown["5.2.0 (17 March 2025)"] == "2025-03-17"


def test_a_text_without_a_headline_has_the_date_of_its_first_lines():
    text = "MILLBROOK BAKERY\nMinutes of the meeting, 13 May 2025\n\nPresent: Ann Lee\n\nThe oven was repaired on 2 May 2025.\n"
    [section] = sectioned(text).sections
    assert section.date == "2025-05-13"
    assert text[section.date_at.start : section.date_at.end] == "13 May 2025"


@pytest.mark.parametrize("name", ["004_d820ce9e78da0c40", "20200212", "4f7a1b04-604b-4b73-b8de-96ca6de16e3d"])
def test_machine_made_names(name):
    assert is_machine_made(name)


@pytest.mark.parametrize("name", ["notes", "report-2018", "facade", "IMG_0012", "Дом 2", "", "chapter 12"])
def test_names_people_gave(name):
    assert not is_machine_made(name)


@given(
    st.dates(dt.date(1000, 1, 1), dt.date(2999, 12, 31)),
    st.sampled_from(["%d.%m.%Y", "%Y-%m-%d", "%d %B %Y", "%b %d, %Y"]),
)
def test_every_day_is_read_back(day, form):
    # strftime does not pad years.
    shown = day.strftime(form)
    assert find_date(f"On {shown}, it rained").iso == day.isoformat()


PIECES = st.sampled_from(
    [
        PROSE, HEADLINE, f"{HEADLINE} 12.02.2020", "9 Oct 2018", "By Anna Smith, 10.10.2018", "Home > News",
        "CHAPTER I", "1. Introduction", "2. Methods", "THE RIVER", "Old  bridge\tto be repaired", "", " ", "30.02.2020",
        "a_1.jpgOn Monday it rained.", "IMG_1.jpg", "Back to top", "\x0b", "\u00a0",
    ]
)  # fmt: skip
TEXTS = st.one_of(
    st.lists(st.one_of(PIECES, st.text(max_size=20)), max_size=40).map("\n".join),
    st.lists(PIECES, min_size=20, max_size=60).map("\n\n".join),
    st.text(max_size=200),
)


@given(TEXTS, st.sampled_from(["notes", "00ff00ff11"]))
@settings(max_examples=400, deadline=None)
def test_sections_cover_the_text_and_show_what_they_say(text, title):
    check(text, title)


def test_headings_and_dates_in_any_order():
    """Hypothesis seldom draws texts long and dense enough for headings to compete for one date."""
    parts = [
        *(PROSE, PROSE, HEADLINE, f"{HEADLINE} 12.02.2020", "9 Oct 2018", "By Anna Smith, 10.10.2018"),
        *("CHAPTER I", "CHAPTER II", "Article 3", "1. Introduction", "2. Methods", "THE RIVER", "THE BRIDGE"),
        *("Ferry opens again today", "Ferry opens again today 11.11.2011", "IMG_1.jpg", "Home > News", ""),
    ]
    for number in range(1000):
        rng = random.Random(number)
        check(rng.choice(["\n", "\n\n"]).join(rng.choices(parts, k=rng.randint(1, 60))), "notes")


def check(text, title):
    document = sectioned(text, title)
    assert document.text == text
    position = 0
    for section in document.sections:
        assert section.start == position < section.end
        position = section.end
        assert section.title
        if section.title_at is not None:
            assert section.start <= section.title_at.start < section.title_at.end <= section.end
            assert " ".join(text[section.title_at.start : section.title_at.end].split()) == section.title
            assert not any(section.title_at.overlaps(found) for found in document.marked)
        assert (section.date is None) == (section.date_at is None)
        if section.date is not None:
            assert section.start <= section.date_at.start < section.date_at.end <= section.end
            shown = text[section.date_at.start : section.date_at.end]
            assert find_date(shown).iso == section.date == dt.date.fromisoformat(section.date).isoformat()
    assert position == len(text)
