"""The kinds of lock file, one module an ecosystem; ``lockfile`` lists them all."""
