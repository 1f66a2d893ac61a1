"""All outgoing HTTP: the transport, the sources and the sign-in providers."""
