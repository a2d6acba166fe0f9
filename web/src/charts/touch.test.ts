import assert from "node:assert/strict";
import { test } from "node:test";
import { zoomOf } from "./touch.ts";

test("after a pinch the same values are under the fingers", () => {
  assert.deepEqual(zoomOf([40, 60], [0, 100], 100), [40, 60]);
  assert.deepEqual(zoomOf([40, 60], [25, 75], 100), [30, 70]);
  assert.equal(zoomOf([40, 60], [50, 55], 100), undefined);
});
