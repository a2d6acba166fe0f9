/** Smoothing of a curve. Each method leaves out what is not finite, and keeps the gaps of a curve where they are. */
import type { Values } from "./model.ts";

export const METHODS = ["none", "ema", "mean", "gaussian"] as const;
export type Method = (typeof METHODS)[number];

export interface Smoothing {
  method: Method;
  /** The weight of the past in [0, 1) for "ema"; the width in shown points for the others. */
  amount: number;
}

export function smooth(values: Values, { method, amount }: Smoothing): Values {
  const places: number[] = [];
  const finite: number[] = [];
  for (const [index, value] of values.entries()) {
    if (typeof value !== "number") continue;
    places.push(index);
    finite.push(value);
  }
  const smoothed = smoothFinite(finite, method, amount);
  const result = [...values];
  for (const [index, place] of places.entries()) result[place] = smoothed[index] as number;
  return result;
}

function smoothFinite(values: number[], method: Method, amount: number): number[] {
  if (method === "ema") return ema(values, amount);
  if (method === "mean") return mean(values, amount);
  if (method === "gaussian") return gaussian(values, amount);
  return values;
}

/** An exponential moving average without the bias of its start: the weights of the points so far add up to 1. */
export function ema(values: readonly number[], weight: number): number[] {
  let sum = 0;
  let share = 1;
  return values.map((value) => {
    sum = weight * sum + (1 - weight) * value;
    share *= weight;
    return sum / (1 - share);
  });
}

/** The mean of `width` points around each; fewer at both ends, as many on either side. */
export function mean(values: readonly number[], width: number): number[] {
  const sums = [0];
  for (const value of values) sums.push((sums.at(-1) as number) + value);
  return values.map((_, index) => {
    const reach = Math.min(Math.floor(width / 2), index, values.length - 1 - index);
    const [from, to] = [index - reach, index + reach + 1];
    return ((sums[to] as number) - (sums[from] as number)) / (to - from);
  });
}

/** The mean of the points around each, with the weights of a normal distribution of this standard deviation. */
export function gaussian(values: readonly number[], deviation: number): number[] {
  if (deviation <= 0) return [...values];
  const reach = Math.ceil(3 * deviation);
  const weights = Array.from({ length: reach + 1 }, (_, far) => Math.exp(-0.5 * (far / deviation) ** 2));
  return values.map((_, index) => {
    let [sum, total] = [0, 0];
    for (let at = Math.max(0, index - reach); at <= Math.min(values.length - 1, index + reach); at++) {
      const weight = weights[Math.abs(at - index)] as number;
      sum += weight * (values[at] as number);
      total += weight;
    }
    return sum / total;
  });
}
