import assert from "node:assert/strict";
import { test } from "node:test";
import { parseDiff } from "./diff.ts";

const DIFF = `diff --git a/x.sql b/x.sql
--- a/x.sql
+++ b/x.sql
@@ -1,3 +1,2 @@ head
 same
--- a comment of SQL
-old
++++ added
\\ No newline at end of file
diff --git a/y b/y
new file mode 100644
`;

test("each line of a diff has its kind, also where it looks like a header", () => {
  const kinds = parseDiff(DIFF).map((each) => each.kind);
  const first = ["file", "file", "file", "hunk", "same", "removed", "removed", "added", "same"];
  assert.deepEqual(kinds, [...first, "file", "file"]);
});

test("a hunk of one line has no count", () => {
  const kinds = parseDiff("@@ -1 +1 @@\n-a\n+b\n--- a/z").map((each) => each.kind);
  assert.deepEqual(kinds, ["hunk", "removed", "added", "file"]);
});
