/** The part of the table's state that charts of an experiment share with it: filter, order, chosen and pinned rows. */
import { orderOf } from "../table/columns/columns.ts";
import { split } from "../table/settings.ts";

export interface OfTable {
  filter: string | undefined;
  /** As `order_by` takes it. */
  order: string;
  /** The selected iterations; without any, the baseline and those pinned to the top. */
  selected: readonly string[];
  top: readonly string[];
}

type Query = Readonly<Record<string, string | undefined>>;

export function ofTable({ filter, sort, selected, baseline, top }: Query): OfTable {
  return {
    filter: filter || undefined,
    order: orderOf(sort ?? "-created", []),
    selected: split(selected),
    top: [...new Set([...(baseline ? [baseline] : []), ...split(top)])],
  };
}

/** The query of a link from the table to the charts. What was chosen in the charts earlier gives way to the table. */
export function chartsQuery(query: Query, shown?: readonly string[]): Record<string, string | undefined> {
  return { ...query, "chart-shown": shown?.join(",") };
}
