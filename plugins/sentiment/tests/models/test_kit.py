"""What every model promises, of both models, the second one as small as it can be."""

import pytest

from alharness.testing import ModelConformance
from alharness_sentiment.av_mc.plugin import AV_MC
from alharness_sentiment.lfmim.plugin import LFMIM


class TestAvMc(ModelConformance):
    plugin = AV_MC


@pytest.mark.slow
class TestLfmim(ModelConformance):
    plugin = LFMIM
    params = {"preset": "small", "width": 16, "heads": 2}
