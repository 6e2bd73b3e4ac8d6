import re

import pytest

from alharness import cli
from alharness.cli.bench import _named


def bench(capsys, *arguments):
    with pytest.raises(SystemExit) as end:
        cli.main(["bench", *arguments])
    captured = capsys.readouterr()
    return end.value.code, captured.out, captured.err


def test_it_ends_with_a_row_per_size_and_an_exponent(capsys):
    code, out, _ = bench(capsys, "random", "coreset", "--sizes", "100,200", "--budget", "5", "--labeled", "20")
    assert code == 0
    table = out[out.index("exponent") :].splitlines()[2:6]
    assert [line.split()[0] for line in table] == ["random", "200", "coreset", "200"]
    assert [len(line.split()) for line in table] == [7, 7, 7, 7]  # a name at first, an exponent at last
    assert "synthetic data" in out


FAMILY = """\
from alharness import Params, SamplerPlugin, hookimpl


class First:
    def __init__(self, params):
        pass

    def select(self, query):
        assert query.classes == tuple("0123456")
        return range(query.size)


class Weak(First):
    def select(self, query):
        assert len(query.unlabeled) < 150, "too many"
        return super().select(query)


@hookimpl
def alharness_samplers():
    return [SamplerPlugin(name=f"kin/{make.__name__.lower()}", params=Params, make=make) for make in (First, Weak)]
"""


@pytest.mark.parametrize("name", ["kin", "kin/weak"])
def test_one_that_fails_is_asked_no_more_and_the_others_are(capsys, tmp_path, name):
    (tmp_path / "kin.py").write_text(FAMILY)
    arguments = [name, "--include", str(tmp_path / "kin.py"), "--budget", "5", "--labeled", "20"]
    code, out, _ = bench(capsys, *arguments, "--sizes", "100,200,300")

    assert code == 0
    assert ("kin/first at 300" in out) == (name == "kin")
    assert "kin/weak at 100" in out
    assert "kin/weak at 200" not in out
    assert re.search(r"skipped: kin/weak: with 200 samples, .*too many", out)
    assert "300 samples" not in out


def test_families_are_measured_by_name_alone():
    assert [*_named([], ["a", "f/x", "f/y"])] == ["a"]
    assert [*_named(["f", "a"], ["a", "f/x", "f/y"])] == ["f/x", "f/y", "a"]
    assert [*_named(["f/y", "g"], ["a", "f/x", "f/y"])] == ["f/y", "g"]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sizes", "many"], "--sizes many: expected whole numbers"),
        (["--sizes", "10,20", "--budget", "15"], "a pool of 10 is smaller than the budget of 15"),
        (["control"], "control: it is a control, and this pool comes without truth"),
        (["randm"], "no sampler named 'randm' is installed; did you mean 'random'?"),
    ],
)
def test_what_cannot_be_measured_is_told(capsys, arguments, message):
    code, _, err = bench(capsys, *arguments)
    assert code in (2, 4)
    assert message in err


def test_pools_in_parts_are_measured_and_the_others_left_out(capsys):
    arguments = ["random", "coreset", "gcnal", "--parts", "3", "--budget", "5", "--labeled", "20"]
    code, out, _ = bench(capsys, *arguments, "--sizes", "100,200", "--precision", "float16")
    assert code == 0
    table = out[out.index("exponent") :].splitlines()[2:6]
    assert [line.split()[0] for line in table] == ["random", "200", "coreset", "200"]
    assert "memory is that of a part's worker; this process took" in out
    assert "skipped: gcnal: it has no methods answer and select_in_parts" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--sizes", "2,30", "--budget", "1", "--parts", "3"], "a pool of 2 cannot be cut into 3 parts"),
        (["--executor", "proceses"], "no executor named 'proceses' is installed; did you mean 'processes'?"),
        (["-x", "gpus=1"], "name the executor that it is for with --executor"),
        (["gcnal", "--parts", "2"], "gcnal: it has no methods answer and select_in_parts"),
    ],
)
def test_what_cannot_be_measured_in_parts_is_told(capsys, arguments, message):
    code, _, err = bench(capsys, *arguments)
    assert code in (2, 4)
    assert message in err
