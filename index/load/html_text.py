"""Text that grows as a browser lays it out. Knows whitespace, and no elements."""

from __future__ import annotations

import re

_SPACES = re.compile(r"[ \t\n\r\f]{2,}|[\t\n\r\f]")  # what a browser collapses: not the no-break space


class Layout:
    """Text that grows as a browser lays it out: whitespace collapsed, line breaks only where due."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self.length = 0
        # Where each prefix begins -> where it ends.
        self.prefixes: dict[int, int] = {}
        self._breaks = 0
        self._space = False
        self._prefix = ""

    def add(self, text: str) -> None:
        """Add inline text."""
        collapsed = _SPACES.sub(" ", text)
        if collapsed.startswith(" "):
            self._space = True
        bare = collapsed.strip(" ")
        if bare:
            self._flush()
            self._put(bare)
            self._space = collapsed.endswith(" ")

    def add_verbatim(self, text: str) -> None:
        """Add preformatted text."""
        if text:
            self._space = False
            self._flush()
            self._put(text)

    def separate(self, breaks: int) -> None:
        """Make sure that at least so many line breaks come before what follows."""
        if not self._prefix:  # a paragraph that opens a list item stands on the item's line
            self._breaks = max(self._breaks, breaks)
        self._space = False

    def line_break(self) -> None:
        """Add a line break, as <br> does."""
        self._breaks = min(self._breaks + 1, 2)
        self._space = False

    def prefix(self, text: str) -> None:
        """Put ``text`` before what follows, if anything does."""
        self._prefix = text

    def value(self) -> str:
        """Return the text so far."""
        return "".join(self._parts)

    def _flush(self) -> None:
        if self._breaks and self.length:
            self._put("\n" * self._breaks)
        elif self._space and self.length:
            self._put(" ")
        if self._prefix:
            self.prefixes[self.length] = self.length + len(self._prefix)
            self._put(self._prefix)
        self._breaks, self._space, self._prefix = 0, False, ""

    def _put(self, text: str) -> None:
        self._parts.append(text)
        self.length += len(text)
