/**
 * How much each parameter matters for a metric: permutation importance of a random forest (Breiman 2001). Each tree predicts
 * the iterations that it was not grown from, once as they are, and once with the values of a parameter shuffled among
 * them. The rise of the mean squared error, as a share of the variance of the metric, is the importance of the parameter.
 */

/** A parameter: numbers, or texts to be compared for equality only. Undefined is a value of its own. */
export interface Feature {
  name: string;
  values: readonly (number | string | undefined)[];
}

export interface Importance {
  name: string;
  /** The rise of the error by shuffling, as a share of the variance; at least 0. */
  importance: number;
  /** Rank correlation (Spearman) with the metric, from -1 to 1; undefined for texts. */
  correlation: number | undefined;
}

export interface Result {
  importances: Importance[];
  /** The share of the variance that the forest explains for iterations that it has not seen. */
  explained: number;
  count: number;
}

export const TREES = 80;
const MOST_DEPTH = 8;
const MOST_CUTS = 16;
const LEAST_LEAF = 2;
export const LEAST_ITERATIONS = 8;

type Test = (row: number) => boolean;
interface Leaf {
  value: number;
}
interface Split {
  feature: number;
  isLeft: (value: number | string | undefined) => boolean;
  left: Tree;
  right: Tree;
}
type Tree = Leaf | Split;

export function importanceOf(features: readonly Feature[], target: readonly number[], seed = 1): Result {
  const chance = randomNumbers(seed);
  const rows = [...target.keys()];
  const errors = features.map(() => 0);
  const sums = rows.map(() => ({ sum: 0, count: 0 }));
  for (let index = 0; index < TREES; index++) {
    const sample = rows.map(() => Math.floor(chance() * rows.length));
    const seen = new Set(sample);
    const unseen = rows.filter((row) => !seen.has(row));
    if (!unseen.length) continue;
    const tree = grow(sample, features, target, chance, 0);
    const error = errorOf(unseen, target, (row) => predict(tree, features, row));
    for (const row of unseen) add(sums[row], predict(tree, features, row));
    for (const at of features.keys()) {
      const others = shuffled(unseen, chance);
      const of = new Map(unseen.map((row, place) => [row, others[place] as number]));
      const worse = errorOf(unseen, target, (row) => predict(tree, features, row, at, of.get(row)));
      errors[at] = (errors[at] as number) + (worse - error) / TREES;
    }
  }
  const variance = varianceOf(rows, target) || 1;
  const importances = features.map(({ name, values }, at) => ({
    name,
    importance: Math.max(0, (errors[at] as number) / variance),
    correlation: spearman(values, target),
  }));
  return {
    importances: importances.sort((a, b) => b.importance - a.importance),
    explained: explainedBy(sums, target, variance),
    count: rows.length,
  };
}

function add(of: { sum: number; count: number } | undefined, value: number): void {
  if (!of) return;
  of.sum += value;
  of.count += 1;
}

function explainedBy(
  sums: readonly { sum: number; count: number }[],
  target: readonly number[],
  variance: number,
): number {
  const known = [...target.keys()].filter((row) => sums[row]?.count);
  const error = errorOf(known, target, (row) => {
    const { sum, count } = sums[row] as { sum: number; count: number };
    return sum / count;
  });
  return known.length ? 1 - error / variance : 0;
}

function grow(
  rows: readonly number[],
  features: readonly Feature[],
  target: readonly number[],
  chance: () => number,
  depth: number,
): Tree {
  const best =
    depth < MOST_DEPTH && rows.length >= 2 * LEAST_LEAF ? bestSplit(rows, features, target, chance) : undefined;
  if (!best) return { value: meanOf(rows, target) };
  const { feature, isLeft } = best;
  const values = (features[feature] as Feature).values;
  const [left, right] = [rows.filter((row) => isLeft(values[row])), rows.filter((row) => !isLeft(values[row]))];
  return {
    feature,
    isLeft,
    left: grow(left, features, target, chance, depth + 1),
    right: grow(right, features, target, chance, depth + 1),
  };
}

/** The split that leaves the least squared error, of half of the features. */
function bestSplit(
  rows: readonly number[],
  features: readonly Feature[],
  target: readonly number[],
  chance: () => number,
) {
  const tried = shuffled([...features.keys()], chance).slice(0, Math.max(1, Math.ceil(features.length / 2)));
  let best: Pick<Split, "feature" | "isLeft"> | undefined;
  let most = 1e-12;
  for (const feature of tried) {
    const { values } = features[feature] as Feature;
    for (const isLeft of cutsOf(rows, values)) {
      const gain = gainOf(rows, target, (row) => isLeft(values[row]));
      if (gain > most) [best, most] = [{ feature, isLeft }, gain];
    }
  }
  return best;
}

