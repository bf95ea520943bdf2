from __future__ import annotations

import codecs
import contextlib
import hashlib
import os
import re
import subprocess
import sys
import time
from pathlib import Path

import files
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from hypothesis import given, settings
from hypothesis import strategies as st

from index import load as loading
from index.errors import DamagedFile, EmptyDocument, LoadError, UnsupportedFormat
from index.load import find_files, from_text, load
from index.types import Document, Range, document_id

NOBODY = 65534


def write(folder: Path, name: str, content: str | bytes) -> Path:
    path = folder / name
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return path


def read(folder: Path, name: str, content: str | bytes) -> Document:
    return load(write(folder, name, content))


def at(document: Document, where: Range | None) -> str | None:
    return None if where is None else document.text[where.start : where.end]


def marked(document: Document) -> list[str]:
    return [document.text[r.start : r.end] for r in document.marked]


def check_ranges(document: Document) -> None:
    """Every range lies in the text, in order; what a section says of itself lies in it."""
    for ranges in (document.sections, document.pages, document.marked):
        last = 0
        for item in ranges:
            assert last <= item.start <= item.end <= len(document.text)
            last = item.end
    assert all(r.start < r.end for r in document.marked)
    for section in document.sections:
        assert section.title
        for inner in (section.title_at, section.date_at):
            assert inner is None or section.start <= inner.start < inner.end <= section.end
    if document.sections:
        assert document.sections[-1].end == len(document.text)
    assert document.title
    document.text.encode()


def fails(path: Path, kind: type[LoadError], *words: str) -> str:
    with pytest.raises(kind) as caught:
        load(path)
    message = str(caught.value)
    assert "\n" not in message
    assert path.name in message
    for word in words:
        assert word in message, message
    return message


# --- the package -------------------------------------------------------------------------------------


def test_all_names_exist_and_are_listed():
    assert all(hasattr(loading, name) for name in loading.__all__)
    assert set(loading.SUFFIXES) == {".txt", ".md", ".html", ".htm", ".pdf", ".docx"}
    assert isinstance(loading.RECIPE, int)


def test_dispatcher_imports_no_parser():
    code = (
        "import sys; import index.load; "
        "print([m for m in ('pypdf', 'docx', 'selectolax') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_document_id_is_the_hash_of_the_source():
    assert document_id("/a/ü.txt") == hashlib.sha256("/a/ü.txt".encode()).hexdigest()[:12]


def test_source_is_the_absolute_path(tmp_path, monkeypatch):
    write(tmp_path, "Note.TXT", "Text.")
    monkeypatch.chdir(tmp_path)
    document = load(Path("Note.TXT"))
    assert document.source == str(tmp_path / "Note.TXT")
    assert document.id == document_id(document.source)
    assert (document.title, document.text, document.sections) == ("Note", "Text.", ())
    (tmp_path / "sub").mkdir()
    assert load(Path("sub/../Note.TXT")).source == document.source


def test_from_text():
    document = from_text("my\nname", "\ufeffa\r\nb\rc \ud800")
    assert document.text == "a\nb\nc \ufffd"
    assert (document.id, document.source, document.title) == (document_id("my\nname"), "my\nname", "my name")
    for blank in ("", " \n\t\u3000"):
        with pytest.raises(EmptyDocument, match="The text named x is empty"):
            from_text("x", blank)


# --- files that cannot be read -----------------------------------------------------------------------


def test_missing_folder_and_unsupported(tmp_path):
    fails(tmp_path / "none.txt", LoadError, str(tmp_path), "does not exist", "check the path")
    fails(write(tmp_path, "a.exe", "x"), UnsupportedFormat, ".exe", ".txt", ".docx")
    fails(write(tmp_path, "README", "x"), UnsupportedFormat, "without a suffix")
    (tmp_path / "dir.md").mkdir()
    fails(tmp_path / "dir.md", LoadError, "not a regular file")
    os.mkfifo(tmp_path / "pipe.txt")
    fails(tmp_path / "pipe.txt", LoadError, "not a regular file")  # and does not wait for a writer


def test_message_is_one_line_for_any_name(tmp_path):
    path = write(tmp_path, "a\nb\x1b[31m.txt", "")
    with pytest.raises(EmptyDocument) as caught:
        load(path)
    assert "\\n" in str(caught.value)
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html", ".pdf", ".docx"])
def test_empty_file(tmp_path, suffix):
    fails(write(tmp_path, "empty" + suffix, b""), EmptyDocument, "0 bytes")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.txt", " \n\t\r\n \u2003"),
        ("b.txt", codecs.BOM_UTF8),
        ("c.md", "\n\n"),
        ("d.html", "<html><head><title>t</title></head><body><script>x()</script> </body></html>"),
    ],
)
def test_blank_file(tmp_path, name, content):
    fails(write(tmp_path, name, content), EmptyDocument, "no text")


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
@pytest.mark.parametrize(
    ("content", "what"),
    [
        (b"text with a \0 in it", "binary"),
        (b"%PDF-1.7\nstuff", "PDF"),
        (b"PK\x03\x04stuff", "zip"),
        (b"\x89PNG\r\n\x1a\n", "PNG"),
        (b"\x7fELF\x02\x01", "program"),
        (b"ab\x01\x02\x03\x04\x05\x06cd" * 9, "binary"),
        (bytes(range(1, 256)) * 20, "binary"),
    ],
)
def test_binary_named_as_text(tmp_path, suffix, content, what):
    fails(write(tmp_path, "x" + suffix, content), DamagedFile, what, "not text")


