"""Parameters of the strategies. Names and defaults are those of scikit-activeml; `OURS` says which are not."""

from typing import Annotated, ClassVar, Literal

from pydantic import Field

from alharness import Feature, Params, Space

Share = Annotated[float, Field(gt=0, lt=1)]
Positive = Annotated[float, Field(gt=0)]
Count = Annotated[int, Field(ge=1)]
Kernel = Literal["rbf", "laplacian", "linear", "polynomial", "sigmoid", "cosine"]
Distance = Literal["euclidean", "manhattan", "cosine"]
Clusters = Literal["k_means", "mini_batch_k_means"]
Costs = tuple[tuple[float, ...], ...] | None

OURS = {
    "space": "which vectors of the samples are X",
    "clusters": "in place of cluster_algo, cluster_algo_dict and n_cluster_param_name",
    "draws": "how many predictions with dropout are the committee",
    "n_neighbors": "in place of nearest_neighbors_dict",
}
"""Parameters that scikit-activeml has not, or not so -> what they are for."""

WITHHELD = {
    "missing_label": "alharness says what has no label",
    "random_state": "made from the seed and the cycle",
    "classes": "alharness knows them",
    "cluster_algo": "see clusters",
    "cluster_algo_dict": "see clusters",
    "n_cluster_param_name": "see clusters",
    "nearest_neighbors_dict": "see n_neighbors",
    "distance_func": "a function, which a spec cannot hold",
    "clf_embedding_flag_name": "X holds the embeddings already",
    "predict_dict": "X holds the embeddings already",
    "sample_predictions_method_name": "the committee is what the model predicts with dropout",
    "sample_predictions_dict": "the committee is what the model predicts with dropout",
    "base_regressor": "an object, which a spec cannot hold",
    "mds_params": "of the multidimensional scaling of a few classes",
    "nn_params": "of the search among a few classes",
}
"""Parameters of scikit-activeml that cannot be set here -> why."""


class StrategyParams(Params):
    """What all strategies have.

    Attributes:
        strategy: the class in `skactiveml.pool`.
        model: name of the argument of its `query` that takes a model; empty if it takes none.
    """

    strategy: ClassVar[str]
    model: ClassVar[str] = ""

    def reads(self) -> set[Feature]:
        """What the strategy is given."""
        of_model = {
            "clf": Feature.PREDICTIONS,
            "reg": Feature.PREDICTIONS,
            "estimator": Feature.PREDICTIONS,
            "ensemble": Feature.MC_DRAWS,
        }
        space = getattr(self, "space", None)
        read = {Feature(space)} if space else set()
        return read | ({of_model[self.model]} if self.model in of_model else set())


class _OfInputs(StrategyParams):
    space: Space = "inputs"
    """X: `inputs`, the data set's own vectors; `representations`, the outputs of the encoders, both of all
    modalities together and standardized; or `embeddings`, the inputs of the fused head's last layer."""


class _OfEmbeddings(StrategyParams):
    space: Space = "embeddings"
    """X: `inputs`, the data set's own vectors; `representations`, the outputs of the encoders, both of all
    modalities together and standardized; or `embeddings`, the inputs of the fused head's last layer."""


class _OfCommittee(StrategyParams):
    model: ClassVar[str] = "ensemble"

    draws: Annotated[int, Field(ge=2)] = 10
    """Members of the committee: predictions of the model with dropout, as for `bald`."""

    eps: Annotated[float, Field(gt=0, le=0.1)] = 1e-7
    """Probabilities are at least this before their logarithm is taken."""


class RandomSampling(StrategyParams):
    """Parameters of RandomSampling."""

    strategy: ClassVar[str] = "RandomSampling"


class ProbabilisticAL(_OfInputs):
    """Parameters of ProbabilisticAL."""

    strategy: ClassVar[str] = "ProbabilisticAL"
    model: ClassVar[str] = "clf"

    prior: Positive = 1
    """Labels of each class that a sample is taken to have near it from the beginning."""

    m_max: Count = 1
    """Most labels that are bought near a sample in thought."""

    metric: Kernel = "rbf"
    """Kernel that says how many labels are near a sample. Not none, as in scikit-activeml: the model of a run
    counts no labels."""

    metric_dict: dict[str, float] | None = None
    """Parameters of the kernel; null takes a gamma of the mean distance for `rbf`."""


class UncertaintySampling(StrategyParams):
    """Parameters of UncertaintySampling."""

    strategy: ClassVar[str] = "UncertaintySampling"
    model: ClassVar[str] = "clf"

    method: Literal["least_confident", "margin_sampling", "entropy", "expected_average_precision"] = (
        "least_confident"
    )
    """What is called uncertain."""

    cost_matrix: Costs = None
    """Row of the true class, column of the predicted one -> the cost of this; for `least_confident` and
    `margin_sampling`. Null makes all mistakes cost the same."""


class QueryByCommittee(_OfCommittee):
    """Parameters of QueryByCommittee."""

    strategy: ClassVar[str] = "QueryByCommittee"

    method: Literal["KL_divergence", "vote_entropy", "variation_ratios"] = "KL_divergence"
    """What is called disagreement; in regression it is the standard deviation, whatever this says."""


class Quire(_OfInputs):
    """Parameters of Quire."""

    strategy: ClassVar[str] = "Quire"

    lmbda: Positive = 1.0
    """Weight of the penalty of the kernel machine."""

    metric: Kernel = "rbf"
    """Kernel of the machine."""

    metric_dict: dict[str, float] | None = None
    """Parameters of the kernel."""


class CostEmbeddingAL(_OfInputs):
    """Parameters of CostEmbeddingAL."""

    strategy: ClassVar[str] = "CostEmbeddingAL"

    cost_matrix: Costs = None
    """Row of the true class, column of the predicted one -> the cost of this. Null makes all mistakes cost the
    same."""

    embed_dim: Count | None = None
    """Dimensions in which classes are placed; null takes one for each class."""


