"""`python -m infra.chalice …` runs `infra.package.packager`."""

from infra.package.packager import main

if __name__ == "__main__":
    main()
