"""`qa eval` as people use it: every mode on the real models, results as JSON and HTML, and their comparison."""

import json
import re
import subprocess
import sys
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest
from typer.testing import CliRunner

import qa.cli
from index.errors import SettingsError
from qa.confidence import CALIBRATIONS
from qa.evaluation.__main__ import app, main, seeds_questions
from qa.evaluation.compare import compare
from qa.evaluation.conversations import read_conversations
from qa.evaluation.glossary import meanings
from qa.evaluation.plots import plot_abstention, plots
from qa.evaluation.report import render, worst
from qa.evaluation.results import Result, read_json, write_json
from qa.evaluation.rows import CANDIDATE, Excerpt, Row
from tests.browser import chromium

SHIPS = {
    "Aurora": ("The ship Aurora is at sea.", "The captain of the Aurora is John Carter."),
    "Bounty": ("The ship Bounty is in Tahiti.", "The captain of the Bounty is William Bligh."),
}
ASKED = (
    ("Who is captain of the Aurora?", "John Carter", "Aurora", 1),
    ("Where is the ship Aurora?", "sea", "Aurora", 0),
    ("Who is captain of the Bounty?", "William Bligh", "Bounty", 1),
    ("Where is the ship Bounty?", "Tahiti", "Bounty", 0),
    ("Who built the Aurora?", None, "Aurora", 1),
)


@pytest.fixture
def ships(tmp_path):
    """Questions about ships in SQuAD 2.0 JSON."""
    articles = []
    for title, texts in SHIPS.items():
        paragraphs = []
        for place, text in enumerate(texts):
            records = [
                {
                    "id": question,
                    "question": question,
                    "is_impossible": answer is None,
                    "answers": [{"text": answer, "answer_start": text.index(answer)}] if answer else [],
                }
                for question, answer, of, at in ASKED
                if (of, at) == (title, place)
            ]
            paragraphs.append({"context": text, "qas": records})
        articles.append({"title": title, "paragraphs": paragraphs})
    path = tmp_path / "ships.json"
    path.write_text(json.dumps({"version": "v2.0", "data": articles}))
    return path


