/** The colours of curves, as people with and without red-green blindness see them (Machado et al. 2009). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";

type Colour = [number, number, number];
const LEAST_DISTANCE = 12;
const LEAST_CONTRAST = 3;
const SURFACES: Colour[] = [
  [1, 1, 1],
  [0x14 / 255, 0x18 / 255, 0x1d / 255],
];
const SIGHTS: Record<string, Colour[]> = {
  deuteranopia: [
    [0.367322, 0.860646, -0.227968],
    [0.280085, 0.672501, 0.047413],
    [-0.01182, 0.04294, 0.968881],
  ],
  protanopia: [
    [0.152286, 1.052583, -0.204868],
    [0.114503, 0.786281, 0.099216],
    [-0.003882, -0.048116, 1.051998],
  ],
  usual: [
    [1, 0, 0],
    [0, 1, 0],
    [0, 0, 1],
  ],
};
const XYZ: Colour[] = [
  [0.4339, 0.3762, 0.1899],
  [0.2126, 0.7152, 0.0722],
  [0.0177, 0.1095, 0.8728],
];

const times = (rows: Colour[], of: Colour) =>
  rows.map((row) => row.reduce((sum, each, at) => sum + each * (of[at] ?? 0), 0)) as Colour;
const linear = (of: Colour) => of.map((c) => (c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)) as Colour;
const luminance = (of: Colour) => times(XYZ, linear(of))[1];

function lab(of: Colour): Colour {
  const f = times(XYZ, of).map((t) => (t > 0.008856 ? Math.cbrt(t) : 7.787 * Math.max(0, t) + 16 / 116)) as Colour;
  return [116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])];
}

function colours(theme: 0 | 1): Colour[] {
  const css = readFileSync(new URL("../styles/tokens.css", import.meta.url), "utf8");
  return [...css.matchAll(/--series-\d: light-dark\((#\w{6}), (#\w{6})\)/g)].map((found) => {
    const hex = found[theme + 1] as string;
    return [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255) as Colour;
  });
}

for (const theme of [0, 1] as const) {
  for (const [sight, rows] of Object.entries(SIGHTS)) {
    test(`the colours of theme ${theme} are apart for ${sight} sight`, () => {
      const seen = colours(theme).map((each) => lab(times(rows, linear(each))));
      assert.equal(seen.length, 8);
      for (const [at, one] of seen.entries()) {
        for (const other of seen.slice(at + 1))
          assert.ok(Math.hypot(...one.map((c, i) => c - (other[i] ?? 0))) >= LEAST_DISTANCE, `--series-${at + 1}`);
      }
    });
  }
  test(`the colours of theme ${theme} stand out from the page`, () => {
    const surface = luminance(SURFACES[theme] as Colour);
    for (const each of colours(theme)) {
      const [low, high] = [surface, luminance(each)].sort((a, b) => a - b) as [number, number];
      assert.ok((high + 0.05) / (low + 0.05) >= LEAST_CONTRAST);
    }
  });
}