def test_too_large(tmp_path):
    path = tmp_path / "huge.txt"
    with path.open("wb") as file:
        file.truncate(200_000_001)  # sparse: takes no disk
    fails(path, LoadError, "200 MB", "split")


def as_nobody(path: Path, call: str) -> str:
    """Run a call in a process that has given up being root."""
    code = (
        "import os, sys; sys.path.insert(0, os.getcwd())\n"
        "from pathlib import Path; from index.load import load, find_files; import index.load.plain\n"
        f"os.setgroups([]); os.setgid({NOBODY}); os.setuid({NOBODY})\n"
        f"path = Path({str(path)!r})\n"
        "try:\n"
        f"    print({call})\n"
        "except Exception as error:\n"
        "    print(type(error).__name__, error)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root's rights, so needs them")
def test_unreadable_file_and_folder(tmp_path):
    for folder in (tmp_path, *tmp_path.parents):
        if folder != Path("/tmp") and folder.stat().st_uid == os.geteuid() and len(folder.parts) > 2:
            folder.chmod(0o755)
    path = write(tmp_path, "secret.txt", "text")
    path.chmod(0)
    said = as_nobody(path, "load(path)")
    assert said.startswith("LoadError")
    assert "secret.txt" in said
    assert "permission denied" in said
    locked = tmp_path / "locked"
    locked.mkdir(mode=0o700)
    write(tmp_path, "open.txt", "text").chmod(0o644)
    said = as_nobody(tmp_path, "[(p.name) for p in find_files([path])[0]], find_files([path])[1]")
    assert "open.txt" in said
    assert "locked: permission denied" in said
    assert "failed=True" in said


# --- decoding ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [
        (codecs.BOM_UTF8, "utf-8"),
        (codecs.BOM_UTF16_LE, "utf-16-le"),
        (codecs.BOM_UTF16_BE, "utf-16-be"),
        (codecs.BOM_UTF32_LE, "utf-32-le"),
        (codecs.BOM_UTF32_BE, "utf-32-be"),
    ],
)
def test_byte_order_mark(tmp_path, mark, encoding):
    document = read(tmp_path, "a.txt", mark + "Grüße, \u202eМинск 🎉\r\nx".encode(encoding))
    assert document.text == "Grüße, \u202eМинск 🎉\nx"
    if encoding == "utf-8":
        assert document.warnings == ()
    else:
        assert document.warnings == (f"decoded as {encoding} (byte order mark)",)


def test_newlines_become_lf_and_nothing_else_changes(tmp_path):
    raw = " a\r\nb\rc\n\n\td\x0b\x0c\u2028\u2029\x85 e\u200b\u202e\u00ad \n"
    document = read(tmp_path, "a.txt", raw)
    assert document.text == raw.replace("\r\n", "\n").replace("\r", "\n")


@pytest.mark.parametrize("encoding", ["cp1251", "koi8-r"])
def test_detected_encoding(tmp_path, encoding):
    text = "Все люди рождаются свободными и равными в своём достоинстве и правах. " * 20
    document = read(tmp_path, "a.txt", text.encode(encoding))
    assert document.text == text
    name = {"cp1251": "windows-1251", "koi8-r": "koi8-r"}[encoding]
    assert document.warnings == (f"decoded as {name} (detected)",)


def test_detection_sees_letters_beyond_a_long_ascii_start(tmp_path):
    text = "plain words " * 20_000 + "Все люди рождаются свободными и равными в достоинстве. " * 50
    assert read(tmp_path, "a.txt", text.encode("cp1251")).text == text


@pytest.mark.parametrize(
    "text",
    [
        "Le café où l'on déjeune près de la forêt était fermé à Noël, hélas. ",
        "A população não está contente com a situação econômica; você já viu o avião? ",
        "Die Grüße aus München kamen für alle überraschend, sagte die Bürgermeisterin. ",
        "He said \u201cthis is fine\u201d \u2013 but it wasn\u2019t, not at all. ",
    ],
)
def test_western_text_that_is_not_utf8(tmp_path, text):
    document = read(tmp_path, "a.txt", text.encode("cp1252"))
    assert document.text == text
    assert document.warnings == ("decoded as windows-1252 (detected)",)


def test_broken_bytes_in_utf8_cost_only_themselves(tmp_path):
    document = read(tmp_path, "a.txt", "Мінск ".encode() * 10 + b"\xff\xfe\xc3 end")
    assert document.text == "Мінск " * 10 + "\ufffd\ufffd\ufffd end"
    assert document.warnings == ("3 broken characters were replaced; save the file as UTF-8 to mend them",)


@given(st.binary(min_size=1, max_size=300))
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_text_or_a_clear_error(tmp_path_factory, data):
    path = write(tmp_path_factory.getbasetemp(), "any.txt", data)
    try:
        document = load(path)
    except (EmptyDocument, DamagedFile):
        return
    check_ranges(document)
    assert "\r" not in document.text


@pytest.mark.parametrize("suffix", [".txt", ".md", ".html"])
@pytest.mark.parametrize("word", ["word ", "слово "])
def test_long_single_line_is_quick(tmp_path, suffix, word):
    data = (word * 9_000_000).encode()[:50_000_000]
    path = write(tmp_path, "long" + suffix, data)
    start = time.monotonic()
    fails(path, DamagedFile, "characters", "break it into lines")
    assert time.monotonic() - start < 20  # about 1 s; the bound is for a busy machine


def test_a_book_in_one_line_is_read(tmp_path):
    assert len(load(write(tmp_path, "book.txt", "word " * 1_000_000)).text) == 5_000_000


# --- Markdown ----------------------------------------------------------------------------------------

