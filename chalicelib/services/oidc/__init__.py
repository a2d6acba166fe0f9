"""Sign-in with an OpenID Connect provider: authorization code with PKCE, and the check of the ID token."""
