"""The artifact bucket of a stage: private, TLS only, encrypted, with lifecycle rules."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from infra.failure import code_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from types_boto3_s3 import S3Client

    from infra.stage import Stage

# S3's error codes for a bucket, or a setting of it, that does not exist.
ABSENT = {
    "404",
    "NoSuchBucket",
    "NoSuchBucketPolicy",
    "NoSuchCORSConfiguration",
    "NoSuchLifecycleConfiguration",
    "NoSuchPublicAccessBlockConfiguration",
    "OwnershipControlsNotFoundError",
    "ServerSideEncryptionConfigurationNotFoundError",
}


# The CORS rule of the dashboard: `infra finish` alone knows the URL of the API, `infra up` the origins in the settings.
DASHBOARD = "dashboard"


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting of a bucket: how to read it, its required value (None: absent), how to set it."""

    label: str
    read: Callable[[], Any]
    wanted: Any
    write: Callable[[], object]


def converge_bucket(s3: S3Client, stage: Stage, cors_origins: Sequence[str]) -> list[str]:
    """Create the bucket or correct its settings; return one line per change."""
    done = _create_if_absent(s3, stage)
    for setting in (*_access_settings(s3, stage), *_content_settings(s3, stage.bucket, cors_origins)):
        if _or_none(setting.read) != setting.wanted:
            setting.write()
            done.append(f"bucket {stage.bucket}: {setting.label}")
    return done


def allow_dashboard(s3: S3Client, bucket: str, *origins: str) -> list[str]:
    """Let the API's own pages, which have these web origins, read artifacts. Return a line if that changes anything."""
    rules = _cors_rules(s3, bucket)
    wanted = [each for each in rules if each.get("ID") != DASHBOARD] + [_cors_rule(origins, DASHBOARD)]
    if rules == wanted:
        return []
    s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": wanted})
    return [f"bucket {bucket}: CORS for the dashboard at {', '.join(origins)}"]


def inspect_bucket(s3: S3Client, stage: Stage, cors_origins: Sequence[str], *dashboard: str) -> list[str]:
    """What is wrong with the bucket, a line each. `dashboard` are the web origins of the API's own pages."""
    bucket = stage.bucket
    if not has_bucket(s3, bucket):
        return [f"there is no bucket {bucket}"]
    settings = (*_access_settings(s3, stage), *_content_settings(s3, bucket, cors_origins))
    faults = [f"{bucket} is not so: {each.label}" for each in settings if _or_none(each.read) != each.wanted]
    if _cors_rule(dashboard, DASHBOARD) not in _cors_rules(s3, bucket):
        faults.append(f"{bucket} has no CORS rule for the dashboard at {', '.join(dashboard)}")
    return faults


def has_bucket(s3: S3Client, name: str) -> bool:
    return _or_none(lambda: s3.head_bucket(Bucket=name)) is not None


def delete_bucket(s3: S3Client, name: str) -> list[str]:
    """Delete the bucket with every object and unfinished upload. Return no line if there is none."""
    if not has_bucket(s3, name):
        return []
    for page in s3.get_paginator("list_multipart_uploads").paginate(Bucket=name):
        for upload in page.get("Uploads", []):
            s3.abort_multipart_upload(Bucket=name, Key=upload["Key"], UploadId=upload["UploadId"])
    for versions in s3.get_paginator("list_object_versions").paginate(Bucket=name):
        entries = [*versions.get("Versions", []), *versions.get("DeleteMarkers", [])]
        if entries:
            doomed: list[Any] = [{"Key": entry["Key"], "VersionId": entry["VersionId"]} for entry in entries]
            s3.delete_objects(Bucket=name, Delete={"Objects": doomed, "Quiet": True})
    s3.delete_bucket(Bucket=name)
    return [f"bucket {name}: deleted"]


def _create_if_absent(s3: S3Client, stage: Stage) -> list[str]:
    if _or_none(lambda: s3.head_bucket(Bucket=stage.bucket)) is not None:
        return []
    request: dict[str, Any] = {"Bucket": stage.bucket, "ObjectOwnership": "BucketOwnerEnforced"}
    if stage.region != "us-east-1":  # S3 uses it by default and refuses it as a constraint
        request["CreateBucketConfiguration"] = {"LocationConstraint": stage.region}
    s3.create_bucket(**request)
    s3.get_waiter("bucket_exists").wait(Bucket=stage.bucket)
    return [f"bucket {stage.bucket}: created"]