MARKDOWN = """\
---
title: "The front: matter"
date: 2021-02-03 10:00
tags: [x]
---

Before the first heading.

# One `code` [link](http://x.org) ##

Text of one.

Two
---

hard
wrapped
---

~~~ python
# not a heading
```
~~~
#hashtag
    # indented code

| a | b |
|---|:-:|
| 1 | 2 |

<!-- a comment
# not a heading either
--> and `<!-- code -->`

### Three
* * *
"""


def test_markdown_reads_as_it_is_rendered(tmp_path):
    document = read(tmp_path, "a.md", MARKDOWN)
    check_ranges(document)
    front = MARKDOWN[: MARKDOWN.index("\n\nBefore")]
    assert document.text == front + (
        "\n\nBefore the first heading.\n\nOne code link\n\nText of one.\n\nTwo\n\nhard\nwrapped\n\n"
        "# not a heading\n```\n\n\n#hashtag\n# indented code\n\na: 1; b: 2\n\nand ``\n\nThree"
    )
    assert marked(document) == [front]
    assert document.title == "The front: matter"
    assert [(s.title, at(document, s.title_at)) for s in document.sections] == [
        ("The front: matter", None),
        ("One code link", "One code link"),
        ("Two", "Two"),
        ("hard wrapped", "hard\nwrapped"),
        ("Three", "Three"),
    ]
    assert {s.date for s in document.sections} == {"2021-02-03"}
    starts = [document.text[s.start :].split("\n")[0] for s in document.sections[1:]]
    assert starts == ["One code link", "Two", "hard", "Three"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("**bold** and *slanted* `code` ~~gone~~", "bold and slanted code gone"),
        ("See [the *map*](http://x.org \"t\"), <http://y.org> and [a][1].\n\n[1]: http://z.org",
         "See the map, http://y.org and a."),
        ("a ![the pump](p.png) b", "a b"),
        ("snake_case_word and 2 * 3 * 4 \\* &amp; A", "snake_case_word and 2 * 3 * 4 * & A"),
        ("wrapped\nas it is", "wrapped\nas it is"),
        ("* one\n* two\n  * deep\n", "- one\n- two\n\n- deep"),
        ("3. three\n4. four\n", "3. three\n4. four"),
        ("2019. That was a year.", "2019. That was a year."),
        ("- [x] done\n- [ ] open", "- [x] done\n- [ ] open"),
        ("> quoted\n> text", "quoted\ntext"),
        ("| a | b |\n|---|---|\n| **1** | [2](u) |\n| 3 | |", "a: 1; b: 2\na: 3"),
        ("H<sub>2</sub>O<br>x <!-- gone --> y", "H2O\nx y"),
        ("```\n**kept** <b>\n```", "**kept** <b>\n"),
        ("Use <script> here.\n\nAnd *there*.", "Use <script> here.\n\nAnd there."),
        ("A <nav class=x>, a <Footer>\n\nand <button>s.", "A <nav class=x>, a <Footer>\n\nand <button>s."),
        ("A <title> or `</title>`\n\nmore", "A <title> or </title>\n\nmore"),
        ("<style>p { top: 0 }</style>\n\nkept <my-script> <svg><path/></svg>", "kept"),
        ("0. zero\n1. one\n", "0. zero\n1. one"),
        ("<details><summary>Why</summary>\n\nSo *it* is.\n\n</details>", "Why\n\nSo it is."),
    ],
)  # fmt: skip
def test_markdown_leaves_no_markup(tmp_path, source, text):
    document = read(tmp_path, "a.md", source)
    check_ranges(document)
    assert document.text == text
    assert not document.marked


@pytest.mark.parametrize("bit", ["[", "![a", "*a **b", "`a``b", "> ", "- ", "[a](("])
def test_hostile_markdown_is_quick(tmp_path, bit):
    start = time.monotonic()
    with contextlib.suppress(EmptyDocument):
        read(tmp_path, "a.md", bit * 50_000)
    assert time.monotonic() - start < 20  # well under a second; other parsers take minutes


@pytest.mark.parametrize(
    ("text", "title", "titles"),
    [
        ("no heading", "file", []),
        ("# Hi", "Hi", ["Hi"]),
        ("Top\n===\n\nx", "Top", ["Top"]),
        ("---\n\ntext\n\n---\n", "file", []),  # two rules, not front matter
        ("```\n# never closed", "file", []),
        ("#\n\n##   \n# #\nx", "file", []),
        ("# " + "x" * 501, "file", []),
        ("- item\n---\n> quote\n---\n", "file", []),
        ("---\ntitle: Only\n---\nbody", "Only", []),
        ("# **Bold** _and_ ~~gone~~", "Bold and gone", ["Bold and gone"]),
        ("# 1. Counted", "1. Counted", ["1. Counted"]),
        ("---\nlayout: x\n---\n# A", "A", ["A"]),
    ],
)
def test_markdown_titles(tmp_path, text, title, titles):
    document = read(tmp_path, "file.md", text)
    check_ranges(document)
    assert document.title == title
    assert [s.title for s in document.sections] == titles
    assert [at(document, s.title_at) for s in document.sections] == titles


MARKDOWN_BITS = [
    "# ",
    "## ",
    "---",
    "===",
    "```",
    "~~~",
    "<!--",
    "-->",
    "|--|",
    "\n",
    "a",
    " b",
    "`",
    "*",
    "> ",
    "    ",
]


