from alharness.engine.seeds import derive, stream


def test_a_stream_is_fixed_by_its_name():
    assert stream(1, "pool", 2).random() == stream(1, "pool", 2).random()


def test_streams_differ_by_seed_purpose_and_cycle():
    draws = [
        stream(*name).random()
        for name in [(0, "split"), (1, "split"), (0, "pool"), (0, "model"), (0, "sampler"), (0, "sampler", 1)]
    ]
    assert len(set(draws)) == len(draws)


def test_a_cell_may_have_streams_of_its_own():
    names = [("sampler", 0), ("sampler", 1), ("dropout", 0)]
    draws = [stream(0, *name, own).random() for name in names for own in ("", "again", "replicate 2")]
    assert len(set(draws)) == len(draws)
    assert stream(0, "sampler", 1, "").random() == stream(0, "sampler", 1).random()
    assert derive(0, "dropout", 0, "again") != derive(0, "dropout", 0)


def test_a_derived_seed_fits_torch_and_differs_by_cycle():
    seeds = [derive(0, "model", cycle) for cycle in range(20)]
    assert len(set(seeds)) == 20
    assert all(0 <= seed < 2**63 for seed in seeds)
