"""What browsers load: the page itself, its parts by themselves, the login. All HTML is made here, escaped."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any
from urllib.parse import parse_qs

from fastapi import APIRouter, HTTPException, Query, Request, Response
from fastapi.responses import HTMLResponse, JSONResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape
from markupsafe import Markup
from pydantic import BaseModel

from index.errors import UnknownConversation
from index.index import MAX_QUESTION_CHARACTERS
from index.load import SUFFIXES
from index.load.files import MAX_BYTES
from index.types import Document, DocumentInfo, Range
from qa.web import chat, document_view, prose, rendering, strings
from qa.web.access import local_path, too_many
from qa.web.document_view import Focus
from qa.web.library import is_original
from qa.web.service import Service, service
from qa.wording import written_date

router = APIRouter(include_in_schema=False)
_LISTED = 50

_templates = Environment(
    loader=PackageLoader("qa.web", "templates"),
    autoescape=select_autoescape(default=True),
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
_templates.globals["s"] = strings
_templates.filters["shown"] = lambda text: Markup(prose.escape(text))  # noqa: S704 - escaped by prose
_templates.filters["plain"] = prose.plain
_templates.filters["day"] = written_date


def _page(name: str, status: int = 200, /, **values: Any) -> HTMLResponse:
    return HTMLResponse(_templates.get_template(name).render(values), status)


# The page


@router.get("/")
def new_conversation(request: Request) -> Response:
    """Show an empty conversation."""
    return _shell(request, "ask")


@router.get("/documents")
def documents_tab(request: Request) -> Response:
    """Show the documents."""
    return _shell(request, "documents")


@router.get("/c/{conversation}")
def stored_conversation(conversation: str, request: Request) -> Response:
    """Show a conversation of this browser."""
    return _shell(request, "ask", conversation)


def _shell(request: Request, view: str, conversation: str = "") -> Response:
    served = service(request)
    owner = served.access.owner(request)
    if owner is None and _may_arrive(request):
        return HTMLResponse(strings.ARRIVING_AGAIN)
    title, turns, missing = "", [], False
    if conversation:
        try:
            title = served.conversations.info(owner or "", conversation).title
            turns = list(chat.shown(served, owner or "", conversation))
        except UnknownConversation:
            conversation, missing = "", True
    page = _page(
        "page.html",
        404 if missing else 200,
        view=view,
        library=_over(served),
        conversation=conversation,
        title=title,
        turns=[Markup(turn) for turn, _ in turns],  # noqa: S704 - made by rendering
        sources=[Markup(group) for _, group in turns],  # noqa: S704 - likewise
        missing=missing,
        conversations=served.conversations.list(owner) if owner else [],
        # Else it is loaded once it is looked at: with many documents it is long.
        listing=_listing(served) if view == "documents" else None,
        longest=MAX_QUESTION_CHARACTERS,
        accept=",".join(SUFFIXES),
        megabytes=MAX_BYTES // 1_000_000,
        has_password=served.access.password is not None,
    )
    served.access.remember_owner(request, page, owner)
    return page


def _may_arrive(request: Request) -> bool:
    """Whether a link of another site may have led here, so that the browser kept back its cookies.

    Without TLS, from another machine, browsers do not say. The page then loads itself once more: only who
    has no cookies even so is someone new.
    """
    told = "sec-fetch-site" in request.headers or "again" in request.query_params
    return not told and "text/html" in request.headers.get("accept", "")


def _over(served: Service) -> dict[str, Any]:
    corpus = served.library.corpus
    count = len(corpus.assistant.index.document_ids())
    return {
        "name": corpus.name,
        "kind": corpus.kind,
        "count": count,
        "size": strings.counted(count, "document"),
    }


def problem(detail: str) -> str:
    """Return a page that says what is wrong."""
    return _templates.get_template("problem.html").render(detail=detail)


# Its parts


@router.get("/chat/welcome")
def welcome(request: Request) -> HTMLResponse:
    """Return what an empty conversation shows, with questions to begin with; it may take seconds."""
    served = service(request)
    examples = served.examples() if served.library.index.document_ids() else []
    return _page("welcome.html", library=_over(served), examples=examples)


@router.get("/chat/list")
def conversations(request: Request, owner: chat.Owner, query: str = "", current: str = "") -> HTMLResponse:
    """Return the conversations of this browser that hold all words of ``query``."""
    found = service(request).conversations.list(owner, query)
    return _page("conversations.html", conversations=found, conversation=current, query=query)


@router.get("/documents/list")
def documents(request: Request, query: str = "", offset: Annotated[int, Query(ge=0)] = 0) -> HTMLResponse:
    """Return rows of the list of documents."""
    served = service(request)
    listing = _listing(served, query, offset)
    return _page("documents.html", listing=listing, library=_over(served))


@router.post("/documents/seeds", status_code=204)
def to_seeds(request: Request) -> None:
    """Answer over the documents that come with Verbatim, where there are none of one's own."""
    service(request).library.return_to_seeds()


