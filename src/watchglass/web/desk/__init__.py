"""A signer's own desk: pages on loopback, from their own install, with their own keys. Never from a portal."""
