"""The routes of the pages for people, one file per page."""