def _listing(served: Service, query: str = "", offset: int = 0) -> dict[str, Any]:
    found = served.library.listing(query, offset, _LISTED)
    rows = [_row(served, info) for info in found.infos]
    following = offset + len(rows)
    return {
        "rows": rows,
        "query": query,
        "offset": offset,
        "next": following if following < found.matching else None,
        "matching": found.matching,
        "total": found.of,
    }


def _row(served: Service, info: DocumentInfo) -> dict[str, Any]:
    paths = [Path(source) for source in info.sources]
    return {
        "info": info,
        "files": [path.name for path in paths],
        "pages": served.library.pages(info),
        "original": any(map(is_original, paths)),
    }


class Place(BaseModel):
    """A quote in a document and the answer in it; a ``start`` alone is a place to scroll to.

    ``digest`` tells whether the quote still stands there.
    """

    start: int | None = None
    end: int | None = None
    answer_start: int | None = None
    answer_end: int | None = None
    digest: str = ""

    def focus(self, document: Document) -> Focus | None:
        """Return the quote to set off, or ``None`` where there is none, or the document has changed."""
        if self.start is None or not 0 <= self.start < len(document.text):
            return None
        quote = Range(self.start, self.start if self.end is None else self.end)
        if not quote.start <= quote.end <= len(document.text):
            return None
        if self.digest and rendering.digest(document.text[quote.start : quote.end]) != self.digest:
            return None
        start, end = self.answer_start, self.answer_end
        return Focus(
            quote, Range(quote.start, quote.start) if start is None or end is None else Range(start, end)
        )


@router.get("/documents/{document}/view")
def view(document: str, request: Request, place: Annotated[Place, Query()]) -> HTMLResponse:
    """Return a document, the stretch around a quote of it, where one is named."""
    found = _found(service(request), document)
    focus = place.focus(found)
    part = document_view.around(found, focus)
    section = found.section_at(focus.quote.start) if focus else None
    return _page(
        "document.html",
        document=found,
        title=section.title if section and section.title else found.title,
        date=section.date if section else next((one.date for one in found.sections if one.date), None),
        page=found.page_at(focus.answer.start) if focus else None,
        pages=len(found.pages),
        file=Path(found.source).name,
        original=is_original(Path(found.source)),
        changed=bool(place.digest) and focus is None,
        greyed=bool(found.marked),
        part=part,
        length=len(found.text),
        text=Markup(document_view.stretch(found, part, focus)),  # noqa: S704 - escaped there
    )


@router.get("/documents/{document}/text")
def stretch(document: str, request: Request, before: int | None = None, after: int = 0) -> HTMLResponse:
    """Return the stretch of a document before or after a place."""
    found = _found(service(request), document)
    part = document_view.after(found, after) if before is None else document_view.before(found, before)
    return HTMLResponse(document_view.stretch(found, part))


@router.get("/documents/{document}/find")
def find(
    document: str,
    request: Request,
    words: Annotated[str, Query(min_length=1, max_length=400)],
    after: int = -1,
) -> JSONResponse:
    """Return where words stand next in a document, in any case, from its beginning after the last place."""
    text = _found(service(request), document).text
    pattern = re.compile(r"\s+".join(map(re.escape, words.split())), re.IGNORECASE)
    match = pattern.search(text, min(max(after + 1, 0), len(text))) or pattern.search(text)
    if match is None or not match.group():
        raise HTTPException(404, strings.FIND_NOTHING)
    return JSONResponse({"start": match.start(), "end": match.end()})


def _found(served: Service, document: str) -> Document:
    found = served.library.document(document)
    if found is None:
        raise HTTPException(404, strings.NO_DOCUMENT)
    return found


# Getting in


@router.get("/login")
def login(request: Request, next: str = "/") -> Response:  # noqa: A002 - the name in the address
    """Ask for the password."""
    if service(request).access.is_let_in(request):
        return RedirectResponse(local_path(next), 303)
    return _page("login.html", next=local_path(next), problem="")


@router.post("/login")
async def log_in(request: Request) -> Response:
    """Let in who knows the password."""
    access = service(request).access
    form = parse_qs((await request.body()).decode("utf-8", "replace"))
    onward = local_path(form.get("next", ["/"])[0])
    if wait := access.wait(request):
        refused = too_many(wait)
        told = strings.WAIT.format(seconds=refused.headers["Retry-After"])
        page = _page("login.html", 429, next=onward, problem=told)
        page.headers["Retry-After"] = refused.headers["Retry-After"]
        return page
    if not access.check(request, form.get("password", [""])[0]):
        return _page("login.html", 401, next=onward, problem=strings.PASSWORD_WRONG)
    onwards = RedirectResponse(onward, 303)
    access.let_in(request, onwards)
    return onwards


@router.post("/logout")
def log_out(request: Request) -> Response:
    """Forget that the browser gave the password."""
    gone = RedirectResponse("/login", 303)
    gone.delete_cookie(service(request).access.session_cookie)
    return gone
