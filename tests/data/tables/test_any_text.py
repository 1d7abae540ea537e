"""Any text as a table: a line, or finite samples. Hypothesis draws the text, which found more than our own loops."""

from __future__ import annotations

import numpy as np
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from deepcluster_pl.data.sources.tabular import ArrayData
from deepcluster_pl.errors import UserError

CELL = st.one_of(
    st.floats().map(str),
    st.integers().map(str),
    st.text(max_size=6),
    st.sampled_from(["", "NA", "1,5", "1e999", "0x1f", "2020-01-01", '"', "'", "true", "=cmd()", "\x1b[31m"]),
)
LINE = st.lists(CELL, min_size=1, max_size=4).flatmap(
    lambda cells: st.sampled_from(",;\t| ").map(lambda d: d.join(cells))
)
TABLE = st.one_of(
    st.lists(LINE, max_size=8).map(lambda lines: "\n".join(lines).encode("utf-8", "surrogatepass")),
    st.binary(max_size=80),
)


@settings(
    max_examples=300, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(content=TABLE)
def test_is_refused_in_one_line_or_gives_finite_samples(tmp_path, common, content):
    (tmp_path / "x.csv").write_bytes(content)
    source = ArrayData(str(tmp_path / "x.csv"), None, None, None, **common())
    said = told(source.setup)
    assert len(said.splitlines()) == 1 if said else np.isfinite(source.prepared("fit")).all()


def told(action):
    """Return the line by which an action refuses, or None."""
    try:
        action()
    except UserError as error:
        return str(error)
    return None
