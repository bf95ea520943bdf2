"""The command line: as a process of its own where that matters, else in this one. Nothing is replaced."""

import contextlib
import io
import json
import os
import pty
import re
import select
import signal
import sqlite3
import subprocess
import sys
import time
from pathlib import Path

import pytest

from index import Index
from qa.assistant import Assistant
from qa.cli import main
from qa.confidence import CALIBRATIONS
from qa.conversations import Conversations
from qa.settings import Settings
from qa.terminal import safe
from qa.types import Turn
from tests.files import pdf_bytes

ROOT = Path(__file__).parent.parent
SEEDS = ROOT / "seeds"
QUESTION = "Who led the CSTO delegation in Vienna?"
SHIP = "The captain of the ship Aurora is {}, a man of few words."
HEAVY = ("torch", "transformers", "sentence_transformers", "gradio", "fastapi", "pypdf", "docx")
OBEYED = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


@pytest.fixture(autouse=True)
def at_home(home, monkeypatch):
    monkeypatch.setenv("VERBATIM_HOME", str(home))
    monkeypatch.setenv("COLUMNS", "80")
    settings = [f"VERBATIM_{name}" for name in ("ENCODER", "PASSAGES", "CANDIDATES", "THRESHOLD")]
    for name in (*settings, "FORCE_COLOR", "TTY_COMPATIBLE", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def fresh_home(tmp_path, models, monkeypatch):
    """A home of one test's own: the converted models, and nothing else."""
    fresh = tmp_path / "home"
    fresh.mkdir()
    (fresh / "cache").symlink_to(models)
    monkeypatch.setenv("VERBATIM_HOME", str(fresh))
    return fresh


@pytest.fixture
def qa(capsys):
    """Run the command in this process: arguments in; exit code, output and errors out."""

    def run(*arguments):
        capsys.readouterr()
        with pytest.raises(SystemExit) as left:
            main([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return left.value.code or 0, captured.out, captured.err

    return run


@pytest.fixture
def ship(tmp_path, qa):
    """An index, made by the command, over one document."""
    (tmp_path / "ship.txt").write_text(SHIP.format("John Carter"), "utf-8")
    assert qa("index", tmp_path / "ship.txt", "--index", tmp_path / "ship-index")[0] == 0
    return tmp_path / "ship-index"


def environment(**more):
    return {**os.environ, "PYTHONPATH": str(ROOT), **more}


def command(*arguments):
    return [sys.executable, "-m", "qa", *map(str, arguments)]


def process(*arguments, prefix=(), **options):
    """Run the real command; return the finished process."""
    return subprocess.run(
        [*prefix, *command(*arguments)],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        **options,
    )


# --- the whole, the help, usage ------------------------------------------------------------------------------


@pytest.mark.parametrize("arguments", [[], ["--help"], ["-h"]])
def test_help_names_every_command_and_the_exit_codes(qa, arguments):
    code, out, err = qa(*arguments)
    assert (code, err) == (0, "")
    for name in ("index", "ask", "chat", "documents", "remove", "serve"):
        assert re.search(rf"^  {name} ", out, re.MULTILINE)
    for exit_code in ("0 ", "1 ", "2 ", "130 "):
        assert re.search(rf"^    {exit_code} *\w", out, re.MULTILINE)
    assert "$VERBATIM_HOME/index" in out


def test_help_documents_every_key_of_the_json(qa, home):
    shown = qa("ask", "--help")[1]
    answer = json.loads(qa("ask", QUESTION, "--json", "--index", home / "seeds")[1])
    for key in (*answer, *answer["citations"][0]):
        assert re.search(rf"\b{key}\b", shown), key


def test_version(qa):
    code, out, _ = qa("--version")
    assert code == 0
    assert re.fullmatch(r"qa (\d+\.\d+\.\d+\S*|\(not installed: run from its source\))\n", out)


@pytest.mark.parametrize(
    "arguments",
    [
        ["--nonsense"],
        ["nonsense"],
        ["ask"],
        ["ask", "a", "b"],
        ["ask", "a", "--nonsense"],
        ["ask", "a", "--top", "0"],
        ["ask", "a", "--top", "101"],
        ["ask", "a", "--threshold", "1.5"],
        ["ask", "a", "--threshold", "much"],
        ["index"],
        ["remove"],
        ["serve", "--port", "65536"],
    ],
)
def test_wrong_usage_exits_with_2(qa, arguments):
    code, out, err = qa(*arguments)
    assert (code, out) == (2, "")
    assert "Usage: qa" in err


def test_answering_loads_nothing_heavy():
    program = (
        "import sys\n"
        "import qa\n"
        f"heavy = {HEAVY}\n"
        "def loaded(): return [name for name in heavy if name in sys.modules]\n"
        "assert not loaded(), loaded()\n"
        "from qa.cli import main\n"
        "try:\n"
        f"    main(['ask', {QUESTION!r}])\n"
        "finally:\n"
        "    assert not loaded(), loaded()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment(), capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "Murad Kunakbaev" in done.stdout
    assert done.stderr.startswith(
        "You have no documents indexed: answering from the documents that come with Verbatim."
    )


# --- ask -----------------------------------------------------------------------------------------------------


def test_json_offsets_cut_the_quotes_from_text_and_file(home):
    done = process("ask", QUESTION, "--json")
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["status"], answer["question"], answer["reason"]) == ("answered", QUESTION, "")
    assert answer["text"] == answer["candidates"][0]["text"]
    assert answer["confidence"] == answer["candidates"][0]["confidence"]
    assert answer["citations"] == answer["candidates"][0]["citations"]
    citations = [citation for one in answer["candidates"] for citation in one["citations"]]
    assert any("Murad Kunakbaev" in citation["quote"] for citation in citations)
    with Index.open(home / "seeds", create=False) as index:
        for citation in citations:
            in_file = Path(citation["source"]).read_text("utf-8")
            for text in (index.document(citation["document_id"]).text, in_file):
                assert text[citation["start"] : citation["end"]] == citation["quote"]
            assert citation["start"] <= citation["answer_start"] < citation["answer_end"] <= citation["end"]


def test_an_answer_shows_quote_title_date_source_and_confidence(qa, home):
    code, out, err = qa("ask", QUESTION, "--index", home / "seeds")
    assert (code, err) == (0, "")
    quoted = next(block for block in out.split("“") if "Murad Kunakbaev" in block)
    assert "The CSTO delegation takes part in the Joint UN-OSCE Conference on Antiterrorism" in quoted
    assert "12 February 2020" in quoted
    assert str(SEEDS / "004_d820ce9e78da0c40.txt") in quoted
    assert re.search(r"^    \w[\w :]+ · \d+%$", quoted, re.MULTILINE)


def test_without_an_index_the_seeds_are_indexed_once_and_used(qa, fresh_home):
    code, out, err = qa("ask", QUESTION)
    assert code == 0
    assert "Murad Kunakbaev" in out
    told = err.splitlines()
    assert told[0].startswith(
        "You have no documents indexed: answering from the documents that come with Verbatim."
    )
    assert told[1:] == ["Indexing the 2 documents that come with Verbatim (once)"]
    assert "Indexing" not in qa("ask", QUESTION)[2]
    assert not (fresh_home / "index").exists()


def test_off_topic_abstains_with_the_reason_and_the_nearest_passages(qa, home):
    code, out, _ = qa("ask", "How do I bake sourdough bread?", "--index", home / "seeds")
    assert code == 0
    reason, rest = out.split("\n", 1)
    assert reason.startswith("Not in these documents")
    assert rest.startswith("\nNearest passages:\n[1] “")
    answer = json.loads(qa("ask", "How do I bake sourdough bread?", "--json", "--index", home / "seeds")[1])
    assert (answer["text"], answer["confidence"], answer["citations"]) == (None, 0.0, [])
    assert answer["reason"] == reason
    assert answer["near_misses"]


def test_the_trace_shows_each_passage_that_was_read_and_its_spans(qa, home):
    ask = ("ask", QUESTION, "--index", home / "seeds", "--trace")
    code, shown, _ = qa(*ask)
    assert code == 0
    assert "Passage 1: score" in shown
    assert "no answer" in shown
    trace = json.loads(qa(*ask, "--json")[1])["trace"]
    assert len(trace) > 1
    assert [one["score"] for one in trace] == sorted((one["score"] for one in trace), reverse=True)
    for one in trace:
        assert len(one["text"]) == one["end"] - one["start"]
        for span in one["spans"]:
            assert one["text"][span["start"] - one["start"] : span["end"] - one["start"]] == span["text"]
    assert "Passage 1" not in qa(*ask[:-1])[1]
    assert json.loads(qa(*ask[:-1], "--json")[1])["trace"] == []


def test_strict_answers_less_and_the_last_word_is_the_command_lines(qa, home, monkeypatch):
    ask = ("ask", "Who is Stanislav Zas?", "--json", "--index", home / "seeds")
    confidence = json.loads(qa(*ask, "--threshold", "0")[1])["confidence"]
    strict = json.loads(qa(*ask, "--strict")[1])
    assert (strict["status"] == "answered") == (confidence >= CALIBRATIONS["spans"].strict)
    monkeypatch.setenv("VERBATIM_STRICT", "yes")
    assert json.loads(qa(*ask, "--threshold", "0")[1])["status"] == "answered"
    code, _, errors = qa(*ask, "--threshold", "0", "--strict")
    assert (code, "strict" in errors) == (1, True)


def test_sentences_can_be_ranked_instead_of_read(qa, home):
    ask = ("ask", QUESTION, "--json", "--threshold", "0", "--index", home / "seeds")
    read, ranked = (json.loads(qa(*ask, *more)[1]) for more in ((), ("--reader", "sentences")))
    assert len(read["text"]) < len(ranked["text"])
    code, _, errors = qa(*ask, "--reader", "./nowhere")
    assert (code, "./nowhere" in errors) == (1, True)


def test_threshold_0_always_answers_and_top_limits(qa, home):
    question = ("ask", "How do I bake sourdough bread?", "--json", "--index", home / "seeds")
    for top in (1, 4):
        answer = json.loads(qa(*question, "--threshold", "0", "--top", top)[1])
        assert answer["status"] == "answered"
        assert len(answer["candidates"]) == top
    assert json.loads(qa(*question, "--threshold", "1")[1])["status"] != "answered"


def test_only_the_chosen_documents_answer(qa, home):
    first, second = json.loads(qa("documents", "--json", "--index", home / "seeds")[1])
    ask = ("ask", QUESTION, "--json", "--threshold", "0", "--index", home / "seeds", "--document")
    for chosen in (first["id"], second["id"]):
        code, out, err = qa(*ask, chosen)
        assert (code, err) == (0, "")
        assert {citation["document_id"] for citation in json.loads(out)["citations"]} == {chosen}
    several = ("--document", first["id"], "--document", "\x1b[2J")
    told = "error: 000000000000: not in the index. See: qa documents\n"
    assert qa(*ask, "000000000000") == (1, "", told)
    assert qa(*ask, "000000000000", *several) == (1, "", told + told.replace("000000000000", r"\x1b[2J"))


@pytest.mark.parametrize("question", ["", "  \n "])
def test_an_empty_question_is_an_error(qa, question):
    assert qa("ask", question) == (1, "", "error: the question is empty: ask something\n")


def test_a_question_of_10000_characters_is_an_error(qa):
    code, out, err = qa("ask", "why " * 2500)
    assert (code, out) == (1, "")
    assert err == "error: the question has 10,000 characters: ask in at most 2,000\n"


@pytest.mark.parametrize(
    "question",
    ["Кто возглавил делегацию?", "🚀🚀🚀", "“?!”", "a\x00b", "\udcff\udc80", "\x1b[2J", "x" * 2000],
)
def test_any_other_question_is_answered_or_declined(qa, home, question):
    code, out, err = qa("ask", question, "--index", home / "seeds")
    assert (code, err) == (0, "")
    assert out.strip()
    assert not OBEYED.search(out)


def test_a_dash_reads_the_question_from_standard_input(qa, home, monkeypatch):
    raw = io.TextIOWrapper(io.BytesIO(QUESTION.encode() + b" \xff\n"), "utf-8")
    monkeypatch.setattr(sys, "stdin", raw)
    answer = json.loads(qa("ask", "-", "--json", "--index", home / "seeds")[1])
    assert answer["question"] == f"{QUESTION} \ufffd"
    assert answer["status"] == "answered"


def test_a_pipe_that_closes_early_ends_quietly(home):
    for output in ([], ["--json"]):
        reading, writing = os.pipe()
        os.close(reading)
        try:
            done = subprocess.run(
                command("ask", QUESTION, "--index", home / "seeds", *output),
                env=environment(),
                stdout=writing,
                stderr=subprocess.PIPE,
                text=True,
                check=False,
            )
        finally:
            os.close(writing)
        assert (done.returncode, done.stderr) == (1, "")


def test_settings_of_the_environment_count_and_are_checked(qa, home, monkeypatch):
    monkeypatch.setenv("VERBATIM_CANDIDATES", "1")
    monkeypatch.setenv("VERBATIM_THRESHOLD", "0")
    answer = json.loads(qa("ask", QUESTION, "--json", "--index", home / "seeds")[1])
    assert len(answer["candidates"]) == 1
    monkeypatch.setenv("VERBATIM_THRESHOLD", "high")
    assert qa("ask", QUESTION) == (1, "", "error: VERBATIM_THRESHOLD=high: not a number\n")


# --- what documents may not do to a terminal -------------------------------------------------------------------


HOSTILE = "\x1b[2J\x1b]0;owned\x07John\x9b31m [red]Carter[/red] \u202eretraC\u202c"


@pytest.fixture
def hostile(tmp_path, qa, monkeypatch):
    """An index over a document whose text and name speak to terminals, and what indexing it printed."""
    folder = tmp_path / "hostile"
    folder.mkdir()
    monkeypatch.chdir(folder)
    (folder / "a\x1b[2Jb\n[red]c.txt").write_text(SHIP.format(HOSTILE), "utf-8")
    (folder / "broken\x1b[2J.pdf").write_bytes(b"%PDF-1.4 broken")
    code, out, err = qa("index", folder, "--index", tmp_path / "hostile-index")
    assert code == 1
    return tmp_path / "hostile-index", out + err


def test_text_of_documents_cannot_emit_control_sequences(qa, hostile):
    index, printed = hostile
    assert r"a\x1b[2Jb\n[red]c.txt" in printed
    answered = qa("ask", "Who is the captain of the Aurora?", "--threshold", "0", "--index", index)[1]
    shown = answered.replace("**", "")  # which the answer stands between
    assert r"\x1b[2J\x1b]0;owned\x07John\x9b31m [red]Carter[/red] \u202eretraC\u202c" in shown
    listed = qa("documents", "--index", index)[1]
    assert r"a\x1b[2Jb\n[red]c.txt" in listed
    as_json = qa("ask", "Who is the captain of the Aurora?", "--json", "--threshold", "0", "--index", index)[
        1
    ]
    missing = qa("remove", "\x1b[2J", "--index", index)[2]
    for output in (printed, answered, listed, as_json, missing):
        assert not OBEYED.search(output)
    assert SHIP.format(HOSTILE) in json.loads(as_json)["citations"][0]["quote"]


def test_a_terminal_gets_colours_from_the_command_only(hostile):
    index, _ = hostile
    asked = command("ask", "Who is the captain of the Aurora?", "--threshold", "0", "--index", index)
    shown = in_terminal(asked, columns=60)
    sequences = set(re.findall(r"\x1b\[?[^m]{0,8}m?", shown))
    assert "\x1b[1;32m" in sequences  # the answer
    assert all(re.fullmatch(r"\x1b\[[0-9;]*m", sequence) for sequence in sequences)
    plain = re.sub(r"\x1b\[[0-9;]*m", "", shown)
    assert not OBEYED.search(plain.replace("\r\n", "\n"))
    quote = plain.split("”")[0]
    assert all(len(line) <= 60 for line in quote.splitlines())
    assert "The captain of the ship Aurora is" in quote


def in_terminal(arguments, columns):
    """Run a command whose output is a terminal; return what it wrote."""
    ours, its = pty.openpty()
    terminal = environment(TERM="xterm-256color", COLUMNS=str(columns))
    with subprocess.Popen(arguments, stdin=its, stdout=its, stderr=subprocess.DEVNULL, env=terminal) as child:
        os.close(its)
        written = b""
        with contextlib.suppress(OSError):  # how Linux says that the other side has closed
            while block := os.read(ours, 65536):
                written += block
    os.close(ours)
    assert child.returncode == 0
    return written.decode()


@pytest.mark.parametrize("code", [*range(0x20), *range(0x7F, 0xA0), 0x202E, 0x2066, 0x2028, 0x200F, 0xD800])
def test_safe_leaves_nothing_that_a_terminal_obeys(code):
    shown = safe(f"a{chr(code)}b")
    assert re.fullmatch(r"a\\\w+b", shown)
    assert shown.isprintable()


def test_safe_leaves_everything_else():
    assert safe("naïve Кто 🚀 [red] \\x1b 日本") == "naïve Кто 🚀 [red] \\x1b 日本"


# --- index ---------------------------------------------------------------------------------------------------


def test_indexing_twice_encodes_once_and_says_so(qa, tmp_path):
    index = ("index", SEEDS, "--index", tmp_path / "index")
    code, out, _ = qa(*index)
    assert code == 0
    for name, characters in (("000_69e41dfd36f388bb.txt", "4,308"), ("004_d820ce9e78da0c40.txt", "4,616")):
        row = next(line for line in out.splitlines() if name in line)
        assert re.search(rf" added +{characters} +[1-9]\d* +[1-9]\d*$", row)
        assert len(row) <= 80
    assert re.search(r"^2 added(, 1 skipped)?; [1-9]\d* passages encoded in \d+\.\d s$", out, re.MULTILINE)
    code, out, _ = qa(*index)
    assert code == 0
    assert re.search(r"^Nothing to encode: 2 files unchanged(, 1 skipped)?$", out, re.MULTILINE)
    assert "encoded in" not in out


def test_one_bad_path_does_not_stop_the_others(qa, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("good.txt").write_text(SHIP.format("John Carter"), "utf-8")
    Path("copy.txt").write_text(SHIP.format("John Carter"), "utf-8")
    Path("empty.txt").touch()
    Path("sheet.xyz").write_text("x", "utf-8")
    Path("scan.pdf").write_bytes(pdf_bytes([["The ship Aurora sails in May, as it always did."], []]))
    code, out, err = qa(
        "index", "missing", "good.txt", "copy.txt", "empty.txt", "sheet.xyz", "scan.pdf", "--index", "i"
    )
    assert code == 1
    errors = err.splitlines()
    assert all(line.startswith("error: ") for line in errors)
    assert [
        name for name in ("missing", "empty.txt", "sheet.xyz") if sum(name in line for line in errors) == 1
    ] == [
        "missing",
        "empty.txt",
        "sheet.xyz",
    ]
    assert len(errors) == 3
    [original] = [line for line in out.splitlines() if line.startswith("copy.txt ")]
    [duplicate] = [line for line in out.splitlines() if line.startswith("good.txt ")]
    assert " added " in original
    assert " duplicate " in duplicate
    assert re.search(r"^good\.txt: same text as document [0-9a-f]{12}$", out, re.MULTILINE)
    assert re.search(r"^scan\.pdf: .*page 2", out, re.MULTILINE)
    assert re.search(r"^2 added, 1 duplicate, 3 failed; 2 passages encoded in", out, re.MULTILINE)
    assert (
        "John Carter" in qa("ask", "Who is the captain of the Aurora?", "--threshold", "0", "--index", "i")[1]
    )


@pytest.mark.parametrize("name", ["missing", "folder"])
def test_where_there_is_nothing_to_read_no_index_is_made(qa, fresh_home, tmp_path, name):
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "picture.xyz").touch()
    code, out, err = qa("index", tmp_path / name)
    assert code == 1
    assert out.splitlines()[-1].startswith("Nothing to encode: 1 file ")
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert not (fresh_home / "index").exists()


def test_of_many_files_only_those_that_need_attention_are_listed(qa, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    for number in range(60):
        (folder / f"{number:02}.txt").write_text(f"Ship number {number} sails in May.", "utf-8")
    (folder / "copy.txt").write_text("Ship number 7 sails in May.", "utf-8")
    (folder / "empty.txt").touch()
    code, out, err = qa("index", folder, "--index", tmp_path / "index")
    assert code == 1
    assert "copy.txt" in out
    assert "07.txt" not in out
    assert "60 added, 1 duplicate, 1 failed; 60 passages encoded" in out
    assert "empty.txt" in err


def test_sync_drops_what_is_gone(qa, tmp_path):
    folder = tmp_path / "ships"
    folder.mkdir()
    for name in ("a", "b"):
        (folder / f"{name}.txt").write_text(SHIP.format(name), "utf-8")
    index = ("--index", tmp_path / "index")
    assert qa("index", folder, *index)[0] == 0
    (folder / "a.txt").unlink()
    assert "Nothing to encode: 1 file unchanged\n" in qa("index", folder, *index)[1]
    code, out, _ = qa("index", folder, "--sync", *index)
    assert code == 0
    assert "Nothing to encode: 1 file unchanged, 1 removed\n" in out
    assert out.count("a.txt") == 1
    assert len(json.loads(qa("documents", "--json", *index)[1])) == 1


def test_an_index_that_is_a_file_is_an_error(qa, tmp_path):
    wrong = tmp_path / "file.txt"
    wrong.write_text("not an index", "utf-8")
    for arguments in (["index", SEEDS], ["ask", QUESTION], ["documents"], ["remove", "x"], ["chat"]):
        code, out, err = qa(*arguments, "--index", wrong)
        assert (code, out) == (1, "")
        assert re.fullmatch(rf"error: {re.escape(str(wrong))}.*\n", err)
    assert wrong.read_text("utf-8") == "not an index"


def test_an_index_that_cannot_be_written_answers_and_refuses_changes(ship, tmp_path):
    # Root may write anywhere, unless it gives up that capability.
    prefix = ["setpriv", "--bounding-set=-dac_override"] if os.geteuid() == 0 else []
    other = tmp_path / "other.txt"
    other.write_text(SHIP.format("Dejah Thoris"), "utf-8")
    for path in (*ship.iterdir(), ship):
        path.chmod(0o555 if path.is_dir() else 0o444)
    try:
        asked = process(
            "ask", "Who is the captain of the Aurora?", "--threshold", "0", "--index", ship, prefix=prefix
        )
        added = process("index", other, "--index", ship, prefix=prefix)
        removed = process("remove", tmp_path / "ship.txt", "--index", ship, prefix=prefix)
        elsewhere = process("index", other, "--index", ship / "new", prefix=prefix)
    finally:
        ship.chmod(0o755)
    assert (asked.returncode, asked.stderr) == (0, "")
    assert "John Carter" in asked.stdout
    for refused in (added, removed, elsewhere):
        assert refused.returncode == 1
        assert re.fullmatch(rf"error: {re.escape(str(ship))}\S*: cannot be written.*\n", refused.stderr)


def test_ctrl_c_keeps_what_is_done_and_the_rerun_completes(tmp_path):
    folder, index = tmp_path / "ships", tmp_path / "index"
    folder.mkdir()
    total = 400
    for number in range(total):
        told = " ".join(f"Stop {stop} of voyage {number} was long and stormy." for stop in range(10))
        (folder / f"{number:03}.txt").write_text(
            f"The captain of ship {number} is Ann {number}. {told}", "utf-8"
        )
    arguments = command("index", folder, "--index", index)
    with subprocess.Popen(
        arguments, env=environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as running:
        wait_for_documents(index / "index.db", running)
        running.send_signal(signal.SIGINT)
        _, err = running.communicate(timeout=120)
    assert running.returncode == 130, err
    assert "Traceback" not in err
    told = re.fullmatch(
        r"Interrupted: (\d+) of 400 files are stored; run the same command again to go on\n", err
    )
    assert told, err
    with Index.open(index, create=False) as opened:
        stored = len(opened.documents())
        assert int(told[1]) == stored
        assert 0 < stored < total
        assert opened.search("Who is the captain of ship 1?", 1)
    done = process("index", folder, "--index", index)
    assert done.returncode == 0, done.stderr
    assert f"{total - stored} added, {stored} unchanged; " in done.stdout
    with Index.open(index, create=False) as opened:
        assert len(opened.documents()) == total


def wait_for_documents(database, running):
    """Return as soon as another process has committed its first documents."""
    for _ in range(6000):
        assert running.poll() is None, running.communicate()
        with contextlib.suppress(sqlite3.OperationalError):
            connection = sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)
            try:
                if connection.execute("SELECT count(*) FROM documents").fetchone()[0]:
                    return
            finally:
                connection.close()
        time.sleep(0.01)
    pytest.fail("nothing was committed within a minute")


# --- documents and remove ------------------------------------------------------------------------------------


def test_documents_lists_what_is_there(qa, home):
    code, out, _ = qa("documents", "--index", home / "seeds")
    assert code == 0
    infos = json.loads(qa("documents", "--json", "--index", home / "seeds")[1])
    assert [info["date"] for info in infos] == ["2018-10-09", "2020-02-12"]
    assert [Path(info["sources"][0]).name for info in infos] == [
        path.name for path in sorted(SEEDS.glob("*.txt"))
    ]
    for info in infos:
        assert f"{info['id']}  {info['title']}\n" in out
        assert f" · {info['characters']:,} characters · {info['passages']} passages\n" in out
        assert f"    {info['sources'][0]}\n" in out
    passages = sum(info["passages"] for info in infos)
    assert out.endswith(f"\n2 documents, {passages} passages\n")


def test_documents_shows_a_readable_title_where_the_file_name_is_none(qa, home):
    infos = json.loads(qa("documents", "--json", "--index", home / "seeds")[1])
    assert Path(infos[1]["sources"][0]).stem == "004_d820ce9e78da0c40"
    assert infos[1]["title"].startswith("On July 3, Minsk hosted celebrations")


def test_listing_and_removing_need_no_encoder(qa, ship, tmp_path, monkeypatch):
    monkeypatch.setenv("VERBATIM_ENCODER", str(tmp_path / "missing"))
    assert "1 document, 1 passage\n" in qa("documents", "--index", ship)[1]
    assert qa("remove", tmp_path / "ship.txt", "--index", ship)[0] == 0
    assert qa("documents", "--index", ship) == (0, "0 documents, 0 passages\n", "")
    assert qa("index", tmp_path / "ship.txt", "--index", ship)[0] == 1


@pytest.mark.parametrize("arguments", [["documents"], ["documents", "--json"], ["remove", "x"]])
def test_without_an_index_there_is_nothing_to_list_or_remove(qa, fresh_home, arguments):
    code, out, err = qa(*arguments)
    assert (code, out) == (1, "")
    assert err == f"error: {fresh_home / 'index'}: you have no index yet. Make one with: qa index PATH\n"
    assert not (fresh_home / "index").exists()


def test_remove_takes_ids_and_paths_and_names_what_is_not_there(qa, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("a", "b", "c"):
        Path(f"{name}.txt").write_text(SHIP.format(name), "utf-8")
    assert qa("index", "a.txt", "b.txt", "c.txt", "--index", "i")[0] == 0
    infos = json.loads(qa("documents", "--json", "--index", "i")[1])
    first = next(info["id"] for info in infos if info["title"] == "a")
    code, out, err = qa("remove", first, "nothing", "b.txt", "missing.txt", "--index", "i")
    assert code == 1
    assert out == f"Removed: {first}\nRemoved: b.txt\n"
    assert err == "".join(
        f"error: {name}: not in the index. See: qa documents\n" for name in ("nothing", "missing.txt")
    )
    assert [info["title"] for info in json.loads(qa("documents", "--json", "--index", "i")[1])] == ["c"]
    assert qa("remove", tmp_path / "c.txt", "--index", "i") == (0, f"Removed: {tmp_path / 'c.txt'}\n", "")
    assert qa("documents", "--index", "i")[1] == "0 documents, 0 passages\n"
    code, out, _ = qa("ask", "Who is the captain of the Aurora?", "--index", "i")
    assert code == 0
    assert out == "Nothing is indexed yet. Add documents with: qa index PATH\n"


@pytest.mark.parametrize("way", ["removed", "vanished"])
def test_what_goes_from_the_index_goes_from_stored_conversations(way, qa, fresh_home, tmp_path):
    folder = tmp_path / "ships"
    folder.mkdir()
    (folder / "aurora.txt").write_text(SHIP.format("John Carter"), "utf-8")
    (folder / "tea.txt").write_text("Green tea is steamed soon after it was picked.", "utf-8")
    assert qa("index", folder)[0] == 0
    with Assistant.open(settings=Settings(threshold=0.0)) as assistant:
        answers = [
            assistant.answer(f"What is {what}?") for what in ("the captain of the Aurora", "green tea")
        ]
    kept = Conversations()
    conversation = kept.create("somebody")
    for answer in answers:
        kept.append("somebody", conversation, Turn("user", answer.question), Turn.of(answer))
    if way == "removed":
        assert qa("remove", folder / "aurora.txt")[0] == 0
    else:
        (folder / "aurora.txt").unlink()
        assert qa("index", folder, "--sync")[0] == 0
    left = [turn.answer for turn in kept.turns("somebody", conversation) if turn.answer]
    kept.close()
    assert "John Carter" in str(answers)
    assert "John Carter" not in str(left)
    assert "steamed" in str(left[1])


def test_the_users_own_index_is_the_default(qa, fresh_home, tmp_path):
    (tmp_path / "ship.txt").write_text(SHIP.format("John Carter"), "utf-8")
    assert qa("index", tmp_path / "ship.txt")[0] == 0
    assert "1 document, 1 passage\n" in qa("documents")[1]
    code, out, err = qa("ask", "Who is the captain of the Aurora?", "--threshold", "0")
    assert (code, err) == (0, "")
    assert "John Carter" in out
    assert not (fresh_home / "seeds").exists()


# --- chat ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ending", ["", "exit\n", "\n"])
def test_chat_answers_until_it_is_left(qa, ship, monkeypatch, ending):
    asked = "Who is the captain of the ship Aurora?\n"
    after = "Never asked?\n" if ending else ""
    monkeypatch.setattr(sys, "stdin", io.StringIO(asked + "y" * 2001 + "\n" + asked + ending + after))
    code, out, err = qa("chat", "--index", ship)
    assert code == 0
    assert out.count("> ") == 4
    assert out.count("John Carter") == 2
    assert err == "error: the question has 2,001 characters: ask in at most 2,000\n"


def test_a_chat_follows_up(qa, ship, monkeypatch):
    typed = "Who is the captain of the ship Aurora?\nWhat does he say?\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
    code, _, err = qa("chat", "--index", ship)
    assert code == 0
    assert re.fullmatch(r"Asked as: .*John Carter.*\n", err)


def test_ctrl_c_in_a_chat_drops_the_line_and_ctrl_d_leaves(ship):
    ours, its = pty.openpty()
    arguments = command("chat", "--index", ship)
    with subprocess.Popen(
        arguments, stdin=its, stdout=its, stderr=its, env=environment(TERM="xterm")
    ) as child:
        os.close(its)
        try:
            read_until(ours, "> ")
            os.write(ours, b"half a quest")
            read_until(ours, "half a quest")
            child.send_signal(signal.SIGINT)
            read_until(ours, 'An empty line, "exit" or Ctrl-D leaves.\r\n\r\n> ')
            os.write(ours, b"Who is the captain of the ship Aurora?\n")
            assert "half" not in read_until(ours, "John Carter")
            read_until(ours, "\r\n\r\n> ")
            os.write(ours, b"\x04")
            assert child.wait(timeout=60) == 0
        finally:
            child.kill()
            os.close(ours)


def read_until(terminal, expected):
    """Read from a terminal up to the expected text, for a minute at most between two characters."""
    seen = b""
    while expected.encode() not in seen:
        ready, _, _ = select.select([terminal], [], [], 60)
        assert ready, f"{expected!r} did not come after {seen!r}"
        seen += os.read(terminal, 1)
    return seen.decode()


# --- serve ---------------------------------------------------------------------------------------------------


def test_serve_tells_an_index_that_is_not_there(tmp_path):
    done = process("serve", "--index", tmp_path / "none", "--port", "0")
    assert done.returncode == 1
    assert re.fullmatch(rf"error: {re.escape(str(tmp_path / 'none'))}: no index there.*\n", done.stderr)
