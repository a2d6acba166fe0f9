/** How a file is shown. HTML is shown as its source: as a page it could act in the user's name. */
export type Kind = "image" | "sound" | "video" | "json" | "csv" | "markdown" | "text" | "none";

const ENDINGS: Record<Exclude<Kind, "none">, string> = {
  image: "png jpg jpeg gif webp avif bmp svg",
  sound: "wav mp3 ogg oga opus flac m4a aac",
  video: "mp4 m4v webm ogv mov",
  json: "json geojson ipynb",
  csv: "csv tsv",
  markdown: "md markdown",
  text: "txt log py jl r sh toml yaml yml ini cfg conf xml html htm css js ts tsx rst tex sql jsonl ndjson c h cpp rs go java lock diff patch",
};
/** The types that the browser gets: never one of the file's own choosing. */
const TYPES: Record<string, string> = {
  jpg: "image/jpeg",
  svg: "image/svg+xml",
  mp3: "audio/mpeg",
  oga: "audio/ogg",
  opus: "audio/ogg",
  m4a: "audio/mp4",
  m4v: "video/mp4",
  ogv: "video/ogg",
  mov: "video/quicktime",
};

const KB = 1000;
/** Larger files are only for download. */
export const LIMITS: Record<Exclude<Kind, "none">, number> = {
  image: 20_000 * KB,
  sound: 50_000 * KB,
  video: 100_000 * KB,
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
  if (/^audio\/(wav|x-wav|mpeg|ogg|flac|mp4|aac)$/.test(type)) return "sound";
  if (/^video\/(mp4|webm|ogg|quicktime)$/.test(type)) return "video";
  if (type === "application/json" || type.endsWith("+json")) return "json";
  if (type === "text/csv" || type === "text/tab-separated-values") return "csv";
  if (type === "text/markdown") return "markdown";
  return type.startsWith("text/") ? "text" : "none";
}

/** The type of an image, a sound or a video. */
export function mediaType(file: { name: string; content_type?: string }): string {
  const ending = endingOf(file.name);
  const family = { image: "image", sound: "audio", video: "video" } as const;
  for (const kind of ["image", "sound", "video"] as const) {
    if (ENDINGS[kind].split(" ").includes(ending)) return TYPES[ending] ?? `${family[kind]}/${ending}`;
  }
  return file.content_type?.split(";")[0] ?? "image/png";
}

function endingOf(name: string): string {
  const last = name.split("/").at(-1) ?? "";
  return last.includes(".") ? (last.split(".").at(-1) ?? "").toLowerCase() : "";
}
