"""How the reader was made: ``python -m qa.training``. Nothing of Verbatim needs it to answer questions."""
