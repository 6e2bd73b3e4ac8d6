"""Two runs of a spec, compared by the command."""

import pytest

from alharness import cli


@pytest.fixture
def compare(capsys):
    def start(old, new, *arguments):
        with pytest.raises(SystemExit) as caught:
            cli.main(["compare", str(old.folder), str(new.folder), *arguments])
        return caught.value.code, capsys.readouterr().out

    return start


def test_the_same_spec_twice_has_not_changed(write_spec, run_spec, compare, tmp_path):
    path = write_spec(samplers="[first, draw, narrow]")
    path.write_text(path.read_text() + "reference: {full_data: true}\n")
    old, new = (run_spec(path, tmp_path / name)[0] for name in ("old", "new"))
    code, out = compare(old, new)

    assert "note: " not in out
    assert out.splitlines()[-1] == "Nothing changed: 8 cells chose the same samples and have the same metrics."
    assert code == 0


def test_a_sampler_that_chooses_otherwise_is_named_with_seed_and_cycle(write_spec, run_spec, compare, tmp_path):
    old, _, _ = run_spec(write_spec(samplers="[draw, first]"), tmp_path / "old")
    moved = "[draw, {name: first, params: {start: 1}}]"
    new, _, _ = run_spec(write_spec(samplers=moved), tmp_path / "new")
    code, out = compare(old, new)

    assert code == 1
    assert out.splitlines()[-1] == "1 of 2 changed: first."
    assert "first: start was 0 and is 1\n" in out
    for seed in (0, 1):
        assert f"first, seed {seed}: the query of cycle 0 chose otherwise (4 of 5 ids in common), metrics" in out
    assert compare(old, new, "--only", "draw")[0] == 0


def test_a_run_that_failed_where_it_did_not_is_a_change(write_spec, run_spec, compare, tmp_path, monkeypatch):
    path = write_spec(samplers="[moody]", seeds="[3]")
    old, _, _ = run_spec(path, tmp_path / "old")
    monkeypatch.setenv("ALHARNESS_TEST_MOOD", "bad")
    new, _, _ = run_spec(path, tmp_path / "new")
    code, out = compare(old, new)

    assert code == 1
    assert "moody, seed 3: finished in OLD and not in NEW: failed after 0 cycles: moody (toy-samplers==1.0)" in out
    assert compare(old, old)[0] == 0
    assert compare(new, old)[0] == 1  # nothing could be compared
