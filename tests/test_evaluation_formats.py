"""Question sets: SQuAD JSON, JSON lines, BEIR folders; what is wrong with one is named with its place."""

import gzip
import hashlib
import json

import pytest

from index.errors import SettingsError
from qa.evaluation.beir import read_beir
from qa.evaluation.jsonl import read_jsonl
from qa.evaluation.sets import read_set, read_sets, sample
from qa.evaluation.squad import Example, Gold, read_squad

# --- SQuAD --------------------------------------------------------------------------------------------


def squad(**changes):
    """One question in SQuAD 1.1 shape, with ``changes`` to its record."""
    record = {"id": "q1", "question": "Where?", "answers": [{"text": "Minsk", "answer_start": 3}]} | changes
    return {
        "version": "1.1",
        "data": [{"title": "T", "paragraphs": [{"context": "In Minsk.", "qas": [record]}]}],
    }


def write(path, root):
    path.write_text(json.dumps(root), encoding="utf-8")
    return path


PLAIN = Example("q1", "Where?", "In Minsk.", "T", (Gold("Minsk", 3),), impossible=False, kind="answerable")


def test_reads_squad_1(tmp_path):
    assert read_squad(write(tmp_path / "one.json", squad())) == [PLAIN]


def test_reads_squad_2(tmp_path):
    root = squad(answers=[], is_impossible=True, plausible_answers=[{"text": "Minsk", "answer_start": 3}])
    root["data"].append(squad(id="q2", is_impossible=False)["data"][0] | {"title": "U"})
    impossible, answerable = read_squad(str(write(tmp_path / "two.json", root)))
    assert impossible == Example("q1", "Where?", "In Minsk.", "T", (), impossible=True, kind="not_answered")
    assert (answerable.id, answerable.title, answerable.kind) == ("q2", "U", "answerable")


def test_reads_the_kind_where_the_file_gives_one(tmp_path):
    (example,) = read_squad(
        write(tmp_path / "k.json", squad(answers=[], is_impossible=True, kind="off_topic"))
    )
    assert example.kind == "off_topic"


@pytest.mark.parametrize("name", ["set.json.gz", "set.json"])
def test_reads_gzip_whatever_its_name(tmp_path, name):
    (tmp_path / name).write_bytes(gzip.compress(json.dumps(squad()).encode()))
    assert read_squad(tmp_path / name) == [PLAIN]


def test_reads_past_a_byte_order_mark(tmp_path):
    (tmp_path / "bom.json").write_text(json.dumps(squad()), encoding="utf-8-sig")
    assert read_squad(tmp_path / "bom.json") == [PLAIN]


def test_offsets_are_code_points(tmp_path):
    root = squad(answers=[{"text": "Minsk", "answer_start": 2}])
    root["data"][0]["paragraphs"][0]["context"] = "\U0001f600 Minsk"
    (example,) = read_squad(write(tmp_path / "emoji.json", root))
    assert example.answers == (Gold("Minsk", 2),)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        (b"", "not JSON"),
        (b'{"data": [', "not JSON"),
        (b'{"data": []}\n{"data": []}', "not JSON"),
        (b"[" * 1_000_000, "not JSON"),
        (b'{"data": "\xff"}', "not JSON in UTF-8"),
        (gzip.compress(b'{"data": []}' * 100)[:-20], "broken gzip"),
        (b"\x1f\x8bnot really", "broken gzip"),
        (gzip.compress(b"a")[:10] + b"\xff" * 30, "broken gzip"),
    ],
)
def test_a_broken_file_is_named(tmp_path, content, complaint):
    path = tmp_path / "broken.json.gz"
    path.write_bytes(content)
    with pytest.raises(SettingsError, match=complaint) as caught:
        read_squad(path)
    assert str(path) in str(caught.value)


def test_a_missing_file_or_a_folder_is_named(tmp_path):
    for path in (tmp_path / "absent.json", tmp_path):
        with pytest.raises(SettingsError, match="cannot be read") as caught:
            read_squad(path)
        assert str(path) in str(caught.value)


FIRST = r"root\.data\[0\]\.paragraphs\[0\]\.qas\[0\]"


