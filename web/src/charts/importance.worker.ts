/** Computes importances beside the page, which stays usable. */
import { type Feature, importanceOf } from "./importance.ts";

self.onmessage = ({ data }: MessageEvent<{ features: Feature[]; target: number[] }>) => {
  self.postMessage(importanceOf(data.features, data.target));
};
