import assert from "node:assert/strict";
import { test } from "node:test";
import { besides, seriesOf, stepOf } from "./steps.ts";

const file = (name: string) => ({ id: name, name });

test("a name of media has a key and a step", () => {
  assert.deepEqual(stepOf("media/samples/test/000120-0.png"), { key: "samples/test", step: 120, index: 0 });
  assert.deepEqual(stepOf("media/a/7.png"), { key: "a", step: 7, index: 0 });
  assert.deepEqual(stepOf("media/a/00000007-12.png"), { key: "a", step: 7, index: 12 });
  for (const other of ["samples/7.png", "media/7.png", "media/a/b.png", "media/a/7/x.png"]) {
    assert.equal(stepOf(other), undefined, other);
  }
});

test("the files of a key come by step, without other keys and kinds", () => {
  const files = ["media/a/10.png", "media/a/9.png", "media/b/1.png", "media/a/8.json"].map(file);
  const series = seriesOf(file("media/a/10.png"), files);
  assert.deepEqual(
    series?.map((each) => each.step),
    [9, 10],
  );
  assert.equal(seriesOf(file("media/b/1.png"), files), undefined);
  const several = ["media/a/1-0.png", "media/a/1-1.png", "media/a/2-0.png", "media/a/2-1.png"].map(file);
  assert.deepEqual(
    seriesOf(file("media/a/1-1.png"), several)?.map((each) => each.file.name),
    ["media/a/1-1.png", "media/a/2-1.png"],
  );
  assert.equal(seriesOf(file("media/a/8.json"), files), undefined);
});

test("the images of one call stand beside each other, in their order", () => {
  const files = ["media/a/1-1.png", "media/a/1-0.png", "media/a/2-0.png", "media/b/1-0.png", "media/a/1-2.json"].map(
    file,
  );
  const names = (name: string) => besides(file(name), files).map((each) => each.name);
  assert.deepEqual(names("media/a/1-1.png"), ["media/a/1-0.png", "media/a/1-1.png"]);
  for (const alone of ["media/b/1-0.png", "media/a/1-2.json", "model.pt"]) assert.deepEqual(names(alone), [alone]);
});
