"""The actors: long-lived tasks that meet only on channels. `app.py` draws how they are joined; each file is one actor with one `run`."""