@pytest.mark.parametrize(
    ("root", "complaint"),
    [
        ([], "root is not an object"),
        ({"version": "v2.0"}, 'root has no "data"'),
        ({"data": {}}, 'root: "data" is not a list'),
        ({"data": ["x"]}, r"root\.data\[0\] is not an object"),
        ({"data": [{"title": "T"}]}, r'root\.data\[0\] has no "paragraphs"'),
        ({"data": [{"paragraphs": [{"qas": []}]}]}, r'root\.data\[0\]\.paragraphs\[0\] has no "context"'),
        ({"data": [{"title": 1, "paragraphs": []}]}, '"title" is not a string'),
        (squad(id=7), FIRST + ': "id" is not a string'),
        (squad(question=None), FIRST + ' has no "question"'),
        (squad(answers="Minsk"), FIRST + ': "answers" is not a list'),
        (squad(answers=[]), FIRST + " has no answer"),
        (squad(is_impossible=True), FIRST + " has answers, but"),
        (squad(is_impossible="no"), FIRST + ': "is_impossible" is not true or false'),
        (squad(answers=[{"text": "Minsk"}]), FIRST + r'\.answers\[0\] has no "answer_start"'),
        (squad(answers=[{"text": "n", "answer_start": True}]), '"answer_start" is not a whole number'),
        (squad(answers=[{"text": "Minsk", "answer_start": 4}]), "does not hold 'Minsk' at 4"),
        (squad(answers=[{"text": "Minsk", "answer_start": -6}]), "does not hold 'Minsk' at -6"),
        (squad(answers=[{"text": "", "answer_start": 0}]), "does not hold '' at 0"),
    ],
)
def test_a_wrong_shape_is_named_with_its_place(tmp_path, root, complaint):
    path = write(tmp_path / "shape.json", root)
    with pytest.raises(SettingsError, match=complaint) as caught:
        read_squad(path)
    assert str(path) in str(caught.value)


def test_a_repeated_id_is_refused(tmp_path):
    root = squad()
    root["data"] *= 2
    with pytest.raises(SettingsError, match="'q1' for several questions"):
        read_squad(write(tmp_path / "twice.json", root))


# --- JSON lines ------------------------------------------------------------------------------------------


def lines(path, *records):
    text = "\n".join(one if isinstance(one, str) else json.dumps(one) for one in records)
    path.write_text(text, encoding="utf-8")
    return path


TEA = "Green tea is steamed.\nBlack tea is\noxidised first. It is not 2013 but 3."


def tea(**changes):
    return {
        "question": "What happens to black tea?",
        "answers": ["is oxidised first"],
        "document": TEA,
    } | changes


def test_reads_texts_word_for_word_but_for_white_space(tmp_path):
    [example] = read_jsonl(lines(tmp_path / "tea.jsonl", tea()))
    assert (example.id, example.context, example.title, example.path) == ("line-1", TEA, "", None)
    [gold] = example.answers
    assert gold.text == "is\noxidised first" == TEA[gold.start : gold.start + len(gold.text)]
    assert (example.impossible, example.kind) == (False, "answerable")


def test_every_place_of_an_answer_counts_and_words_stay_whole(tmp_path):
    path = lines(
        tmp_path / "tea.jsonl",
        "",
        tea(answers=["tea", "3"], id="both", kind="easy"),
        tea(answers=["steam"], id="part of a word"),
    )
    both, part = read_jsonl(path)
    assert [gold.start for gold in both.answers] == [6, 28, TEA.index(" 3.") + 1]
    assert (both.id, both.kind) == ("both", "easy")
    assert [gold.start for gold in part.answers] == [TEA.index("steamed")]


def test_reads_the_files_that_lines_name(tmp_path):
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "tea.md").write_bytes(b"# Tea\r\n\r\nBlack tea is oxidised first.\r\n")
    record = tea(document="notes/tea.md", answers=["oxidised"])
    first, second = read_jsonl(lines(tmp_path / "tea.jsonl", record, record | {"question": "And then?"}))
    assert first.context is second.context
    assert "\r" not in first.context
    assert first.context[first.answers[0].start :].startswith("oxidised first.")
    assert (first.title, first.path) == ("tea.md", tmp_path / "notes" / "tea.md")


