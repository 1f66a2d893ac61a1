"""One machine: the files that docs/one-box.md installs, and a check of that page's commands."""
