"""The fields of W&B's records that the importer reads, with W&B's numbers (``wandb_internal.proto``)."""

from __future__ import annotations

from functools import cache
from typing import Any

from deardiary_exchange.origins.messages import classes

MESSAGES = {
    "Record": """
        2 history HistoryRecord ?record_type
        3 summary SummaryRecord ?record_type
        4 output OutputRecord ?record_type
        5 config ConfigRecord ?record_type
        7 stats StatsRecord ?record_type
        8 artifact ArtifactRecord ?record_type
        9 tbrecord TBRecord ?record_type
        10 alert AlertRecord ?record_type
        13 output_raw OutputRawRecord ?record_type
        17 run RunRecord ?record_type
        18 exit RunExitRecord ?record_type
        25 use_artifact UseArtifactRecord ?record_type
        26 environment EnvironmentRecord ?record_type
    """,
    "RunRecord": """
        1 run_id string
        2 entity string
        3 project string
        4 config ConfigRecord
        6 run_group string
        7 job_type string
        8 display_name string
        9 notes string
        10 tags string *
        12 sweep_id string
        13 host string
        17 start_time Timestamp
        21 git GitRepoRecord
    """,
    "HistoryRecord": """
        1 item HistoryItem *
        2 step HistoryStep
    """,
    "HistoryItem": """
        1 key string
        2 nested_key string *
        3 none int32 ?value
        4 boolean bool ?value
        5 integer sint64 ?value
        6 number double ?value
        7 text string ?value
        8 json string ?value
        16 value_json string
    """,
    "HistoryStep": "1 num int64",
    "ConfigRecord": """
        1 update ConfigItem *
        2 remove ConfigItem *
    """,
    "ConfigItem": """
        1 key string
        2 nested_key string *
        16 value_json string
    """,
    "SummaryRecord": """
        1 update SummaryItem *
        2 remove SummaryItem *
    """,
    "SummaryItem": """
        1 key string
        2 nested_key string *
        16 value_json string
    """,
    "OutputRecord": """
        1 output_type int32
        2 timestamp Timestamp
        3 line string
    """,
    "OutputRawRecord": """
        1 output_type int32
        2 timestamp Timestamp
        3 line string
    """,
    "StatsRecord": """
        2 timestamp Timestamp
        3 item StatsItem *
    """,
    "StatsItem": """
        1 key string
        16 value_json string
    """,
    "ArtifactRecord": """
        4 type string
        5 name string
        6 digest string
        7 description string
        8 metadata string
        11 aliases string *
        12 manifest ArtifactManifest
    """,
    "ArtifactManifest": "4 contents ArtifactManifestEntry *",
    "ArtifactManifestEntry": """
        1 path string
        3 ref string
        6 local_path string
    """,
    "TBRecord": "",
    "AlertRecord": """
        1 title string
        2 text string
        3 level string
    """,
    "RunExitRecord": """
        1 exit_code int32
        2 runtime int32
    """,
    "UseArtifactRecord": """
        2 type string
        3 name string
    """,
    "EnvironmentRecord": """
        2 python string
        3 started_at Timestamp
        6 program string
        9 git GitRepoRecord
        13 username string
    """,
    "GitRepoRecord": """
        1 remote_url string
        2 commit string
    """,
    "Timestamp": """
        1 seconds int64
        2 nanos int32
    """,
}


@cache
def record() -> Any:
    """The class of a record."""
    return classes("wandb", MESSAGES)["Record"]
