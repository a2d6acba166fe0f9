"""Programs that log, one for each tracker, run in that tracker's environment: standard library and the tracker only.

`log FOLDER CALLS` logs five metrics in each call, as fast as possible, prints the durations of the calls, and kills
itself directly after the last one returns. `count FOLDER` then prints the number of stored points.
"""
