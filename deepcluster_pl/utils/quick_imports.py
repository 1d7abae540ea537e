"""Import without garbage collections, which look at a million objects of the libraries again and again."""

from __future__ import annotations

import atexit
import gc
import sys
from collections.abc import Iterator
from contextlib import contextmanager


@contextmanager
def quick_imports() -> Iterator[None]:
    """Switch garbage collection off while a command imports torch and what else it needs.

    Afterwards it works as before on all newer objects. It leaves out those of the libraries, which stay as long as the
    process does; the last collection of a process, at its exit, leaves out all. Where torch is imported already nothing
    is changed: then the objects are those of another program.
    """
    if "torch" in sys.modules or not gc.isenabled():
        yield
        return
    atexit.register(gc.freeze)
    gc.disable()
    try:
        yield
    finally:
        gc.freeze()
        gc.enable()
