import assert from "node:assert/strict";
import { test } from "node:test";
import { safeLink } from "./safe-link.ts";

test("only links to the web are links", () => {
  assert.equal(safeLink("https://example.org/a b"), "https://example.org/a%20b");
  for (const href of ["javascript:alert(1)", " JaVaScRiPt:alert(1)", "data:text/html,x", "blob:x", "/ui", "#x", ""]) {
    assert.equal(safeLink(href), undefined, href);
  }
});
