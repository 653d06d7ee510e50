"""The page Start: a picture that answers a click, and three doors."""

import re
from html import escape
from urllib.parse import urlencode

import streamlit as st

from mmvae_core.errors import RunError
from mmvae_core.store.opening import MOST_MODALITIES, Picture, read_picture
from mmvae_core.store.run import Run
from mmvae_core.store.study import Study
from ui.components.start_picture import start_picture
from ui.components.ways import ways_answer
from ui.draw.marks import class_html
from ui.draw.names import OBJECTIVES, aggregator_name
from ui.kinds.view import DRAW
from ui.shared import views
from ui.shell import answers, caching, frame, loading, messages, state, widgets
from ui.shell.state import Here
from ui.start import diagram, start_data

KEY = "start_picture"
SHOW, DRAW_OWN = "show", "draw"
"""The doors, as scripts name them."""
OWN = "my own input"
"""What Generate calls starting from what the visitor gives."""


def draw_picture(here: Here) -> Picture | None:
    """The item under every subset; clicks on it ask neither the server nor torch."""
    if len(here.names) > MOST_MODALITIES:
        messages.html(
            f'<p class="plain">{len(here.names)} modalities are more than a picture here can hold. '
            "Press <b>Show me</b>: some are hidden there, and made up.</p>"
        )
        return None
    try:
        picture = _picture(here)
    except RunError as error:
        said = f"No picture is drawn. {error}"
        (st.error if here.run.is_evaluated else st.info)(messages.literal(said))
        return None
    start_picture(
        {
            "picture": _payload(here.study, here.run, here.item, picture),
            "stamp": str(
                hash((caching.run_key(here.run), caching.study_key(here.study), here.item))
            ),
            "lit": "".join("1" if kept else "0" for kept in here.mask),
            "cycle": "" if state.has_touched_mask(here.study) else _cycle(here),
        },
        KEY,
    )
    return picture


def _picture(here: Here) -> Picture:
    """As stored, where that is of this run and item; else made, which needs torch.

    A damaged file is told, and does not keep the picture from being made.
    """
    try:
        stored = _stored(here.study, here.run, here.item)
    except RunError as error:
        st.error(messages.literal(error))
        stored = None
    if stored is not None:
        return stored
    loading.latents(here.run)  # what to do where there are none
    return _made(here.study, here.run, here.item)


@caching.resource(max_entries=8)
def _stored(study: Study, run: Run, item: int) -> Picture | None:
    return read_picture(study, run, item)


@caching.resource(show_spinner="Making the picture …", max_entries=8)
def _made(study: Study, run: Run, item: int) -> Picture:
    from mmvae_core.explore.opening import make_picture

    return make_picture(study, run, item, answers.model(run))


@caching.resource(max_entries=16)
def _payload(study: Study, run: Run, item: int, _made: Picture) -> dict[str, object]:
    report = loading.report(run)
    about = start_data.About(
        [views.look(study, one) for one in run.config.modalities],
        loading.item_values(study, item, run.config.names),
        {} if report is None else report.coherence,
    )
    return start_data.payload(_made, about)


def _cycle(here: Here) -> str:
    """The mask that the picture shows once by itself: that with which Generate opens."""
    shown = widgets.opening_mask(here.study, here.run, "generate")
    return "".join("1" if name in shown else "0" for name in here.names)


def doors(here: Here) -> None:
    """Three ways on: links that keep study, run, item and seed."""
    hidden = widgets.opening_mask(here.study, here.run, "generate")
    missing = [name for name in here.names if name not in hidden]
    drawn = _drawn(here)
    own: dict[str, str | list[str]] = {"start": OWN} | ({state.MASK: drawn} if drawn else {})
    messages.html(
        '<nav class="doors" aria-label="Ways on">'
        + _door(
            "Show me",
            f"A closer look, with {' and '.join(missing)} hidden." if missing else "A closer look.",
            _link("masks", {state.MASK: hidden}),
            SHOW,
        )
        + _door(
            "My own",
            f"Draw {drawn[0]} of your own." if drawn else "Give values of your own.",
            _link("generate", own),
            DRAW_OWN,
        )
        + '<div class="door"><b>My data</b><span>Open models that you trained: <code>mmvae app '
        "--checkpoints FOLDER</code></span></div></nav>"
    )


def _prepare(here: Here, door: str) -> int:
    """The state that a door opens; the place of its page in the navigation."""
    drawn = _drawn(here)
    if door == DRAW_OWN:
        st.session_state["start"] = OWN
        if drawn:
            state.take_mask(drawn)
    else:
        state.take_mask(widgets.opening_mask(here.study, here.run, "generate"))
    return _page_places()["generate" if door == DRAW_OWN else "masks"]


def _page_places() -> dict[str, int]:
    return {name: place for place, name in enumerate(frame.PAGES)}


def model_parts(here: Here) -> None:
    """The model as a diagram; its parts and the doors lead on in the same session."""
    config = here.run.config
    objective = config.objective.name
    parts = diagram.Parts(
        [views.look(here.study, one) for one in config.modalities],
        loading.item_values(here.study, here.item, here.names),
        here.mask,
        aggregator_name(config.aggregator.name),
        OBJECTIVES.get(objective, objective.replace("_", " ")),
    )
    drawn = diagram.diagram(parts, _page_places())
    messages.html(drawn)
    messages.tell(re.sub(r"<[^>]*>", " ", drawn))  # what is clicked bears no marks of its own
    ways_answer(lambda door: _prepare(here, door))


def _door(title: str, text: str, link: str, name: str) -> str:
    return (
        f'<a class="door" href="{escape(link)}" target="_self" data-way="0" data-set="{name}">'
        f"<b>{title} "
        f'<i aria-hidden="true">→</i></b><span>{escape(text)}</span></a>'
    )


def _link(page: str, own: dict[str, str | list[str]]) -> str:
    """A page's address in this state, for a tab of its own; a plain click keeps the session."""
    return f"{page}?{urlencode({**state.unlike_defaults(), **own}, doseq=True)}"


def _drawn(here: Here) -> list[str]:
    """The modality that a visitor can draw: a grey picture; none where there is none."""
    looks = (views.look(here.study, one) for one in here.run.config.modalities)
    return [look.name for look in looks if DRAW in look.ways][:1]


def source(here: Here, picture: Picture) -> None:
    """What the picture's lines, dots and words are."""
    label, classes = views.label_of(here), views.classes_of(here.study)
    draws = picture.latents.shape[0]
    views.source(
        f"{views.item_title(here.study, here.item)}, class {class_html(label, classes)}",
        "in the middle two axes of the latent space; small dots: other test items, a colour a "
        "class; region: it holds 95 % of the posterior, where the model thinks that the item is; "
        f"orange dots: {draws} draws of it, of which the pictures to the right are made",
        "learnt: rate, in nats; a yes-or-no answer is a bit, 0.69 nats",
        "unsure: width of the posterior, a standard deviation, mean over the axes",
        "seed 0",
        views.run_mark(here.run),
    )