class GreedySamplingX(_OfInputs):
    """Parameters of GreedySamplingX."""

    strategy: ClassVar[str] = "GreedySamplingX"

    metric: Distance | None = None
    """Distance of samples; null takes `euclidean`."""

    metric_dict: dict[str, float] | None = None
    """Parameters of the distance."""


class GreedySamplingTarget(_OfInputs):
    """Parameters of GreedySamplingTarget."""

    strategy: ClassVar[str] = "GreedySamplingTarget"
    model: ClassVar[str] = "reg"

    method: Literal["GSy", "GSi"] | None = None
    """`GSy`: distance of predictions alone; `GSi`, as null: times the distance of samples."""

    x_metric: Distance | None = None
    """Distance of samples; null takes `euclidean`."""

    y_metric: Distance | None = None
    """Distance of predictions; null takes `euclidean`."""

    x_metric_dict: dict[str, float] | None = None
    """Parameters of the distance of samples."""

    y_metric_dict: dict[str, float] | None = None
    """Parameters of the distance of predictions."""

    n_GSx_samples: Annotated[int, Field(ge=0)] = 1  # noqa: N815 - the name in scikit-activeml
    """Labels there must be until predictions are looked at; before, it is the distance of samples alone."""


class DiscriminativeAL(_OfEmbeddings):
    """Parameters of DiscriminativeAL."""

    strategy: ClassVar[str] = "DiscriminativeAL"
    model: ClassVar[str] = "discriminator"

    greedy_selection: bool = False
    """Fit the discriminator once, and not again after each pick."""


class BatchBALD(_OfCommittee):
    """Parameters of BatchBALD."""

    strategy: ClassVar[str] = "BatchBALD"

    n_MC_samples: Count | None = None  # noqa: N815 - the name in scikit-activeml
    """Joint labels that are drawn to estimate entropies of several picks; null takes as many as draws."""


class GreedyBALD(_OfCommittee):
    """Parameters of GreedyBALD."""

    strategy: ClassVar[str] = "GreedyBALD"

    n_MC_samples: Count | None = None  # noqa: N815 - the name in scikit-activeml
    """Joint labels that are drawn; of no importance for one pick at a time."""


class Clue(_OfEmbeddings):
    """Parameters of Clue."""

    strategy: ClassVar[str] = "Clue"
    model: ClassVar[str] = "estimator"

    method: Literal["least_confident", "margin_sampling", "entropy"] = "entropy"
    """Uncertainty, the weight of a sample when it is clustered."""

    clusters: Clusters = "k_means"
    """How samples are clustered."""


class DropQuery(StrategyParams):
    """Parameters of DropQuery."""

    strategy: ClassVar[str] = "DropQuery"
    model: ClassVar[str] = "clf"

    dropout_rate: Share = 0.75
    """Share of the representations' coordinates that is set to 0."""

    n_dropout_samples: Annotated[int, Field(ge=3)] = 5
    """Predictions with such representations."""

    clusters: Clusters = "k_means"
    """How samples are clustered."""

    def reads(self) -> set[Feature]:
        """Representations, and predictions of any."""
        return {Feature.REPRESENTATIONS, Feature.DECODE}


class CoreSet(_OfEmbeddings):
    """Parameters of CoreSet."""

    strategy: ClassVar[str] = "CoreSet"

    metric: Distance = "euclidean"
    """Distance of samples."""

    metric_dict: dict[str, float] | None = None
    """Parameters of the distance."""


class TypiClust(_OfInputs):
    """Parameters of TypiClust."""

    strategy: ClassVar[str] = "TypiClust"

    k: Count = 5
    """Neighbors to which the mean distance is taken."""

    clusters: Clusters = "k_means"
    """How samples are clustered."""


class Badge(_OfEmbeddings):
    """Parameters of Badge."""

    strategy: ClassVar[str] = "Badge"
    model: ClassVar[str] = "clf"


class ProbCover(_OfInputs):
    """Parameters of ProbCover."""

    strategy: ClassVar[str] = "ProbCover"

    n_classes: Annotated[int, Field(ge=2)] | None = None
    """Clusters that should be pure in the balls; null takes as many as there are classes among the labels."""

    deltas: tuple[Annotated[float, Field(ge=0)], ...] | None = None
    """Radii to choose from, the largest whose balls are pure; null takes 0.2, 0.4, ..., 2.0."""

    alpha: Share = 0.95
    """Share of balls that must be pure."""

    clusters: Clusters = "k_means"
    """How samples are clustered."""


class ContrastiveAL(_OfEmbeddings):
    """Parameters of ContrastiveAL."""

    strategy: ClassVar[str] = "ContrastiveAL"
    model: ClassVar[str] = "clf"

    n_neighbors: Count = 5
    """Labeled neighbors that a sample's prediction is compared with."""

    eps: Annotated[float, Field(gt=0, le=0.1)] = 1e-7
    """Probabilities are at least this before their logarithm is taken."""


class Falcun(StrategyParams):
    """Parameters of Falcun."""

    strategy: ClassVar[str] = "Falcun"
    model: ClassVar[str] = "clf"

    gamma: Annotated[float, Field(ge=0)] = 10
    """Power of the relevance; the larger, the less is left to chance."""


class MaxHerding(_OfInputs):
    """Parameters of MaxHerding."""

    strategy: ClassVar[str] = "MaxHerding"

    normalize_samples: bool = True
    """Give all samples a length of 1."""

    metric: Kernel = "rbf"
    """Kernel of the coverage."""

    metric_dict: dict[str, float] | None = None
    """Parameters of the kernel."""
