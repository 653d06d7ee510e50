"""The frame around every page: navigation, the shared choices, the look."""

from contextlib import nullcontext, suppress
from html import escape
from pathlib import Path

import streamlit as st
from PIL import Image, ImageChops, ImageDraw
from streamlit.runtime.pages_manager import PagesManager

from mmvae_core.errors import MMVAEError
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.components.copy_link import copy_link
from ui.components.take_home import take_home
from ui.draw.training_curves import curves_html
from ui.shell import bringing, choice, lesson, loading, messages, state, widgets

HOME = Path(__file__).resolve().parents[2]
GROUND = {False: "#fcfbf8", True: "#14171a"}
"""The page's colour as in .streamlit/config.toml, for table heads that stay while one scrolls."""
_TELL, _FILED = "_tell", "_filed"
START = "Start"
PAGES = {
    "start": (
        START,
        "One thing can be drawn, photographed and named: views of it, called modalities. A "
        "multi-modal VAE learns what they share, and so can make up whichever is missing.",
    ),
    "learn": (
        "Learn",
        "The whole idea by hand: predict first, then see.",
    ),
    "latent_space": (
        "Latent space",
        "Where do test items lie, and how does that change with what the model is shown?",
    ),
    "masks": (
        "Masks",
        "A mask hides modalities of one item: what does the model still know, and what does it make up?",
    ),
    "compare": (
        "Compare",
        "The same item, mask and noise: what do different ways of fusing modalities make of it?",
    ),
    "traverse": (
        "Traverse",
        "Drag through the latent space: what do all modalities become on the way?",
    ),
    "generate": (
        "Generate",
        "Give some modalities, of a test item or of your own: what are the others?",
    ),
    "fusion": (
        "Inside the fusion",
        "How much does each modality contribute to what the aggregator makes of them?",
    ),
    "order": ("Order", "Does it matter in which order the modalities come?"),
    "conflict": (
        "Conflict",
        "Some modalities of one item, the others of another: which side "
        "wins, and does the model notice?",
    ),
    "train": (
        "Train",
        "What would another rule, another bound or more passes make of these data?",
    ),
    "results": (
        "Results",
        "Which rule wins where, over several seeds, and where does the paper's "
        "claim not hold here?",
    ),
}
TRY = {
    "latent_space": "hide what tells most, then press Glide: who moves?",
    "masks": "press a card below; which modality cannot be made up?",
    "compare": "show one modality alone: which rule still knows the rest?",
    "traverse": "drag until the class changes; which modality turns first?",
    "generate": "take my own input, and give one modality alone.",
    "fusion": "hide one modality: whose share grows?",
    "order": "press Shuffle: which model minds?",
    "conflict": "take another modality from the rival: who wins now?",
    "train": "take the rule that you trust least, and a few passes.",
    "results": "choose another world: does the same rule win there?",
}
"""What a visitor may begin with, a line a page."""
HEADINGS = {START: "Hide a view, and the model dreams it up"}
"""What stands above a page, where that is not its name in the navigation."""
MASKLESS = (START, "Train")
"""Pages with no mask to press: Start has one of its own."""
OF_ALL_ITEMS = ("Latent space",)
"""Pages whose mask is that of every item, whatever the one at hand lacks."""
MODELLESS = ("Latent space", "Compare", "Learn", "Results")
"""Pages that show embeddings without a model too."""
RUNLESS = ("Learn", "Results")
"""Pages that show no run of the visitor's choice."""


def pages() -> list[st.Page]:
    """The pages, the first being the one that opens by itself."""
    return [
        st.Page(HOME / "pages" / f"{name}.py", title=title, default=index == 0)
        for index, (name, (title, _)) in enumerate(PAGES.items())
    ]


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
    ground = GROUND[state.is_dark()]
    on_primary = GROUND[True] if state.is_dark() else "#ffffff"
    messages.begin()
    st.session_state[_FILED] = _name(title)
    st.html(f"<style>:root {{ --ground: {ground}; --on-primary: {on_primary}; }}</style>")
    if state.is_plain():
        _ways()
    lesson.light_as_linked()
    if title in RUNLESS:
        _head(title)
        _keep_choices()
        return
    with st.sidebar:
        study, run, item, seed = _choose()
    _head(title)
    with st.container(key="unseen") if title in MASKLESS else nullcontext():
        mask = widgets.toggle_mask(study, run, _name(title))
        lacks = loading.lacks(study, run, item)
        if title not in OF_ALL_ITEMS:
            mask = widgets.cut_mask(run, item, mask, lacks)
    st.session_state[_TELL] = st.container()
    here = st.session_state[_FILED] = state.Here(study, run, item, mask, seed, lacks)
    state.remember(here)


