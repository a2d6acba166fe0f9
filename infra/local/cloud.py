"""`python -m infra.local.cloud …` runs `infra.emulator.cloud`."""

from infra.emulator.cloud import main

if __name__ == "__main__":
    main()
