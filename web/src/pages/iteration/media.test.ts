import assert from "node:assert/strict";
import { test } from "node:test";
import { atStep, mediaOf, seriesOfMedia, stepsOf } from "./media.ts";

const files = [
  "media/samples/00000002-1.png",
  "media/samples/00000002-0.png",
  "media/samples/00000010-0.png",
  "media/weights/00000005.json",
  "media/samples/00000002.txt",
  "weights.bin",
  "media/model/00000001.pt",
].map((name) => ({ id: name, name }));

test("files are media by their key and kind, their steps in order", () => {
  const media = mediaOf(files);
  assert.deepEqual(
    media.map(({ key, steps }) => [key, steps.map((each) => [each.step, each.files.length])]),
    [
      [
        "samples",
        [
          [2, 2],
          [10, 1],
        ],
      ],
      ["weights", [[5, 1]]],
      ["samples", [[2, 1]]],
    ],
  );
  assert.equal(media[0]?.steps[0]?.files[0]?.name, "media/samples/00000002-0.png");
  assert.deepEqual(stepsOf(media), [2, 5, 10]);
});

test("a step shows what was logged last before it", () => {
  const [samples, weights] = mediaOf(files);
  assert.ok(samples && weights);
  assert.equal(atStep(samples, 9)?.step, 2);
  assert.equal(atStep(samples, 10)?.step, 10);
  assert.equal(atStep(weights, 4), undefined);
  assert.deepEqual(
    seriesOfMedia(samples).map((each) => each.step),
    [2, 10],
  );
});