function cutsOf(rows: readonly number[], values: Feature["values"]): Split["isLeft"][] {
  const present = [...new Set(rows.map((row) => values[row]))];
  const numbers = present.filter((each) => typeof each === "number").sort((a, b) => a - b);
  const texts = present.filter((each) => typeof each !== "number");
  const every = Math.max(1, Math.ceil((numbers.length - 1) / MOST_CUTS));
  const between = numbers.slice(1).flatMap((high, at) => (at % every ? [] : ((numbers[at] as number) + high) / 2));
  return [
    ...between.map((cut) => (value: number | string | undefined) => typeof value === "number" && value < cut),
    ...(present.length > 1 ? texts.slice(0, MOST_CUTS) : []).map(
      (text) => (value: number | string | undefined) => value === text,
    ),
  ];
}

/** How much a split lowers the sum of squared errors; 0 if a side would be too small. */
function gainOf(rows: readonly number[], target: readonly number[], isLeft: Test): number {
  let [count, sum, all] = [0, 0, 0];
  for (const row of rows) {
    const value = target[row] as number;
    all += value;
    if (isLeft(row)) {
      count += 1;
      sum += value;
    }
  }
  const others = rows.length - count;
  if (count < LEAST_LEAF || others < LEAST_LEAF) return 0;
  return sum ** 2 / count + (all - sum) ** 2 / others - all ** 2 / rows.length;
}

/** `other`: the iteration whose value of the feature `at` is taken in place of its own. */
function predict(tree: Tree, features: readonly Feature[], row: number, at = -1, other = row): number {
  let node = tree;
  while ("feature" in node) {
    const from = node.feature === at ? other : row;
    node = node.isLeft((features[node.feature] as Feature).values[from]) ? node.left : node.right;
  }
  return node.value;
}

function errorOf(rows: readonly number[], target: readonly number[], predicted: (row: number) => number): number {
  return rows.reduce((sum, row) => sum + ((target[row] as number) - predicted(row)) ** 2, 0) / (rows.length || 1);
}

function meanOf(rows: readonly number[], target: readonly number[]): number {
  return rows.reduce((sum, row) => sum + (target[row] as number), 0) / (rows.length || 1);
}

function varianceOf(rows: readonly number[], target: readonly number[]): number {
  const mean = meanOf(rows, target);
  return errorOf(rows, target, () => mean);
}

/** Spearman's rank correlation, equal values sharing their mean rank. */
export function spearman(values: Feature["values"], target: readonly number[]): number | undefined {
  const rows = [...target.keys()].filter((row) => typeof values[row] === "number");
  if (rows.length < 3 || rows.length < values.filter((each) => each !== undefined).length) return undefined;
  const [x, y] = [ranksOf(rows.map((row) => values[row] as number)), ranksOf(rows.map((row) => target[row] as number))];
  const all = [...x.keys()];
  const [meanX, meanY] = [meanOf(all, x), meanOf(all, y)];
  const product = all.reduce((sum, at) => sum + ((x[at] as number) - meanX) * ((y[at] as number) - meanY), 0);
  const scale = Math.sqrt(varianceOf(all, x) * varianceOf(all, y)) * all.length;
  return scale > 0 ? product / scale : undefined;
}

function ranksOf(values: readonly number[]): number[] {
  const order = [...values.keys()].sort((a, b) => (values[a] as number) - (values[b] as number));
  const ranks = new Array<number>(values.length).fill(0);
  for (let from = 0; from < order.length; ) {
    let to = from;
    while (to < order.length && values[order[to] as number] === values[order[from] as number]) to += 1;
    for (let at = from; at < to; at++) ranks[order[at] as number] = (from + to - 1) / 2;
    from = to;
  }
  return ranks;
}

function shuffled(values: readonly number[], chance: () => number): number[] {
  const result = [...values];
  for (let at = result.length - 1; at > 0; at--) {
    const other = Math.floor(chance() * (at + 1));
    [result[at], result[other]] = [result[other] as number, result[at] as number];
  }
  return result;
}

/** The same numbers in [0, 1) for the same seed: a xorshift of 32 bits (Marsaglia 2003). */
function randomNumbers(seed: number): () => number {
  let state = seed | 0 || 1;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 32;
  };
}
