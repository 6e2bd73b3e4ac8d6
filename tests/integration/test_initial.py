"""An initial pool that a sampler chooses, from a spec to journals."""

import json

import pytest

import alharness

SPEC = {
    "name": "first",
    "dataset": "digits",
    "training": {"epochs": 1, "device": "cpu"},
    "active_learning": {"initial_pool": 12, "budget": 5, "cycles": 1},
    "seeds": 2,
    "samplers": ["random", "margin"],
}


@pytest.mark.slow
def test_all_samplers_of_a_seed_begin_with_what_it_chose(tmp_path):
    pools = {}
    for rule in (None, "typiclust"):
        results = alharness.run(SPEC, set={"initial": rule}, workdir=tmp_path / str(rule), tracking=False)
        assert set(results.cells["status"]) == {"ok"}
        for journal in tmp_path.glob(f"{rule}/*/cells/*/journal.jsonl"):
            context = json.loads(journal.read_text().splitlines()[0])["context"]
            pools.setdefault((rule, journal.parent.name.split("-")[1]), set()).add(str(context["initial_pool"]))
    assert all(len(found) == 1 for found in pools.values())
    assert len(set.union(*pools.values())) == len(pools) == 4
