"""The actors: long-lived tasks that communicate only through channels.

`app.py` draws how they are connected. Each file is one actor with one `run`.
"""
