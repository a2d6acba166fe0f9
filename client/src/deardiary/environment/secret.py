"""Which files a capture leaves out, because what is in them is likely to be a secret."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from pathlib import PurePosixPath

# Patterns of a file's name, in lower case.
_FILES = (
    *(".env", ".env.*", "*.env", ".envrc", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "*.ppk", ".netrc", "_netrc", ".pypirc", ".npmrc", ".pgpass"),
    *(".git-credentials", ".htpasswd", "credentials", "kaggle.json", "*.tfstate", "*.tfstate.*", "*.tfvars"),
    *(
        f"*{word}*.{kind}"
        for word in ("secret", "credential")
        for kind in ("json", "toml", "y*ml", "ini", "cfg", "txt")
    ),
)
_FOLDERS = (".aws", ".ssh", ".gnupg", ".docker", ".kube")
_PASSWORD_IN_URL = re.compile(r"(?<=://)[^/\s:@$\"']+:[^/\s@$\"']+(?=@)")
MASK = "***"


def is_secret(path: str) -> bool:
    """Whether a path with slashes names a file that is to be left out."""
    parts = PurePosixPath(path.lower()).parts
    return bool(parts) and (
        any(fnmatchcase(parts[-1], pattern) for pattern in _FILES) or any(part in _FOLDERS for part in parts[:-1])
    )


def pathspecs() -> list[str]:
    """The same as arguments of git: everything but these files."""
    names = [*_FILES, *(f"{folder}/**" for folder in _FOLDERS)]
    return [".", *(f":(exclude,icase,glob)**/{name}" for name in names)]


def without_passwords(text: str) -> str:
    """Lock files name the indexes they were made with, and some index's URL says how to sign in."""
    return _PASSWORD_IN_URL.sub(MASK, text)
