"""Images, figures, tables, sound and other rich values, as the bytes of files.

Each module encodes one kind. None needs a package: NumPy, Pillow, matplotlib and others are used only if the value is
theirs. `naming` gives the names of the files.
"""
