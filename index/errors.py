"""Every error Verbatim raises on purpose. Each message names the file or value, and the fix.

::

    VerbatimError
    ├── SettingsError            a setting or an argument has a value that cannot be used
    ├── LoadError                one file cannot be read; the others go on
    │   ├── UnsupportedFormat    no loader for this kind of file
    │   ├── EmptyDocument        the file holds no text
    │   └── DamagedFile          the file is not what its name says, or is broken or locked
    ├── ModelError               the model cannot be found, verified or run
    ├── StoreError               the index as a whole cannot be used
    │   ├── NotAnIndex           the path is a file, or a folder of other things
    │   ├── IndexReadOnly        the index, or its folder, cannot be written
    │   ├── IndexMismatch        of another encoder, or an older version
    │   └── IndexTooNew          a newer version of Verbatim wrote it
    ├── QuestionError            the question is empty or far too long
    └── UnknownConversation      no such conversation, or it is another owner's
"""

from __future__ import annotations


class VerbatimError(Exception):
    """Base of all errors that a person can do something about."""


class SettingsError(VerbatimError):
    """A setting or an argument has a value that cannot be used."""


class LoadError(VerbatimError):
    """One file cannot be read."""


class UnsupportedFormat(LoadError):
    """No loader reads this kind of file."""


class EmptyDocument(LoadError):
    """The file holds no text."""


class DamagedFile(LoadError):
    """The file is not what its name says, or it is broken or locked."""


class ModelError(VerbatimError):
    """The model cannot be found, verified or run."""


class StoreError(VerbatimError):
    """The index as a whole cannot be used."""


class NotAnIndex(StoreError):
    """The path is a file, or a folder that holds something else."""


class IndexReadOnly(StoreError):
    """The index cannot be written."""


class IndexMismatch(StoreError):
    """The stored vectors come from another encoder than the one in use, or from an older version."""


class IndexTooNew(StoreError):
    """A newer version of Verbatim wrote the index."""


class QuestionError(VerbatimError):
    """The question cannot be asked as it is."""


class UnknownConversation(VerbatimError):
    """No such conversation, or it is another owner's."""
