"""The frame around every page: navigation, the shared choices, the look."""

from pathlib import Path

import streamlit as st
from PIL import Image, ImageChops, ImageDraw
from streamlit.runtime.pages_manager import PagesManager

from ui import loading, state, widgets

HOME = Path(__file__).resolve().parent.parent
GROUND = {False: "#fcfbf8", True: "#14171a"}
"""The page's colour as in .streamlit/config.toml, for table heads that stay while one scrolls."""
PAGES = {
    "latent_space": ("Latent space", "Where do test items lie, and how does that change with "
                     "what the model is shown?"),
    "masks": ("Masks", "Hide modalities of one item: what does the model still know, and what "
              "does it make up?"),
    "compare": ("Compare", "The same item, mask and noise: what do different ways of fusing "
                "modalities make of it?"),
    "generate": ("Generate", "Give some modalities, of a test item or of your own: what are "
                 "the others?"),
    "fusion": ("Inside the fusion", "How much does each modality contribute to what the "
               "aggregator makes of them?"),
    "order": ("Order", "Does it matter in which order the modalities come?"),
    "conflict": ("Conflict", "Some modalities of one item, the others of another: which side "
                 "wins, and does the model notice?"),
}


def pages() -> list[st.Page]:
    """The pages, the first being the one that opens by itself."""
    return [st.Page(HOME / "pages" / f"{name}.py", title=title, default=index == 0)
            for index, (name, (title, _)) in enumerate(PAGES.items())]


def icon() -> Image.Image:
    """Three overlapping discs, drawn here so that nothing is fetched."""
    picture = Image.new("RGB", (64, 64), "white")
    for place, colour in (((2, 2), "#e69f00"), ((24, 2), "#56b4e9"), ((13, 22), "#009e73")):
        disc = Image.new("RGB", (64, 64), "white")
        ImageDraw.Draw(disc).ellipse((*place, place[0] + 38, place[1] + 38), fill=colour)
        picture = ImageChops.multiply(picture, disc)
    return picture


def enter() -> None:
    """A page's first line.

    A cold server whose first request names a page runs that page's file alone, without app.py.
    Declaring the navigation and starting again brings the frame back.
    """
    if PagesManager.uses_pages_directory is not False:
        st.navigation(pages())
        st.rerun()


def draw(title: str) -> None:
    """The look, the sidebar and the page's head; afterwards `state.here()` is known."""
    st.html(f"<style>:root {{ --ground: {GROUND[state.is_dark()]}; }}</style>")
    st.html(HOME / "ui" / "style.css")
    with st.sidebar:
        study = widgets.pick_study()
        run = widgets.pick_run(study)
        st.html(_about(run))
        item = widgets.pick_item(study)
        seed = widgets.pick_seed()
    st.title(title, anchor=False)
    question = next(text for name, text in PAGES.values() if name == title)
    st.html(f'<p class="question">{question}</p>')
    mask = widgets.toggle_mask(run)
    for note in state.notes():
        st.warning(note)
    state.remember(state.Here(study, run, item, mask, seed))


def _about(run: loading.Run) -> str:
    card, config = run.card, run.config
    return (f'<p class="source">{config.aggregator.name.replace("_", " ")} aggregator, '
            f'{config.objective.name} bound, latent of {config.latent}, '
            f'{card.get("parameters", 0):,} parameters, {card.get("epochs", "?")} epochs · '
            f'run <code>{loading.run_hash(run)}</code></p>')