@given(st.lists(st.sampled_from(MARKDOWN_BITS) | st.text(max_size=3), max_size=40).map("".join))
@settings(max_examples=300, deadline=None)
def test_markdown_ranges_hold_for_any_text(tmp_path_factory, text):
    path = write(tmp_path_factory.getbasetemp(), "any.md", text.encode("utf-8", "replace"))
    try:
        document = load(path)
    except (EmptyDocument, DamagedFile):
        return
    check_ranges(document)
    for section in document.sections:
        if section.title_at:
            assert " ".join(at(document, section.title_at).split()) == section.title


# --- HTML --------------------------------------------------------------------------------------------


def test_html_keeps_what_a_reader_sees(tmp_path):
    page = """<!doctype html><html><head><title> My &amp;  page </title><style>p{}</style>
    <script>document.write("script")</script></head><body><!-- comment -->
    <h1>Head  <em>ing</em></h1><p>One &lt;two&gt;&nbsp;three
      four<br>five</p><p hidden>gone</p><p aria-hidden="true">gone</p><p style="Display : none">gone</p>
    <p style="color:red;visibility:hidden">gone</p><noscript>gone</noscript><template>gone</template>
    <svg><text>gone</text></svg><input value="gone"><img alt="gone"><textarea>gone</textarea>
    <ul><li>first<li><p>second</p><ul><li>deep</ul></ul><pre>a
  b</pre><div>x<span>y</span></div></body></html>"""
    document = read(tmp_path, "a.html", page)
    check_ranges(document)
    assert document.title == "My & page"
    assert document.text == (
        "Head ing\n\nOne <two>\u00a0three four\nfive\n\n- first\n- second\n\n- deep\n\na\n  b\n\nxy"
    )
    assert [(s.title, at(document, s.title_at)) for s in document.sections] == [("Head ing", "Head ing")]


def test_html_lists_have_the_numbers_that_a_reader_sees(tmp_path):
    page = """<ol><li>one<li value=7>seven<li>eight<li value=x>nine</ol><ol start=0><li>zero<li>one</ol>
    <ol start=-2><li>minus two</ol><ol reversed><li>last</ol><ol type=a><li>a<ol><li>one</ol><li>b</ol>
    <ul><li value=3>bullet</ul>"""
    document = read(tmp_path, "a.html", page)
    check_ranges(document)
    assert [line for line in document.text.split("\n") if line] == [
        "1. one", "7. seven", "8. eight", "9. nine", "0. zero", "1. one",
        "- minus two", "- last", "- a", "1. one", "- b", "- bullet",
    ]  # fmt: skip


def test_html_tables_read_line_by_line(tmp_path):
    page = """<table><caption>Cities</caption><thead><tr><th>Name</th><th>People</th><th></th></tr></thead>
    <tr><td rowspan=2>Minsk</td><td>2 m</td><td>big</td></tr><tr><td><p>3</p><p>m</p></td><td></td></tr>
    <tr><td colspan=3>Total</td></tr></table>
    <table><tr><td>a<td>b<tr><td>c<td>d</table>
    <table><tr><th>Born<td>1900<tr><th>Died:<td>1980</table>
    <table><tr><th rowspan=2>Year<th colspan=2>Sold<tr><th>in<th>out<tr><td>1999<td>5<td>6</table>
    <table><tr><td>left<td><table><tr><td>x<td>y</table></table>
    <table><tr><td>one column<tr><td>of blocks</table>"""
    lines = [line for line in read(tmp_path, "a.html", page).text.split("\n") if line]
    assert lines == [
        "Cities",
        "Name: Minsk; People: 2 m; big",
        "People: 3 m",
        "Total",
        "a | b",
        "c | d",
        "Born: 1900",
        "Died: 1980",
        "Year: 1999; Sold in: 5; Sold out: 6",
        "left",
        "x | y",
        "one column",
        "of blocks",
    ]


def test_html_articles_have_their_own_dates(tmp_path):
    page = """<title>News</title><meta property="article:published_time" content="2017-01-01T00:00:00Z">
    <body><p>Welcome.</p><article><time datetime="2018-10-09T08:00">9 Oct</time><h2>First</h2><p>Text.</p>
    <h3>More</h3><p>Text.</p></article>
    <article><h2>Second</h2><p>On <time>12 October 2018</time> it was.</p></article>
    <h2>Third</h2><p>Text.</p></body>"""
    document = read(tmp_path, "a.html", page)
    check_ranges(document)
    assert [(s.title, s.date, at(document, s.date_at)) for s in document.sections] == [
        ("News", "2017-01-01", None),
        ("First", "2018-10-09", "9 Oct"),
        ("More", "2018-10-09", None),
        ("Second", "2018-10-12", "12 October 2018"),
        ("Third", "2017-01-01", None),
    ]
    assert document.text[document.sections[1].start :].startswith("9 Oct\n\nFirst")


@pytest.mark.parametrize(
    ("head", "date"),
    [
        ('<meta name="DC.Date" content="2020-02-30">', None),
        ('<meta name="date" content="Tue, 09 Oct 2018 10:00:00 GMT">', "2018-10-09"),
        ('<meta name="date" content="03/04/2018">', None),
        (
            '<script type="application/ld+json">{"@graph": [{"x": {"datePublished": "2019-05-06T00:00"}}]}</script>',
            "2019-05-06",
        ),
        ('<script type="application/ld+json">{"datePublished": </script>', None),
        ('<script type="application/ld+json">' + "[" * 100_000 + "</script>", None),
        ('<script>{"datePublished": "2019-05-06"}</script>', None),
    ],
)
def test_html_date_of_the_page(tmp_path, head, date):
    document = read(tmp_path, "a.html", f"<head>{head}</head><body><h1>A</h1>text</body>")
    assert [s.date for s in document.sections] == [date]


