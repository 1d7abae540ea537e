"""The one error a person sees as a single line: what was found, what was expected, what to type."""


class UserError(ValueError):
    """Bad input: the command line prints its text, without a traceback, and exits with code 1.

    It is a `ValueError`, so that code calling the package as a library can treat it as one.
    """
