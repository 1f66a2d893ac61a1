"""OAuth 2 and OpenID Connect on authlib: the service's own Reddit token, and people's sign-ins.

This package and `source_client` are the two users of httpx.
"""
