"""How a stand-in is made. No heavy imports: part of the parameters of every data set that has one."""

from __future__ import annotations

from pydantic import Field

from alharness import Params

VERSION = 2
"""Of what is generated. Raise it with every change of that, so that no older folder is taken for the new one."""


class SignalSettings(Params):
    """How loudly each modality speaks of its own label, against everything else that its features hold."""

    text: float = Field(0.2, ge=0, le=2)
    """Signal of the text features."""
    audio: float = Field(0.3, ge=0, le=2)
    """Signal of the audio features."""
    vision: float = Field(0.2, ge=0, le=2)
    """Signal of the vision features."""


class StandInSettings(Params):
    """What can be chosen about a stand-in; the defaults are those that its properties were measured with."""

    share: float = Field(1.0, gt=0, le=1)
    """Size of every split as a share of the real one, rounded up."""
    seed: int = Field(0, ge=0, lt=2**63)
    """Seed of the data, which has nothing to do with the seeds of a run."""
    conflict: float = Field(0.35, ge=0, le=1)
    """Probability that one modality contradicts the others."""
    snr: SignalSettings = SignalSettings()
    """Signal per modality; from about 0.5 on, a few hundred labels say all there is to say."""
    label_noise: float = Field(0.2, ge=0, le=2)
    """Standard deviation of what is added to the mix of modalities before the fused label is read off it."""
    outlier: float = Field(0.04, ge=0, le=0.5)
    """Share of samples whose features are corrupted, and in train their fused label too."""
    n_clusters: int = Field(24, ge=1, le=1000)
    """Number of topics, shared by all splits."""
    zipf: float = Field(1.1, ge=0, le=5)
    """Exponent of the topics' sizes: the k-th has a share proportional to k to the power of minus this."""
    dirty: bool = False
    """Inject infinities, NaN and lengths of zero into the sequences, and repair them as an import does."""
