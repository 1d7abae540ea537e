"""Fixtures of many tests: the command line inside the test process, as if typed in a fresh folder; a browser."""

from __future__ import annotations

import traceback
from pathlib import Path

import pytest
from helpers.browser import CHROMIUM, DRIVER, QUIET, resize
from helpers.command_line import Outcome

from deepcluster_pl.cli import main as cli

BLANK = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a49444154789c63f80f0001010100b138f6140000"
    "000049454e44ae426082"
)
"""A picture of one white pixel."""


@pytest.fixture(autouse=True)
def blank_figures(request, monkeypatch):
    """Store every figure as one white pixel, since drawing is half of a short run; `draws` marks those that look."""
    runs = not {"cli_run", "deepcluster"}.isdisjoint(request.fixturenames)
    if runs and request.node.get_closest_marker("draws") is None:
        from matplotlib.figure import Figure

        monkeypatch.setattr(Figure, "savefig", lambda figure, file, **options: file.write(BLANK))


@pytest.fixture
def cli_run(tmp_path, monkeypatch, capsys):
    """Call with overrides; the run's folder is <tmp>/<name>."""
    monkeypatch.chdir(tmp_path)

    def call(*arguments: str, name: str = "run") -> Outcome:
        folder = tmp_path / name
        own_folder = any(a.startswith(("resume=", "hydra.run.dir=", "hydra.sweep.dir=")) for a in arguments)
        where = () if own_folder else (f"hydra.sweep.dir={folder}" if "-m" in arguments else f"hydra.run.dir={folder}",)
        return _typed([*arguments, *where], capsys, folder)

    return call


@pytest.fixture
def deepcluster(capsys):
    """Call with the words of a subcommand, such as predict run=<folder>."""

    def call(*words: object) -> Outcome:
        return _typed([str(word) for word in words], capsys, Path())

    return call


def _typed(words: list[str], capsys: pytest.CaptureFixture[str], folder: Path) -> Outcome:
    """Run one command line in this process; an error that nobody expected ends it as it ends Python, with code 1."""
    try:
        cli.main(words)
    except SystemExit as end:
        code = int(end.code or 0)
    except Exception:
        traceback.print_exc()
        code = 1
    else:
        raise AssertionError("the command line always exits")
    captured = capsys.readouterr()
    return Outcome(code, captured.out, captured.err, folder)


@pytest.fixture
def browser(tmp_path):
    """A window of 1200 x 900 with nothing remembered."""
    from selenium import webdriver

    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for flag in (*QUIET, f"--user-data-dir={tmp_path / 'profile'}"):
        options.add_argument(flag)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(DRIVER))
    resize(driver, 1200, 900)
    yield driver
    driver.quit()
