import assert from "node:assert/strict";
import { test } from "node:test";
import { MOST_ROWS, parseCsv } from "./csv.ts";

const CASES: [string, string, string[][]][] = [
  [
    "plain",
    "a,b\n1,2\n3,4\n",
    [
      ["a", "b"],
      ["1", "2"],
      ["3", "4"],
    ],
  ],
  [
    "Windows line ends, no last one",
    "a,b\r\n1,2",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
  [
    "quotes",
    'a,b\n"x, ""y""\nz",2\n',
    [
      ["a", "b"],
      ['x, "y"\nz', "2"],
    ],
  ],
  [
    "empty cells",
    "a,b,c\n,,\n1,,",
    [
      ["a", "b", "c"],
      ["", "", ""],
      ["1", "", ""],
    ],
  ],
  [
    "semicolons",
    "a;b\n1,5;2",
    [
      ["a", "b"],
      ["1,5", "2"],
    ],
  ],
  ["a quote that never ends", 'a\n"x', [["a"], ["x"]]],
  [
    "text after a quote",
    'a,b\n"x"y,1',
    [
      ["a", "b"],
      ["xy", "1"],
    ],
  ],
  [
    "a byte order mark, empty lines",
    "\uFEFFa,b\n\n1,2\n\n",
    [
      ["a", "b"],
      ["1", "2"],
    ],
  ],
];

for (const [name, text, [head, ...rows]] of CASES) {
  test(name, () => {
    const found = parseCsv(text);
    assert.deepEqual(found.head, head);
    assert.deepEqual(found.rows, rows);
    assert.equal(found.total, rows.length);
  });
}

test("a long file shows its first rows and says how many there are", () => {
  const found = parseCsv(`a\n${"1\n".repeat(MOST_ROWS + 10)}`);
  assert.equal(found.rows.length, MOST_ROWS);
  assert.equal(found.total, MOST_ROWS + 10);
});

test("nothing is nothing", () => assert.deepEqual(parseCsv(""), { head: [], rows: [], total: 0, columns: 0 }));
