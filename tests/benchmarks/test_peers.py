"""Adapters of other people's programs: on small pools they pick what we pick, or as many."""

import pytest

from alharness.kernels import k_center
from benchmarks.bench import Unavailable
from benchmarks.peers import badge_authors, bmdal_reg, scikit_activeml, skorch
from benchmarks.problems import Pool, Training

PROBLEM = Pool(N=300, D=12, k=20, L=30)
TRAINING = Training(N=40, features={"text": 3})

CHECKOUT = """
import no_such_module
from .strategy import Strategy

def largest(embeddings, k):
    return np.argsort(-embeddings[:, 0], kind="stable")[:k]

class BadgeSampling(Strategy):
    def __init__(self, X, Y):
        raise ValueError("never called")

    def query(self, n):
        print("a line for every pick")
        unlabeled = np.arange(self.n_pool)[~self.idxs_lb]
        embeddings, probabilities = self.get_embedding(
            self.X[unlabeled], self.Y.numpy()[unlabeled], return_probs=True)
        assert abs(probabilities.numpy().sum(1) - 1).max() < 1e-5
        return unlabeled[largest(embeddings.numpy(), n)]
"""


@pytest.mark.parametrize(
    ("module", "kernel"),
    [("bmdal_reg", bmdal_reg.MAXDIST), ("skactiveml", scikit_activeml.CORE_SET)],
    ids=["bmdal_reg", "scikit_activeml"],
)
def test_k_center_of_peers_picks_what_ours_picks(module, kernel):
    pytest.importorskip(module)
    data = PROBLEM.data()
    assert [int(i) for i in kernel.prepare(PROBLEM)()] == k_center(data.pool, data.labeled, 20).tolist()


@pytest.mark.parametrize(
    ("module", "kernel"),
    [("bmdal_reg", bmdal_reg.KMEANSPP), ("skactiveml", scikit_activeml.BADGE)],
    ids=["bmdal_reg", "scikit_activeml"],
)
def test_k_means_plus_plus_of_peers_picks_from_the_pool(module, kernel):
    pytest.importorskip(module)
    picks = [int(i) for i in kernel.prepare(PROBLEM)()]
    assert len(picks) == 20
    assert set(picks) <= set(range(300))


def test_the_authors_class_is_taken_out_of_a_file_that_could_not_be_imported(tmp_path, monkeypatch, capsys):
    folder = tmp_path / "query_strategies"
    folder.mkdir()
    (folder / "badge_sampling.py").write_text(CHECKOUT)
    monkeypatch.setenv("BADGE_CHECKOUT", str(tmp_path))
    expected = PROBLEM.data().pool[:, 0].argsort(descending=True)[:20]
    assert badge_authors.AUTHORS.prepare(PROBLEM)().tolist() == expected.tolist()
    assert capsys.readouterr().out == ""


def test_without_a_checkout_the_row_says_what_it_needs(tmp_path, monkeypatch):
    monkeypatch.delenv("BADGE_CHECKOUT", raising=False)
    with pytest.raises(Unavailable, match="needs BADGE_CHECKOUT"):
        badge_authors.AUTHORS.prepare(PROBLEM)
    monkeypatch.setenv("BADGE_CHECKOUT", str(tmp_path))
    with pytest.raises(Unavailable, match=r"has no query_strategies.badge_sampling\.py"):
        badge_authors.AUTHORS.prepare(PROBLEM)


@pytest.mark.parametrize(
    ("hidden", "kernel", "problem", "needs"),
    [
        ("bmdal_reg", bmdal_reg.MAXDIST, PROBLEM, "bmdal-reg"),
        ("skactiveml", scikit_activeml.BADGE, PROBLEM, "scikit-activeml"),
        ("skorch", skorch.FIT, TRAINING, "skorch"),
    ],
)
def test_without_a_package_the_row_says_what_it_needs(monkeypatch, hidden, kernel, problem, needs):
    import sys

    for name in [*sys.modules, hidden]:
        if name.split(".")[0] == hidden:
            monkeypatch.setitem(sys.modules, name, None)
    with pytest.raises(Unavailable, match=f"needs {needs}"):
        kernel.prepare(problem)
