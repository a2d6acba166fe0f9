"""Figures of matplotlib (and seaborn, pandas), and of plotly."""

import io
from typing import Any

from deardiary.media.encoded import Encoded

_DPI = 150


def encode(figure: Any) -> Encoded:
    """A figure of matplotlib, or the figure of its axes, as PNG; one of plotly as a page that loads plotly's script.

    TypeError for other values.
    """
    if not hasattr(figure, "savefig"):
        owner = getattr(figure, "figure", None)  # axes, and grids of seaborn
        figure = owner if hasattr(owner, "savefig") else figure
    if hasattr(figure, "savefig"):
        buffer = io.BytesIO()
        figure.savefig(buffer, format="png", dpi=_DPI, bbox_inches="tight")
        return Encoded(buffer.getvalue(), ".png")
    if hasattr(figure, "to_html") and hasattr(figure, "to_plotly_json"):
        return Encoded(figure.to_html(include_plotlyjs="cdn").encode(), ".html")
    raise TypeError(f"A figure is one of matplotlib or plotly, not {type(figure).__name__}")
