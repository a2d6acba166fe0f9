/** Texts and sizes that the charts of relations share. */
import { type Dimension, textOfValue } from "./dimension.ts";

/** Of parallel axes, in pixels. */
export const HEIGHT = 400;
export const TOP = 34;
export const BOTTOM = 14;

export function topOf(position: number): number {
  return HEIGHT - BOTTOM - position * (HEIGHT - TOP - BOTTOM);
}

export function countText(shown: number, all: number): string {
  return shown === all ? `${all} iterations` : `${shown} of ${all} iterations; the others have no value here`;
}

export function textAt(dimensions: readonly (Dimension | undefined)[], at: number): string {
  const known = [...new Set(dimensions.filter((each) => each !== undefined))];
  return known.map((each) => `${each.label} ${textOfValue(each.values[at])}`).join(", ");
}

/** The start and the end of a text: values of one parameter often differ in their end. */
export function middleCut(text: string, most: number): string {
  if (text.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${text.slice(0, most - 1 - end)}…${text.slice(-end)}`;
}

export function short(text: string, most: number): string {
  return text.length > most ? `${text.slice(0, most - 1)}…` : text;
}
