"""What has been logged and not yet acknowledged, in files that outlive the process.

A spool is a folder for one process's part in one iteration. It holds `run.json` (`run.Run`), a `lock` that the writer
holds while it lives, numbered segments (`00000001.log` …) of lines (`lines`), `files` that wait to be uploaded, and
under `rejected` what the server refused for good.
"""
