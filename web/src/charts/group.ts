/** Groups of curves: the mean of each group, and one standard deviation on either side as its band. */
import { emptyLine } from "./grid.ts";
import type { Curves, Line, Values } from "./model.ts";

/** One line for each group. Between two points of a curve the mean counts it as a straight line. */
export function groupCurves(curves: Curves, groupOf: (id: string) => string): Curves {
  const groups = Map.groupBy(curves.lines, (line) => groupOf(line.id));
  const lines = [...groups].map(([name, members]) => meanOf(name, members, curves.x));
  return { ...curves, lines };
}

function meanOf(name: string, members: readonly Line[], x: readonly number[]): Line {
  const line = emptyLine(name, x.length);
  const filled = members.map((each) => interpolate(each.last, x));
  for (const at of x.keys()) {
    const values = filled.map((each) => each[at]).filter((each) => typeof each === "number");
    if (!values.length) continue;
    const mean = values.reduce((sum, each) => sum + each, 0) / values.length;
    const deviation = Math.sqrt(values.reduce((sum, each) => sum + (each - mean) ** 2, 0) / values.length);
    line.last[at] = mean;
    line.min[at] = mean - deviation;
    line.max[at] = mean + deviation;
  }
  line.marks = members.flatMap((each) => each.marks);
  return line;
}

/** Fill the gaps between the points of a curve; before the first and behind the last there is nothing. */
export function interpolate(values: Values, x: readonly number[]): Values {
  const result = [...values];
  let before = -1;
  for (const [at, value] of values.entries()) {
    if (typeof value !== "number") continue;
    const from = values[before];
    for (let gap = before + 1; before >= 0 && gap < at; gap++) {
      const share = ((x[gap] as number) - (x[before] as number)) / ((x[at] as number) - (x[before] as number));
      if (result[gap] === undefined) result[gap] = (from as number) + share * (value - (from as number));
    }
    before = at;
  }
  return result;
}