def test_html_title_falls_back(tmp_path):
    assert read(tmp_path, "a.html", '<meta property="og:title" content="Open"><h1>H</h1>').title == "Open"
    assert read(tmp_path, "a.html", "<p>x</p><h1>H</h1>").title == "H"
    assert read(tmp_path, "a.htm", "<svg><title>no</title></svg><p>x</p>").title == "a"


def test_html_marks_structural_boilerplate(tmp_path):
    page = """<header><h1>Site</h1></header><nav><h2>Menu</h2></nav><div role="search">Find</div>
    <main><header><h1>Title</h1></header><p>Body.</p><aside>Related</aside><form>Sign up</form>
    <button>Share</button><footer>Source: us</footer></main><footer>(c)</footer>"""
    document = read(tmp_path, "a.html", page)
    assert " ".join(" ".join(marked(document)).split()) == "Site Menu Find Related Sign up Share (c)"
    assert [s.title for s in document.sections] == ["Title", "Title"]
    assert "Site" in document.text


def test_html_that_is_all_boilerplate_or_one_form_is_text(tmp_path):
    assert marked(read(tmp_path, "a.html", "<nav><p>All there is.</p></nav>")) == []
    page = "<form><nav>Menu</nav><h1>Title</h1><p>A page built as one form, as ASP.NET does.</p></form>"
    document = read(tmp_path, "a.html", page)
    assert marked(document) == ["Menu"]
    assert [s.title for s in document.sections][-1] == "Title"


@pytest.mark.parametrize(
    "declaration",
    ['<meta charset="windows-1251">', '<meta http-equiv="Content-Type" content="text/html; charset=cp1251">'],
)
def test_html_declared_charset(tmp_path, declaration):
    document = read(tmp_path, "a.html", f"<html>{declaration}<p>Ёж</p>".encode("cp1251"))
    assert document.text == "Ёж"
    assert document.warnings == ("decoded as windows-1251 (declared)",)


def test_html_cannot_choose_a_codec_that_is_no_encoding(tmp_path):
    for charset in ("unicode_escape", "utf-7", "rot13", "base64", "nonsense", "undefined"):
        page = f'<meta charset="{charset}"><p>a\\u0041 é</p>'
        assert read(tmp_path, "a.html", page).text == "a\\u0041 é"


@pytest.mark.parametrize("tag", ["div", "table><tr><td", "ul><li", "b", "font color=red", "section"])
def test_html_nested_without_end(tmp_path, tag):
    path = write(tmp_path, "deep.html", f"<{tag}>" * 100_000 + "deep" + "</div>" * 100_000 + "<p>after</p>")
    start = time.monotonic()
    document = load(path)
    assert time.monotonic() - start < 60
    assert document.text.split()[-2:] == ["deep", "after"]


HTML_BITS = [
    "<h1>", "</h1>", "<h2>", "</h2>", "<article>", "</article>", "<time datetime=2020-01-02>", "</time>", "<nav>",
    "</nav>", "<table>", "<tr>", "<td>", "<th colspan=2>", "<td rowspan=3>", "</table>", "<li>", "<ul>", "</ul>", "<p>",
    "<br>", "<pre>", "</pre>", "<form>", "</form>", "word", " ", "\n", "<div hidden>", "</div>", "<title>", "</title>",
    "<meta name=date content=2020-01-01>", "<caption>", "<thead>", "<aside>", "</aside>",
]  # fmt: skip


@given(st.lists(st.sampled_from(HTML_BITS) | st.text(max_size=3), max_size=50).map("".join))
@settings(max_examples=400, deadline=None)
def test_html_ranges_hold_for_any_page(tmp_path_factory, page):
    path = write(tmp_path_factory.getbasetemp(), "any.html", page.encode("utf-8", "replace"))
    try:
        document = load(path)
    except (EmptyDocument, DamagedFile):
        return
    check_ranges(document)
    for section in document.sections:
        if section.title_at:
            assert " ".join(at(document, section.title_at).split()) == section.title


# --- PDF ---------------------------------------------------------------------------------------------


def test_pdf_pages_and_mended_words(tmp_path):
    lines = [
        "This is informa-",
        "tion of a well-",
        "known and well-known kind by Jean-",
        "Paul in the 1990-",
        "ies, state-of-the-",
    ]
    document = read(tmp_path, "a.pdf", files.pdf_bytes([lines, ["art on page two"]], "A Fine Title"))
    check_ranges(document)
    assert document.title == "A Fine Title"
    assert document.text == (
        "This is information\nof a well-known\nand well-known kind by Jean-Paul\nin the 1990-ies,\n"
        "state-of-the-\n\nart on page two"
    )
    assert [at(document, p) for p in document.pages] == document.text.split("\n\n")
    assert document.page_at(document.text.index("art on")) == 2
    assert document.sections == ()


def test_pdf_mends_ligatures_and_drops_controls():
    from index.load.pdf import _clean, mend_words

    assert (
        _clean("\ufb01ne e\ufb03cient\x00 \x07wa\ufb04e\r\nx \ud83c\udf89 \ud800 \n\n")
        == "fine efficient waffle\nx 🎉 \ufffd"
    )
    assert mend_words(["infor\u00ad\nmation, he\u00adre", "a -\nb --\nc trans-\n- d"]) == [
        "information,\nhere",
        "a -\nb --\nc trans-\n- d",
    ]
    assert mend_words(["in-\nfor-\nma-\ntion"]) == ["information"]


