import assert from "node:assert/strict";
import { test } from "node:test";
import { isLessBetter } from "./metric-keys.ts";

test("less of a loss or an error is better, and more of all else", () => {
  for (const key of ["loss", "val/loss", "train_loss", "val.RMSE", "cer", "test error"])
    assert.ok(isLessBetter(key), key);
  for (const key of ["accuracy", "val/f1", "gloss", "lossless", "mirror", "reward"]) assert.ok(!isLessBetter(key), key);
});
