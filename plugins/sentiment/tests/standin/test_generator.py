"""What is generated: shapes, labels, who is where, and that it is always the same bytes."""

import hashlib
import itertools
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from alharness.api.vocabulary import Task
from alharness.errors import SpecError
from alharness_sentiment.standin.designs import DESIGNS, EMOTIONS, LEVELS, Recipe
from alharness_sentiment.standin.generator import generate
from alharness_sentiment.standin.samples import mix
from alharness_sentiment.standin.settings import StandInSettings

SPLITS = ("train", "valid", "test")


def content(standin):
    sha = hashlib.sha256()
    for part in standin.parts.values():
        sha.update("\n".join(part.population.ids).encode())
        arrays = [part.labels.fused, *part.labels.own.values(), *part.features.values()]
        for array in arrays:
            sha.update(np.ascontiguousarray(array).tobytes())
    return sha.hexdigest()


SCRIPT = """
import sys
sys.path.insert(0, {folder!r})
from test_generator import content, generate, StandInSettings
print(content(generate({name!r}, StandInSettings(share=0.1))))
"""


@pytest.mark.parametrize("name", DESIGNS)
def test_another_process_with_other_threads_makes_the_same_bytes(name):
    script = SCRIPT.format(folder=str(Path(__file__).parent), name=name)
    environment = {**os.environ, "OMP_NUM_THREADS": "2", "OPENBLAS_NUM_THREADS": "2", "PYTHONHASHSEED": "7"}
    result = subprocess.run(
        [sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True
    )
    assert result.stdout.strip() == content(generate(name, StandInSettings(share=0.1)))


@pytest.mark.parametrize("change", [{"seed": 1}, {"conflict": 0.3}, {"outlier": 0.1}, {"snr": {"audio": 0.4}}])
def test_other_settings_make_other_data(small, change):
    assert content(small()) == content(small())
    assert content(small(**change)) != content(small())


@pytest.mark.parametrize(("name", "design"), DESIGNS.items())
def test_shapes_and_facts_are_those_of_the_real_data_set(name, design):
    settings = StandInSettings(share=0.05)
    standin, known = generate(name, settings), Recipe(name, settings).facts
    assert known.synthetic
    assert known.task == (Task.CLASSIFICATION if name == "cherma" else Task.REGRESSION)
    assert known.modalities == ("text", "audio", "vision")
    for split, size in zip(SPLITS, known.sizes, strict=True):
        part = standin.parts[split]
        assert part.population.ids == tuple(sorted(set(part.population.ids)))
        assert part.labels.fused.shape == (size,)
        for modality, channel in design.channels.items():
            assert part.features[modality].shape == (size, channel.features)
            assert part.features[modality].dtype == np.float32
            assert np.isfinite(part.features[modality]).all()


def test_the_whole_has_the_size_of_the_real_data_set():
    assert {name: Recipe(name, StandInSettings()).facts.sizes for name in DESIGNS} == {
        "simsv2": (2722, 647, 1034),
        "sims": (1368, 456, 457),
        "mosi": (1284, 229, 686),
        "mosei": (16326, 1871, 4659),
        "cherma": (17230, 5743, 5744),
    }
    assert Recipe("simsv2", StandInSettings(share=1e-6)).facts.sizes == (1, 1, 1)


def test_a_data_set_without_a_stand_in_is_refused():
    with pytest.raises(SpecError, match="'digits' has no stand-in; those with one: cherma, mosei"):
        generate("digits", StandInSettings())


def test_no_source_is_in_two_splits(simsv2):
    videos = [{i.partition("$_$")[0] for i in part.population.ids} for part in simsv2.parts.values()]
    assert [len(found) for found in videos] == [90, 21, 34]  # 145 in proportion
    assert len(set.union(*videos)) == 145
    for part in simsv2.parts.values():
        named = [int(i[len("video_") :].partition("$_$")[0]) for i in part.population.ids]
        assert named == part.population.sources.tolist()


def test_another_seed_is_another_population(small):
    one, other = (small(seed=seed, share=0.1, outlier=0.3).parts["test"].population for seed in (0, 1))
    assert one.ids != other.ids
    assert (one.clusters != other.clusters).any()
    assert (one.outliers != other.outliers).any()


def test_clusters_are_long_tailed_and_shared(simsv2):
    train, valid, test = (np.bincount(part.population.clusters, minlength=24) for part in simsv2.parts.values())
    assert train.max() / train.min() > 10
    assert ((train > 0) & (test > 0)).all()
    assert np.corrcoef(train, test)[0, 1] > 0.95
    assert (valid > 0).sum() > 15


def test_outliers_are_as_many_as_asked_for(simsv2, small):
    outliers = np.concatenate([part.population.outliers for part in simsv2.parts.values()])
    assert 0.03 <= outliers.mean() <= 0.05
    assert not any(part.population.outliers.any() for part in small(outlier=0).parts.values())


@pytest.mark.parametrize(("name", "extent", "per_unit"), [("simsv2", 1, 5), ("mosi", 3, 5), ("mosei", 3, 3)])
def test_sentiments_lie_on_their_grid(name, extent, per_unit):
    labels = generate(name, StandInSettings(share=0.3)).parts["train"].labels
    steps = labels.fused.astype(np.float64) * per_unit
    assert np.abs(steps - np.rint(steps)).max() < 1e-5
    assert len(np.unique(labels.fused)) == 2 * extent * per_unit + 1
    assert (labels.fused.min(), labels.fused.max()) == (-extent, extent)
    assert not np.signbit(labels.fused[labels.fused == 0]).any()
    for own in labels.own.values():
        assert set(np.rint(own * 5)) == set(range(-5, 6))


def test_modalities_follow_the_published_levels_split_by_split(small):
    """Without contradictions a modality is a grid point of its level, moved by one point in half of the cases."""
    standin = small(share=1, conflict=0)
    grid = [(-5, -4), (-3, -2, -1), (0,), (1, 2, 3), (4, 5)]
    moves = {-1: 0.25, 0: 0.5, 1: 0.25}
    for split, counts in LEVELS.items():
        expected = np.zeros((11, 11))  # of text and audio together
        for points, count in zip(grid, counts, strict=True):
            for point, one, other in itertools.product(points, moves, moves):
                cell = np.clip(point + one, -5, 5) + 5, np.clip(point + other, -5, 5) + 5
                expected[cell] += moves[one] * moves[other] * count / len(points) / sum(counts)
        own = {m: np.rint(v * 5).astype(int) + 5 for m, v in standin.parts[split].labels.own.items()}
        n = len(own["text"])
        for found in own.values():
            assert np.abs(np.bincount(found, minlength=11) / n - expected.sum(axis=0)).max() < 1.25 / np.sqrt(n)
        equal = (own["text"] == own["audio"]).mean()
        assert abs(equal - expected.trace()) < 1.25 / np.sqrt(n)
    assert LEVELS["train"][0] / sum(LEVELS["train"]) > LEVELS["test"][0] / sum(LEVELS["test"]) + 0.05


def test_contradictions_come_with_their_share_alone(simsv2, small):
    def disagreeing(standin):
        own = np.stack(list(standin.parts["train"].labels.own.values()))
        return (own.max(axis=0) - own.min(axis=0) > 0.5).mean()

    assert 0.25 <= disagreeing(simsv2) <= 0.45
    assert disagreeing(small(share=1, conflict=0)) == 0


def levels(labels, extent=1):
    return np.histogram(labels / extent, [-1.01, -0.7, -0.1, 0.1, 0.7, 1.01])[0].tolist()


def test_fused_labels_have_the_published_marginals_split_by_split(simsv2):
    for split, part in simsv2.parts.items():
        assert levels(part.labels.fused) == list(LEVELS[split])
    train, _, test = (part.labels.fused for part in simsv2.parts.values())
    assert np.abs(test - train.mean()).mean() == pytest.approx(0.63, abs=0.01)  # as with the real labels


@pytest.mark.parametrize("name", ["sims", "mosi", "mosei"])
def test_fused_labels_have_these_marginals_on_other_grids_too(name):
    standin = generate(name, StandInSettings(share=0.2))
    for split, part in standin.parts.items():
        found = np.cumsum(levels(part.labels.fused, standin.recipe.design.sentiment.extent)) / len(part.population)
        published = np.cumsum(LEVELS[split]) / sum(LEVELS[split])
        # Thirds and fifths do not divide the range at the bounds of the levels.
        assert np.abs(found - published).max() < 0.05


@pytest.mark.parametrize("change", [{"conflict": 1}, {"label_noise": 2}, {"outlier": 0.5}, {"n_clusters": 1}])
def test_marginals_do_not_depend_on_what_is_mixed(small, change):
    part = small(share=1, **change).parts["valid"]
    assert levels(part.labels.fused) == list(LEVELS["valid"])


def test_which_modality_dominates_depends_on_the_topic():
    """Mixing unit vectors shows the weights."""
    recipe = Recipe("simsv2", StandInSettings(n_clusters=5, zipf=0))
    found = {}
    for split, population in recipe.world.populate().items():
        weights = mix(recipe, population, np.broadcast_to(np.eye(3), (len(population), 3, 3)))
        assert weights.min() > 0
        assert np.abs(weights.sum(axis=1) - 1).max() < 1e-12
        for topic in range(5):
            found[split, topic] = np.unique(weights[population.clusters == topic], axis=0)
    assert {w.shape for w in found.values()} == {(1, 3)}
    for topic in range(5):
        assert (found["train", topic] == found["test", topic]).all()
    assert np.ptp(np.concatenate([found["train", topic] for topic in range(5)]), axis=0).max() > 0.2


def test_only_outliers_of_train_have_corrupt_labels(small):
    from scipy.stats import spearmanr

    standin = small(share=1, label_noise=0, conflict=0, outlier=0.3)
    agreement = {}
    for split, part in standin.parts.items():
        own = np.stack(list(part.labels.own.values())).mean(axis=0)
        agreement[split] = [
            spearmanr(own[rows], part.labels.fused[rows]).statistic
            for rows in (part.population.outliers, ~part.population.outliers)
        ]
    assert abs(agreement["train"][0]) < 0.1
    assert min(agreement["train"][1], *agreement["valid"], *agreement["test"]) > 0.95


def test_emotions_have_the_shares_of_cherma_and_disagree():
    parts = generate("cherma", StandInSettings()).parts
    labels = parts["train"].labels
    shares = np.array(list(EMOTIONS.values()))
    for found in (labels.fused, *labels.own.values()):
        assert np.abs(np.bincount(found, minlength=7) / len(found) - shares).max() < 0.02
    own = np.stack(list(labels.own.values()))
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert 0.3 < (own[one] != own[other]).mean() < 0.5
    agreed = (own == own[0]).all(axis=0) & ~parts["train"].population.outliers
    assert (labels.fused == own[0])[agreed].mean() > 0.97


def test_features_tell_speakers_and_topics_apart(small):
    """Samples of one topic, or of one video, are nearer to each other than others are."""
    part = small(share=0.3).parts["train"]
    x = part.features["text"] / part.features["text"].std(axis=0)
    distances = np.linalg.norm(x[:, None, :100] - x[None, :, :100], axis=2)
    clean = ~part.population.outliers[:, None] & ~part.population.outliers[None]
    same_topic = part.population.clusters[:, None] == part.population.clusters[None]
    same_source = part.population.sources[:, None] == part.population.sources[None]
    other = ~np.eye(len(x), dtype=bool) & clean
    alone = distances[other & ~same_topic & ~same_source].mean()
    assert distances[other & same_topic & ~same_source].mean() < 0.95 * alone
    assert distances[other & ~same_topic & same_source].mean() < 0.98 * alone


def test_columns_have_scales_of_their_own(simsv2):
    spread = simsv2.parts["train"].features["text"].std(axis=0)
    assert spread.max() / spread.min() > 50


def test_every_setting_and_its_default_stand_on_the_page():
    page = (Path(__file__).parents[4] / "docs" / "reference" / "stand-ins.md").read_text()
    rows = [
        [cell.strip(" `") for cell in line.split("|")[1:3]] for line in page.splitlines() if line.startswith("| `")
    ]
    listed = {
        name.strip(" `"): default.strip()
        for names, defaults in rows
        for name, default in zip(names.split(","), defaults.split(","), strict=True)
    }
    settings = StandInSettings().model_dump()
    flat = settings | {f"snr.{modality}": value for modality, value in settings.pop("snr").items()}
    assert listed == {name: str(value).lower() for name, value in flat.items() if name != "snr"}
