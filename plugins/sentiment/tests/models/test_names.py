import pytest

from alharness.api.dataset import DatasetFacts
from alharness.api.vocabulary import Task
from alharness.errors import SpecError
from alharness_sentiment.av_mc import plugin as av_mc
from alharness_sentiment.lfmim import plugin as lfmim
from alharness_sentiment.modalities import unknown_modality

FACTS = DatasetFacts(task=Task.REGRESSION, modalities=("text", "audio"), sizes=(10, 5, 5))


def test_the_first_parameter_that_names_what_is_not_there():
    assert unknown_modality({"a": {"text"}, "b": {"smell", "audio"}}, FACTS.modalities) == (
        "model.params.b speaks of smell, but the data set's modalities are text, audio"
    )
    assert unknown_modality({"a": {"text"}}, FACTS.modalities) == ""


@pytest.mark.parametrize(
    ("model", "params"),
    [
        (av_mc.AV_MC, av_mc.AvMcParams(head_widths={"smell": 8})),
        (lfmim.LFMIM, lfmim.LfmimParams(lengths={"smell": 8})),
    ],
    ids=["av_mc", "lfmim"],
)
def test_models_know_it_before_anything_is_trained(model, params):
    with pytest.raises(SpecError, match="speaks of smell"):
        model.review(params, FACTS)
    assert not model.review(type(params)(), FACTS)
