"""Small pictures of all items: each at its place in the sheet."""

import io

import numpy as np
from PIL import Image

from mmvae_core.config import LikelihoodConfig, ModalityConfig
from mmvae_core.modalities.kinds import kind_of
from ui.kinds import thumbnails
from ui.kinds.view import View
from ui.kinds.views import view_of


def look(shape: tuple[int, ...], likelihood: str, alphabet: str | None = None) -> View:
    config = ModalityConfig(name="one", shape=shape, likelihood=LikelihoodConfig(name=likelihood))
    return view_of(kind_of(config, alphabet))


def test_each_item_is_at_its_own_place() -> None:
    shades = np.linspace(0, 1, 7, dtype=np.float32)
    values = np.broadcast_to(shades[:, None, None, None], (7, 1, 12, 12)).copy()
    found = thumbnails.sheet(look((1, 12, 12), "laplace"), values)
    assert found is not None
    assert (found.width, found.height) == (12, 12)
    whole = np.asarray(Image.open(io.BytesIO(found.data)).convert("L"), float) / 255
    for item, shade in enumerate(shades):
        row, column = divmod(item, found.columns)
        cell = whole[row * 12 : (row + 1) * 12, column * 12 : (column + 1) * 12]
        assert abs(cell[4:8, 4:8].mean() - shade) < 0.05  # WebP is not exact


def test_what_is_tall_is_made_smaller_and_text_has_no_sheet() -> None:
    found = thumbnails.sheet(look((3, 64, 96), "laplace"), np.zeros((2, 3, 64, 96), np.float32))
    assert found is not None
    assert (found.width, found.height) == (48, 32)
    words = look((2, 3), "categorical", "ab ")
    codes = np.array([[0, 1], [1, 2]])
    assert thumbnails.sheet(words, codes) is None
    assert thumbnails.texts(words, codes) == ["ab", "b "]
    assert thumbnails.texts(look((1, 12, 12), "laplace"), np.zeros((2, 1, 12, 12))) is None
