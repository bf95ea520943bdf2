"""Questions in, cited answers out.

>>> from qa import answer
>>> print(answer("When is Independence Day?").text)  # doctest: +SKIP
"""

from qa.assistant import Assistant, answer
from qa.settings import Settings
from qa.types import Answer, Candidate, Citation, Turn

__all__ = ["Answer", "Assistant", "Candidate", "Citation", "Settings", "Turn", "answer"]
