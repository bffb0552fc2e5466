"""The web interface: a page of our own over Gradio's queue and API.

`serve.py` opens the port at once and loads the rest behind it; `front.py` is what a browser
meets (page, login, uploads, guard), `api.py` the endpoints, `desk.py` the bot they share,
`show.py` turns answers and documents into what the page draws. The page itself is in `page/`.

Nothing here makes HTML of a text that comes from a document, a question or a model: such text
travels as JSON, and `page/dom.js` is the one place that puts it on the page, as text.
"""
