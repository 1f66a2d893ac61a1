"""Tools that build, deploy and drill newsintel. The service itself does not use them."""
