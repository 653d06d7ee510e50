"""What maps answer with: the item that is clicked, pictures at a hover and when zoomed in."""

from collections.abc import Sequence
from typing import Any

from streamlit import runtime

from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.components.map_touch import maps_answer
from ui.kinds import thumbnails
from ui.shared import latent_views, views
from ui.shell import caching, loading, state
from ui.shell.state import Here


def answer(here: Here, charts: Sequence[str]) -> None:
    """After a page's maps, whose keys are `charts`."""
    sheets, texts = _thumbnails(here.study, here.run)
    data = {
        "sheets": [
            {
                "name": one.name,
                "url": _served(one),
                "columns": one.columns,
                "width": one.width,
                "height": one.height,
            }
            for one in sheets
        ],
        "texts": texts,
    }
    maps_answer(charts, here.item, data, state.take_item, latent_views.lack_webgl)


def _served(one: thumbnails.Sheet) -> str:
    """The address at which this session's browser finds a sheet, and keeps it."""
    files = runtime.get_instance().media_file_mgr
    return files.add(one.data, "image/webp", f"thumbnails {one.name}")


@caching.resource(max_entries=8)
def _thumbnails(study: Study, run: Run) -> tuple[list[thumbnails.Sheet], dict[str, Any]]:
    data = loading.samples(study).data
    looks = [views.look(study, one) for one in run.config.modalities if one.name in data]
    sheets = [thumbnails.sheet(look, data[look.name]) for look in looks]
    texts = {look.name: thumbnails.texts(look, data[look.name]) for look in looks}
    return [one for one in sheets if one], {name: said for name, said in texts.items() if said}