@pytest.fixture
def evaluate(home, monkeypatch):
    """Run a command and return its result."""
    monkeypatch.setenv("VERBATIM_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "150")

    def run(*arguments):
        return CliRunner().invoke(app, [*map(str, arguments)], catch_exceptions=False)

    return run


def done(result):
    assert result.exit_code == 0, result.output
    return result.output


def measured(path):
    """Read a result, every figure of which has a meaning."""
    result = read_json(path)
    assert [metric.name for metric in result.metrics if not meanings([metric.name])] == []
    return result


def timeless(path):
    root = json.loads(path.read_text())
    root.pop("seconds")
    for question in root["questions"]:
        question.pop("seconds")
    return root


# --- modes -----------------------------------------------------------------------------------------------


def test_retrieval(evaluate, ships, tmp_path):
    shown = done(evaluate("retrieval", ships, "--json", tmp_path / "a.json", "--html", tmp_path / "a.html"))
    assert "4 documents, 4 passages" in shown
    assert re.search(r"Success@5\W+100\.0", shown)
    result = measured(tmp_path / "a.json")
    assert {metric.part for metric in result.metrics} == {"dense", "lexical", "fused"}
    assert len(result.rows) == 4  # the question without an answer has nothing to be found
    assert result.facts["sets"][0]["name"] == "ships"
    assert "reader" not in result.facts["models"]
    assert "<picture>" in (tmp_path / "a.html").read_text()


def test_retrieval_of_a_beir_folder(evaluate, tmp_path):
    folder = tmp_path / "ships"
    (folder / "qrels").mkdir(parents=True)
    texts = [text for both in SHIPS.values() for text in both]
    corpus = [{"_id": f"d{n}", "title": "", "text": text} for n, text in enumerate([*texts, texts[3]])]
    queries = [{"_id": f"q{n}", "text": question} for n, (question, *_) in enumerate(ASKED)]
    for name, records in (("corpus", corpus), ("queries", queries)):
        (folder / f"{name}.jsonl").write_text("\n".join(map(json.dumps, records)))
    # d4 is d3 once more, and has the higher grade; "gone" can never be found.
    (folder / "qrels" / "test.tsv").write_text("q0\td1\t1\nq2\td3\t1\nq2\td4\t2\nq3\td2\t1\nq3\tgone\t1\n")
    shown = done(evaluate("retrieval", folder, "--json", tmp_path / "a.json"))
    assert "4 documents" in shown
    rows = {row.id: row for row in measured(tmp_path / "a.json").rows}
    assert rows["q0"].scores["fused"]["nDCG@10"] == 1.0
    assert rows["q2"].scores["fused"]["R@10"] == 1.0
    assert rows["q3"].scores["fused"]["R@10"] == 0.5
    assert rows["q0"].expected.text == SHIPS["Aurora"][1]
    with pytest.raises(SettingsError, match="BEIR folders judge documents"):
        evaluate("retrieval", folder, seeds_questions())


@pytest.mark.parametrize("reader", ["sentences", None])
def test_reading(evaluate, ships, tmp_path, reader):
    options = ["--reader", reader] if reader else []
    done(evaluate("reading", ships, "--json", tmp_path / "a.json", *options))
    figures = {metric.name: metric for metric in measured(tmp_path / "a.json").metrics}
    assert {metric.part for metric in figures.values()} == {"ships"}
    assert (figures["EM"].questions, figures["abstaining EM"].questions, figures["NoAns"].questions) == (
        4,
        5,
        1,
    )
    assert (figures["EM"].value == 0.0) == (reader == "sentences")  # no answer is a whole sentence
    assert figures["F1"].value > (0.2 if reader else 0.6)
    assert figures["F1"].low <= figures["F1"].value <= figures["F1"].high


def test_answers(evaluate, ships, tmp_path):
    shown = done(evaluate("answers", ships, "--failures", "--json", tmp_path / "a.json"))
    assert "(default)" in shown
    result = measured(tmp_path / "a.json")
    figures = {(metric.part, metric.name): metric.value for metric in result.metrics}
    assert figures["whole corpus, forced", "first document"] >= 0.75
    assert figures["whole corpus, forced", "citation precision"] >= 0.5
    assert 0 <= figures["first candidate", "ECE"] <= 1
    by_id = {row.id: row for row in result.rows}
    row = by_id["Who is captain of the Bounty?"]
    assert row.answer == row.quote.text[row.quote.start : row.quote.end] == "William Bligh"
    assert (row.quoted_from, row.gold, row.kind) == ("Bounty", ("William Bligh",), "answerable")
    assert by_id["Who built the Aurora?"].kind == "not_answered"
    assert result.facts["thresholds"]["default"] == CALIBRATIONS["spans"].threshold
    assert re.fullmatch(r"[0-9a-f]{16,64}", result.facts["models"]["reader"]["hash"])


def test_answers_from_files_of_ones_own(evaluate, tmp_path):
    (tmp_path / "tea.md").write_text(
        "# Tea\n\nGreen tea is steamed soon after picking. Black tea is oxidised first.\n"
    )
    record = {"question": "What happens to black tea?", "answers": ["oxidised"], "document": "tea.md"}
    (tmp_path / "mine.jsonl").write_text(json.dumps(record))
    done(evaluate("answers", tmp_path / "mine.jsonl", "--json", tmp_path / "a.json"))
    [row] = measured(tmp_path / "a.json").rows
    assert "oxidised" in row.quote.text
    assert row.quoted_from == "tea.md"
    assert row.scores["whole corpus, forced"]["first document"] == 1.0


def test_a_folder_of_documents_is_searched_too(evaluate, tmp_path):
    folder = tmp_path / "papers"
    folder.mkdir()
    (folder / "tea.md").write_text("# Tea\n\nGreen tea is steamed soon after picking.\n")
    (folder / "coffee.txt").write_text("Coffee grows on the slopes of the mountains in Kenya.")
    records = (
        {"question": "What happens to green tea?", "answers": ["steamed"], "document": "papers/tea.md"},
        {"question": "Where does coffee grow in Kenya?", "answers": []},
    )
    (tmp_path / "mine.jsonl").write_text("\n".join(map(json.dumps, records)))
    for mode in ("answers", "abstention"):
        done(evaluate(mode, tmp_path / "mine.jsonl", "--among", folder, "--json", tmp_path / f"{mode}.json"))
        result = measured(tmp_path / f"{mode}.json")
        assert result.facts["corpus"]["documents"] == 2
        assert [one["format"] for one in result.facts["among"]] == ["folder"]
        by_question = {row.question: row for row in result.rows if row.kind != "left out"}
        assert by_question["Where does coffee grow in Kenya?"].quoted_from == "coffee.txt"
        assert by_question["What happens to green tea?"].quoted_from == "tea.md"


def test_without_a_document_nothing_is_measured(evaluate, tmp_path):
    (tmp_path / "mine.jsonl").write_text(json.dumps({"question": "Who is the clown?", "answers": []}))
    for mode in ("answers", "abstention"):
        with pytest.raises(SettingsError, match="No document to search.*--among"):
            evaluate(mode, tmp_path / "mine.jsonl")


def test_abstention(evaluate, ships, tmp_path):
    picture = tmp_path / "picture.png"
    shown = done(
        evaluate(
            "abstention", ships, "--reader", "sentences", "--plot", picture, "--json", tmp_path / "a.json"
        )
    )
    assert "9 questions" in shown
    result = measured(tmp_path / "a.json")
    kinds = [row.kind for row in result.rows]
    assert (kinds.count("answerable"), kinds.count("left out"), kinds.count("not_answered")) == (4, 4, 1)
    area = next(metric.value for metric in result.metrics if metric.name == "AUROC")
    assert 0.5 < area <= 1
    assert picture.read_bytes().startswith(b"\x89PNG")


def test_conversations(evaluate, tmp_path, monkeypatch):
    whole = read_conversations()
    few = replace(
        whole, conversations=tuple(one for one in whole.conversations if one.part == "held-out")[-1:]
    )
    monkeypatch.setattr("qa.evaluation.__main__.read_conversations", lambda: few)
    shown = done(evaluate("conversations", "--json", tmp_path / "a.json", "--html", tmp_path / "a.html"))
    result = measured(tmp_path / "a.json")
    assert {metric.part for metric in result.metrics} == {"typed", "joined", "resolved", "by hand"}
    assert re.search(r"altered\W+0\.0\W+100\.0\W+100\.0\W+100\.0", shown)
    (follows,) = [row for row in result.rows if row.kind == "follow-up"]
    assert follows.question.startswith("And low relief? (asked: ")
    assert (follows.set, follows.gold) == ("held-out", ("basso-rilievo",))
    assert "<h1>Verbatim: conversations</h1>" in (tmp_path / "a.html").read_text()
    assert result.facts["sets"][0]["sha256"] == whole.sha256
    assert not compare(result, result, 0).worse


def test_the_same_run_gives_the_same_result(evaluate, ships, tmp_path):
    for mode in ("retrieval", "reading", "answers", "abstention"):
        for name in ("a", "b"):
            done(evaluate(mode, ships, "--limit", 3, "--seed", 5, "--json", tmp_path / f"{name}.json"))
        assert timeless(tmp_path / "a.json") == timeless(tmp_path / "b.json"), mode
    pages = [render(read_json(tmp_path / f"{name}.json")) for name in "ab"]
    assert len({re.sub("A question took .*", "", page) for page in pages}) == 1


def test_a_limit_asks_so_many_by_the_seed(evaluate, ships, tmp_path):
    for seed in range(3):
        done(evaluate("reading", ships, "--limit", 2, "--seed", seed, "--json", tmp_path / f"{seed}.json"))
    found = [[row.id for row in read_json(tmp_path / f"{seed}.json").rows] for seed in range(3)]
    assert {len(one) for one in found} == {2}
    assert len({tuple(one) for one in found}) > 1


def test_it_is_a_command_of_qa_and_errors_are_one_line(tmp_path, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    with pytest.raises(SystemExit) as ended:
        qa.cli.main(["eval", "reading", str(tmp_path / "absent\x1b.json")])
    assert ended.value.code == 1
    error = capsys.readouterr().err
    assert error.startswith("error: ")
    assert error.count("\n") == 1
    assert "\x1b" not in error
    with pytest.raises(SystemExit) as ended:
        main(["reading", str(seeds_questions()), "--html", str(tmp_path / "no" / "a.html")])
    assert ended.value.code == 1
    assert "cannot be written" in capsys.readouterr().err
    with pytest.raises(SystemExit) as ended:
        qa.cli.main(["eval", "--help"])
    assert not ended.value.code
    assert "compare" in capsys.readouterr().out


def test_asking_imports_no_evaluation():
    script = "import sys, qa.cli, qa.assistant; print([one for one in sys.modules if 'evaluation' in one])"
    found = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert found.stdout == "[]\n"


# --- comparing -------------------------------------------------------------------------------------------


def row(name, score=1.0, confidence=0.5, **changes):
    made = Row(
        set="set",
        id=name,
        group=name[0],
        kind="answerable",
        question=f"{name}?",
        gold=("gold",),
        expected=Excerpt("the gold", 4, 8),
        expected_in="book",
        answer="gold" if score else "brass",
        quote=Excerpt("all that glitters", 4, 8),
        quoted_from="book",
        confidence=confidence,
        right=score == 1.0,
        scores={"part": {"EM": float(score == 1.0), "F1": score}, CANDIDATE: {"right": float(score == 1.0)}},
        seconds=0.1,
    )
    return replace(made, **changes)


FACTS = {
    "sets": [{"name": "set", "format": "squad", "sha256": "ab", "questions": 40}],
    "among": [],
    "seed": 0,
    "limit": None,
    "corpus": None,
    "versions": {"python": "3"},
    "settings": {"dense_weight": 0.6},
}


def result(rows, mode="answers", **facts):
    return Result.of(mode, FACTS | facts, rows, 0)


def forty(wrong=(), score=0.0):
    return [row(f"{'abcd'[n % 4]}{n}", score if n in wrong else 1.0, 0.3 + n % 5 / 10) for n in range(40)]


def test_a_result_survives_its_file(tmp_path):
    before = result(forty({3, 5}, 0.5))
    write_json(before, tmp_path / "a.json")
    assert read_json(tmp_path / "a.json") == before


def test_figures_are_means_of_rows():
    figures = {(one.part, one.name): one for one in result(forty(range(10), 0.5)).metrics}
    assert figures["part", "EM"].value == pytest.approx(30 / 40)
    assert figures["part", "F1"].value == pytest.approx(35 / 40)
    assert (figures["part", "F1"].questions, figures["part", "F1"].groups) == (40, 4)
    assert figures["part", "F1"].low <= 35 / 40 <= figures["part", "F1"].high
    single = result([row("a1"), row("a2", 0.5)]).metrics
    assert {(one.low, one.high) for one in single} == {(None, None)}
    with pytest.raises(SettingsError, match="can be asked"):
        result([])


def test_a_result_compared_with_itself_is_no_different():
    found = compare(result(forty({1, 2})), result(forty({1, 2})))
    assert {(one.difference, one.p, one.verdict) for one in found.differences} == {(0.0, 1.0, "")}
    assert (found.lost, found.won, found.changed, found.worse) == ((), (), (), ())


def test_a_difference_is_tested_by_hand():
    found = compare(result(forty(range(10))), result(forty({0, 20}), settings={"dense_weight": 1.0}))
    differences = {(one.part, one.name): one for one in found.differences}
    exact = differences["part", "EM"]
    # Nine won, one lost: 2 * (1 + 10) / 2^10.
    assert (exact.test, exact.p) == ("McNemar", pytest.approx(22 / 1024))
    assert exact.difference == pytest.approx(8 / 40)
    assert exact.low <= 8 / 40 <= exact.high
    assert [flip.id for flip in found.lost] == ["a20"]
    assert len(found.won) == 9
    assert found.won[0].first == "brass (0.40)"
    assert found.changed == ("settings dense_weight: 0.6 in A, 1.0 in B",)


def test_worse_is_worse_whichever_way_a_figure_points():
    good, bad = result(forty()), result(forty(range(30)))
    verdicts = {one.name: one.verdict for one in compare(good, bad).differences}
    assert (verdicts["EM"], verdicts["ECE"]) == ("worse", "better")
    assert {one.name: one.verdict for one in compare(bad, good).differences}["EM"] == "better"


@pytest.mark.parametrize(
    ("other", "complaint"),
    [
        (result(forty(), "reading"), "A measures answers and B reading"),
        (result(forty(), sets=[{**FACTS["sets"][0], "sha256": "cd"}]), "not measured with the same set"),
        (result(forty(), among=[{"name": "more", "sha256": "x"}]), "not measured with the same more"),
        (result(forty()[1:]), "A has 40 questions, B 39, and only one of them has 'a0' of set"),
        (result([row("a0", question="Else?"), *forty()[1:]]), "The question 'a0' of set is not the same"),
        (result([row("a0", gold=("other",)), *forty()[1:]]), "The question 'a0' of set is not the same"),
    ],
)
def test_what_cannot_be_compared_is_refused(other, complaint):
    with pytest.raises(SettingsError, match=complaint):
        compare(result(forty()), other)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("{", "is not JSON"),
        ("[]", "is not a result"),
        ('{"questions": [], "metrics": []}', "is of format None"),
        ('{"format": 1, "mode": "answers", "questions": [{}], "metrics": []}', "is damaged"),
        ('{"format": 1, "questions": [], "metrics": []}', "is damaged"),
    ],
)
def test_a_file_that_is_no_result_is_named(tmp_path, content, complaint):
    (tmp_path / "a.json").write_text(content)
    with pytest.raises(SettingsError, match=rf"a\.json.* {complaint}"):
        read_json(tmp_path / "a.json")


