"""The files that a capture leaves out: their name or content shows that they hold credentials."""

import re
from fnmatch import fnmatchcase
from mmap import mmap
from pathlib import PurePosixPath

# Patterns of file names, in lower case.
_FILES = (
    # settings of a process
    *(".env", ".env.*", "*.env", ".envrc", ".secrets", "local.settings.json", "*.tfstate", "*.tfstate.*", "*.tfvars"),
    # keys and key stores
    *("*.pem", "*.key", "*.p8", "*.p12", "*.pfx", "*.pkcs12", "*.jks", "*.keystore", "*.kdbx", "*.keytab", "*.ppk"),
    *("id_rsa*", "id_dsa*", "id_ecdsa*", "id_ed25519*", "secring.*", "*.ovpn"),
    # logins of tools
    *(".netrc", "_netrc", ".pypirc", ".npmrc", ".yarnrc.yml", ".pgpass", "pgpass.conf", ".my.cnf", ".mylogin.cnf"),
    *(".git-credentials", ".htpasswd", "credentials", ".s3cfg", ".boto", ".databrickscfg", ".vault-token"),
    *(".dockercfg", ".dockerconfigjson", ".terraformrc", "terraform.rc", "kaggle.json", ".renviron", ".smbcredentials"),
    *("kubeconfig", "kubeconfig.*", "kubeconfig-*", "*.kubeconfig", ".comet.config", ".wandbrc"),
    *("service-account*.json", "service_account*.json", "serviceaccount*.json", "*-service-account.json"),
    *("*_service_account.json", "gcloud-key*.json", "gcp-key*.json", "accesstokens.json", "azureauth.json"),
    *(
        f"*{word}*.{kind}"
        for word in ("secret", "credential")
        for kind in ("json", "toml", "y*ml", "ini", "cfg", "conf", "txt", "xml", "properties")
    ),
)
_FOLDERS = (
    *(".aws", ".azure", ".databricks", ".docker", ".gcloud", ".gnupg", ".huggingface", ".kaggle", ".kube", ".oci"),
    *(".password-store", ".secrets", ".ssh", ".vault", "credentials", "gcloud", "secrets"),
)

# A credential file of any name. Source code that mentions a marker has no key after it.
_CONTENTS: tuple[tuple[str, re.Pattern[bytes]], ...] = (
    (
        "a private key",
        re.compile(rb"-----BEGIN [A-Z0-9 ]{0,40}PRIVATE KEY(?: BLOCK)?-----[\s\S]{0,300}?[A-Za-z0-9+/]{40}"),
    ),
    ("a private key", re.compile(rb"^[+ -]?Private-Lines: \d", re.MULTILINE)),
    ("a service account", re.compile(rb'"private_key"\s*:\s*"[^"\s]{20,}')),
    ("a service account", re.compile(rb'"type"\s*:\s*"service_account"')),
    ("a login", re.compile(rb'"refresh_token"\s*:\s*"[^"\s]{20,}')),
    ("a login", re.compile(rb'"auth"\s*:\s*"[A-Za-z0-9+/=]{8,}"')),
    ("a kubeconfig", re.compile(rb"client-key-data['\"]?\s*:\s*['\"]?[A-Za-z0-9+/=]{20,}")),
    ("a kubeconfig", re.compile(rb"^[+ -]?kind: Config\s*$", re.MULTILINE)),
)


def is_secret(path: str) -> bool:
    """True if a path with slashes names a file to leave out."""
    parts = PurePosixPath(path.lower()).parts
    return bool(parts) and (
        any(fnmatchcase(parts[-1], pattern) for pattern in _FILES) or any(part in _FOLDERS for part in parts[:-1])
    )


def pathspecs() -> list[str]:
    """The same rule as arguments of git: all files but these."""
    names = [*_FILES, *(f"{folder}/**" for folder in _FOLDERS)]
    return [".", *(f":(exclude,icase,glob)**/{name}" for name in names)]


def credential_in(content: bytes | mmap) -> str | None:
    """The kind of credential for which a file, or part of a patch, is left out; None if it is not."""
    return next((kind for kind, pattern in _CONTENTS if pattern.search(content)), None)
