"""Print what Aim itself reads of the repository AIM_REPOSITORY. Aim opens each run for writing, which changes it."""

from __future__ import annotations

import json
import os
import sys

from aim import Repo, Run


def main() -> None:
    sys.stdout, out = sys.stderr, sys.stdout
    repo = Repo(os.environ["AIM_REPOSITORY"])
    found = {}
    for run_hash in repo.list_all_runs():
        run = Run(run_hash, repo=repo, system_tracking_interval=None, capture_terminal_logs=False, force_resume=True)
        metrics = []
        for name, context, _ in run.iter_metrics_info():
            steps, (values, epochs, _) = run.get_metric(name, context).data.items_list()
            metrics.append([name, context.to_dict(), sorted(zip(steps, map(repr, values), epochs, strict=True))])
        found[run_hash] = {
            "name": run.name,
            "experiment": run.experiment,
            "description": run.description or "",
            "archived": run.archived,
            "tags": sorted(run.tags),
            "parameters": {key: value for key, value in run[...].items() if not key.startswith("__")},
            "metrics": metrics,
        }
        run.close()
    print(json.dumps(found), file=out)


main()
