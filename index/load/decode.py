"""Bytes -> canonical text. Knows encodings, and how binary data looks; no format.

The order: byte order mark, the encoding that the file declares (web pages), strict UTF-8, UTF-8 with a
few broken bytes, detection on a bounded sample, and last windows-1252 with replacement.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from charset_normalizer import from_bytes

from index.errors import DamagedFile
from index.load.files import shown

SAMPLE = 32_768
"""Bytes that detection looks at: it tries dozens of encodings, so its time grows fast with them."""

MAX_LINE = 10_000_000
"""The longest line in characters: a shelf of books in one line; beyond it stands encoded data."""

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"

_MARKS = (  # UTF-32 first: its little-endian mark begins with that of UTF-16
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_BINARY = (
    (b"%PDF-", "a PDF"),
    (b"PK\x03\x04", "a zip archive or an office document"),
    (b"\x89PNG\r\n", "a PNG image"),
    (b"GIF8", "a GIF image"),
    (b"\xff\xd8\xff", "a JPEG image"),
    (b"\x7fELF", "a program"),
    (b"\x1f\x8b", "a gzip archive"),
    (b"7z\xbc\xaf", "a 7-Zip archive"),
    (b"Rar!\x1a", "a RAR archive"),
    (b"\xd0\xcf\x11\xe0", "an old office document"),
    (b"SQLite format 3\x00", "an SQLite database"),
)
_USUAL = [
    *("cp1250", "cp1251", "cp1252", "cp1253", "cp1254", "cp1255", "cp1256", "cp1257"),
    *("iso8859_2", "koi8_r", "koi8_u", "cp866", "cp932", "euc_jp", "gb18030", "big5", "cp949"),
]
"""What detection tries: the rarer the encodings allowed, the more often a common one loses to them."""

_RIVALS = {"cp1250", "cp1257", "iso8859_2"}
_TOLERANCE = 0.05
_LONE_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1a\x1c-\x1f\x7f\x80-\x84\x86-\x9f]")  # not tab, line ends, escape
_WEB_CODECS = re.compile(
    r"cp(?:125\d|437|85\d|86\d|874|932|949)|iso8859-\d+|koi8-[rtu]|mac-?\w+|gb\w+|big5\w*|shift_jis\w*|"
    r"euc_\w+|iso2022_\w+|johab|tis-620|ascii|utf-8|latin_?1"
)


@dataclass(frozen=True, slots=True)
class Decoded:
    """Canonical text, and what a person should know of how it was decoded."""

    text: str
    warnings: tuple[str, ...] = ()


class _Choice(NamedTuple):
    encoding: str
    why: str
    errors: str = "strict"


def canonical(text: str) -> str:
    """Return text with newlines as LF, without a byte order mark, its lone surrogates replaced."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return _LONE_SURROGATE.sub(REPLACEMENT, text).removeprefix("\N{ZERO WIDTH NO-BREAK SPACE}")


def decode_file(path: Path, data: bytes, declared: str | None = None) -> Decoded:
    """Decode a text file.

    Args:
        path: for messages only.
        data: the whole file.
        declared: the encoding that the file says it has, if any.

    Raises:
        DamagedFile: the bytes are no text.
    """
    mark = next((m for m in _MARKS if data.startswith(m[0])), None)
    kind = next((name for magic, name in _BINARY if data.startswith(magic)), None)
    if kind is None and mark is None and b"\0" in data:
        kind = "binary data"
    if kind is None:
        decoded = _decode_marked(data, *mark) if mark else _decode(data, declared)
        if not _mostly_controls(decoded.text):
            return decoded
    raise DamagedFile(
        f"{shown(path)} is {kind or 'binary data'}, not text: rename it to what it is, "
        "save it as UTF-8 text, or leave it out"
    )


def _mostly_controls(text: str) -> bool:
    sample = text[:SAMPLE]
    return len(_CONTROLS.findall(sample)) * 20 > len(sample)


def _decode_marked(data: bytes, mark: bytes, encoding: str) -> Decoded:
    return _finish(data.removeprefix(mark), _Choice(encoding, "byte order mark", "replace"))


