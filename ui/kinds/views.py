"""The view of each kind of modality."""

import numpy as np

from mmvae_core.modalities.binary import Binary
from mmvae_core.modalities.categories import Categories
from mmvae_core.modalities.counts import Counts
from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.picture import ColourPicture, GreyPicture
from mmvae_core.modalities.symbols import Symbols
from mmvae_core.modalities.vector import Vector
from ui.kinds.answers import AnswersView
from ui.kinds.bars import BarsView, SharesView
from ui.kinds.picture_views import ColourView, GreyView
from ui.kinds.view import View
from ui.kinds.words import WordsView

VIEWS: dict[type[Kind], type[View]] = {
    Symbols: WordsView,
    Categories: AnswersView,
    Counts: BarsView,
    GreyPicture: GreyView,
    ColourPicture: ColourView,
    Binary: SharesView,
    Vector: BarsView,
}


def view_of(kind: Kind, units: np.ndarray | None = None) -> View:
    """How a modality looks; `units` [2, *shape] as `View` has them."""
    return VIEWS[type(kind)](kind, units)
