"""A page's tree: how to walk it, which elements are hidden, and how deep it may be.

Walks are loops, never recursion, and tags nested beyond any real page are dropped before parsing, because
a parser's work grows with the square of the depth (100,000 open <div> take lexbor 39 seconds).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from selectolax.lexbor import LexborNode

MAX_DEPTH = 500
MAX_OPEN_FORMATTING = 30
"""Parsers open every unclosed <b> or <font> again in each paragraph."""

SKIPPED = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "svg",
        "iframe",
        "object",
        "embed",
        "audio",
        "video",
        "canvas",
        "textarea",
        "input",
        "img",
        "datalist",
        "noframes",
        "noembed",
        "annotation",
        "annotation-xml",
        "rp",
        "map",
        "meta",
        "title",
    ]
)
"""Elements without text that a reader sees as text."""

VOID = frozenset(["embed", "img", "input", "meta"])
"""Those of them that have no content, so that nothing is lost with an end tag."""

BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hgroup",
        "hr",
        "legend",
        "li",
        "main",
        "menu",
        "nav",
        "ol",
        "optgroup",
        "option",
        "p",
        "pre",
        "search",
        "section",
        "select",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
        "button",
        "caption",
    ]
)
HEADINGS = frozenset(["h1", "h2", "h3", "h4", "h5", "h6"])

_FORMATTING = frozenset(
    [
        "a",
        "b",
        "big",
        "code",
        "em",
        "font",
        "i",
        "nobr",
        "s",
        "small",
        "span",
        "strike",
        "strong",
        "tt",
        "u",
        "sub",
        "sup",
    ]
)
_NEVER_DEEP = frozenset(
    [
        "p",
        "li",
        "dt",
        "dd",
        "option",
        "br",
        "hr",
        "img",
        "input",
        "meta",
        "link",
        "area",
        "base",
        "col",
        "embed",
        "source",
        "track",
        "wbr",
    ]
)
_HIDING = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_TAG = re.compile(
    r"<!--.*?(?:-->|\Z)|<(script|style|textarea|title)\b.*?(?:</\1|\Z)|<(/?)([a-zA-Z][^\s/<>]*+)[^<>]*+>?",
    re.IGNORECASE | re.DOTALL,
)


def shallow(html: str) -> str:
    """Return the source without tags nested too deep; a block dropped becomes a line break."""
    depth = formatting = 0

    def keep(match: re.Match[str]) -> str:
        nonlocal depth, formatting
        name = (match[3] or "").lower()
        if not name or name in _NEVER_DEEP:
            return match[0]
        step = -1 if match[2] else 1
        if name in _FORMATTING:
            over = formatting >= MAX_OPEN_FORMATTING + (step < 0)
            formatting = max(0, formatting + step)
            return "" if over else match[0]
        over = depth >= MAX_DEPTH + (step < 0)
        depth = max(0, depth + step)
        return "<br>" if over else match[0]

    return _TAG.sub(keep, html)


def walk(root: LexborNode, enter: Callable[[LexborNode], bool], leave: Callable[[LexborNode], None]) -> None:
    """Visit a tree in document order.

    Args:
        root: where to start; its siblings are not visited.
        enter: called for every node; false means that its children are not visited and it is not left.
        leave: called after the children of every node that was entered.
    """
    node: LexborNode | None = root
    above: list[LexborNode] = []
    while node is not None:
        if enter(node):
            child = node.first_child
            if child is not None:
                above.append(node)
                node = child
                continue
            leave(node)
        while above and node.next is None:
            node = above.pop()
            leave(node)
        node = node.next if above else None


def hidden(tag: str, attributes: dict[str, str | None]) -> bool:
    """Whether an element says that it is not shown. Whole pages that do are shown later, by scripts."""
    if tag in {"html", "head", "body"}:
        return False
    return (
        "hidden" in attributes
        or (attributes.get("aria-hidden") or "").lower() == "true"
        or (tag == "dialog" and "open" not in attributes)
        or bool(_HIDING.search(attributes.get("style") or ""))
    )
