import assert from "node:assert/strict";
import { test } from "node:test";
import { type Kind, kindOf, mediaType } from "./kind.ts";

const CASES: [string, string | undefined, Kind][] = [
  ["a/b.PNG", undefined, "image"],
  ["plot.svg", "text/html", "image"],
  ["page.html", "text/html", "text"],
  ["x", "text/html; charset=utf-8", "text"],
  ["x", "image/png", "image"],
  ["x", "image/x-unknown", "none"],
  ["data.tsv", "application/octet-stream", "csv"],
  ["README.md", undefined, "markdown"],
  ["result.json", undefined, "json"],
  ["x", "application/ld+json", "json"],
  ["a.wav", undefined, "sound"],
  ["x", "audio/mpeg", "sound"],
  ["a.MP4", "text/html", "video"],
  ["weights.bin", "application/octet-stream", "none"],
  ["png", undefined, "none"],
];

for (const [name, type, expected] of CASES) {
  test(`${name} of type ${type} is shown as ${expected}`, () => {
    assert.equal(kindOf({ name, ...(type ? { content_type: type } : {}) }), expected);
  });
}

test("the type of an image follows from its name, not from what the file says of itself", () => {
  assert.equal(mediaType({ name: "a.jpg", content_type: "text/html" }), "image/jpeg");
  assert.equal(mediaType({ name: "a.mp3", content_type: "text/html" }), "audio/mpeg");
  assert.equal(mediaType({ name: "a.webm" }), "video/webm");
  assert.equal(mediaType({ name: "a.svg" }), "image/svg+xml");
  assert.equal(mediaType({ name: "x", content_type: "image/gif" }), "image/gif");
});