def admit(title: str) -> None:
    """End a page that needs a model, where there are embeddings alone."""
    here = st.session_state[_FILED]
    if title in MODELLESS or not isinstance(here, state.Here) or here.run.has_model:
        return
    st.info(
        messages.literal(
            f"{here.run.folder.name} holds embeddings without a model; look at them on Latent space "
            "and Compare."
        )
    )
    raise messages.PageEnd


def _ways() -> None:
    """Links to all pages in this session: seen in the plain view, pressed for others by scripts.

    Elsewhere they come last, hidden.
    """
    with st.container(key="ways"):
        for page in pages():
            st.page_link(page)


def tell() -> None:
    """At a page's end, shown below its head: what was wrong with the link, for the page too."""
    with st.session_state.pop(_TELL, st.container()):
        for note in state.notes():
            st.warning(messages.literal(note))
    messages.words()
    take_home(_stem())
    if not state.is_plain():
        _ways()
    else:
        with st.container(key="controls"):
            st.button("Show the controls", on_click=state.show_controls)


def _stem() -> str:
    """What names of files from this page begin with: study, run, item and mask, else its name."""
    here = st.session_state[_FILED]
    if not isinstance(here, state.Here):
        return str(here)
    return f"{here.study.name}_{here.run.folder.name}_item-{here.item}_{here.subset}"


def _head(title: str) -> None:
    st.title(messages.literal(HEADINGS.get(title, title)), anchor=False)
    name = _name(title)
    attempt = f"<br><b>Try:</b> {TRY[name]}" if name in TRY else ""
    messages.html(f'<p class="question">{PAGES[name][1]}{attempt}</p>')


def _name(title: str) -> str:
    """A page's name in the address."""
    return next(name for name, (said, _) in PAGES.items() if said == title)


def _choose() -> tuple[Study, Run, int, int]:
    """Study, run, item and seed; and the ways to hand the page on."""
    study = widgets.pick_study()
    messages.html(_about_study(study), aside=True)
    run = widgets.pick_run(study)
    messages.html(_about(run) + _curves(run), aside=True)
    item = widgets.pick_item(study)
    choice.settle(study, len(loading.samples(study)))
    widgets.find_item(study, run)
    bringing.pick_brought()
    seed = widgets.pick_seed()
    copy_link(widgets.named_item(study, item))
    if widgets.pick_plain():
        st.html(HOME / "ui" / "shell" / "plain.css")
    return study, run, item, seed


def _keep_choices() -> None:
    """What is chosen for the other pages, the mask too: a widget that is not drawn forgets.

    The page is right without any run, so it does not complain if there is none.
    """
    st.session_state[_TELL] = st.container()
    with st.sidebar, suppress(MMVAEError):
        st.html('<p class="source">Not used on this page, kept for the others:</p>')
        study, run, item, seed = _choose()
        mask = widgets.toggle_mask(study, run, "results")
        state.remember(state.Here(study, run, item, mask, seed, loading.lacks(study, run, item)))


def _about_study(study: Study) -> str:
    """What the data are and where they come from."""
    about = study.about
    sources = "".join(f"<li>{escape(one)}</li>" for one in about.sources)
    more = f"<details><summary>Where the data come from</summary><ul>{sources}</ul></details>"
    return f'<div class="source">{escape(about.title)}{more if sources else ""}</div>'


def _curves(run: Run) -> str:
    """The run's training, folded away; a sentence where its file is damaged."""
    try:
        return curves_html(loading.history(run), state.is_dark())
    except MMVAEError as error:
        return f'<p class="source">{escape(str(error))}</p>'


def _about(run: Run) -> str:
    """What the run is called and, in small print, what it is."""
    card, config = run.card, run.config
    parts = config.aggregator.components
    mixture = f"posteriors are mixtures of {parts}, " if parts > 1 else ""
    prior = config.prior.name.replace("_", " ")
    if not run.has_model:
        return (
            f'<p class="title">{escape(loading.title(run))}</p><p class="source">embeddings of '
            f"{config.latent} numbers, without a model · <code>{loading.run_hash(run)}</code></p>"
        )
    return (
        f'<p class="title">{escape(loading.title(run))}</p><p class="source">'
        f"{escape(mixture)}latent of {config.latents}, {escape(prior)} prior, "
        f"{card.parameters:,} parameters, {card.epochs} epochs · "
        f"run <code>{loading.run_hash(run)}</code></p>"
    )
