"""What every data set promises, as tests to inherit."""

from __future__ import annotations

import random
import time
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar
from unittest import SkipTest

import numpy as np

from alharness.api.samples import Samples
from alharness.engine.soundness import require_sound, require_splits
from alharness.errors import DataError, SpecError

from .kit import Conformance, refuses

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from alharness.api.dataset import Dataset, DatasetFacts, DatasetPlugin
    from alharness.api.samples import Splits

QUICK = 2.0
"""Seconds that `inspect` may take: `alharness check` calls it at every start."""
UNUSUAL = 91_337
"""A seed that no plugin sets."""
EXAMPLES = 50
"""Samples whose pooled vectors are computed again."""


def _random_state() -> tuple[Any, ...]:
    """Of Python's and numpy's generators, as something that can be compared; torch is not imported for this."""
    name, key, *rest = np.random.get_state(legacy=True)  # noqa: NPY002 - a plugin may have used it
    return random.getstate(), (name, np.asarray(key).tobytes(), *rest)


@contextmanager
def _seeded(seed: int) -> Iterator[None]:
    """A block in which these generators begin with this seed."""
    state, legacy = random.getstate(), np.random.get_state()  # noqa: NPY002
    try:
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        yield
    finally:
        random.setstate(state)
        np.random.set_state(legacy)  # noqa: NPY002


