"""Facts of an answer in words, the same in the terminal and on the page."""

from __future__ import annotations

from datetime import date

# From which confidence on, in words, and the class of its colour.
CONFIDENCE = (
    (1.0, "Certain", "sure"),
    (0.9, "Very likely right", "sure"),
    (0.7, "Likely right", "likely"),
    (0.0, "Uncertain: check the source", "unsure"),
)
# A first answer below this is shown as no clear one; further ones below the other are left out.
UNSURE = 0.2
FAINT = 0.1
UNDATED = "undated"


def confidence_in_words(confidence: float) -> str:
    """Return a confidence as words and percent; 100% is for certainty only."""
    words = next(words for least, words, _ in CONFIDENCE if confidence >= least)
    percent = 100 if confidence >= 1 else min(round(confidence * 100), 99)
    return f"{words} · {percent}%"


def chosen_in_words(count: int) -> str:
    """Return, as a sentence, that only so many documents were asked."""
    return f"Asked of {count:,} chosen document{'' if count == 1 else 's'} only."


def written_date(iso: str | None) -> str:
    """Return an ISO date as people write it, without doubt about day and month."""
    if iso is None:
        return UNDATED
    try:
        day = date.fromisoformat(iso)
    except ValueError:
        return iso
    return f"{day.day} {day:%B} {day.year}"
