"""Run contestants in turn, once in every round, so that other load of the machine slows all of them."""

from __future__ import annotations

from collections.abc import Callable

Row = tuple[str, list[float], str]
"""Name of a measurement, its value in every round, and its aim."""


def in_turn(contestants: dict[str, Callable[[int], float]], steps: int, rounds: int) -> dict[str, list[float]]:
    """Return the value of each contestant in every round; a warm-up round before the first is not counted."""
    took: dict[str, list[float]] = {name: [] for name in contestants}
    for number in range(rounds + 1):
        for name, run in contestants.items():
            value = run(steps)
            if number:
                took[name].append(value)
        print(
            f"round {number} of {rounds}: "
            + ", ".join(f"{name} {values[-1]:.3g}" for name, values in took.items() if values)
        )
    return took


def ratios(above: list[float], below: list[float]) -> list[float]:
    """Return the ratio of two contestants, round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]
