import assert from "node:assert/strict";
import { test } from "node:test";
import { logQuery, queryOf, type Settings, settingsOf } from "./settings.ts";

test("settings come back from their URL, and the usual ones are not in it", () => {
  const settings: Settings = {
    x: "metric:train/loss:a",
    logX: true,
    logY: true,
    smoothing: { method: "gaussian", amount: 4.5 },
    band: false,
    outliers: false,
    group: "lr",
    zoom: [-1.5, 2e9],
  };
  assert.deepEqual(settingsOf({ ...queryOf(settings), ...logQuery(true, true) }), settings);
  const usual = { ...queryOf(settingsOf({})), ...logQuery(false, false) };
  assert.deepEqual(
    Object.values(usual).filter((each) => each !== undefined),
    [],
  );
});

test("nonsense in a URL is as if it were not there, and amounts stay in their bounds", () => {
  const settings = settingsOf({ "chart-x": "moon", "chart-smooth": "ema:7", "chart-zoom": "5~1" });
  assert.equal(settings.x, "step");
  assert.deepEqual(settings.smoothing, { method: "ema", amount: 0.99 });
  assert.equal(settings.zoom, undefined);
  assert.deepEqual(settingsOf({ "chart-smooth": "mean:x" }).smoothing, { method: "mean", amount: 11 });
});