def test_searching_by_vectors_alone_is_flagged(evaluate, tmp_path):
    before, after = tmp_path / "fused.json", tmp_path / "dense.json"
    done(evaluate("retrieval", seeds_questions(), "--json", before))
    done(evaluate("retrieval", seeds_questions(), "--json", after, "--dense-weight", "1"))
    shown = evaluate("compare", before, after, "--fail-on-regression", "--json", tmp_path / "c.json")
    assert shown.exit_code == 3
    assert "settings dense_weight: 0.6 in A, 1.0 in B" in shown.output
    assert "Right in A alone" in shown.output
    found = json.loads((tmp_path / "c.json").read_text())
    worse = {(one["part"], one["name"]) for one in found["differences"] if one["verdict"] == "worse"}
    assert ("fused", "MRR@10") in worse
    assert {part for part, _ in worse} == {"fused"}
    assert len(found["lost"]) > len(found["won"])
    assert evaluate("compare", before, after).exit_code == 0
    assert evaluate("compare", before, before, "--fail-on-regression").exit_code == 0


# --- the report ------------------------------------------------------------------------------------------

HOSTILE = (
    "<script>pwn('s')</script><img src=x onerror=pwn('i')>${7*7}{{7*7}}</style><b>\x1b[31m\u202e</title>$x$_"
)


