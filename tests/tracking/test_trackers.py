"""The trackers of a spec as observers; a whole run with one of a third party is in tests/integration."""

import pytest

from alharness import Params, PluginError, Tracker, TrackerPlugin, hookimpl, registry
from alharness.errors import TrackingError
from alharness.registry import Registered
from alharness.spec import Chosen
from alharness.tracking.mlflow.tracker import MlflowTracker
from alharness.tracking.plugin import MlflowParams
from alharness.tracking.trackers import make_trackers


class Recording(Tracker):
    """Notes what it is called with; raises what it is given."""

    def __init__(self, error=None, at=()):
        self.seen, self.error, self.at = [], error, at

    def note(self, *call):
        self.seen.append(call)
        if self.error and (not self.at or call[0] in self.at):
            raise self.error

    @hookimpl
    def alharness_run_started(self, run):
        self.note("run_started", run)

    @hookimpl
    def alharness_cycle_finished(self, cell, cycle):
        self.note("cycle_finished", cell, cycle)

    @hookimpl
    def alharness_cell_ended(self, run, record):
        self.note("cell_ended", run, record)

    @hookimpl
    def alharness_run_finished(self, record):
        self.note("run_finished", record)

    def where(self):
        self.note("where")
        return "over there"


def choose(make, name="mine"):
    plugin = TrackerPlugin(name=name, params=Params, make=make)
    registered = Registered(plugin=plugin, distribution="toys", version="1.0", entry_point="toys")
    return Chosen(registered=registered, params=Params(), plain={}, label=name)


@pytest.fixture
def made():
    """Trackers as a run has them, and the warnings."""

    def make(*makers, required=False):
        warnings = []
        return make_trackers([choose(maker) for maker in makers], warnings.append, required=required), warnings

    return make


def observe(tracker, cycles=1):
    tracker.alharness_run_started(run="run")
    for cycle in range(cycles):
        tracker.alharness_cycle_finished(run="run", cell="cell", cycle=cycle)
    tracker.alharness_cell_ended(run="run", record="cell record")
    tracker.alharness_run_finished(run="run", record="run record")


def test_a_tracker_sees_the_run_through_the_hooks_that_it_has(made):
    tracker = Recording()
    ((safe,), warnings) = made(lambda params, context: tracker)
    observe(safe)
    assert tracker.seen == [
        ("run_started", "run"),
        ("cycle_finished", "cell", 0),
        ("cell_ended", "run", "cell record"),
        ("run_finished", "run record"),
    ]
    assert (safe.where(), safe.title, warnings) == ("over there", "mine", [])


def test_a_tracker_may_leave_out_every_hook_but_one(made):
    class Quiet(Tracker):
        @hookimpl
        def alharness_cell_ended(self):
            pass

    ((safe,), warnings) = made(lambda params, context: Quiet())
    observe(safe)
    assert (safe.where(), warnings) == ("", [])


@pytest.mark.parametrize("error", [OSError("disk full"), SystemExit(3), TrackingError("it is away")])
def test_a_tracker_that_fails_costs_one_warning_for_each_reason(made, error):
    failing, other = Recording(error, at={"cycle_finished"}), Recording()
    ((first, second), warnings) = made(lambda params, context: failing, lambda params, context: other)
    observe(first, cycles=3)
    observe(second, cycles=3)
    (warning,) = warnings
    assert "disk full" in warning or "SystemExit: 3" in warning or warning == "it is away. The run continues"
    assert len(failing.seen) == len(other.seen) == 6  # it is called again, for it may recover


def test_a_failure_names_the_tracker_its_distribution_and_the_hook(made):
    ((safe,), warnings) = made(lambda params, context: Recording(KeyError("x"), at={"run_started"}))
    observe(safe)
    assert warnings == ["the tracker 'mine' of toys==1.0: alharness_run_started: KeyError: 'x'. The run continues"]


def test_a_tracker_that_returns_no_place_has_none(made):
    class Silent(Recording):
        def where(self):
            return None

    ((safe,), warnings) = made(lambda params, context: Silent())
    assert (safe.where(), warnings) == ("", [])


def test_a_tracker_that_cannot_say_where_it_writes_costs_a_warning(made):
    ((safe,), warnings) = made(lambda params, context: Recording(OSError("gone"), at={"where"}))
    assert safe.where() == ""
    assert "OSError: gone" in warnings[0]


def test_a_tracker_that_fails_ends_the_run_if_tracking_is_required(made):
    ((safe,), warnings) = made(lambda params, context: Recording(OSError("disk full")), required=True)
    with pytest.raises(
        TrackingError, match=r"^the tracker 'mine' of toys==1\.0: alharness_run_started: OSError: d"
    ):
        safe.alharness_run_started(run="run")
    assert warnings == []


def test_an_interruption_is_the_users(made):
    ((safe,), _) = made(lambda params, context: Recording(KeyboardInterrupt()))
    with pytest.raises(KeyboardInterrupt):
        safe.alharness_run_started(run="run")


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda params, context: 1 / 0, "it cannot be made: ZeroDivisionError: division by zero"),
        (lambda params, context: None, "`make` returned NoneType, not an alharness.Tracker"),
        (lambda params, context: Tracker(), "it has no hook; decorate one with alharness.hookimpl"),
    ],
)
def test_a_tracker_that_cannot_be_made_is_left_out_with_a_warning(made, make, reason):
    (trackers, warnings) = made(make)
    assert trackers == []
    assert reason in warnings[0]
    with pytest.raises(TrackingError, match="the tracker 'mine' of toys==1.0"):
        made(make, required=True)


def test_a_tracker_may_warn_and_knows_whether_it_is_required(made):
    contexts = []
    (_, warnings) = made(lambda params, context: contexts.append(context) or Recording())
    contexts[0].warn("the disk is slow")
    assert (contexts[0].required, warnings) == (False, ["the disk is slow"])


def test_mlflow_comes_by_the_same_hook():
    installed = registry.load()
    registered = installed.tracker("mlflow")
    chosen = Chosen(registered=registered, params=MlflowParams(uri="x"), plain={}, label="mlflow")
    (safe,) = make_trackers([chosen], pytest.fail)
    assert isinstance(safe._tracker, MlflowTracker)
    assert safe.title == "MLflow"


def test_none_keeps_nothing(made):
    plugin = registry.load().tracker("none").plugin
    ((safe,), warnings) = made(plugin.make)
    observe(safe)
    assert (safe.where(), warnings) == ("", [])


def test_a_name_that_is_not_installed_has_near_names():
    with pytest.raises(PluginError, match="no tracker named 'mlflo' is installed; did you mean 'mlflow'"):
        registry.load().tracker("mlflo")
