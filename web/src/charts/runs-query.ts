/** So many iterations are offered: the first of the order. */
const OFFERED = 200;

/** The query of the iterations that charts offer, with their parameters. */
export function runsQuery(filter: string | undefined, order: string) {
  return {
    format: "columns",
    fields: ["name", "status_id", "created_date"],
    include: "parameters",
    filter,
    order_by: order,
    limit: OFFERED,
  };
}
