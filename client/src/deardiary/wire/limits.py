"""The limits that server and client share: the server refuses more, the client splits or checks before it sends.

Each limit stands here once, with its unit in its name. Bytes of a text are bytes of UTF-8.
"""

KIB, MIB, GIB, TIB = 2**10, 2**20, 2**30, 2**40

# Requests and answers.
MAX_BODY_BYTES = 4 * MIB
MAX_PAGE_ITEMS = 200
# Rows of a list of iterations as columns.
MAX_TABLE_ITEMS = 1000
# Objects of one request for many, and the tags that it adds or removes. A new iteration has as many tags.
MAX_BULK_ITEMS = 200
MAX_BULK_TAGS = 50
# Points, and parameters, and tags of one flush.
MAX_BATCH_POINTS = 10_000
MAX_FLUSH_PARAMETERS = 1000
MAX_FLUSH_TAGS = 1000
MAX_FLUSH_COMMANDS = 100  # acknowledged

# Captured lines of one flush, the bytes of their texts, and those of an iteration with a line end each.
MAX_FLUSH_LINES = 10_000
MAX_FLUSH_OUTPUT_BYTES = MIB
MAX_OUTPUT_BYTES = 64 * MIB

# Texts. An id_key and a batch_id are as long as an id.
MAX_ID_CHARACTERS = 128
MAX_NAME_CHARACTERS = 255
MAX_KEY_CHARACTERS = 250
MAX_TAG_CHARACTERS = 250
MAX_PARAMETER_CHARACTERS = 6000
MAX_ALERT_CHARACTERS = 3000
# Labels of one owner, and the characters of one value; a label's key is as long as any key.
MAX_LABELS = 500
MAX_LABEL_CHARACTERS = 8000
MAX_EXPERIMENT_LABEL_CHARACTERS = 20_000
MAX_MODEL_LABEL_CHARACTERS = 100_000
# Keys and values together. They are in one item of DynamoDB, which has at most 400 KB; an input shares its item.
MAX_LABELS_BYTES = 395 * KIB
MAX_INPUT_LABELS_BYTES = 200 * KIB
MAX_ENTRYPOINT_CHARACTERS = 4096
# Notes, descriptions, error messages.
MAX_TEXT_BYTES = 64 * KIB
# One append to a study: an item of DynamoDB has at most 400 KB.
MAX_STUDY_ITEMS = 1000
MAX_STUDY_BYTES = 240 * KIB
# The diff and the lock files of a snapshot, each.
MAX_SNAPSHOT_TEXT_BYTES = 4 * MIB

# Steps are int64.
MIN_STEP, MAX_STEP = -(2**63), 2**63 - 1
# The summaries of all metrics of one iteration, before compression: a head, and for each key its text and a record.
# Room for about 3,000 keys of 25 characters: an item of DynamoDB has at most 400 KB, and every flush writes it twice.
MAX_SUMMARIES_BYTES = 300_000
SUMMARIES_HEAD_BYTES = 5
SUMMARY_RECORD_BYTES = 74

# Uploads in parts: https://docs.aws.amazon.com/AmazonS3/latest/userguide/qfacts.html
MAX_PARTS = 10_000
