"""The web interface: a page of our own over Gradio's queue and API.

`serve.py` opens the port at once and loads the rest behind it; `front.py` is what a browser
meets (page, login, uploads, guard), `api.py` the endpoints for programs, `desk.py` the bot they
share, a question at a time (`line.py`). `talk.py` writes the answers of the conversations that
`conversations.py` keeps on disk, `testcases.py` makes rows of a test set of them, `batches.py`
answers files of questions, `evaluations.py` begins evaluations (both through `asker.py`), and
`runs.py` shows them; `chat_routes.py` and `work_routes.py` are their way to the page.
`openai.py` and `mcp_tools.py` speak the protocols of other programs. `show.py` turns answers
and documents into what the page draws. The page itself is in `page/`.

Nothing here makes HTML of a text that comes from a document, a question or a model: such text
travels as JSON, and `page/dom.js` is the one place that puts it on the page, as text.
"""
