"""What is accepted of a provider, at most."""

# OpenID Connect says so of a subject.
MAX_SUBJECT_CHARACTERS = 255
MAX_ISSUER_CHARACTERS = 1000
MAX_TOKEN_CHARACTERS = 64 * 1024
MAX_GROUPS = 1000