def test_pdf_marks_running_lines(tmp_path):
    pages = [
        [f"The Journal, volume {n}", f"Body about {animal}s.", f"Page {n + 3} of 9"]
        for n, animal in enumerate(["cat", "dog", "cow", "hen", "bee"])
    ]
    pages[2][0] = "A Chapter Begins"
    document = read(tmp_path, "a.pdf", files.pdf_bytes(pages))
    check_ranges(document)
    expected = [
        line for n, page in enumerate(pages) for line in (page[0], page[2]) if line != "A Chapter Begins"
    ]
    # a range may span a page break where footer and header meet
    assert "\n\n".join(marked(document)).split("\n\n") == expected


def test_pdf_does_not_mark_numbers_that_count_nothing(tmp_path):
    document = read(tmp_path, "a.pdf", files.pdf_bytes([["The answer is", "42"], ["The year was", "1999"]]))
    assert document.marked == ()


def test_pdf_names_pages_without_text(tmp_path):
    document = read(tmp_path, "a.pdf", files.pdf_bytes([["one"], [], ["three"], [], [], [], ["seven"]]))
    assert document.warnings == ("no text on pages 2, 4-6 (scanned?)",)
    assert len(document.pages) == 7
    assert at(document, document.pages[6]) == "seven"
    assert document.page_at(document.text.index("seven")) == 7


def test_pdf_bookmarks_become_sections(tmp_path):
    pages = [
        ["Cover"],
        ["Methods are mentioned here", "2 Methods", "We did."],
        ["Nothing here"],
        ["Results", "Yes."],
    ]
    bookmarks = [("Methods", 1), ("Not in the text", 2), ("Results", 3)]
    document = read(tmp_path, "a.pdf", files.pdf_bytes(pages, bookmarks=bookmarks))
    check_ranges(document)
    assert [(s.title, at(document, s.title_at)) for s in document.sections] == [
        ("a", None),
        ("Methods", "Methods"),
        ("Not in the text", None),
        ("Results", "Results"),
    ]
    assert document.text[document.sections[1].start :].startswith("Methods\nWe did.")
    assert document.sections[2].start == document.pages[2].start


@pytest.mark.parametrize(
    "title", ["untitled", "Microsoft Word - final.doc", "paper_v3.dvi", "", "...", "My file.docx"]
)
def test_pdf_title_that_a_program_made(tmp_path, title):
    assert read(tmp_path, "stem.pdf", files.pdf_bytes([["x"]], title)).title == "stem"


def test_pdf_locked_with_a_password(tmp_path):
    pdf = files.pdf_bytes([["secret text"]])
    fails(
        write(tmp_path, "a.pdf", files.encrypted(pdf, "pass")),
        DamagedFile,
        "remove the password and try again",
    )
    assert read(tmp_path, "b.pdf", files.encrypted(pdf, "")).text == "secret text"


def test_pdf_encrypted_with_aes(tmp_path):
    pdf = files.pdf_bytes([["secret text"]])
    assert read(tmp_path, "a.pdf", files.encrypted(pdf, "", algorithm="AES-256")).text == "secret text"
    fails(write(tmp_path, "b.pdf", files.encrypted(pdf, "x", algorithm="AES-256")), DamagedFile, "password")


def test_pdf_that_is_a_scan(tmp_path):
    fails(write(tmp_path, "scan.pdf", files.pdf_bytes([[], []])), EmptyDocument, "scanned", "OCR")


