"""The page Start: a picture that answers a click, and three doors."""

from html import escape
from urllib.parse import urlencode

import streamlit as st

from mmvae_core.errors import RunError
from mmvae_core.store.opening import FILE, MOST_MODALITIES, Picture, read_picture
from mmvae_core.store.study import Study
from ui.components.start_picture import start_picture
from ui.draw.marks import class_html
from ui.kinds.view import DRAW
from ui.shared import views
from ui.shell import loading, messages, state, widgets
from ui.shell.state import Here
from ui.start import start_data

KEY = "start_picture"
OWN = "my own input"
"""What Generate calls starting from what the visitor gives."""


def picture(here: Here) -> Picture | None:
    """The item under every subset; clicks on it ask neither the server nor torch."""
    if len(here.names) > MOST_MODALITIES:
        st.info(messages.literal(f"A picture of {len(here.names)} modalities would not fit here."))
        return None
    try:
        made = _picture(here)
    except RunError as error:
        said = f"No picture is drawn. {error}"
        (st.error if here.run.is_evaluated else st.info)(messages.literal(said))
        return None
    stamp = (str(here.run.folder), loading.stamp(here.run), _age(here.study), here.item)
    start_picture(
        {
            "picture": _payload(stamp, here, made),
            "stamp": str(hash(stamp)),
            "lit": "".join("1" if kept else "0" for kept in here.mask),
            "cycle": "" if state.has_touched_mask(here.study) else _cycle(here),
        },
        KEY,
    )
    return made


def _picture(here: Here) -> Picture:
    """As stored, where that is of this run and item; else made, which needs torch.

    A damaged file is told, and does not keep the picture from being made.
    """
    age = _age(here.study)
    try:
        stored = _stored(str(here.study.folder), age, loading.stamp(here.run), here.item, here)
    except RunError as error:
        st.error(messages.literal(error))
        stored = None
    if stored is not None:
        return stored
    loading.latents(here.run)  # what to do where there are none
    return _made(str(here.run.folder), loading.stamp(here.run), age, here.item, here)


def _age(study: Study) -> tuple[int, ...]:
    """Changes whenever the picture or what the study has of its items does."""
    paths = (study.folder / name for name in (FILE, "samples.npz", "study.json"))
    return tuple(path.stat().st_mtime_ns if path.is_file() else 0 for path in paths)


@st.cache_resource(show_spinner=False, max_entries=8)
def _stored(
    folder: str, age: tuple[int, ...], run_age: tuple[int, ...], item: int, _here: Here
) -> Picture | None:
    return read_picture(_here.study, _here.run, item)


@st.cache_resource(show_spinner="Making the picture …", max_entries=8)
def _made(
    folder: str, run_age: tuple[int, ...], age: tuple[int, ...], item: int, _here: Here
) -> Picture:
    from mmvae_core.explore.opening import make_picture

    return make_picture(_here.study, _here.run, item, loading.model(_here.run))


@st.cache_resource(show_spinner=False, max_entries=16)
def _payload(stamp: tuple[object, ...], _here: Here, _made: Picture) -> dict[str, object]:
    report = loading.report(_here.run)
    about = start_data.About(
        [views.look(_here.study, one) for one in _here.run.config.modalities],
        loading.item_values(_here.study, _here.item, _here.names),
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
        )
        + _door(
            "My own",
            f"Draw {drawn[0]} of your own." if drawn else "Give values of your own.",
            _link("generate", own),
        )
        + '<div class="door"><b>My data</b><span>Open models that you trained: <code>mmvae app '
        "--checkpoints FOLDER</code></span></div></nav>"
    )


def _door(title: str, text: str, link: str) -> str:
    return (
        f'<a class="door" href="{escape(link)}" target="_self"><b>{title} '
        f'<i aria-hidden="true">→</i></b><span>{escape(text)}</span></a>'
    )


def _link(page: str, own: dict[str, str | list[str]]) -> str:
    """A page's address in this state; a new session opens it, as of any link."""
    return f"{page}?{urlencode({**state.unlike_defaults(), **own}, doseq=True)}"


def _drawn(here: Here) -> list[str]:
    """The modality that a visitor can draw: a grey picture; none where there is none."""
    looks = (views.look(here.study, one) for one in here.run.config.modalities)
    return [look.name for look in looks if DRAW in look.ways][:1]


def source(here: Here, made: Picture) -> None:
    """What the picture's lines, dots and words are."""
    label, classes = views.label_of(here), views.classes_of(here.study)
    draws = made.latents.shape[0]
    views.source(
        f"Item {here.item}, class {class_html(label, classes)}",
        "in the middle two axes of the latent space; small dots: other test items, a colour a "
        "class; region: it holds 95 % of the posterior, where the model thinks that the item is; "
        f"orange dots: {draws} draws of it, of which the pictures to the right are made",
        "learnt: rate, in nats of 1.44 bits",
        f"unsure: width of the posterior, {float(made.prior_width[0]):.2f} before anything is known",
        "seed 0",
        views.run_mark(here.run),
    )
