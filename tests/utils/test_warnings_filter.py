"""Silencing other libraries: expected warnings and tips go, the rest stays, and afterwards all is as it was."""

from __future__ import annotations

import errno
import logging
import threading
import warnings

import pytest

from deepcluster_pl.utils.warnings_filter import silence_libraries, silenced_libraries

LOGGERS = ("pytorch_lightning", "lightning_fabric", "lightning.pytorch", "lightning")
EXPECTED = "The 'train_dataloader' does not have many workers which may be a bottleneck."


def state():
    return [logging.getLogger(name).level for name in LOGGERS], list(warnings.filters), threading.excepthook


@pytest.fixture(autouse=True)
def plain(monkeypatch):
    """Levels, filters and hook of a process that nobody has changed; restored after the test."""
    before = {name: logging.getLogger(name).level for name in LOGGERS}
    monkeypatch.setattr(threading, "excepthook", threading.__excepthook__)
    for name in LOGGERS:
        logging.getLogger(name).setLevel(logging.INFO)
    with warnings.catch_warnings():
        warnings.resetwarnings()
        yield
    for name, level in before.items():
        logging.getLogger(name).setLevel(level)


def warned():
    """The texts of two warnings, one of them expected, that come through."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.warn(EXPECTED, UserWarning, stacklevel=1)
        warnings.warn("the loss is odd", UserWarning, stacklevel=1)
    return [str(warning.message) for warning in caught]


def fail(error):
    thread = threading.Thread(target=lambda: (_ for _ in ()).throw(error))
    thread.start()
    thread.join()


def test_expected_warnings_and_tips_are_dropped_and_others_are_not():
    assert warned() == [EXPECTED, "the loss is odd"]
    with silenced_libraries():
        assert warned() == ["the loss is odd"]
        assert not logging.getLogger("pytorch_lightning").isEnabledFor(logging.WARNING)
        assert logging.getLogger("pytorch_lightning").isEnabledFor(logging.ERROR)
    assert warned() == [EXPECTED, "the loss is odd"]


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt])
def test_everything_is_restored_however_the_block_ends(error):
    before = state()
    try:
        with silenced_libraries():
            assert all(here != there for here, there in zip(state(), before, strict=True))
            if error is not None:
                raise error
    except (ValueError, KeyboardInterrupt):
        pass
    assert state() == before


def test_a_block_inside_a_silenced_process_leaves_it_silenced():
    silence_libraries()
    before = state()
    with silenced_libraries(), silenced_libraries():
        assert warned() == ["the loss is odd"]
    assert state() == before
    assert warned() == ["the loss is odd"]


def test_blocks_of_two_threads_that_overlap_restore_when_the_last_one_ends():
    before, entered, leave = state(), threading.Event(), threading.Event()

    def hold():
        with silenced_libraries():
            entered.set()
            leave.wait(10)

    first = threading.Thread(target=hold)
    first.start()
    assert entered.wait(10)
    with silenced_libraries():
        leave.set()
        first.join()
        assert warned() == ["the loss is odd"]
        assert state() != before
    assert state() == before


def test_what_somebody_else_changed_inside_stays():
    def own_hook(args):
        pass

    with silenced_libraries():
        threading.excepthook = own_hook
        logging.getLogger("lightning").setLevel(logging.DEBUG)
    assert threading.excepthook is own_hook
    assert logging.getLogger("lightning").level == logging.DEBUG
    assert logging.getLogger("pytorch_lightning").level == logging.INFO


def test_a_thread_that_fails_is_reported_unless_the_disk_refused(capsys):
    with silenced_libraries():
        fail(ValueError("a bug"))
        assert "ValueError: a bug" in capsys.readouterr().err
        fail(OSError(errno.ENOSPC, "No space left on device"))
        assert capsys.readouterr().err == ""


def test_the_hook_of_somebody_else_is_not_replaced(monkeypatch):
    seen = []
    monkeypatch.setattr(threading, "excepthook", seen.append)
    with silenced_libraries():
        fail(OSError(errno.ENOSPC, "No space left on device"))
    assert [type(args.exc_value) for args in seen] == [OSError]
