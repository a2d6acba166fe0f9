/** What may follow in a filter: names, operators, values, connectives. */
import { quoted } from "../columns/quoted.ts";
import type { Keys } from "../rows/model.ts";

export interface Suggestion {
  /** What is put in place of the text from `from` to the cursor. */
  text: string;
  label: string;
  hint?: string;
}

export interface Suggested {
  from: number;
  options: Suggestion[];
}

type Wanted = "name" | "operator" | "value" | "connective";

const FIELDS = ["status", "name", "tags", "notes", "created_by", "created_date", "end_date", "git_sha", "entrypoint"];
const STATUSES = ["RUNNING", "SUCCEEDED", "FAILED", "KILLED"];
const OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "like", "contains", "in", "is null", "is not null"];
const CONNECTIVES = ["and", "or"];
const PARTS = ["min", "max", "first", "count", "last_step"];
const MOST = 12;
// A name with its quoted components, a quoted text, a number or a comparator. A quote may still be open at the end.
const TOKEN =
  /(?:[\w/-]+(?:\.(?:[\w/-]+|"(?:\\.|[^"\\])*(?:"|$)))*\.?)|"(?:\\.|[^"\\])*(?:"|$)|'(?:\\.|[^'\\])*(?:'|$)|[<>!=]+|[(),]|\S/gy;

interface Token {
  text: string;
  at: number;
}

/** Suggestions for the cursor at the end of `text`. `valuesOf` gives known values of a name such as `parameters.lr`. */
export function suggest(text: string, keys: Keys, valuesOf: (name: string) => readonly string[]): Suggested {
  const tokens = tokensOf(text);
  const last = tokens.at(-1);
  const isTyping = last !== undefined && last.at + last.text.length === text.length && !/^[(),]$/.test(last.text);
  const typed = isTyping ? last.text : "";
  const before = isTyping ? tokens.slice(0, -1) : tokens;
  const [wanted, name] = stateAfter(before);
  const options = optionsOf(wanted, name, keys, valuesOf);
  return { from: text.length - typed.length, options: fitting(options, typed) };
}

function tokensOf(text: string): Token[] {
  return [...text.matchAll(new RegExp(TOKEN, "gu"))].map((each) => ({ text: each[0], at: each.index }));
}

/** What comes after these tokens, and the name that is compared. */
function stateAfter(tokens: readonly Token[]): [Wanted, string] {
  let [wanted, name, isList]: [Wanted, string, boolean] = ["name", "", false];
  for (const { text } of tokens) {
    const word = text.toLowerCase();
    if (wanted === "name") {
      if (word === "not" || word === "(") continue;
      [wanted, name] = ["operator", text];
    } else if (wanted === "operator") {
      if (word === "null") wanted = "connective";
      else if (word !== "is" && word !== "not") wanted = "value";
    } else if (wanted === "value") {
      if (word === "(") isList = true;
      else if (!isList || word === ")") [wanted, isList] = ["connective", false];
    } else if (CONNECTIVES.includes(word)) wanted = "name";
  }
  return [wanted, name];
}

function optionsOf(
  wanted: Wanted,
  name: string,
  keys: Keys,
  valuesOf: (name: string) => readonly string[],
): Suggestion[] {
  if (wanted === "operator") return OPERATORS.map((text) => ({ text: `${text} `, label: text }));
  if (wanted === "connective") return CONNECTIVES.map((text) => ({ text: `${text} `, label: text }));
  if (wanted === "name") return [...fieldNames(), ...keyNames(keys)];
  const values = name === "status" ? STATUSES : name === "tags" ? keys.tags.map((each) => each.key) : valuesOf(name);
  return values.map((value) => ({ text: `${literal(value)} `, label: literal(value) }));
}

function literal(value: string): string {
  return /^-?\d+(\.\d+)?(e[+-]?\d+)?$/i.test(value) ? value : `"${value.replace(/["\\]/g, "\\$&")}"`;
}

function fieldNames(): Suggestion[] {
  return FIELDS.map((name) => ({ text: `${name} `, label: name }));
}

function keyNames(keys: Keys): Suggestion[] {
  const of = (kind: "metrics" | "parameters" | "labels") =>
    keys[kind].map(({ key, count }) => {
      const name = `${kind}.${quoted(key)}`;
      return { text: `${name} `, label: name, hint: String(count) };
    });
  const parts = keys.metrics.flatMap(({ key }) => {
    const names = PARTS.map((part) => `metrics.${quoted(key)}.${part}`);
    return names.map((name) => ({ text: `${name} `, label: name }));
  });
  return [...of("metrics"), ...of("parameters"), ...of("labels"), ...parts];
}

/** Those that begin with the typed text first, then those that contain it. A finished word needs no suggestion. */
function fitting(options: readonly Suggestion[], typed: string): Suggestion[] {
  const wanted = typed.toLowerCase();
  const places = options.map((each) => [each.label.toLowerCase().indexOf(wanted), each] as const);
  const begin = places.filter(([at, each]) => at === 0 && (each.label !== typed || !typed)).map(([, each]) => each);
  const contain = places.filter(([at]) => at > 0).map(([, each]) => each);
  return [...begin, ...contain].slice(0, MOST);
}
