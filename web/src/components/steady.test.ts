import assert from "node:assert/strict";
import { test } from "node:test";
import { saysTheSame } from "./steady.ts";

const names = { of: () => "" };
interface Props {
  rows?: number;
  names?: typeof names;
  onSelect?: () => number;
  save?: (() => number) | undefined;
}
const known: Props = { rows: 1, names, onSelect: () => 1, save: () => 1 };

test("what handlers do makes no difference, whether there are any does", () => {
  assert.ok(saysTheSame(known, known));
  assert.ok(saysTheSame({ ...known, onSelect: () => 2, save: () => 2 }, known));
  assert.ok(!saysTheSame({ ...known, save: undefined }, known));
});

test("another value makes a difference, also another function that is no handler", () => {
  assert.ok(!saysTheSame({ ...known, rows: 2 }, known));
  assert.ok(!saysTheSame({ ...known, names: { of: () => "" } }, known));
  assert.ok(!saysTheSame({ rows: 1 }, known));
});
