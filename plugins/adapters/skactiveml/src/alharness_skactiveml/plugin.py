"""What the harness knows of the strategies before one is named. Imports neither their parameters nor torch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import SamplerPlugin, Task, hookimpl

if TYPE_CHECKING:
    from alharness import Feature

    from .params import StrategyParams

BOTH, CLASSES, VALUES = frozenset(Task), frozenset({Task.CLASSIFICATION}), frozenset({Task.REGRESSION})

STRATEGIES: dict[str, tuple[frozenset[Task], str, str]] = {
    "Badge": (
        CLASSES,
        "k-means++ seeding on gradients of the last layer",
        "Ash et al., Deep Batch Active Learning by Diverse, Uncertain Gradient Lower Bounds, ICLR 2020",
    ),
    "BatchBALD": (
        CLASSES,
        "most joint information on the model in the labels of a batch",
        "Kirsch, van Amersfoort & Gal, BatchBALD, NeurIPS 2019",
    ),
    "Clue": (
        CLASSES,
        "centers of clusters of samples that weigh what they are uncertain",
        "Prabhu et al., Active Domain Adaptation via Clustering Uncertainty-weighted Embeddings, ICCV 2021",
    ),
    "ContrastiveAL": (
        CLASSES,
        "predictions that differ most from those of labeled neighbors",
        "Margatina et al., Active Learning by Acquiring Contrastive Examples, EMNLP 2021",
    ),
    "CoreSet": (
        BOTH,
        "greedy k-center",
        "Sener & Savarese, Active Learning for Convolutional Neural Networks: A Core-Set Approach, ICLR 2018",
    ),
    "CostEmbeddingAL": (
        CLASSES,
        "farthest from any class in a space of costs, by a regression of its own",
        "Huang & Lin, A Novel Uncertainty Sampling Algorithm for Cost-Sensitive Multiclass AL, ICDM 2016",
    ),
    "DiscriminativeAL": (
        BOTH,
        "most unlike the labeled samples, by a logistic regression that separates them",
        "Gissin & Shalev-Shwartz, Discriminative Active Learning, 2019, arXiv 1907.06347",
    ),
    "DropQuery": (
        CLASSES,
        "centers of clusters of samples whose class changes with dropout of the representations",
        "Gupte et al., Revisiting Active Learning in the Era of Vision Foundation Models, TMLR 2024",
    ),
    "Falcun": (
        CLASSES,
        "at random, by margin and by distance of predictions",
        "Gilhuber et al., FALCUN: A Simple and Efficient Deep Active Learning Strategy, ECML PKDD 2024",
    ),
    "GreedyBALD": (
        CLASSES,
        "most information on the model in a label",
        "Houlsby et al., Bayesian Active Learning for Classification and Preference Learning, arXiv 1112.5745",
    ),
    "GreedySamplingTarget": (
        VALUES,
        "farthest in prediction, or in prediction and place",
        "Wu, Lin & Huang, Active Learning for Regression Using Greedy Sampling, Information Sciences 2019",
    ),
    "GreedySamplingX": (
        BOTH,
        "farthest from what is labeled",
        "Wu, Lin & Huang, Active Learning for Regression Using Greedy Sampling, Information Sciences 2019",
    ),
    "MaxHerding": (
        BOTH,
        "greedy maximum of a smooth coverage of the unlabeled samples",
        "Bae, Noh & Sutherland, Generalized Coverage for More Robust Low-Budget Active Learning, ECCV 2024",
    ),
    "ProbCover": (
        CLASSES,
        "greedy maximum of the samples in balls around labeled ones",
        "Yehuda et al., Active Learning Through a Covering Lens, NeurIPS 2022",
    ),
    "ProbabilisticAL": (
        CLASSES,
        "most expected gain from labels near a sample",
        "Kottke et al., Toward Optimal Probabilistic Active Learning Using a Bayesian Approach, ML 2021",
    ),
    "QueryByCommittee": (
        BOTH,
        "most disagreement of predictions with dropout",
        "Seung, Opper & Sompolinsky, Query by Committee, COLT 1992",
    ),
    "Quire": (
        CLASSES,
        "informative and representative for a kernel machine; small pools only",
        "Huang, Jin & Zhou, Active Learning by Querying Informative and Representative Examples, NeurIPS 2010",
    ),
    "RandomSampling": (BOTH, "at random", ""),
    "TypiClust": (
        BOTH,
        "the most typical samples of the largest clusters without a label",
        "Hacohen, Dekel & Weinshall, Active Learning on a Budget, ICML 2022",
    ),
    "UncertaintySampling": (
        CLASSES,
        "least confident, smallest margin, or largest entropy",
        "Lewis & Gale, A Sequential Algorithm for Training Text Classifiers, SIGIR 1994",
    ),
}
"""Class in `skactiveml.pool`, and of its parameters -> tasks, summary and paper."""

_REFITS = "it trains the model again for each candidate, and a model of a run is trained by the harness alone"
LEFT_OUT = {
    "EpistemicUncertaintySampling": "it takes a Parzen window or a logistic regression of two classes alone",
    "ExpectedErrorReduction": "it is the base of the two that follow",
    "MonteCarloEER": _REFITS,
    "ValueOfInformationEER": _REFITS,
    "FourDs": "it takes a mixture model, and no other",
    "ExpectedModelChangeMaximization": _REFITS,
    "ExpectedModelOutputChange": _REFITS,
    "ExpectedModelVarianceReduction": _REFITS,
    "KLDivergenceMaximization": _REFITS,
    "RegressionTreeBasedAL": "it takes a regression tree, and no other model",
    "SubSamplingWrapper": "it wraps another strategy",
    "ParallelUtilityEstimationWrapper": "it wraps another strategy",
}
"""Classes of `skactiveml.pool` that are no samplers here -> why."""


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """All of them."""
    return [
        SamplerPlugin(
            name=f"skactiveml/{strategy.lower()}",
            params=f"alharness_skactiveml.params:{strategy}",
            make="alharness_skactiveml.sampler:Strategy",
            requires=_reads,
            tasks=tasks,
            summary=summary,
            reference=reference,
            adapts="scikit-activeml",
        )
        for strategy, (tasks, summary, reference) in STRATEGIES.items()
    ]


def _reads(params: StrategyParams) -> set[Feature]:
    return params.reads()
