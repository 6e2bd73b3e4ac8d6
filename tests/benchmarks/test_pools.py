"""CoreSet from a pool in parts, next to one process."""

import json

import pytest

from benchmarks.pools import main


def test_parts_reach_the_radius_of_one_process(tmp_path, capsys):
    main([str(tmp_path / "pool"), "--rows", "2000", "--parts", "3", "--size", "50"])
    one, parts = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert parts["parts"]["radius"] == pytest.approx(one["one"]["radius"], rel=1e-3)
    assert parts["parts"]["seconds"] > 0
