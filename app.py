"""The app: `streamlit run app.py`, with `-- --checkpoints FOLDER` for other runs.

Streamlit reads this file twice: once for the server, and for every visitor as the script that
frames each page.
"""

from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

if get_script_run_ctx(suppress_warning=True) is None:
    from ui.shell import server, warm

    app = st.App(
        Path(__file__),
        routes=server.ROUTES,
        middleware=server.middleware(),
        lifespan=warm.warmed,
    )
else:
    from ui.shell import frame
    from ui.shell.messages import PageEnd, plainly

    st.set_page_config(page_icon=frame.icon(), layout="wide")
    page = st.navigation(frame.pages())
    with plainly():
        frame.draw(page.title)
        try:
            frame.admit(page.title)
            page.run()
        except PageEnd:
            pass
        finally:
            frame.tell()
