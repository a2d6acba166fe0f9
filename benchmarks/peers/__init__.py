"""Programs that log, one for each tracker, run in that tracker's environment: standard library and the tracker only.

`log FOLDER CALLS` logs five metrics in each call, as fast as it can, prints how long the calls took, and kills itself
the moment the last one has returned. `count FOLDER` prints how many of the points are there afterwards.
"""
