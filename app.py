"""The frame of the app: `streamlit run app.py`, with `-- --checkpoints FOLDER` for other runs."""

import streamlit as st

from ui.shell import frame
from ui.shell.messages import PageEnd, plainly

st.set_page_config(page_icon=frame.icon(), layout="wide")
page = st.navigation(frame.pages())
with plainly():
    frame.draw(page.title)
    try:
        page.run()
    except PageEnd:
        pass
    finally:
        frame.tell()
