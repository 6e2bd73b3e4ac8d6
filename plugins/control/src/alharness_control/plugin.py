"""What the harness knows of the control before it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING

from alharness import Feature, Params, SamplerError, SamplerPlugin, hookimpl

if TYPE_CHECKING:
    from alharness import Setting

NEEDED = "value", "original", "region"
"""Names of what it reads. `worlds` has them; the page of the data set says what they are."""


def review(_params: Params, setting: Setting) -> list[str]:
    """Refuse data whose truth lacks something that it reads."""
    if not setting.truth:
        raise SamplerError("it reads the truth about made-up data, and these come without; use it with worlds")
    if lacking := [name for name in NEEDED if name not in setting.truth]:
        raise SamplerError(
            f"it reads the truth {', '.join(lacking)} of each sample, and these data know "
            f"{', '.join(setting.truth)} alone; use it with worlds"
        )
    return []


@hookimpl
def alharness_samplers() -> list[SamplerPlugin]:
    """The control."""
    return [
        SamplerPlugin(
            name="control",
            params=Params,
            make="alharness_control.sampler:Control",
            requires={Feature.TRUTH},
            review=review,
            summary="a control, not a sampler: knows which labels of made-up data are worth buying",
        )
    ]
