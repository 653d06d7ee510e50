"""The error family: each message says what was given, what was expected and what to do."""

import re

SHOWN = 200
ENDLESS = re.compile(r"[^\s'\"]{999,}[^\s'\".,;]")
"""Names and paths of which SHOWN letters are shown."""


class MMVAEError(Exception):
    """Base of all errors that a user can cause and mend."""

    def __str__(self) -> str:
        """The sentence; bytes of a folder's name that are no text are shown by their number.

        Of a name that is too long for any file the beginning is shown.
        """
        said = super().__str__().encode("utf-8", "backslashreplace").decode()
        return ENDLESS.sub(lambda word: f"{word[0][:SHOWN]}…", said)


class ConfigError(MMVAEError):
    """A configuration that cannot describe a model or a training."""


class DataError(MMVAEError):
    """Data, files or inputs of a wrong kind, shape or content."""


class RunError(MMVAEError):
    """A run folder that is missing, incomplete or damaged."""


class UsageError(MMVAEError):
    """A name, mask or option that does not exist here."""


class StoppedError(MMVAEError):
    """Work that was stopped by Ctrl-C or SIGTERM, and how it goes on."""


def one_line(error: BaseException) -> str:
    """What an error of a library says, in one line; its kind if it says nothing."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
