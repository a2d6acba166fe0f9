/** How a file is shown. HTML is shown as its source: as a page it could act in the user's name. */
export type Kind = "image" | "json" | "csv" | "markdown" | "text" | "none";

const ENDINGS: Record<Exclude<Kind, "none">, string> = {
  image: "png jpg jpeg gif webp avif bmp svg",
  json: "json geojson ipynb",
  csv: "csv tsv",
  markdown: "md markdown",
  text: "txt log py jl r sh toml yaml yml ini cfg conf xml html htm css js ts tsx rst tex sql jsonl ndjson c h cpp rs go java lock diff patch",
};
/** The type that the browser gets for an image: never one of the file's own choosing. */
const IMAGE_TYPES: Record<string, string> = { jpg: "image/jpeg", svg: "image/svg+xml" };

const KB = 1000;
/** Larger files are only for download. */
export const LIMITS: Record<Exclude<Kind, "none">, number> = {
  image: 20_000 * KB,
  json: 2_000 * KB,
  csv: 5_000 * KB,
  markdown: 1_000 * KB,
  text: 2_000 * KB,
};

export function kindOf(file: { name: string; content_type?: string }): Kind {
  const ending = endingOf(file.name);
  const known = (Object.keys(ENDINGS) as Exclude<Kind, "none">[]).find((kind) =>
    ENDINGS[kind].split(" ").includes(ending),
  );
  return known ?? kindOfType(file.content_type?.split(";")[0]?.trim().toLowerCase() ?? "");
}

function kindOfType(type: string): Kind {
  if (/^image\/(png|jpeg|gif|webp|avif|bmp|svg\+xml)$/.test(type)) return "image";
  if (type === "application/json" || type.endsWith("+json")) return "json";
  if (type === "text/csv" || type === "text/tab-separated-values") return "csv";
  if (type === "text/markdown") return "markdown";
  return type.startsWith("text/") ? "text" : "none";
}

export function imageType(file: { name: string; content_type?: string }): string {
  const ending = endingOf(file.name);
  if (ENDINGS.image.split(" ").includes(ending)) return IMAGE_TYPES[ending] ?? `image/${ending}`;
  return file.content_type?.split(";")[0] ?? "image/png";
}

function endingOf(name: string): string {
  const last = name.split("/").at(-1) ?? "";
  return last.includes(".") ? (last.split(".").at(-1) ?? "").toLowerCase() : "";
}