def test_a_question_without_an_answer_needs_no_document(tmp_path):
    bare, beside = read_jsonl(
        lines(tmp_path / "no.jsonl", {"question": "Why?", "answers": []}, tea(answers=[], kind="off_topic"))
    )
    assert (bare.context, bare.answers, bare.impossible, bare.kind) == ("", (), True, "not_answered")
    assert (beside.context, beside.kind) == (TEA, "off_topic")


@pytest.mark.parametrize(
    ("record", "complaint"),
    [
        ("{", "line 2 is not JSON"),
        ("[]", "line 2 is not an object"),
        ("[" * 100_000, "line 2 is not JSON"),
        ({"answers": []}, 'line 2 has no "question"'),
        (tea(question="  "), '"question" is empty'),
        (tea(answers="oxidised"), '"answers" is not a list'),
        (tea(answers=[""]), "not a string with words in it"),
        (tea(answers=[3]), "not a string with words in it: 3"),
        (tea(answers=["coffee"]), "line 2: the document does not hold 'coffee'"),
        (tea(document=None), 'line 2 has no "document"'),
        (tea(document="absent.txt"), 'line 2: "document": .*absent.txt'),
        (tea(document="broken.pdf"), 'line 2: "document": .*broken.pdf'),
        (tea(id="line-1"), "'line-1' for several questions"),
    ],
)
def test_what_is_wrong_with_a_line_is_named_with_its_place(tmp_path, record, complaint):
    (tmp_path / "broken.pdf").write_bytes(b"%PDF-1.7 and then nothing")
    path = lines(tmp_path / "tea.jsonl", tea(), record)
    with pytest.raises(SettingsError, match=complaint) as caught:
        read_jsonl(path)
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_lines_that_are_not_utf8_or_none_are_named(tmp_path):
    (tmp_path / "latin.jsonl").write_bytes(b'{"question": "caf\xe9"}')
    (tmp_path / "empty.jsonl").write_bytes(b"\n\n")
    with pytest.raises(SettingsError, match=r"latin\.jsonl is not JSON lines in UTF-8"):
        read_jsonl(tmp_path / "latin.jsonl")
    with pytest.raises(SettingsError, match=r"empty\.jsonl holds no question"):
        read_jsonl(tmp_path / "empty.jsonl")


# --- BEIR ------------------------------------------------------------------------------------------------


@pytest.fixture
def beir(tmp_path):
    folder = tmp_path / "drinks"
    (folder / "qrels").mkdir(parents=True)
    lines(
        folder / "corpus.jsonl",
        {"_id": "green", "title": "Green tea", "text": "It is steamed.", "metadata": {}},
        {"_id": "black", "title": "", "text": "Black tea is oxidised."},
        {"_id": "blank", "title": "", "text": " "},
    )
    lines(folder / "queries.jsonl", {"_id": "q1", "text": "What is oxidised?"}, {"_id": "q2", "text": "Why?"})
    (folder / "qrels" / "test.tsv").write_text("query-id\tcorpus-id\tscore\nq1\tblack\t2\nq1\tgone\t1\n")
    (folder / "qrels" / "dev.tsv").write_text("q2\tgreen\t1\r\n")
    return folder


def test_reads_a_beir_folder(beir):
    found = read_beir(beir)
    assert found.documents == {"green": "Green tea\n\nIt is steamed.", "black": "Black tea is oxidised."}
    assert [(one.id, one.question, one.kind) for one in found.questions] == [
        ("q1", "What is oxidised?", "judged")
    ]
    assert found.judgements == {"q1": {"black": 2, "gone": 1}}


def test_a_split_of_a_beir_folder_is_named_by_its_file(beir):
    assert list(read_beir(beir / "qrels" / "dev.tsv").judgements) == ["q2"]
    assert read_set(beir / "qrels" / "dev.tsv").name == "drinks.dev"
    (beir / "qrels" / "test.tsv").unlink()
    assert list(read_beir(beir).judgements) == ["q2"]


