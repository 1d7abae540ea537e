"""Taking turns: what is compared runs once in every round, so that a busy machine is busy for all of it."""

from __future__ import annotations

from collections.abc import Callable

Row = tuple[str, list[float], str]
"""What is measured, its value in every round, and what was aimed at."""


def in_turn(contestants: dict[str, Callable[[int], float]], steps: int, rounds: int) -> dict[str, list[float]]:
    """What each of them answers in every round; a round before the first is thrown away."""
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
    """Round by round."""
    return [a / b for a, b in zip(above, below, strict=True)]
