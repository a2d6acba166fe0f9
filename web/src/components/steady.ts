/** Props for memoized components. */
import { useRef } from "preact/hooks";

type Handler = (...given: never[]) => unknown;

/**
 * The same object as in the last render, unless a value is another one: a memoized component that gets it is then not
 * rendered again. A function whose name begins with "on", and `save`, counts as the same; the newest one is called.
 */
export function useSteady<P extends object>(given: P): P {
  const latest = useRef(given);
  const steady = useRef<P | undefined>(undefined);
  const isSame = saysTheSame(given, latest.current);
  latest.current = given;
  if (!steady.current || !isSame) {
    const call = (name: keyof P) => ((...args) => (latest.current[name] as Handler)(...args)) as Handler;
    const names = Object.keys(given) as (keyof P & string)[];
    const entries = names.map((name) => [name, isHandler(name, given[name]) ? call(name) : given[name]]);
    steady.current = Object.fromEntries(entries) as P;
  }
  return steady.current;
}

/** True if two objects differ in nothing but what their handlers do. */
export function saysTheSame<P extends object>(given: P, known: P): boolean {
  const names = Object.keys(given) as (keyof P & string)[];
  const isSame = (name: keyof P & string) =>
    isHandler(name, given[name]) ? isHandler(name, known[name]) : given[name] === known[name];
  return names.length === Object.keys(known).length && names.every(isSame);
}

function isHandler(name: string, value: unknown): boolean {
  return typeof value === "function" && /^(on[A-Z]|save$)/.test(name);
}