class Tags(HTMLParser):
    def __init__(self):
        super().__init__()
        self.found = []

    def handle_starttag(self, tag, attributes):
        self.found.append((tag, dict(attributes)))


def hostile(mode="answers"):
    text = Excerpt(HOSTILE, 3, 9)
    ranks = {"fused": None, "dense": 2} if mode == "retrieval" else {}
    rows = [
        row(
            f"{HOSTILE}{n}",
            n % 2,
            None if ranks else 0.7,
            set=HOSTILE,
            group=f"{HOSTILE}{n % 3}",
            kind=HOSTILE,
            question=HOSTILE,
            gold=(HOSTILE,),
            expected=text,
            expected_in=HOSTILE,
            answer=HOSTILE,
            quote=text,
            quoted_from=HOSTILE,
            scores={HOSTILE: {HOSTILE: 0.5, "F1": 0.5}, **({} if ranks else {CANDIDATE: {"right": n % 2}})},
            ranks=ranks,
        )
        for n in range(6)
    ]
    sets = [{"name": HOSTILE, "format": "squad", "sha256": HOSTILE, "questions": 6}]
    return result(rows, mode, sets=sets, settings={HOSTILE: HOSTILE})


@pytest.mark.parametrize("mode", ["answers", "reading", "retrieval"])
def test_text_in_a_report_is_text(mode):
    page = render(hostile(mode))
    tags = Tags()
    tags.feed(page)
    names = {name for name, _ in tags.found}
    assert not names & {"script", "b", "form", "iframe", "link"}
    assert "pwn(" in page
    for tag, attributes in tags.found:
        assert not any(name.startswith("on") for name in attributes)
        for name in ("src", "srcset", "href"):
            assert attributes.get(name, "data:").startswith("data:"), tag
    assert "${7*7}{{7*7}}" in page
    policy = next(one["content"] for tag, one in tags.found if "http-equiv" in one)
    assert policy.startswith("default-src 'none'; ")


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (390, "dark")])
def test_a_report_in_the_browser(tmp_path, width, scheme):
    path = tmp_path / "report.html"
    path.write_text(render(hostile()), encoding="utf-8")
    with chromium() as browser:
        context = browser.new_context(viewport={"width": width, "height": 800}, color_scheme=scheme)
        page = context.new_page()
        told, left = [], []
        page.on("console", lambda message: told.append(message.text))
        page.on("request", lambda request: left.append(request.url))
        page.add_init_script("window.pwned = []; window.pwn = (by) => window.pwned.push(by);")
        page.goto(path.as_uri())
        assert page.evaluate("window.pwned") == []
        assert told == []
        assert [url for url in left if not url.startswith("data:")] == [path.as_uri()]
        assert page.evaluate("document.documentElement.scrollWidth") <= width
        assert page.locator("mark").first.inner_text() == HOSTILE[3:9]
        drawn = "[...document.images].map((image) => image.naturalWidth > 0)"
        assert page.evaluate(drawn) == [True, True, True]


