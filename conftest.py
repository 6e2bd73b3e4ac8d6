"""What holds for every test, the distributions' own too: patient properties, quiet threads, what may be left out.

Tests marked `slow` (more than five seconds), `fuzz` (many made-up inputs), `browser` (pages in Chromium) or
`postgres` (a server of its own) run like all others, and `--quick` skips them. Those marked `long` (whole runs,
again and again) are run by `make long`, and those marked `cluster` by `make clusters`. Nothing is skipped
silently: if Chromium or PostgreSQL is not there, the summary says so, and in CI (the variable `CI` is set) the
test fails.
"""

import gc
import os
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import entry_points
from importlib.util import find_spec
from multiprocessing import forkserver
from pathlib import Path
from typing import TYPE_CHECKING

# Before torch is imported: threads that spin while they wait slow tests down twentyfold on a busy machine.
os.environ.setdefault("OMP_WAIT_POLICY", "passive")

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from playwright.sync_api import Browser

ROOT = Path(__file__).parent
CI = os.environ.get("CI", "").lower() not in {"", "0", "false"}
LEFT_OUT = ("slow", "long", "fuzz", "browser", "postgres")
HEAVY = {"matplotlib", "mlflow", "pandas", "playwright", "scipy", "sklearn", "statsmodels"}
"""Test modules import these in the functions that use them. torch is not among them: most tests are about it."""
FOR_RUNS = (
    *("sklearn.datasets", "sklearn.decomposition", "sympy", "torch.fx.experimental.symbolic_shapes"),
    *("alharness.spec", "alharness.models.late_fusion.network"),
)
"""What the processes of nearly every run import, each of them again; and what all plugins are registered by."""
BROUGHT = pytest.StashKey[dict[str, str]]()
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

# They belong to no distribution, and are found in this tree, after everything that is installed.
sys.path += [str(ROOT), str(ROOT / "tools")]

# What an example takes depends on what else the machine does: no test of a property fails for that. CI tries the
# same examples every time, so that a change is blamed for its own faults only; everywhere else new ones are tried.
settings.register_profile(
    "alharness", deadline=None, suppress_health_check=[HealthCheck.too_slow], derandomize=CI, print_blob=True
)
settings.load_profile("alharness")


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--quick`."""
    parser.addoption("--quick", action="store_true", help=f"skip tests that are marked {', '.join(LEFT_OUT)}")


def pytest_report_header() -> str:
    """Say which alharness is tested: this tree's or an installed one."""
    found = find_spec("alharness")
    return f"alharness: {Path(found.origin).parent if found and found.origin else 'not installed'}"


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what uses the fixtures `browser` and `postgres`, and skip what `--quick` leaves out."""
    for item in items:
        for fixture in {"browser", "postgres"}.intersection(getattr(item, "fixturenames", ())):
            item.add_marker(fixture)
        if config.getoption("--quick") and (marker := next(filter(item.get_closest_marker, LEFT_OUT), None)):
            item.add_marker(pytest.mark.skip(reason=f"--quick leaves out tests that are marked {marker}"))


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    """Note what brings a library that takes long to import: collecting needs none of them."""
    before = set(sys.modules)
    report = yield
    for library in sorted(HEAVY & (set(sys.modules) - before)):
        collector.config.stash.setdefault(BROUGHT, {})[library] = collector.nodeid
    return report


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Iterator[None]:
    """Collect without looking for garbage: the million objects made here stay, and are never looked at again."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Let torch compute in one thread: with tiny tensors, more only get in each other's way."""
    import torch

    torch.set_num_threads(1)


@pytest.fixture(scope="session", autouse=True)
def own_options() -> None:
    """Hide the options of this pytest, which all its processes have read by now, from one that a test starts."""
    os.environ.pop("PYTEST_ADDOPTS", None)


@pytest.fixture(scope="session", autouse=True)
def imported_once() -> Iterator[None]:
    """Have the server that processes of runs are forked from import all that they need: each is ready at once."""
    preload = forkserver.set_forkserver_preload
    plugins = sorted({entry.module for entry in entry_points(group="alharness")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(forkserver, "set_forkserver_preload", lambda names: preload([*names, *FOR_RUNS, *plugins]))
        yield


@pytest.fixture
def brought(pytestconfig: pytest.Config) -> dict[str, str]:
    """Heavy library -> the test module that imported it while it was collected."""
    return pytestconfig.stash.get(BROUGHT, {})


@pytest.fixture(scope="session")
def need() -> Callable[[object, str], None]:
    """Skip a test whose needs are not met, with a complaint that says which; in CI it fails."""

    def need(found: object, complaint: str) -> None:
        if not found:
            (pytest.fail if CI else pytest.skip)(complaint)

    return need


@pytest.fixture
def browser(need: Callable[[object, str], None]) -> "Iterator[Browser]":
    """The system's Chromium, driven by playwright."""
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    need(program, "Chromium is not installed")
    need(find_spec("playwright"), "playwright is not installed")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as player:
        chromium = player.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS, timeout=60_000)
        yield chromium
        chromium.close()


@pytest.fixture
def gradients_agree() -> Callable[..., bool]:
    """Whether a model's loss has, at the parameters of these names, the gradients that finite differences have."""
    import torch

    from alharness import Batch, MultimodalModel

    class Loss(torch.nn.Module):
        """The loss as a forward pass, which is what torch.func can differentiate."""

        def __init__(self, model: MultimodalModel, data: Batch) -> None:
            super().__init__()
            self.model, self.data = model, data

        def forward(self) -> torch.Tensor:
            return self.model.loss(self.data)

    def check(model: MultimodalModel, data: Batch, names: list[str]) -> bool:
        model = model.double()
        data = Batch(
            inputs={m: x.double() for m, x in data.inputs.items()},
            lengths=data.lengths,
            labels={s: y.double() if y.is_floating_point() else y for s, y in data.labels.items()},
        )
        model.adapt(data)
        values = [model.get_parameter(name).detach().clone().requires_grad_() for name in names]

        def loss(*values: torch.Tensor) -> torch.Tensor:
            given = {f"model.{name}": value for name, value in zip(names, values, strict=True)}
            found: torch.Tensor = torch.func.functional_call(Loss(model, data), given, ())
            return found

        return torch.autograd.gradcheck(loss, values)

    return check
