"""All kinds of lock file, and which of them a text is."""

from deardiary.environment.kinds.conda import CONDA_LOCK, PIXI
from deardiary.environment.kinds.julia import JULIA, is_project
from deardiary.environment.kinds.kind import Kind
from deardiary.environment.kinds.python import PDM, PIPFILE, POETRY, PYLOCK, REQUIREMENTS, UV
from deardiary.environment.kinds.renv import RENV

# In the order of the search: exact lock files before a hand-written list.
PYTHON: tuple[Kind, ...] = (UV, PYLOCK, POETRY, PDM, PIPFILE, PIXI, CONDA_LOCK, REQUIREMENTS)
# Searched for if there is no Python project.
OTHERS: tuple[Kind, ...] = (JULIA, RENV)
# In the order of recognition: the last one accepts any text.
_BY_CONTENT = (JULIA, RENV, PIPFILE, PDM, POETRY, PYLOCK, PIXI, CONDA_LOCK, UV, REQUIREMENTS)


def kind_of(text: str | None, project: str | None = None) -> Kind:
    """The kind of a lock file's text; for an empty text, the kind of the project file beside it."""
    if not (text or "").strip() and is_project(project or ""):
        return JULIA
    return next(kind for kind in _BY_CONTENT if kind.recognises(text or ""))
