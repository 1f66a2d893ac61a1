"""The API of Google Reader, for feed readers on phones and desktops."""
