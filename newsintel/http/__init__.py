"""The REST API: an application factory, one file per noun, and the server that carries them."""
