"""The modules in `chalicelib/routes` that serve each path: `{"/auth/me": ("auth",)}`.

Empty in the sources. The packager fills in the copy that Lambda runs (`infra/package/route_index.py`).
"""

MODULES: dict[str, tuple[str, ...]] = {}
