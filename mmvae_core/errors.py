"""The error family: each message says what was given, what was expected and what to do."""


class MMVAEError(Exception):
    """Base of all errors that a user can cause and mend."""


class ConfigError(MMVAEError):
    """A configuration that cannot describe a model or a training."""


class DataError(MMVAEError):
    """Data, files or inputs of a wrong kind, shape or content."""


class RunError(MMVAEError):
    """A run folder that is missing, incomplete or damaged."""


class UsageError(MMVAEError):
    """A name, mask or option that does not exist here."""


def one_line(error: BaseException) -> str:
    """What an error of a library says, in one line; its kind if it says nothing."""
    return " ".join(str(error).split()).rstrip(".") or type(error).__name__
