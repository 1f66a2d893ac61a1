"""OAuth 2 and OpenID Connect on authlib: the service's own token for Reddit, and people who sign in. One of the two users of httpx."""
