"""The page: the engine in a browser, with Gradio. `nst page`, or `python gradio_app.py`."""
