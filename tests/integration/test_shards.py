"""Shards of a command, apart and merged, leave what one run leaves."""


def test_two_shards_and_a_merge_leave_what_one_run_leaves(main, write_spec, run_spec, journals, tmp_path):
    path = write_spec(samplers="[first, draw]", cycles=1)
    for number in (1, 2):
        code, told, _ = main("run", path, "--shard", f"{number}/2", "--workdir", f"node{number}")
        assert code == 0
        assert f"shard {number}/2, 2 cells: starting" in told
    code, told, _ = main("merge", "runs", "node1", "node2")
    assert code == 0
    assert "4 of 4 cells complete" in told
    run_spec(path, tmp_path / "alone")
    assert journals(tmp_path / "runs") == journals(tmp_path / "alone")
    assert len(journals(tmp_path / "node1")) == len(journals(tmp_path / "node2")) == 2


def test_a_shard_that_is_left_without_cells_ends_well(main, write_spec):
    code, told, _ = main("run", write_spec(samplers="[first]"), "--shard", "3/3")
    assert code == 0
    assert "shard 3/3: there are fewer cells than shards, and none is left for this one" in told
