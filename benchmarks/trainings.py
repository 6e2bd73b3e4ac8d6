"""Trainings as the harness makes them: as a stack, one by one, and one by one by the version before stacks.

That version is loaded by a process of its own, which runs this file as a program.
"""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

if __name__ == "__main__":
    import alharness  # first of all, from where PYTHONPATH says; what follows is of this folder

    sys.path.insert(0, str(Path(__file__).parents[1]))

from alharness.engine.training import Trainer
from alharness.spec.settings import TrainingSettings
from benchmarks.problems import Training

if TYPE_CHECKING:
    from torch import nn

    from alharness.engine.recipe import Validation
    from benchmarks.bench import Call


def stacked(problem: Training) -> Call:
    """All members as one stack, recorded beforehand; gives the model of the first."""
    from alharness.engine.recipe import Fit

    trainer, ready = _trainer(problem)
    requests = [
        Fit(labeled=problem.samples(member), seed=member, valid=ready) for member in range(problem.members)
    ]
    trainer.fit(requests[0].labeled, 0, ready)

    def call() -> nn.Module:
        models = []
        for fitted in trainer.fit_many(requests):
            if isinstance(fitted, BaseException):
                raise fitted
            models.append(fitted.model)
        return models[0]

    return call


def one_by_one(problem: Training) -> Call:
    """Each member by itself; gives the model of the last."""
    trainer, ready = _trainer(problem)
    samples = [problem.samples(member) for member in range(problem.members)]
    trainer.fit(samples[0], 0, ready)

    def call() -> nn.Module:
        return [trainer.fit(labeled, member, ready).model for member, labeled in enumerate(samples)][-1]

    return call


class Before:
    """The same, one by one by the version before stacks, for each call; gives what one training took, a `Cost`.

    Args:
        root: the folder of that version.
        problem: what is trained.
    """

    def __init__(self, root: Path, problem: Training) -> None:
        from benchmarks import before

        self._pieces = problem.members
        self._process = subprocess.Popen(  # noqa: S603 - our own command line
            [sys.executable, __file__, json.dumps(asdict(problem))],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=before.environment(root),
        )
        if not Path(self._answer()["code"]).is_relative_to(root):
            raise RuntimeError(f"the code of {root} is not what PYTHONPATH leads to")

    def __call__(self) -> object:
        """Raises RuntimeError if the process has ended; what it said is on the screen."""
        from benchmarks.rows import Cost, per_piece

        assert self._process.stdin is not None
        self._process.stdin.write("\n")
        self._process.stdin.flush()
        return per_piece(Cost(**self._answer()), self._pieces)

    def __del__(self) -> None:
        """End the process."""
        self._process.kill()
        self._process.communicate()

    def _answer(self) -> Any:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError(f"the version before stacks ended with {self._process.wait()}")
        return json.loads(line)


def _trainer(problem: Training) -> tuple[Trainer, Validation | None]:
    """One that trains every epoch, and what it validates with."""
    settings = TrainingSettings(
        epochs=problem.epochs,
        batch_size=problem.batch,
        patience=problem.epochs,
        stop_on="loss",
        device="cpu",
    )
    trainer, valid = Trainer(problem.network, settings), problem.validation()
    return trainer, None if valid is None else trainer.validation(valid)


def main() -> None:
    """Train once for every line that comes, and say what it took."""
    import torch

    from benchmarks.bench import lap

    torch.set_num_threads(1)
    call = one_by_one(Training(**json.loads(sys.argv[1])))
    _say({"code": alharness.__file__})
    for _ in sys.stdin:
        _say(asdict(lap(call)[0]))


def _say(answer: dict[str, Any]) -> None:
    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
