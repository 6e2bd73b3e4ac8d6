"""Workers on a Ray cluster: one actor each. Ray starts none of them again, and computes nothing twice."""

from __future__ import annotations

import math
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

import numpy as np

from alharness import Executor, RunError, Worker
from alharness.api.executor import Loss, Refused

from . import cluster
from .losses import explain, unusable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence

    from alharness import ExecutorContext
    from alharness.api.executor import Group, Message, Work

    from .held import HeldInActors
    from .losses import Place
    from .plugin import RayParams

LOOK_EVERY = 1.0
"""Seconds between two looks at the nodes of the cluster."""
ROOM = 60.0
"""Seconds in which a worker must have got its resources, or others compute what it was given."""
VERDICT = 40.0
"""Seconds in which Ray notices that a node is lost, once a worker there cannot be reached."""
SETTLES = 2.0
"""Seconds in which Ray knows what is free, once nodes have joined or workers have ended."""
ONCE = {"max_restarts": 0, "max_task_retries": 0}
"""Ray starts no actor again and repeats no call: what is tried again is decided by alharness."""


class RayExecutor(Executor["RayWorker"]):
    """Starts one actor for each worker. Data reach each node once, by Ray's object store.

    Args:
        params: the cluster's address, and what each worker needs.
        context: see there.

    Raises:
        PluginError: Ray is not installed.
        RunError: the cluster cannot be reached, or has no node with room for a worker.
    """

    grace = math.inf  # its first message says when a worker has begun, and `wait` when it cannot

    def __init__(self, params: RayParams, context: ExecutorContext) -> None:
        self._need = {"CPU": params.cpus} | ({"GPU": params.gpus} if params.gpus else {})
        self.device = "cuda" if params.gpus else "cpu"
        self._jobs, self._warn = context.jobs, context.warn
        self._most = self._room = math.inf
        self._alive: list[cluster.Node] = []
        self._looked, self._free = -math.inf, 0
        self._workers: list[RayWorker] = []
        self._observers: dict[str, Any] = {}
        self._connected = cluster.connect(params.address, cluster.own_cpus(params.cpus, context.jobs or 1))
        try:
            self._require_room()
        except BaseException:
            self.close()
            raise

    @property
    def width(self) -> int:  # type: ignore[override]
        """As many workers as the nodes that are alive have room for now, and as were asked for and are of use."""
        now = min(self._slots, len(self._workers) + self._free)
        return max(1, int(min(now, self._jobs or math.inf, self._most, self._room)))

    def open(self, work: Work, most: int) -> None:
        """See there. All arrays are put into the object store, and each node fetches them once."""
        import ray

        self.work, self._most = work, most
        self._arrays = ray.put([np.asarray(array.open()) for array in work.arrays])
        self._packed = ray.put(work)

    def start(self) -> RayWorker:
        """See there."""
        import ray

        from .actor import Computer

        if not self._slots:
            raise RunError(self._no_room("of those that are left"))
        options = {**ONCE, "num_cpus": self._need["CPU"], "num_gpus": self._need.get("GPU", 0)}
        actor = ray.remote(Computer).options(**options, scheduling_strategy="SPREAD").remote()
        threads = max(1, int(self._need["CPU"]))
        begun = actor.begin.remote(self._packed, self._arrays, threads, self._need.get("GPU", 0))
        worker = RayWorker(self, actor, begun)
        self._workers.append(worker)
        return worker

    def wait(self, workers: Sequence[RayWorker], seconds: float) -> Collection[RayWorker]:
        """See there."""
        import ray

        heard = {worker.messages: worker for worker in workers if worker.unreachable is None}
        if not heard:
            time.sleep(min(seconds, LOOK_EVERY))
            return [worker for worker in workers if self._is_given_up(worker)]
        ready, silent = ray.wait([*heard], num_returns=1, timeout=min(seconds, LOOK_EVERY))
        if ready and silent:
            ready += ray.wait(silent, num_returns=len(silent), timeout=0)[0]
        speaking = [heard[messages] for messages in ready if heard[messages].fetch()]
        return speaking or [worker for worker in workers if self._is_given_up(worker)]

    def hold(self, makes: Sequence[Callable[[], Any]]) -> HeldInActors:
        """See there. All of them are needed at the same time."""
        from .held import HeldInActors

        if len(makes) > self._slots:
            raise RunError(
                f"{len(makes)} parts need a worker each with {cluster.amounts(self._need)} (-x cpus, -x gpus), "
                f"and the Ray cluster has room for {self._slots}: {cluster.describe(self._alive, self._need)}"
            )
        options = {**ONCE, "num_cpus": self._need["CPU"], "num_gpus": self._need.get("GPU", 0)}
        return HeldInActors(makes, options, max(1, int(self._need["CPU"])), self.has_left)

    def close(self) -> None:
        """See there."""
        if self._connected:
            cluster.disconnect()

    def has_left(self, node: str) -> bool:
        """Whether a node has left the cluster, as far as Ray knows now."""
        self._look()
        return node not in {found["NodeID"] for found in self._alive}

    def observer(self, node: str) -> Any:
        """Says how much memory workers on a node hold."""
        import ray
        from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy

        from .actor import Observer

        if node not in self._observers:
            there = NodeAffinitySchedulingStrategy(node, soft=False)
            options = {**ONCE, "num_cpus": 0, "scheduling_strategy": there}
            self._observers[node] = ray.remote(Observer).options(**options).remote()
        return self._observers[node]

    def forget(self, worker: RayWorker) -> None:
        """A worker has ended."""
        with suppress(ValueError):
            self._workers.remove(worker)

    @property
    def _slots(self) -> int:
        if time.monotonic() - self._looked > LOOK_EVERY:
            self._look()
        return cluster.slots(self._alive, self._need)

    def _look(self) -> None:
        import ray

        self._alive, self._looked = cluster.nodes(), time.monotonic()
        self._free = cluster.slots([{"Resources": ray.available_resources()}], self._need)

    def _require_room(self) -> None:
        has = self._slots
        if not has:
            raise RunError(self._no_room("of the Ray cluster"))
        wanted = self._jobs or has
        if wanted > has:
            self._warn(f"{wanted} jobs were asked for, and the Ray cluster has room for {has}")
        until = time.monotonic() + SETTLES
        while self._free < min(has, wanted) and time.monotonic() < until:
            time.sleep(0.1)
            self._look()
        if self._free < min(has, wanted):
            now = f"{self._free} now" if self._free else "none now: the first one waits"
            self._warn(f"others use the Ray cluster: of {min(has, wanted)} workers it has room for {now}")

    def _no_room(self, which: str) -> str:
        there = cluster.describe(self._alive, self._need)
        needs = cluster.amounts(self._need)
        return f"no node {which} has what a worker needs, {needs} (-x cpus, -x gpus): {there or 'there is none'}"

    def _is_given_up(self, worker: RayWorker) -> bool:
        """Whether a worker will say nothing more, as far as is known by now."""
        if worker.unreachable is not None:
            place = worker.place
            return (place and self.has_left(place.node)) or time.monotonic() - worker.unreachable > VERDICT
        begun = sum(other.place is not None for other in self._workers)
        if worker.place or not begun or time.monotonic() - worker.asked < ROOM:
            return False
        # It waits for what others hold, while some of ours may soon be free for its group.
        self._room, worker.crowded = begun, True
        return True