def test_a_beir_folder_may_be_packed(beir):
    before = read_set(beir)
    for path in (beir / "corpus.jsonl", beir / "queries.jsonl", beir / "qrels" / "test.tsv"):
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    assert read_set(beir) == before


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("corpus.jsonl", '{"_id": "a"}', r'corpus\.jsonl: line 1 has no "text"'),
        ("corpus.jsonl", '{"_id": 1, "text": "a"}', r'line 1: "_id" is not a string'),
        ("corpus.jsonl", '{"_id": "a", "text": "b"}\n' * 2, r"line 2: the id 'a' was used above"),
        ("corpus.jsonl", "", r"corpus\.jsonl is empty"),
        ("corpus.jsonl", '{"_id": "a", "text": "b"}', "judges no document"),
        ("queries.jsonl", '{"_id": "q1", "text": ""}', "line 1: the question is empty"),
        ("queries.jsonl", '{"_id": "q9", "text": "a"}', "judges the question 'q1'"),
        ("qrels/test.tsv", "q1\tblack\tgood", r"test\.tsv: line 1 is not"),
        ("qrels/test.tsv", "a\tb\tscore\nq1 black 1", r"test\.tsv: line 2 is not"),
        ("qrels/test.tsv", "a\tb\tscore\n", "has no judgements"),
    ],
)
def test_what_is_wrong_with_a_beir_folder_is_named(beir, name, content, complaint):
    (beir / name).write_text(content)
    with pytest.raises(SettingsError, match=complaint):
        read_beir(beir)


@pytest.mark.parametrize("name", ["corpus.jsonl", "queries.jsonl", "qrels/test.tsv"])
def test_what_a_beir_folder_lacks_is_named(beir, name):
    (beir / name).unlink()
    (beir / "qrels" / "dev.tsv").unlink()
    with pytest.raises(SettingsError, match="BEIR folder has"):
        read_beir(beir)


# --- sets of any format ----------------------------------------------------------------------------------


def test_the_format_is_found_out(tmp_path, beir):
    one_line = write(tmp_path / "squad.txt", squad())
    (tmp_path / "indented.json").write_text(json.dumps(squad(), indent=1))
    lines(tmp_path / "mine.json", tea())
    (tmp_path / "packed.jsonl.gz").write_bytes(gzip.compress(json.dumps(tea()).encode()))
    found = {path: read_set(path) for path in (one_line, beir, *tmp_path.glob("*.json*"))}
    assert {path.name: one.form for path, one in found.items()} == {
        "squad.txt": "squad",
        "indented.json": "squad",
        "mine.json": "jsonl",
        "packed.jsonl.gz": "jsonl",
        "drinks": "beir",
    }
    assert [one.name for one in found.values() if one.form == "jsonl"] in (
        ["mine", "packed"],
        ["packed", "mine"],
    )
    for one in found.values():
        assert {example.set for example in one.examples} == {one.name}


def test_the_hash_of_a_set_is_that_of_the_unpacked_file(tmp_path):
    raw = json.dumps(squad()).encode()
    (tmp_path / "a.json").write_bytes(raw)
    (tmp_path / "b.json.gz").write_bytes(gzip.compress(raw))
    assert {read_set(path).sha256 for path in tmp_path.iterdir()} == {hashlib.sha256(raw).hexdigest()}


def test_sets_that_cannot_be_measured_together_are_refused(tmp_path, beir):
    path = write(tmp_path / "a.json", squad())
    with pytest.raises(SettingsError, match="Two question sets are called a"):
        read_sets([path, path])
    with pytest.raises(SettingsError, match=r"drinks\.test is in BEIR's format"):
        read_sets([beir])
    assert [one.form for one in read_sets([beir], with_answers=False)] == ["beir"]
    with pytest.raises(SettingsError, match="no question there"):
        read_sets([write(tmp_path / "none.json", {"data": []})])
    assert read_sets([]) == []


def test_a_sample_is_drawn_by_its_seed_and_keeps_the_order():
    examples = [Example(str(n), "?", "", "", (), impossible=True, kind="") for n in range(50)]
    drawn = sample(examples, 10, seed=3)
    assert drawn == sample(examples, 10, seed=3) != sample(examples, 10, seed=4)
    assert [int(one.id) for one in drawn] == sorted({int(one.id) for one in drawn})
    assert len(drawn) == 10
    assert sample(examples, None, 0) == sample(examples, 50, 0) == sample(examples, 99, 0) == examples
    with pytest.raises(SettingsError, match="limit is 0"):
        sample(examples, 0, 0)