def _decode(data: bytes, declared: str | None) -> Decoded:
    known = _web_codec(declared)
    if known and _fits(data, known):
        return _finish(data, _Choice(known, "declared"))
    if _fits(data, "utf-8"):
        return _finish(data, _Choice("utf-8", ""))
    return _finish(data, _guess(data, known))


def _web_codec(label: str | None) -> str | None:
    """Return the codec for a label found in a file; ``None`` for what is no encoding of text on the web.

    Python knows codecs such as unicode_escape, which a file must not choose.
    """
    try:
        name = codecs.lookup(label or "").name
    except (LookupError, ValueError):
        return None
    if name in {"iso8859-1", "ascii"}:  # as browsers do: pages that say so mean windows-1252
        return "cp1252"
    return name if _WEB_CODECS.fullmatch(name) else None


def _fits(data: bytes, encoding: str) -> bool:
    try:
        data.decode(encoding)
    except ValueError:
        return False
    return True


def _guess(data: bytes, declared: str | None) -> _Choice:
    """Choose an encoding for bytes that are neither valid UTF-8 nor valid in the declared encoding."""
    if _nearly_utf8(data):
        return _Choice("utf-8", "", "replace")
    if declared and declared != "utf-8":
        return _Choice(declared, "declared", "replace")
    found = _detect(_sample(data))
    if found is None:
        return _Choice("cp1252", "a guess", "replace")
    return _Choice(found, "detected", "replace")


def _detect(sample: bytes) -> str | None:
    """Return the likeliest encoding.

    Western European text often scores the same as, or a little better as, Central European or Baltic; then
    windows-1252 wins, because it is by far the most common.
    """
    matches = list(from_bytes(sample, cp_isolation=_USUAL))
    if not matches:
        return None
    best = matches[0]
    western = next((m for m in matches if "cp1252" in m.could_be_from_charset), None)
    if western is best or (
        western is not None
        and best.encoding in _RIVALS
        and western.chaos <= best.chaos + _TOLERANCE
        and western.coherence >= best.coherence - _TOLERANCE
    ):
        return "cp1252"
    return best.encoding


def _nearly_utf8(data: bytes) -> bool:
    """Whether a few broken bytes stand in what is otherwise UTF-8, as after a cut or a bad join."""
    text = data.decode("utf-8", "replace")[:1_000_000]
    broken = text.count(REPLACEMENT)
    intact = sum(1 for c in text if c > "\x7f") - broken
    return intact > 4 * broken


def _sample(data: bytes) -> bytes:
    """Cut a sample around the first byte that is not ASCII, ending where no character is cut in two."""
    first = re.search(rb"[\x80-\xff]", data)
    start = max(0, first.start() - SAMPLE // 8) if first else 0
    sample = data[start : start + SAMPLE]
    if start + SAMPLE >= len(data):
        return sample
    cut = max(sample.rfind(b"\n"), sample.rfind(b" "))
    return sample[: cut + 1] if cut > SAMPLE // 2 else sample


def _finish(data: bytes, choice: _Choice) -> Decoded:
    text = data.decode(choice.encoding, choice.errors)
    warnings = []
    if choice.encoding not in {"utf-8", "utf_8", "ascii"}:
        warnings.append(f"decoded as {_label(choice.encoding)} ({choice.why})")
    if choice.errors == "replace" and (broken := text.count(REPLACEMENT)):
        warnings.append(f"{broken} broken characters were replaced; save the file as UTF-8 to mend them")
    return Decoded(canonical(text), tuple(warnings))


def _label(codec: str) -> str:
    """Return the name that people know an encoding by."""
    return re.sub(r"^cp(125\d)$", r"windows-\1", codec).replace("_", "-")


def check_lines(path: Path, text: str) -> None:
    """Raise where a text is data rather than prose.

    Raises:
        DamagedFile: it has a line of more than :data:`MAX_LINE` characters.
    """
    longest = max(len(line) for line in text.split("\n"))
    if longest > MAX_LINE:
        raise DamagedFile(
            f"{shown(path)} has a line of {longest:,} characters, which is data rather than prose: "
            "break it into lines, or leave it out"
        )
