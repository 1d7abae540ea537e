"""The one error a person sees as a single line: what was found, what was expected, what to type."""


class UserError(ValueError):
    """Bad input: the command line prints its text, without a traceback, and exits with code 1.

    It is a `ValueError`, so that code calling the package as a library can treat it as one.
    """


def diverged(stage: str, step: int, found: str) -> UserError:
    """The error of a training whose numbers are no longer finite.

    >>> str(diverged("fit", 40, "the loss is nan"))
    'the fit diverged: the loss is nan after step 40; type a smaller fit.optimizer.lr'
    """
    name = "pretraining" if stage == "pretrain" else f"the {stage}"
    return UserError(f"{name} diverged: {found} after step {step}; type a smaller {stage}.optimizer.lr")