def _or_none(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except ClientError as error:
        if code_of(error) in ABSENT:
            return None
        raise


def _access_settings(s3: S3Client, stage: Stage) -> list[Setting]:
    """Access to the bucket: its owner only, over TLS only."""
    bucket = stage.bucket
    blocked: Any = dict.fromkeys(
        ("BlockPublicAcls", "IgnorePublicAcls", "BlockPublicPolicy", "RestrictPublicBuckets"), True
    )
    ownership: Any = {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]}
    policy = _tls_only(f"arn:{stage.partition}:s3:::{bucket}")
    return [
        Setting(
            "public access blocked",
            lambda: s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"],
            blocked,
            lambda: s3.put_public_access_block(Bucket=bucket, PublicAccessBlockConfiguration=blocked),
        ),
        Setting(
            "access control lists off",
            lambda: s3.get_bucket_ownership_controls(Bucket=bucket)["OwnershipControls"],
            ownership,
            lambda: s3.put_bucket_ownership_controls(Bucket=bucket, OwnershipControls=ownership),
        ),
        Setting(
            "TLS required",
            lambda: json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"]),
            policy,
            lambda: s3.put_bucket_policy(Bucket=bucket, Policy=json.dumps(policy)),
        ),
    ]


def _content_settings(s3: S3Client, bucket: str, cors_origins: Sequence[str]) -> list[Setting]:
    """The lifecycle of objects, and the web origins that may fetch them."""
    encryption: Any = {"SSEAlgorithm": "AES256"}
    lifecycle: Any = [_abort_stale_uploads()]
    others: Any = [each for each in _cors_rules(s3, bucket) if each.get("ID") == DASHBOARD]
    cors: Any = ([_cors_rule(cors_origins)] if cors_origins else []) + others
    return [
        Setting(
            "encrypted at rest",
            lambda: _default_encryption(s3, bucket),
            encryption,
            lambda: s3.put_bucket_encryption(
                Bucket=bucket,
                ServerSideEncryptionConfiguration={"Rules": [{"ApplyServerSideEncryptionByDefault": encryption}]},
            ),
        ),
        Setting(
            "unfinished uploads end after a week",
            lambda: s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"],
            lifecycle,
            lambda: s3.put_bucket_lifecycle_configuration(Bucket=bucket, LifecycleConfiguration={"Rules": lifecycle}),
        ),
        Setting(
            f"CORS for {', '.join(cors_origins) or 'nobody'}",
            lambda: _cors_rules(s3, bucket),
            cors,
            lambda: (
                s3.put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": cors})
                if cors
                else s3.delete_bucket_cors(Bucket=bucket)
            ),
        ),
    ]


def _default_encryption(s3: S3Client, bucket: str) -> Any:
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    return rules[0].get("ApplyServerSideEncryptionByDefault")


def _tls_only(bucket_arn: str) -> dict[str, Any]:
    statement = {
        "Sid": "TlsOnly",
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": [bucket_arn, f"{bucket_arn}/*"],
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    return {"Version": "2012-10-17", "Statement": [statement]}


def _abort_stale_uploads() -> dict[str, Any]:
    """Abort uploads that the server no longer knows. The server aborts the others itself after an idle day."""
    return {
        "ID": "abort-unfinished-uploads",
        "Status": "Enabled",
        "Filter": {"Prefix": ""},
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }


def _cors_rules(s3: S3Client, bucket: str) -> list[Any]:
    found: list[Any] | None = _or_none(lambda: s3.get_bucket_cors(Bucket=bucket)["CORSRules"])
    return found or []


def _cors_rule(origins: Sequence[str], name: str | None = None) -> dict[str, Any]:
    """The CORS rule for presigned requests of a web page: any request header; checksum and ETag are readable."""
    return ({} if name is None else {"ID": name}) | {
        "AllowedOrigins": list(origins),
        "AllowedMethods": ["GET", "PUT", "HEAD"],
        "AllowedHeaders": ["*"],
        "ExposeHeaders": ["ETag", "x-amz-checksum-sha256"],
        "MaxAgeSeconds": 3600,
    }
