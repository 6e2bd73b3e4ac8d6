"""What every sampler promises, as tests to inherit."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, Literal

import numpy as np
import torch

from alharness.api.parts import needs_whole
from alharness.api.sampler import Setting
from alharness.api.vocabulary import FUSED, Feature
from alharness.engine.selection import checked, untouched_generators
from alharness.errors import SamplerError
from alharness.guard.border import Border, Snapshot

from .kit import Conformance, refuses
from .laws import global_state, p_value, seed_all
from .network import INPUTS
from .observation import kept_tensors, observe, permuted_query, truth_noted
from .scenarios import Scenario

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from collections.abc import Set as AbstractSet

    from alharness.api.sampler import Query, Sampler, SamplerPlugin
    from alharness.api.vocabulary import Task

CHOICES = 50
"""Of a sampler that draws, for each of two orders of the pool: enough to see that some are twice as likely."""


MOST_TRUTHS = 20
"""Names of what a control reads, that are found out."""


class SamplerConformance(Conformance):
    """Inherit, name the plugin, and pytest runs one test per promise, for each task that the plugin serves.

    >>> from alharness import Params, SamplerPlugin
    >>> from alharness.testing import SamplerConformance
    >>> def make(params):
    ...     from my_margin.sampler import Margin
    ...
    ...     return Margin()
    >>> class TestMargin(SamplerConformance):
    ...     plugin = SamplerPlugin(name="margin", params=Params, make=make)  # yours is in your plugin module
    >>> TestMargin().test_the_defaults_are_valid_parameters()

    One such class tests one set of parameters. Names of tests are part of the interface: a test that cannot hold
    for a sampler is overridden in its class, with the reason.

    Attributes:
        plugin: the sampler's plugin.
        params: parameters other than the defaults.
        tasks: the tasks that these parameters serve; None for all that the plugin serves. In another one the
            sampler must refuse, with SamplerError.
        deterministic: the choice follows from what the query shows; `query.rng` is not used. Such a sampler
            chooses the same samples whatever the seed, and whatever the order of the pool. One that draws must
            choose otherwise with another seed and in another cycle, and every sample as often, whatever the order
            of the pool.
        offset_invariant: a vector added to all representations and embeddings, not to predictions, changes no
            choice. Untrue for, say, products or angles of embeddings: then the choice must only be valid.
        in_parts: these parameters serve pools in parts, if the sampler has them at all. Otherwise it must refuse
            them, with SamplerError.
        truth: names of what a control reads of made-up data.
    """

    plugin: SamplerPlugin
    tasks: ClassVar[AbstractSet[Task] | None] = None
    deterministic: ClassVar[bool] = True
    offset_invariant: ClassVar[bool] = True
    in_parts: ClassVar[bool] = True
    truth: ClassVar[tuple[str, ...]] = ()

    def arguments(self) -> Mapping[str, Sequence[Any]]:
        """Each task that is served; sizes of a budget; what is not finite."""
        return {"task": sorted(self._served()), "size": [1, 6, 39], "value": [float("nan"), float("inf")]}

    def supposed(self) -> dict[str, Any]:
        """What some queries show. Only a kit that says so finds a sampler that draws, and is not meant to."""
        self._require_known((*INPUTS, FUSED))
        became = {task: self._became(partial(self._choose_reviewed, task)) for task in self.plugin.tasks}
        served = {task for task, end in became.items() if end != "refused"}
        if not self.truth and Feature.TRUTH in self._required() and (names := self._truth_that_it_reads()):
            known = type(self.__class__.__name__, (self.__class__,), {"truth": names})
            return {"truth": names, **known().supposed()}
        if "answered" not in became.values():
            return {"tasks": served} if served else {}
        return {
            "tasks": served,
            "deterministic": not any(self._draws(task) for task in served),
            "offset_invariant": not any(self._is_moved(task) for task in served),
            "in_parts": not any(
                self._became(partial(self._choose_in_parts, task)) == "refused" for task in served
            ),
        }

    # What the plugin says

    def test_the_defaults_are_valid_parameters(self) -> None:
        """A spec may leave all parameters out."""
        params = self.plugin.params()
        assert self.plugin.params(**params.model_dump()) == params

    def test_reads_what_it_declares(self) -> None:
        """A feature that is declared and never read shuts out models that lack it."""
        read = {feature for task in self._served() for feature in self._read(task)}
        more = ", ".join(sorted(self._required() - read))
        assert not more, f"requires has {more}, which it does not read; if parameters decide, make it a function"

    def test_a_task_that_these_parameters_do_not_serve_is_refused(self) -> None:
        """With a SamplerError, not a wrong answer."""
        assert self._served() <= self.plugin.tasks
        for task in self.plugin.tasks - self._served():
            with refuses(SamplerError):
                self._choose_reviewed(task)

    def test_its_review_lets_it_pass(self, task: Task) -> None:
        """With warnings for a user, or without."""
        warnings = self._review(self._scenario(task))
        assert all(isinstance(warning, str) and warning for warning in warnings)

    # How many it chooses

    def test_chooses_as_many_samples_as_asked(self, task: Task, size: int) -> None:
        """Distinct ones; the harness checks that."""
        assert len(self._choose(self._scenario(task, size=size))) == size

    def test_chooses_nothing_for_an_empty_budget(self, task: Task) -> None:
        """A budget of 0."""
        assert self._choose(self._scenario(task, size=0)) == ()

    def test_takes_the_whole_pool_when_it_is_the_budget(self, task: Task) -> None:
        """Each sample once."""
        scenario = self._scenario(task, unlabeled=20, size=20)
        assert sorted(self._choose(scenario)) == scenario.pool.unlabeled.tolist()

    def test_chooses_the_last_sample_of_the_pool(self, task: Task) -> None:
        """A pool of one."""
        assert len(self._choose(self._scenario(task, unlabeled=1, size=1))) == 1

    # Pools that are out of the ordinary

    def test_one_labeled_sample_is_enough(self, task: Task) -> None:
        """The smallest initial pool."""
        assert len(self._choose(self._scenario(task, labeled=1))) == 6

    def test_duplicates_are_chosen_once_each(self, task: Task) -> None:
        """Five inputs, eight times each, and a budget that needs them all."""
        assert len(self._choose(self._scenario(task, labeled=2, unlabeled=38, distinct=5, size=38))) == 38

    def test_samples_that_are_all_alike_give_a_full_batch(self, task: Task) -> None:
        """Every feature is constant: there is no spread to divide by."""
        assert len(self._choose(self._scenario(task, distinct=1))) == 6

    def test_gradients_that_are_all_zero_give_a_full_batch(self, task: Task) -> None:
        """No head sees anything of the representations."""
        assert len(self._choose(self._scenario(task, heads="blind"))) == 6

    def test_predictions_that_are_all_certain_give_a_full_batch(self, task: Task) -> None:
        """Probabilities are 0 or 1 in float32; in regression, values are in the millions."""
        assert len(self._choose(self._scenario(task, heads="certain"))) == 6

    def test_samples_that_lack_a_modality_give_a_full_batch(self, task: Task) -> None:
        """Their inputs are zeros, their representations all the same; `view.present` says which they are."""
        assert len(self._choose(self._scenario(task, incomplete=True))) == 6

    def test_an_offset_of_the_features_does_no_harm(self, task: Task) -> None:
        """1000 is added to all representations and embeddings; no prediction changes."""
        scenario = self._scenario(task, size=35)  # late picks are decided by small differences
        shifted = self._choose(replace(scenario, offset=1000))
        assert len(shifted) == 35
        if self.offset_invariant:
            assert shifted == self._choose(scenario), (
                "take the mean off before distances are computed from products; "
                "or, if the choice should depend on an offset, set offset_invariant = False"
            )

    def test_features_that_are_not_finite_are_refused(self, task: Task, value: float) -> None:
        """The message says how many rows of how many. A sampler that reads none of them has nothing to refuse."""
        scenario = self._scenario(task, spoiled=3, spoil=value)
        if not self._read(task) - {Feature.TRUTH}:
            assert len(self._choose(scenario)) == 6
            return
        with refuses(SamplerError, saying=r"\b3 of \d+\b"):
            self._choose(scenario)

    # What the choice may depend on

    def test_the_same_seed_chooses_the_same(self, task: Task) -> None:
        """A new sampler, and a new model with the same weights."""
        assert self._choose(self._scenario(task)) == self._choose(self._scenario(task))

    def test_keeps_no_state_between_queries(self, task: Task) -> None:
        """An interrupted run continues with a new sampler object."""
        scenario, sampler = self._scenario(task), self._sampler()
        other = replace(scenario, unlabeled=30, labeled=18, cycle=1, seed=7)
        first, _, again = (w.ask(sampler, self._required()).positions for w in (scenario, other, scenario))
        assert again == first, "it remembers the query before; compute what you need from the query"

    def test_only_a_sampler_that_draws_depends_on_the_seed_and_the_cycle(self, task: Task) -> None:
        """Of a deterministic one the model's draws are held still; its schedule may depend on the cycle."""
        scenario = self._scenario(task, unlabeled=200, size=20, batch=1000)
        query = scenario.query(self._required())
        chosen = {tuple(self._select(query, seed)) for seed in range(5)}
        if self.deterministic:
            assert len(chosen) == 1, "it draws; set deterministic = False, or do not use query.rng"
            return
        assert len(chosen) > 1, "no seed changes its choice; set deterministic = True, or draw from query.rng"
        cycles = {self._choose(replace(scenario, cycle=cycle)) for cycle in range(4)}
        assert len(cycles) > 1, "no cycle changes its choice; draw from query.rng alone"

    def test_the_global_random_state_is_untouched(self, task: Task) -> None:
        """Python's, numpy's and torch's, beneath the guard that would put them back."""
        query, sampler = self._scenario(task).query(self._required()), self._sampler()
        with Border(self.plugin.name, SamplerError).crossed():
            seed_all(0)
            before = global_state()
            sampler.select(query)
            after = global_state()
        assert after == before, "draw from query.rng, or make a generator from query.seed()"

    def test_the_global_random_state_does_not_matter(self, task: Task) -> None:
        """Whatever ran before in this process."""
        chosen = set()
        for seed in range(3):
            with untouched_generators():
                seed_all(seed)
                chosen.add(self._choose(self._scenario(task)))
        assert len(chosen) == 1, "draw from query.rng, or make a generator from query.seed()"

    def test_the_batch_of_inference_does_not_matter(self, task: Task) -> None:
        """It is chosen to fit the memory."""
        scenario = self._scenario(task, unlabeled=20)
        assert len({self._choose(replace(scenario, batch=batch)) for batch in (1, 7, 1000)}) == 1

    def test_the_order_of_the_pool_does_not_matter(self, task: Task) -> None:
        """The same samples, or others of the same scores; of a sampler that draws, each sample as often.

        The pool is larger than the blocks of `alharness.kernels`, unless many choices are needed.
        """
        if self.deterministic:
            query = self._scenario(task, unlabeled=1300, size=30, batch=1300).query(self._required())
            permuted, order = permuted_query(query)
            (plain, scores), (other, others) = self._answer(query), self._answer(permuted)
            tied = bool(scores) and np.allclose(others, scores, rtol=1e-6, atol=1e-12)
            assert tied or order[other].tolist() == plain, "its choice depends on positions"
            return
        query = self._scenario(task, unlabeled=24, size=12).query(self._required())
        permuted, order = permuted_query(query)
        chosen = np.zeros((2, CHOICES, 24), bool)
        for number in range(CHOICES):
            chosen[0, number, self._select(query, number)] = True
            chosen[1, number, order[self._select(permuted, CHOICES + number)].numpy()] = True
        assert p_value(chosen[0], chosen[1]) > 1e-3, "positions of the pool are not chosen alike"

    def test_a_pool_in_parts_is_chosen_from_as_the_whole(self, task: Task) -> None:
        """If the sampler has pools in parts. One that draws must give a full batch, and the same again."""
        scenario, sampler = self._scenario(task), self._sampler()
        if needs_whole(sampler):
            return
        if not self.in_parts:
            with refuses(SamplerError):
                scenario.ask_in_parts(sampler, self._required())
            return
        first, again = (scenario.ask_in_parts(sampler, self._required()).positions for _ in range(2))
        assert first == again, "draw from query.rng and part.query.rng alone"
        if self.deterministic and Feature.MC_DRAWS not in self._required():
            assert first == self._choose(scenario), (
                "its choice depends on how the pool is cut; "
                "if scores depend on which other samples there are, set by_row = False"
            )

    def test_what_the_views_hold_is_unchanged(self, task: Task) -> None:
        """The tensors are handed out to all who ask: change a copy."""
        query = self._scenario(task).query(self._required())
        tensors = kept_tensors(query, self._required())
        before = {name: tensor.clone() for name, tensor in tensors.items()}
        self._select(query)
        changed = [name for name, tensor in tensors.items() if not torch.equal(tensor, before[name])]
        assert not changed, f"it changed {', '.join(changed)} in place"

    def test_the_process_is_left_as_it_was(self, task: Task) -> None:
        """Switches of torch and NumPy, warnings, logging, environment, files: the harness would put them back."""
        query, sampler = self._scenario(task).query(self._required()), self._sampler()
        before = Snapshot()
        try:
            sampler.select(query)
        finally:
            reported, lasting = before.put_back()
        changed = [*reported, *lasting]
        assert not changed, f"it changed {', '.join(changed)}; put back what you change, or use a context manager"

    # How the tests ask

    def _served(self) -> AbstractSet[Task]:
        return self.plugin.tasks if self.tasks is None else self.tasks

    def _sampler(self) -> Sampler:
        return self.plugin.make(self._params())

    def _required(self) -> frozenset[Feature]:
        return self.plugin.features(self._params())

    def _scenario(self, task: Task, **changes: Any) -> Scenario:
        return Scenario(task=task, truth=self.truth, **changes)

    def _choose(self, scenario: Scenario) -> tuple[int, ...]:
        """Positions in the pool, by the harness."""
        return scenario.ask(self._sampler(), self._required(), self.plugin.name).positions

    def _review(self, scenario: Scenario) -> list[str]:
        """What the plugin says of this scenario beforehand, as in a plan."""
        setting = Setting(
            task=scenario.task,
            modalities=scenario.samples.inputs.modalities,
            unlabeled=(scenario.unlabeled,),
            sizes=(scenario.size,),
            truth=scenario.truth,
        )
        return list(self.plugin.review(self._params(), setting)) if self.plugin.review else []

    def _choose_reviewed(self, task: Task) -> tuple[int, ...]:
        """The choice, unless the review refuses it."""
        scenario = self._scenario(task)
        self._review(scenario)
        return self._choose(scenario)

    def _answer(self, query: Query, seed: int = 0) -> tuple[list[int], list[float]]:
        """Positions in the unlabeled view and their scores, if any, from a query of one's own."""
        query = replace(query, rng=np.random.default_rng(seed))
        with Border(self.plugin.name, SamplerError).crossed():
            answer = self._sampler().select(query)
        return checked(answer, len(query.unlabeled), query.size)

    def _select(self, query: Query, seed: int = 0) -> list[int]:
        return self._answer(query, seed)[0]

    def _read(self, task: Task) -> set[Feature]:
        query, read = observe(self._scenario(task).query(self._required()))
        self._select(query)
        return read

    # What it seems to be: what is raised here, the tests raise again

    def _became(self, asking: Callable[[], object]) -> Literal["answered", "refused", "failed"]:
        """Whether it says that it does not do that; what a mistake raises is no such word."""
        try:
            asking()
        except SamplerError as error:
            return "failed" if error.unexpected else "refused"
        except Exception:  # noqa: BLE001
            return "failed"
        return "answered"

    def _truth_that_it_reads(self) -> tuple[str, ...]:
        """Names, found one by one: it is refused at the first that is not known."""
        names: dict[str, None] = {}
        for _ in range(MOST_TRUTHS):
            scenario = Scenario(task=min(self.plugin.tasks), truth=(*names,))
            query, asked = truth_noted(scenario.query(self._required()))
            with suppress(Exception):
                self._sampler().select(query)
            if not asked - names.keys():
                break
            names |= dict.fromkeys(sorted(asked))
        return (*names,)

    def _draws(self, task: Task) -> bool:
        with suppress(Exception):
            query = self._scenario(task, unlabeled=200, size=20).query(self._required())
            return len({tuple(self._select(query, seed)) for seed in range(5)}) > 1
        return False

    def _is_moved(self, task: Task) -> bool:
        with suppress(Exception):
            scenario = self._scenario(task, size=35)
            return self._choose(scenario) != self._choose(replace(scenario, offset=1000))
        return False

    def _choose_in_parts(self, task: Task) -> tuple[int, ...]:
        scenario, sampler = self._scenario(task), self._sampler()
        return () if needs_whole(sampler) else scenario.ask_in_parts(sampler, self._required()).positions