def test_a_report_says_what_its_figures_mean():
    page = render(result([row("a")]))
    assert "<dt>EM</dt>" in page
    assert meanings(["R@5", "R@10", "alone: altered", "unheard of"]).keys() == {"R", "altered"}


def test_the_most_confident_mistakes_come_first():
    rows = [row("a", 0.0, 0.2), row("b", 1.0, 0.99), row("c", 0.0, 0.8)]
    assert [one.id for one in worst(rows)] == ["c", "a"]
    ranked = [row(name, 0.0, None, ranks={"fused": rank}) for name, rank in (("a", 3), ("b", None), ("c", 9))]
    assert [one.id for one in worst(ranked)] == ["b", "c", "a"]


def test_what_a_report_needs_is_named(monkeypatch, tmp_path):
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(SettingsError, match=re.escape('pip install "verbatim-qa[eval]"')):
        plot_abstention(forty(), tmp_path / "picture.png")
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(SettingsError, match=re.escape('pip install "verbatim-qa[eval]"')):
        render(result(forty()))


def test_plots_suit_the_result(tmp_path):
    assert list(plots(result(forty({1})))) == [
        "Risk and coverage",
        "Calibration",
        "Share answered by threshold",
    ]
    for light, dark in plots(result(forty({1}))).values():
        assert light.startswith("<?xml")
        assert dark.startswith("<?xml")
        assert light != dark
    plot_abstention(forty({1}), tmp_path / "picture.svg")
    assert "<svg" in (tmp_path / "picture.svg").read_text("utf-8")
    with pytest.raises(SettingsError, match="cannot be drawn"):
        plot_abstention(forty({1}), tmp_path / "absent" / "picture.png")
    with pytest.raises(SettingsError, match="cannot be drawn"):
        plot_abstention(forty({1}), Path(tmp_path / "picture.xyz"))
