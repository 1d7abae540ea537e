"""Content of a source of pictures, and the files that it decodes."""

from __future__ import annotations

import numpy as np

from deepcluster_pl.data.images import cached_reading as module


def everything(source):
    source.setup()
    part = source.part("fit")
    return list(part.ids), part.take(np.arange(len(part)))


def read_now(source, monkeypatch):
    """Names of the files that were decoded while the source was set up."""
    names, original = [], module.extract_all

    def watched(job, asked, processes):
        names.extend(asked)
        return original(job, asked, processes)

    with monkeypatch.context() as patch:
        patch.setattr(module, "extract_all", watched)
        source.setup()
    return sorted(names)
