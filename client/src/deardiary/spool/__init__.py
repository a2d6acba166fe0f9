"""Spools: records that the server has not acknowledged yet, in files that outlive the process.

A spool is a folder for one process's part in one iteration. It holds `run.json` (`run.Run`), a `lock` that the writer
holds while it runs, numbered segments (`00000001.log` …) of lines (`lines`), `files` to be uploaded, and under
`rejected` the records that the server refused for good.
"""
