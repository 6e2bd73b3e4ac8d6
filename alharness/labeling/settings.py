"""The settings of a project: a spec with one sampler and one seed, the random share, and the classes."""

from __future__ import annotations

import json
from dataclasses import replace
from os.path import normpath
from pathlib import Path
from typing import TYPE_CHECKING, Any

from alharness import registry
from alharness.api.vocabulary import PROVIDED, Task
from alharness.errors import DataError, PluginError, SpecError
from alharness.guard.border import Border
from alharness.spec import load_all, yamlfile
from alharness.spec.document import DEFAULT_MODEL
from alharness.spec.plan import make_plan
from alharness.spec.review import review_model
from alharness.text.words import did_you_mean

from .defaults import MODEL, SAMPLER, SAMPLER_FOR_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from alharness.api.dataset import DatasetFacts
    from alharness.api.vocabulary import Feature
    from alharness.registry import Registry
    from alharness.spec import Spec


SETTINGS = "project.yaml"
CLASSES = "dataset.params.classes="
"""Assigns the classes of a project to its data set, if that takes any."""
KINDS: dict[str, tuple[str, tuple[type, ...]]] = {
    "spec": ("a mapping", (dict,)),
    "set": ("a list", (list,)),
    "include": ("a list", (list,)),
    "control": ("a number", (int, float)),
    "classes": ("a list", (list,)),
    "show": ("a path", (str, type(None))),
}
"""Keys of the settings, and what their values are; `show`, what people see of a sample, may be left out."""
WITHOUT_VALIDATION = "training.valid=none"
"""For data without validation samples."""


def read(path: Path) -> dict[str, Any]:
    """The settings in this file, which people may have changed. Raises SpecError: they are none."""
    found = yamlfile.read(path).data
    given = found if isinstance(found, dict) else {}
    for key in given:
        if key not in KINDS:
            raise SpecError(f"{path}: unknown key {key!r}{did_you_mean(str(key), KINDS)}")
    for key, (what, kinds) in KINDS.items():
        if not isinstance(given.get(key), kinds):
            raise SpecError(f"{path}: {key}: expected {what}; restore it from a copy")
    return given


def require_sense(settings: Mapping[str, Any], folder: Path, warn: Callable[[str], None]) -> None:
    """Look at everything that can be known before a project begins.

    Raises:
        HarnessError: a setting is wrong, data are missing, or all of them have a label.
    """
    installed = installed_with(settings, folder)
    spec = load_spec(settings, folder, installed)
    facts = _inspect(spec, warn)
    if not facts.unlabeled:
        raise DataError(
            f"all samples of {spec.dataset.name!r} have a label, so nothing is left to choose; leave the label of "
            "a sample blank if it has none"
        )
    if not facts.sizes[1] and spec.training.valid == "full":
        spec = load_spec(settings, folder, installed, WITHOUT_VALIDATION)
    train, valid, test = facts.sizes
    make_plan(spec, facts=replace(facts, sizes=(train + facts.unlabeled, valid, test)))
    for text in (*facts.warnings, *review_model(spec, facts)):
        warn(text)


def usual_model(required: frozenset[Feature], installed: Registry) -> str:
    """The model if none is named: `linear`, or a network if the sampler needs what that does not provide."""
    light = installed.model(MODEL).plugin
    return MODEL if required & PROVIDED <= light.features(light.params()) else DEFAULT_MODEL


def usual_sampler(task: Task) -> str:
    """The sampler if none is named."""
    return SAMPLER if task == Task.CLASSIFICATION else SAMPLER_FOR_NUMBERS


def complete(settings: Mapping[str, Any], folder: Path, warn: Callable[[str], None]) -> None:
    """Name a sampler and a model in the spec of a project that names none.

    Raises:
        HarnessError: a setting is wrong.
    """
    document, installed = settings["spec"], installed_with(settings, folder)
    named = "model" in document
    document.setdefault("model", MODEL)
    if "samplers" not in document:
        document["samplers"] = [SAMPLER]
        task = _inspect(load_spec(settings, folder, installed), warn).task
        document["samplers"] = [usual_sampler(task)]
    if not named:
        (sampler,) = load_spec(settings, folder, installed).samplers
        document["model"] = usual_model(sampler.plugin.features(sampler.params), installed)


def _inspect(spec: Spec, warn: Callable[[str], None]) -> DatasetFacts:
    with border(spec, warn).crossed():
        return spec.dataset.plugin.inspect(spec.dataset.params)


def load_spec(settings: Mapping[str, Any], folder: Path, installed: Registry, *more: str) -> Spec:
    """The spec of a project, changed by these assignments; its data set knows the classes if there are several."""
    found = load_all(settings["spec"], installed, [*settings["set"], *more], folder=folder)
    if len(found) != 1 or len(found[0].samplers) != 1 or len(found[0].seeds) != 1:
        raise SpecError(f"{folder / SETTINGS}: a project is one setting with one sampler and one seed")
    (spec,), classes = found, settings["classes"]
    if len(classes) < 2 or any(change.startswith(CLASSES) for change in more):
        return spec
    if "classes" not in type(spec.dataset.params).model_fields:
        return spec
    return load_spec(settings, folder, installed, *more, f"{CLASSES}{json.dumps(classes)}")


def border(spec: Spec, warn: Callable[[str], None]) -> Border:
    """Around the code of the data set; what it says itself of its files is said well."""
    who = f"the data set {spec.dataset.name!r} of {spec.dataset.registered.origin}"
    return Border(who, PluginError, warn, passing=(DataError, SpecError))


def installed_with(settings: Mapping[str, Any], folder: Path) -> Registry:
    """The plugins, with those of the project's files."""
    files = [Path(normpath(folder / path)) for path in settings["include"]]
    return registry.load(extras=registry.Extras.collect(include=files))
