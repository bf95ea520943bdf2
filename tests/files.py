"""Writes the files that tests read: PDFs, Word documents, archives. Everything is made at run time."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Sequence

import docx
import pypdf
from reportlab.pdfgen import canvas


def pdf_bytes(
    pages: Sequence[Sequence[str]], title: str = "", bookmarks: Sequence[tuple[str, int]] = ()
) -> bytes:
    """Return a PDF with the given lines on each page; bookmarks are (title, page counted from 0)."""
    out = io.BytesIO()
    sheet = canvas.Canvas(out)
    if title:
        sheet.setTitle(title)
    for number, lines in enumerate(pages):
        for name, at in bookmarks:
            if at == number:
                sheet.bookmarkPage(name)
                sheet.addOutlineEntry(name, name)
        for row, line in enumerate(lines):
            sheet.drawString(50, 800 - 18 * row, line)
        sheet.showPage()
    sheet.save()
    return out.getvalue()


def encrypted(pdf: bytes, password: str, algorithm: str = "RC4-128") -> bytes:
    """Return an encrypted PDF, opened by ``password`` ("" opens without asking)."""
    writer = pypdf.PdfWriter(clone_from=io.BytesIO(pdf))
    writer.encrypt(password, "the owner's", algorithm=algorithm)
    out = io.BytesIO()
    writer.write(out)
    return out.getvalue()


def docx_bytes(write: Callable[[docx.document.Document], None]) -> bytes:
    """Return the Word document that ``write`` fills."""
    document = docx.Document()
    write(document)
    out = io.BytesIO()
    document.save(out)
    return out.getvalue()


def zip_bytes(members: dict[str, bytes]) -> bytes:
    """Return a compressed zip archive."""
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return out.getvalue()


def with_member(archive: bytes, name: str, change: Callable[[bytes], bytes]) -> bytes:
    """Return a zip archive with one member changed."""
    with zipfile.ZipFile(io.BytesIO(archive)) as source:
        members = {info.filename: source.read(info) for info in source.infolist()}
    return zip_bytes({key: change(data) if key == name else data for key, data in members.items()})
