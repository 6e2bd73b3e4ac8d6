import sys
from importlib.metadata import version

import pytest

from alharness import cli

SOUND = """
from alharness import Feature, Params, SamplerPlugin, Task, hookimpl
from pydantic import Field

class MarginParams(Params):
    source: str = Field("fused", description="whose [red]prediction[/red] to rank by")

@hookimpl
def alharness_samplers():
    return [
        SamplerPlugin(
            name="margin", params=MarginParams, make=Params, requires={Feature.PREDICTIONS},
            tasks={Task.CLASSIFICATION},
            summary="smallest [bold]gap[/bold]\\x1b[2J", reference="Someone 2001",
        ),
        SamplerPlugin(name="kin/margin", params=Params, make=Params, summary="by another author", adapts="rich"),
        SamplerPlugin(name="shared", params=Params, make=Params),
        SamplerPlugin(name="flexible", params=MarginParams, make=Params,
                      requires=lambda params: {Feature.DECODE} if params.source == "fused" else set()),
    ]
"""
CLASHING = SOUND.replace('margin"', 'other"').replace('"flexible"', '"bent"')


@pytest.fixture
def plugins(tmp_path, monkeypatch, capsys):
    sources = {"listed_sound": SOUND, "listed_clash": CLASHING, "listed_broken": "raise ValueError('[oh] no')"}
    for name, source in sources.items():
        (tmp_path / f"{name}.py").write_text(source)
        info = tmp_path / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[alharness]\n{name} = {name}\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("ALHARNESS_PLUGINS", ",".join(sources))

    def plugins(*arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main(["plugins", *arguments])
        captured = capsys.readouterr()
        return caught.value.code, captured.out, captured.err

    yield plugins
    for name in sources:
        sys.modules.pop(name, None)


def line(out, *words):
    return next(line for line in out.splitlines() if all(word in line for word in words))


def test_case_44_plugins_are_listed_with_their_origin(plugins):
    code, out, _ = plugins()

    assert code == 0
    samplers, models, datasets = (out.index(f"{kind}s\n") for kind in ("sampler", "model", "dataset"))
    assert line(out[samplers:models], "margin", "(listed_sound 1.0)")
    assert line(out[models:datasets], "late_fusion", "(alharness ")
    assert line(out[datasets:], "digits", "(alharness ")
    assert "  shared " not in out[: out.index("cannot be used")]  # it clashes
    assert "  bent        (listed_clash 1.0)\n" in out  # nothing is said of it


def test_of_a_kind_there_may_be_none(plugins, monkeypatch):
    monkeypatch.setenv("ALHARNESS_PLUGINS", "")
    assert "samplers\n  none\n" in plugins()[1]


def test_lists_are_as_wide_as_the_terminal(plugins, monkeypatch):
    monkeypatch.setenv("COLUMNS", "60")
    narrow = plugins()[1].splitlines()
    monkeypatch.delenv("COLUMNS")
    wide = plugins()[1].splitlines()
    assert 50 < max(map(len, narrow[:-3])) <= 60
    assert 100 < max(map(len, wide[:-3])) <= 120


def test_case_47_what_plugins_write_is_no_markup_and_no_escape(plugins):
    assert "  margin      smallest [bold]gap[/bold]\\x1b[2J (listed_sound 1.0)\n" in plugins()[1]


def test_broken_and_clashing_plugins_are_listed_with_the_reason(plugins):
    out = plugins()[1]

    wrong = out[out.index("cannot be used\n") :]
    assert line(wrong, "listed_broken", "broken: ValueError: [oh] no (listed_broken 1.0)")
    assert line(wrong, "shared", "clash: more than one sampler of this name (listed_clash 1.0, listed_sound 1.0)")


def test_what_is_left_out_is_listed(plugins, monkeypatch):
    monkeypatch.setenv("ALHARNESS_PLUGINS", "listed_sound")

    assert "listed_broken" in line(plugins()[1], "left out by ALHARNESS_PLUGINS: ")


@pytest.mark.parametrize(
    "words",
    [
        ("sampler", "margin"),
        ("from", "listed_sound 1.0"),
        ("tasks", "classification"),
        ("requires", "predictions"),
        ("reference", "Someone 2001"),
        ("source", "text", "fused", "whose [red]prediction[/red] to rank by"),
    ],
)
def test_one_plugin_is_described(plugins, words):
    assert line(plugins("margin")[1], *words)


def test_a_family_is_listed(plugins):
    out = plugins("kin")[1]
    assert out.startswith(
        "samplers\n  kin/margin  by another author (listed_sound 1.0)\n"
        "  kin/other   by another author (listed_clash 1.0)\n\nMore on one of them: "
    )
    assert out.endswith("alharness plugins kin/NAME\n")


def test_the_version_of_the_library_that_a_plugin_adapts_is_shown(plugins):
    assert line(plugins("kin/margin")[1], "from", f"listed_sound 1.0, rich {version('rich')}")


def test_features_that_depend_on_parameters_are_those_of_the_defaults(plugins):
    assert line(plugins("flexible")[1], "requires", "decode; depends on its parameters")


def test_a_plugin_without_parameters(plugins):
    assert "It has no parameters." in plugins("digits")[1]


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("listed_broken", "is broken: ValueError: [oh] no"),
        ("shared", "'shared' is offered by listed_clash 1.0 and by listed_sound 1.0"),
        ("margine", "no plugin named 'margine' is installed; did you mean 'margin'?"),
    ],
)
def test_a_plugin_that_cannot_be_used(plugins, name, reason):
    code, _, err = plugins(name)

    assert code == 4
    assert reason in err


def test_a_plugin_that_is_left_out_is_not_called_missing(plugins, monkeypatch):
    monkeypatch.setenv("ALHARNESS_PLUGINS", "listed_sound")
    assert (
        "'listed_broken' is installed, but left out: ALHARNESS_PLUGINS does not list it"
        in plugins("listed_broken")[2]
    )
