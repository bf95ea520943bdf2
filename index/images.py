"""Finds the names of image files that scraping leaves in a text, alone on a line or glued to a sentence.

A sentence that mentions a file ("Open photo.jpg in the editor.") is prose and stays out of it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from index.lines import word_set
from index.types import Range

if TYPE_CHECKING:
    from collections.abc import Iterator

_TYPES = r"\.(?:jpe?g|png|gif|webp|bmp|tiff?|svg|heic)"
_LONGEST_NAME = 160

_NAME = re.compile(rf"\A[^:/\\|<>]{{1,{_LONGEST_NAME}}}{_TYPES}\Z", re.IGNORECASE)
_GLUED = re.compile(
    rf"(?=\.[jpgwbtsh]){_TYPES}(?=[\"\u201c\u2018«(]?([^\W\d_][^\W\d_]{{0,20}})[\s,])", re.IGNORECASE
)
# What cameras, phones and browsers call a picture; names with spaces are told from prose by it.
_CAMERA = re.compile(
    r"(?:file:|image:)?(?:img|dsc[nf]?|dcim|pxl|mvimg|wp|vid|gopr|photo|image|pic|picture|foto|screenshot|scan"
    r"|фото|снимок|изображение)[\W_]{0,3}(?:[\d_(]|\Z)",
    re.IGNORECASE,
)
_SENTENCE_BEFORE = re.compile(r".*[^\W\d_][.!?:;)][\"”»]?(?=[^\W_])(?!(?:jpe?g|png|gif)\b)")
_MACHINE_MADE = re.compile(r"[\d_]|-[^-]{0,40}-")
_OPENERS = word_set(
    """
    a an the this that these those in on at by for from with during after before as it its he she they
    we his her their there today yesterday one two when while according
    """
)
_PROSE_WORDS = word_set(
    """
    open see view click save download upload use the a an is are file files image picture named called in
    to from of and or rename load attach insert delete this that your my figure fig
    """
)


def image_line(text: str) -> bool:
    """Whether ``text`` is only the name of an image file."""
    if len(text) > _LONGEST_NAME or not _NAME.match(text):
        return False
    if " " not in text:
        return True
    first, *_, last = text.split()
    if _CAMERA.match(text) or "_" in first:
        return True
    words = {word.lower() for word in text.split()}
    return any(map(str.isdecimal, last)) and not words & _PROSE_WORDS


def glued_images(text: str) -> Iterator[Range]:
    """Yield the ranges of image names that the next sentence follows without a space."""
    position = 0
    for match in _GLUED.finditer(text):
        word = match[1]
        if not word[0].isupper() or (word.isupper() and len(word) > 6):
            continue
        start = _start_of_name(text, max(position, match.start() - _LONGEST_NAME), match.start())
        stem = text[start : match.start()]
        if stem and (_MACHINE_MADE.search(stem) or word.lower() in _OPENERS):
            yield Range(start, match.end())
        position = match.end()


def _start_of_name(text: str, earliest: int, end: int) -> int:
    """Return where the file name that ends at ``end`` starts: after a space, a line or a sentence's end."""
    before = text[earliest:end]
    line = earliest + before.rfind("\n") + 1
    on_line = text[line:end]
    at_line_start = line == 0 or text[line - 1] == "\n"
    if at_line_start and _CAMERA.match(on_line):
        return line
    word = line + max((on_line.rfind(space) for space in " \t\u00a0"), default=-1) + 1
    if word == line and not at_line_start:
        return end
    sentence = _SENTENCE_BEFORE.match(text[word:end])
    return word + sentence.end() if sentence and sentence.end() < end - word else word
