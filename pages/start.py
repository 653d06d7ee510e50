"""What this is, in a picture that answers a click, and three doors. Needs no torch."""

from ui.shell import frame

frame.enter()

from ui.shell import state  # noqa: E402
from ui.start import start_views  # noqa: E402

here = state.here()
picture = start_views.draw_picture(here)
start_views.doors(here)
start_views.model_parts(here)
if picture is not None:
    start_views.source(here, picture)