def test_pdf_broken(tmp_path):
    good = files.pdf_bytes([["text"]] * 3)
    fails(write(tmp_path, "a.pdf", "just text"), DamagedFile, "not a PDF")
    fails(write(tmp_path, "b.pdf", b"%PDF-1.4\n"), DamagedFile, "broken PDF")
    fails(write(tmp_path, "c.pdf", good[: len(good) // 3]), DamagedFile, "broken PDF")
    fails(write(tmp_path, "d.pdf", b"%PDF-1.4 garbage" * 100), DamagedFile)


@given(st.lists(st.tuples(st.integers(0, 10_000), st.binary(max_size=8)), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_pdf_damaged_anywhere_is_text_or_a_clear_error(tmp_path_factory, damage):
    data = bytearray(files.pdf_bytes([["Some text", "more-", "over"]] * 3, "T", [("Some text", 1)]))
    for place, new in damage:
        data[place % len(data) : place % len(data) + 4] = new
    path = write(tmp_path_factory.getbasetemp(), "any.pdf", bytes(data))
    try:
        document = load(path)
    except LoadError:
        return
    check_ranges(document)


# --- DOCX --------------------------------------------------------------------------------------------


def xml(source: str):
    return parse_xml(re.sub(r"^<[\w:]+", rf"\g<0> {nsdecls('w')}", source))


def fill(document) -> None:
    document.add_paragraph("Before.")
    document.add_heading("The Title", 0)
    document.add_heading("First", 1)
    document.add_paragraph("Some text.")
    document.add_paragraph("one", style="List Bullet")
    document.add_paragraph("two", style="List Number")
    table = document.add_table(2, 2)
    for cell, text in zip(
        (c for row in table.rows for c in row.cells), ("City", "People", "Minsk", "2 m"), strict=True
    ):
        cell.text = text
    document.add_heading("Second", 2)
    paragraph = document.add_paragraph("Kept")
    paragraph._p.append(xml('<w:ins w:id="1"><w:r><w:t>, inserted</w:t></w:r></w:ins>'))
    paragraph._p.append(xml('<w:del w:id="2"><w:r><w:delText>, deleted</w:delText></w:r></w:del>'))
    paragraph._p.append(xml("<w:hyperlink><w:r><w:t>, linked</w:t><w:br/><w:t>x</w:t></w:r></w:hyperlink>"))
    paragraph._p.append(xml("<w:r><w:rPr><w:vanish/></w:rPr><w:t>, hidden</w:t></w:r>"))
    document.sections[0].header.paragraphs[0].text = "page header"


def test_docx_body_in_order(tmp_path):
    document = read(tmp_path, "a.docx", files.docx_bytes(fill))
    check_ranges(document)
    assert document.text == (
        "Before.\n\nThe Title\n\nFirst\n\nSome text.\n\n- one\n- two\n\nCity: Minsk; People: 2 m\n\n"
        "Second\n\nKept, inserted, linked\nx"
    )
    assert document.title == "The Title"
    assert [(s.title, at(document, s.title_at)) for s in document.sections] == [
        ("The Title", None),
        ("The Title", "The Title"),
        ("First", "First"),
        ("Second", "Second"),
    ]


def test_docx_title_from_properties_and_stem(tmp_path):
    def titled(document):
        document.core_properties.title = "Stated  Title"
        document.add_paragraph("x")

    assert read(tmp_path, "a.docx", files.docx_bytes(titled)).title == "Stated Title"
    assert read(tmp_path, "b.docx", files.docx_bytes(lambda d: d.add_paragraph("x"))).title == "b"


def test_docx_headings_by_style_based_on_heading(tmp_path):
    def localized(document):
        style = document.styles.add_style("Kapitel", 1)
        style.base_style = document.styles["Heading 1"]
        document.add_paragraph("Eins", style="Kapitel")
        document.add_paragraph("Text.")
        toc = document.styles.add_style("toc 1", 1)
        document.add_paragraph("Eins 7", style=toc)

    document = read(tmp_path, "a.docx", files.docx_bytes(localized))
    assert [s.title for s in document.sections] == ["Eins"]
    assert marked(document) == ["Eins 7"]


def table_of(document, rows, bold=False):
    table = document.add_table(len(rows), len(rows[0]))
    for row, texts in zip(table.rows, rows, strict=True):
        for cell, text in zip(row.cells, texts, strict=True):
            cell.paragraphs[0].add_run(text).bold = bold and row is table.rows[0]
    return table


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([["Name", "Age"], ["Ann", "5"], ["Bob", ""]], ["Name: Ann; Age: 5", "Name: Bob"]),
        ([["1", "2"], ["3", "4"]], ["1 | 2", "3 | 4"]),
        ([["Same", "Same"], ["a", "b"]], ["Same | Same", "a | b"]),
        ([["Born:", "Minsk"], ["Died:", "Brest"]], ["Born: | Minsk", "Died: | Brest"]),
        ([["only", "row"]], ["only | row"]),
        ([["one"], ["column"]], ["one", "", "column"]),
    ],
)
def test_docx_tables(tmp_path, rows, lines):
    document = read(tmp_path, "a.docx", files.docx_bytes(lambda d: table_of(d, rows)))
    assert document.text.split("\n") == lines


def test_docx_header_row_that_is_marked_or_bold(tmp_path):
    def marked_row(document):
        table = table_of(document, [["2019", "2020"], ["5", "6"]])
        table.rows[0]._tr.get_or_add_trPr().append(xml("<w:tblHeader/>"))

    def bold_row(document):
        table = document.add_table(2, 2)
        for n, text in enumerate(["2019", "2020", "5", "6"]):
            table.cell(n // 2, n % 2).paragraphs[0].add_run(text).bold = n < 2

    for number, fill_in in enumerate((marked_row, bold_row)):
        assert read(tmp_path, f"{number}.docx", files.docx_bytes(fill_in)).text == "2019: 5; 2020: 6"


def test_docx_merged_cells_stand_once(tmp_path):
    def merged(document):
        table = table_of(document, [["A", "B", "C"], ["tall", "wide", ""], ["", "x", "y"]])
        table.cell(1, 0).merge(table.cell(2, 0))
        table.cell(1, 1).merge(table.cell(1, 2))

    document = read(tmp_path, "a.docx", files.docx_bytes(merged))
    assert document.text == "A: tall; B: wide\nB: x; C: y"


def test_docx_text_box_stands_once(tmp_path):
    box = (
        '<w:r xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006"><mc:AlternateContent>'
        "<mc:Choice><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Choice>"
        "<mc:Fallback><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent></w:r>"
    )
    document = read(
        tmp_path, "a.docx", files.docx_bytes(lambda d: d.add_paragraph("Before")._p.append(xml(box)))
    )
    assert document.text == "Before\n\nboxed"


def test_docx_empty(tmp_path):
    fails(write(tmp_path, "a.docx", files.docx_bytes(lambda _: None)), EmptyDocument, "no text")


def test_docx_broken(tmp_path):
    good = files.docx_bytes(fill)
    fails(write(tmp_path, "a.docx", "not a zip"), DamagedFile, "broken DOCX")
    fails(write(tmp_path, "b.docx", files.zip_bytes({"x.txt": b"x"})), DamagedFile, "not a DOCX")
    fails(write(tmp_path, "c.docx", good[:-200]), DamagedFile, "broken DOCX")
    fails(
        write(tmp_path, "d.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"x" * 600),
        DamagedFile,
        "remove the password",
    )
    cut = files.with_member(good, "word/document.xml", lambda data: data[: len(data) // 2])
    fails(write(tmp_path, "e.docx", cut), DamagedFile, "broken DOCX")
    gone = files.with_member(good, "_rels/.rels", lambda data: data.replace(b"officeDocument", b"x"))
    fails(write(tmp_path, "f.docx", gone), DamagedFile)


def test_docx_bombs(tmp_path):
    good = files.docx_bytes(fill)
    unpacked = files.with_member(good, "docProps/thumbnail.jpeg", lambda _: b"\0" * 210_000_000)
    assert len(unpacked) < 1_000_000
    fails(write(tmp_path, "zip.docx", unpacked), DamagedFile, "unpacks to more than 200 MB")
    part = files.with_member(good, "word/styles.xml", lambda _: b"<a/>" + b" " * 70_000_000)
    fails(write(tmp_path, "part.docx", part), DamagedFile, "64 MB of markup")
    entities = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;">]>'
    for name in ("word/document.xml", "[Content_Types].xml"):
        bomb = files.with_member(good, name, lambda data: entities + data.split(b"?>", 1)[1])
        fails(write(tmp_path, "xml.docx", bomb), DamagedFile, "entities")
    deep = files.with_member(
        good,
        "word/document.xml",
        lambda data: data.replace(b"<w:body>", b"<w:body>" + b"<w:sdt>" * 100_000, 1),
    )
    fails(write(tmp_path, "deep.docx", deep), DamagedFile, "broken DOCX")


# --- finding files -----------------------------------------------------------------------------------


def tree(folder: Path) -> Path:
    for name in (
        "b.txt",
        "a.MD",
        "sub/c.html",
        "sub/deeper/d.pdf",
        ".hidden/e.txt",
        "sub/.f.txt",
        "pic.jpg",
        "~$w.docx",
    ):
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
    return folder


def test_folders_are_searched_to_the_bottom(tmp_path):
    found, skipped = find_files([str(tree(tmp_path))])
    assert [p.relative_to(tmp_path).as_posix() for p in found] == [
        "a.MD",
        "b.txt",
        "sub/c.html",
        "sub/deeper/d.pdf",
    ]
    assert {(Path(s.path).relative_to(tmp_path).as_posix(), s.reason, s.failed) for s in skipped} == {
        (".hidden", "hidden", False),
        ("sub/.f.txt", "hidden", False),
        ("~$w.docx", "hidden", False),
        ("pic.jpg", "another type of file", False),
    }


def test_named_paths_fail_one_by_one(tmp_path):
    tree(tmp_path)
    paths = [
        tmp_path / "none",
        tmp_path / "pic.jpg",
        tmp_path / "b.txt",
        tmp_path / "b.txt" / "x",
        Path("nul\0l"),
    ]
    found, skipped = find_files(paths)
    assert found == [tmp_path / "b.txt"]
    assert all(s.failed for s in skipped)
    reasons = {Path(s.path).name: s.reason for s in skipped}
    assert reasons["none"] == f"{tmp_path / 'none'} does not exist: check the path"
    assert ".jpg files cannot be read" in reasons["pic.jpg"]
    assert "does not exist" in reasons["x"]
    assert len(skipped) == 4


def test_hidden_file_that_is_named_is_read(tmp_path):
    tree(tmp_path)
    found, skipped = find_files([tmp_path / "sub/.f.txt", tmp_path / ".hidden"])
    assert [p.name for p in found] == ["e.txt", ".f.txt"]
    assert skipped == []


def test_same_file_is_listed_once(tmp_path, monkeypatch):
    tree(tmp_path)
    (tmp_path / "link.txt").symlink_to("b.txt")
    monkeypatch.chdir(tmp_path)
    found, _ = find_files(["b.txt", tmp_path / "b.txt", "sub/../b.txt", tmp_path, "."])
    assert [p.name for p in found].count("b.txt") == 1
    assert "link.txt" not in [p.name for p in found]
    assert find_files(["link.txt"])[0] == [tmp_path / "link.txt"]


def test_link_loops_end(tmp_path):
    tree(tmp_path)
    (tmp_path / "sub/up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "sub/self").symlink_to("self")
    (tmp_path / "gone.txt").symlink_to("nowhere.txt")
    found, skipped = find_files([tmp_path])
    assert len(found) == 4
    assert find_files([tmp_path / "sub/self/../self"])[1][0].failed
    reasons = {Path(s.path).name: s.reason for s in skipped}
    assert reasons["up"] == "symbolic link to a folder that is read already"
    assert reasons["self"] == reasons["gone.txt"] == "symbolic link that leads nowhere"


def test_linked_folder_elsewhere_is_read_once(tmp_path):
    tree(tmp_path / "real")
    (tmp_path / "top").mkdir()
    for name in ("one", "two"):
        (tmp_path / "top" / name).symlink_to(tmp_path / "real", target_is_directory=True)
    found, skipped = find_files([tmp_path / "top"])
    assert {p.relative_to(tmp_path / "top").parts[0] for p in found} == {"one"}
    assert len(found) == 4
    assert "read already" in " ".join(s.reason for s in skipped if s.path.endswith("two"))


def test_many_skipped_files_are_one_entry(tmp_path):
    for n in range(30):
        write(tmp_path, f"{n}.jpg" if n % 3 else f"{n}.py", "x")
    _, skipped = find_files([tmp_path])
    assert [(s.path, s.reason) for s in skipped] == [
        (str(tmp_path), "another type of file: 30 entries inside (.jpg 20, .py 10)")
    ]


def test_name_that_is_not_unicode_fails(tmp_path):
    raw = os.fsencode(tmp_path) + b"/bad\xff.txt"
    Path(os.fsdecode(raw)).write_text("x")
    found, skipped = find_files([tmp_path])
    assert found == []
    assert skipped[0].failed
    assert "rename" in skipped[0].reason
    (skipped[0].reason + skipped[0].path).encode()
    assert find_files([os.fsdecode(raw)]) == (found, skipped)
    with pytest.raises(LoadError, match="rename"):
        load(Path(os.fsdecode(raw)))
