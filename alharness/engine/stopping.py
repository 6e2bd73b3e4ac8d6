"""Early stopping: the best epoch so far, and when to stop waiting for a better one."""

from __future__ import annotations

import math


class Patience:
    """Which epochs were the best so far.

    Args:
        epochs: without a better score after which training ends.

    >>> patience = Patience(2)
    >>> [(patience.improved(score), patience.exhausted) for score in (0.5, 0.6, 0.6, 0.1)]
    [(True, False), (True, False), (False, False), (False, True)]
    """

    def __init__(self, epochs: int) -> None:
        self._epochs = epochs
        self._best = -math.inf
        self._waited = 0

    def improved(self, score: float) -> bool:
        """Note an epoch's score, larger being better; whether it is the best so far. The first of equals is."""
        if score > self._best:
            self._best, self._waited = score, 0
            return True
        self._waited += 1
        return False

    @property
    def exhausted(self) -> bool:
        """Whether it is time to stop."""
        return self._waited >= self._epochs
