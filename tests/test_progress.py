import io
import sys

import pytest

from splitshare.progress import counter, steps, track


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_without_a_terminal_items_pass_and_nothing_is_written(capsys: pytest.CaptureFixture[str]):
    assert list(track([1, 2, 3], "counting")) == [1, 2, 3]
    assert capsys.readouterr() == ("", "")


def test_a_person_sees_a_bar_on_standard_error(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    assert list(track(iter("abc"), "spelling", total=3)) == ["a", "b", "c"]
    assert "spelling" in terminal.getvalue()
    assert capsys.readouterr().out == ""


def test_ends_are_counted(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with counter("replaying", 2) as ended:
        ended()
        ended()
    assert "replaying" in terminal.getvalue()
    assert "100%" in terminal.getvalue()


def test_nobody_watches_a_counter(capsys: pytest.CaptureFixture[str]):
    with counter("replaying", 2) as ended:
        ended()
    assert capsys.readouterr() == ("", "")


def test_steps_of_different_weight_share_a_bar(monkeypatch: pytest.MonkeyPatch):
    terminal = Terminal()
    monkeypatch.setattr(sys, "stderr", terminal)
    with steps("judging", 10.0) as start:
        start("1 of 2: quick", 4, 1.0)(1)  # fails midway: it is over when the next one starts
        second = start("2 of 2: slow", 3, 9.0)
        second(1)
        second(2)
    shown = terminal.getvalue()
    assert "judging" in shown
    assert "2 of 2: slow" in shown
    assert shown.count("100%") >= 2


def test_nobody_watches_steps(capsys: pytest.CaptureFixture[str]):
    with steps("judging", 1.0) as start:
        start("1 of 1", 1, 1.0)(1)
    assert capsys.readouterr() == ("", "")