class RayWorker(Worker):
    """An actor, and the process that it lives in.

    Args:
        executor: has started it.
        actor: Ray's handle of it.
        begun: gives its process and node, when it has begun.

    Attributes:
        asked: when it was asked for, on the clock of `time.monotonic`.
        crowded: it has waited long enough for room on the cluster.
        unreachable: since when it cannot be reached, on the same clock: its node may be lost. None if it can be.
        messages: what it says.
    """

    messages: Any

    def __init__(self, executor: RayExecutor, actor: Any, begun: Any) -> None:
        self._executor, self._actor, self._begun = executor, actor, begun
        self.asked, self.crowded = time.monotonic(), False
        self.unreachable: float | None = None
        self._place: Place | None = None
        self._message: Message | None = None
        self._error: Exception | None = None
        self._held = 0
        self._answer: Any = None

    @property
    def place(self) -> Place | None:
        """Its process and node; None if it has not begun."""
        import ray

        if self._place is None and ray.wait([self._begun], timeout=0)[0]:
            with suppress(Exception):  # the first message says so, too
                self._place = ray.get(self._begun)
        return self._place

    @property
    def where(self) -> str:  # type: ignore[override]
        """Address of its node; empty if that is not known."""
        return self.place.address if self.place else ""

    def state(self) -> str:
        """See there."""
        return f"it is on {self.where}" if self.place else "it starts, or waits for room on the Ray cluster"

    def memory(self) -> int | None:
        """See there. What was asked before is given: the answer takes a moment."""
        import ray

        if self.place and self._answer is None:
            self._answer = self._executor.observer(self.place.node).held.remote(self.place.pid)
        elif self._answer and ray.wait([self._answer], timeout=0)[0]:
            with suppress(Exception):  # its node was lost
                self._held = ray.get(self._answer)
            self._answer = None
        return self._held

    def send(self, group: Group) -> None:
        """See there."""
        # One message at a time: if a worker dies, Ray loses what was sent and not yet taken, and a death is blamed
        # on the cell that was named last.
        one = {"num_returns": "streaming", "_generator_backpressure_num_objects": 1}
        self.messages = self._actor.compute.options(**one).remote(group)

    def fetch(self) -> bool:
        """Get what it has to say; False if it is not known yet why it says nothing."""
        import ray

        try:
            self._message = ray.get(next(self.messages))
            assert self.place  # asked for while there is an answer
        except Exception as error:  # noqa: BLE001 - Ray's, what was raised over there, or no message any more
            self._error = error
            if isinstance(error, ray.exceptions.ActorUnavailableError):
                self.unreachable = time.monotonic()
                return False
            if self.place is None and (reason := unusable(str(error))):
                self._message = Refused(text=reason)
        return True

    def receive(self) -> Message | None:
        """See there."""
        message, self._message = self._message, None
        return message

    def loss(self) -> Loss:
        """See there."""
        if self.crowded:
            return Loss(text=f"it got no room on the Ray cluster in {ROOM:.0f} seconds", cause="machine")
        place = self.place
        return explain(self._error, place, left=bool(place and self._executor.has_left(place.node)))

    def end(self) -> None:
        """See there. Ray ends also what its process has started."""
        import ray

        self._executor.forget(self)
        with suppress(Exception):  # it has ended, or its node has
            ray.kill(self._actor)
