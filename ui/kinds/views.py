"""The view of each kind of modality."""

from mmvae_core.modalities.kind import Kind
from mmvae_core.modalities.picture import ColourPicture, GreyPicture
from mmvae_core.modalities.symbols import Symbols
from mmvae_core.modalities.vector import Vector
from ui.kinds.bars import BarsView
from ui.kinds.picture_views import ColourView, GreyView
from ui.kinds.view import View
from ui.kinds.words import WordsView

VIEWS: dict[type[Kind], type[View]] = {
    Symbols: WordsView,
    GreyPicture: GreyView,
    ColourPicture: ColourView,
    Vector: BarsView,
}


def view_of(kind: Kind) -> View:
    """How a modality looks."""
    return VIEWS[type(kind)](kind)