class DatasetConformance(Conformance):
    """Inherit, name the plugin, and pytest runs one test per promise.

    >>> from alharness.datasets.digits.plugin import alharness_datasets
    >>> from alharness.testing import DatasetConformance
    >>> class TestDigits(DatasetConformance):
    ...     plugin = alharness_datasets()[0]
    >>> TestDigits().test_inspect_says_what_make_returns()

    Attributes:
        plugin: the data set's plugin.
        missing: parameters that name files which are not there, if there are such parameters: then `inspect` must
            raise DataError.
    """

    plugin: DatasetPlugin
    missing: ClassVar[Mapping[str, Any]] = {}

    def supposed(self) -> Mapping[str, Any]:
        """Parameters that lead to no files. Raises DataError if its own are not here: then nothing can be said."""
        self._facts()
        given = {name: getattr(self._params(), name) for name in self.params}
        nowhere = {n: x.absolute().with_name(f"none{x.suffix}") for n, x in given.items() if isinstance(x, Path)}
        return {"missing": {**self.params, **nowhere}} if nowhere else {}

    # What is known before it is loaded

    def test_inspect_is_quick(self) -> None:
        """`alharness check` calls it at every start."""
        began = time.perf_counter()
        self._facts()
        took = time.perf_counter() - began
        assert took < QUICK, f"it took {took:.1f} s; read the sizes of files, not the files"

    def test_inspect_says_the_same_twice(self) -> None:
        """A run directory keeps it, and a run is continued only if nothing has changed."""
        assert self._facts() == self._facts(), "its facts differ from call to call"

    def test_files_that_are_missing_are_a_data_error(self) -> None:
        """Not a bug: the message says how to get them."""
        if not self.missing:
            raise SkipTest("`missing` names no parameters that lead to no files")
        with refuses(DataError, SpecError):
            self.plugin.inspect(self.plugin.params(**self.missing))

    def test_inspect_says_what_make_returns(self) -> None:
        """Task, modalities, what samples may lack, what is known of made-up ones, whether they are made up."""
        facts, dataset = self._facts(), self._dataset()
        for name in ("task", "modalities", "incomplete", "truth", "synthetic"):
            said, found = getattr(facts, name), getattr(dataset, name)
            assert said == found, f"inspect says {name}={said!r}, and what make returns has {found!r}"

    def test_inspect_says_how_many_samples_there_are(self) -> None:
        """In the pool, for validation, for the test, and without a label."""
        facts, splits, unlabeled = self._facts(), self._split(0), self._dataset().unlabeled
        found = (len(splits.train), len(splits.valid), len(splits.test))
        assert facts.sizes == found, f"inspect says sizes={facts.sizes}, and the split has {found}"
        more = 0 if unlabeled is None else len(unlabeled)
        assert facts.unlabeled == more, f"inspect says unlabeled={facts.unlabeled}, and there are {more}"

    # What is loaded

    def test_samples_labels_and_classes_are_sound(self) -> None:
        """Types, shapes, finite numbers, labels within the classes, parts without a common sample."""
        require_sound(self._dataset(), lambda _: None)

    def test_sequences_can_be_replaced_by_vectors(self) -> None:
        """Models that take vectors get them; the vectors that a data set brings are those of its sequences."""
        dataset = self._dataset()
        require_sound(dataset.pooled(), lambda _: None)
        for name, part in dataset.parts.items():
            some = np.arange(min(EXAMPLES, len(part)))
            computed, brought = part.take(some).pooled(), dataset.pooled().parts[name].take(some)
            for modality, array in computed.inputs.arrays.items():
                same = np.allclose(array, brought.inputs.arrays[modality], rtol=1e-4, atol=1e-5)
                assert same, f"pooled_content of {modality} in {name} is not what pooling its sequences gives"

    def test_samples_can_be_taken_by_position(self) -> None:
        """In any order, as a query does."""
        part = next(iter(self._dataset().parts.values()))
        rows = np.arange(min(EXAMPLES, len(part)))[::-1]
        taken = part.take(rows)
        assert taken.ids == tuple(part.ids[i] for i in rows)
        for modality, array in taken.inputs.arrays.items():
            assert np.array_equal(array, part.inputs.arrays[modality][rows], equal_nan=True), f"of {modality}"

    # What the same data are

    def test_made_again_it_is_the_same(self) -> None:
        """Run directories know it by its digest; every worker makes or gets the same arrays."""
        once, again = self._dataset().digest, self.plugin.make(self._params()).digest
        assert once == again, "its digest differs from call to call: seed what you draw, and sort what you list"

    def test_its_digest_is_that_of_its_content(self) -> None:
        """A text of hexadecimal digits: it is compared, and kept in run directories."""
        digest = self._dataset().digest
        assert isinstance(digest, str), f"stored_digest is {digest!r}, expected a text"
        assert digest, "its digest is empty"

    def test_the_global_random_state_is_untouched(self) -> None:
        """Python's and numpy's: a data set that is made up has a seed of its own."""
        with _seeded(UNUSUAL):
            before = _random_state()
            self.plugin.make(self._params()).parts  # noqa: B018 - loads it
            assert _random_state() == before, "draw from numpy.random.default_rng(seed)"

    def test_the_global_random_state_does_not_matter(self) -> None:
        """Whatever ran before in this process."""
        with _seeded(UNUSUAL):
            other = self.plugin.make(self._params()).digest
        assert other == self._dataset().digest, "draw from numpy.random.default_rng(seed)"

    # How it is split

    def test_parts_have_no_sample_in_common(self) -> None:
        """In every split."""
        for seed in range(3):
            require_splits(self._split(seed))

    def test_the_same_seed_gives_the_same_split(self) -> None:
        """So that samplers can be compared."""
        one, two = self._split(1), self._split(1)
        assert [part.ids for part in one.parts.values()] == [part.ids for part in two.parts.values()]

    def test_seeds_have_splits_of_their_own_unless_it_brings_one(self) -> None:
        """`Samples` are split for each seed, `Splits` are what they are."""
        drawn = isinstance(self._dataset().loaded, Samples)
        differ = self._split(1).train.ids != self._split(2).train.ids
        assert drawn == differ, "two seeds have the same split" if drawn else "its own split depends on the seed"

    def test_the_test_part_can_be_measured(self) -> None:
        """Of classification, there are two classes at least; of regression, two targets."""
        for name in ("train", "test"):
            labels = self._split(0).parts[name].labels
            assert len(np.unique(labels)) > 1, f"all samples of {name} have the same label"

    # How the tests ask

    def _facts(self) -> DatasetFacts:
        return self.plugin.inspect(self._params())

    def _dataset(self) -> Dataset:
        kit: Any = type(self)
        return _made(kit)

    def _split(self, seed: int) -> Splits:
        return self._dataset().split(np.random.default_rng(seed))


@cache  # it may be large
def _made(kit: Any) -> Dataset:
    made: Dataset = kit.plugin.make(kit.plugin.params(**kit.params))
    return made
