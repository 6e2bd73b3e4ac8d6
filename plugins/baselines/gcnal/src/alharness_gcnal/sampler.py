"""GCNAL (Caramalau, Bhattarai & Kim, CVPR 2021, arXiv 2006.10219): CoreGCN and UncertainGCN."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

from alharness import Sampler, SamplerError, Selection
from alharness.kernels import full_precision, k_center, require_finite, top_k

from .graph import connect, unit_rows
from .network import labeled_from_unlabeled, train

if TYPE_CHECKING:
    from torch import Tensor

    from alharness import Query

    from .plugin import GcnalParams


class Gcnal(Sampler):
    """Trains a graph network to separate labeled from unlabeled samples, and chooses by what it has learned.

    Labels are not used. Random are the subset, the network's first weights, its dropout masks, and the first pick
    of `core` if nothing is labeled yet.
    """

    params: GcnalParams

    def select(self, query: Query) -> Selection:
        """The picks in their order.

        Raises:
            SamplerError: embeddings are NaN or infinite, the subset is smaller than the budget, or
                `affinity: cosine` is asked for and does not exist.
        """
        params = self.params
        candidates = self._candidates(query)
        features = query.unlabeled.embeddings()[candidates]
        if len(query.labeled):
            features = torch.cat([features, query.labeled.embeddings()])
        require_finite(features, "the embeddings")
        unlabeled = len(candidates)

        with full_precision(query.device):
            X = unit_rows(features)
            A = connect(X, params.affinity)
            AX = A @ X
            loss = labeled_from_unlabeled(unlabeled, len(X) - unlabeled, params.loss_weight, X)
            network = train(A, AX, loss, params, query.rng)
            hidden = network.hidden(AX)
            logits = network.logits(A, hidden)
        query.log("affinity_shifted", float(A.shifted))
        query.log("gcn_loss", loss.value(logits))

        if params.variant == "uncertain":
            nearness = -(logits[:unlabeled].sigmoid() - params.margin).abs()
            picks = top_k(nearness, query.size)
            return Selection(candidates[picks], nearness[picks])
        points = torch.cat([hidden, logits[:, None]], 1)
        first = int(query.rng.integers(unlabeled)) if len(points) == unlabeled else None
        return Selection(candidates[k_center(points[:unlabeled], points[unlabeled:], query.size, first=first)])

    def _candidates(self, query: Query) -> Tensor:
        """Positions of the unlabeled samples that enter the graph, in their order."""
        n, subset = len(query.unlabeled), self.params.subset
        if subset is None or subset >= n:
            return torch.arange(n, device=query.device)
        if subset < query.size:
            raise SamplerError(
                f"a subset of {subset} samples cannot give the {query.size} that are asked for; set subset: null, "
                "or at least the budget"
            )
        drawn = query.rng.choice(n, subset, replace=False, shuffle=False)
        drawn.sort()
        return torch.from_numpy(drawn).to(query.device)
