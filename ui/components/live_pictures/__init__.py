"""Controls of its own, whose pictures are made in the browser at once.

The pictures take the place of the server's in the panels of the page (`[data-made]`). One frame
later Streamlit is told: the frame's own pills, hidden meanwhile, are pressed, and seed, draws and
temperature come as a trigger. So address, session and history stay Streamlit's; what the server
then draws is the same. Cards of the lattice (`mmvae-mask`) and the pad (`mmvae-drawn`) are heard.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from ui.components import decoding

KEY, WAYS = "live", "live_pictures"
_LIVE = decoding.load(Path(__file__).parent)


def live_pictures(data: dict[str, Any], on_ways: Callable[[], None]) -> None:
    """Make pictures where the browser can; `data` as `shared.live_views` puts it.

    `on_ways` is called when `st.session_state[WAYS].ways` is a new choice: seed, count, temperature.
    """
    _LIVE(key=WAYS, data=data, on_ways_change=on_ways)
