"""Pictures as SVG and PNG, the same bytes for the same results."""

from __future__ import annotations

import io
import warnings
from typing import TYPE_CHECKING, Any

from alharness.report.lettering import fonts

if TYPE_CHECKING:
    from alharness.report.document import Picture

DPI = 130


def render(picture: Picture, notice: str) -> tuple[bytes, bytes]:
    """SVG and PNG; the notice, if any, is on the picture itself, wherever it is shown later."""
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    style: Any = {"svg.hashsalt": picture.name, "svg.fonttype": "path", "font.size": 10, "font.family": fonts()}
    svg, png = io.BytesIO(), io.BytesIO()
    with mpl.rc_context(style), warnings.catch_warnings():
        # A name in a script without an installed font; and more names than any layout holds.
        warnings.filterwarnings("ignore", message="Glyph .* missing from|constrained_layout not applied")
        figure = Figure(figsize=picture.size, dpi=DPI, layout="constrained")
        picture.draw(figure)
        if notice:
            figure.suptitle(notice, x=0.99, ha="right", fontsize=7, color="#B00020")
        # Not by `savefig`, which draws everything twice; and the layout is computed once for both.
        raster: Any = FigureCanvasAgg(figure)
        raster.print_png(png, metadata={"Software": "alharness"})
        figure.set_layout_engine("none")
        vectors: Any = FigureCanvasSVG(figure)
        vectors.print_svg(svg, metadata={"Date": None, "Creator": "alharness"})
    return svg.getvalue(), png.getvalue()
