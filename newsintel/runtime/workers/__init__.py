"""Several processes of one service: their supervisor, a worker's side, and their channel."""
