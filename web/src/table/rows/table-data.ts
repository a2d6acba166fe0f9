/** The rows of the table: read page by page, and kept up to date by the changes feed. */
import { type Signal, signal } from "@preact/signals";
import type { components } from "../../api/operations.ts";
import { api } from "../../state/api.ts";
import type { Changes } from "../../state/feed.ts";
import { follow } from "../../state/follow.ts";
import { painted } from "../../state/painted.ts";
import { grown, merged, type Row, rowsOf, withKeys } from "./model.ts";
import { reordered } from "./order.ts";
import { FIRST, NEWEST_FIRST, ofIds, queriesOf, type Wanted } from "./request.ts";

export interface State {
  rows: readonly Row[];
  /** Rows that were asked for by their ids, whether they are among `rows` or not. */
  named: readonly Row[];
  /** How many the filter finds; null where the server has not counted. */
  total: number | null;
  /** There are further pages. */
  hasMore: boolean;
  isLoading: boolean;
  /** The rows are those of before: others are being read in their place. */
  isOld: boolean;
  /** The rows have been read at least once. */
  isKnown: boolean;
  /** Only the first rows are here; the rest of their page follows at once. */
  isStarting: boolean;
  error?: unknown;
  /** New iterations that may belong somewhere in this order or filter. */
  added: readonly string[];
  /** The last heartbeat of each iteration that runs, by id. */
  lastSeen: ReadonlyMap<string, string>;
}

type Table = components["schemas"]["IterationTable"];

const PATH = "/experiments/{experiment_id}/iterations";
const RECENT_MS = 15_000;

export class TableData {
  readonly state: Signal<State>;
  #wanted: Wanted | undefined;
  #cursor: string | null = null;
  #named: readonly string[] = [];
  /** The last request for the named rows failed. The next poll asks again. */
  #lacksNamed = false;
  #reading: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #isClosed = false;
  #stopFollowing: (() => void) | undefined;
  #recent: { at: number; askedAt: number; changes: Changes }[] = [];
  /** When rows were changed here, by id: an answer that was asked for earlier may not have the change. */
  readonly #written = new Map<string, number>();
  /** The creation of the newest iteration that the table or the feed has seen. */
  #newest = "";

  constructor() {
    const none = { rows: [], named: [], total: null, added: [], lastSeen: new Map() };
    this.state = signal<State>({
      ...none,
      hasMore: false,
      isLoading: true,
      isOld: false,
      isKnown: false,
      isStarting: false,
    });
  }

  /** Read the first page. The rows of before stay until it is here, also if it fails. */
  async read(wanted: Wanted): Promise<void> {
    this.#wanted = wanted;
    this.#cursor = null;
    this.#show({ isOld: true });
    void this.#readNamed(wanted);
    const isFirst = !this.state.peek().isKnown;
    await this.#page(wanted, (rows) => rows, isFirst ? FIRST : undefined);
    if (isFirst) await painted();
    this.#follow();
    const { isStarting, isLoading } = this.state.peek();
    if (isStarting && !isLoading && wanted === this.#wanted) await this.#next(wanted);
  }

  reload(): void {
    if (this.#wanted) void this.read(this.#wanted);
  }

  /** Read the next page, or wait for one that is being read. */
  async more(): Promise<void> {
    const { isLoading, hasMore } = this.state.peek();
    if (isLoading) await this.#running;
    else if (this.#wanted && hasMore) await this.#next(this.#wanted);
  }

  #next(wanted: Wanted): Promise<void> {
    return this.#page(wanted, (rows) => [...this.state.peek().rows, ...rows]);
  }

  /** All rows, for a file. */
  async all(): Promise<readonly Row[]> {
    while (this.state.peek().hasMore && !this.state.peek().error) await this.more();
    if (this.state.peek().error) throw this.state.peek().error;
    return this.state.peek().rows;
  }

  /** Read these iterations too, as far as they exist. */
  async name(ids: readonly string[]): Promise<void> {
    const known = new Set(this.#named);
    this.#named = ids;
    if (this.#wanted && ids.some((id) => !known.has(id))) await this.#readNamed(this.#wanted);
  }

  async #readNamed(wanted: Wanted): Promise<void> {
    const ids = this.#named;
    if (!ids.length) return;
    this.#lacksNamed = false;
    try {
      const { rows } = await ask(ofIds(wanted, ids));
      if (wanted !== this.#wanted || this.#isClosed) return;
      // Another request may be on its way, for fewer ids or for more.
      const here = new Set(this.#named);
      const known = this.state.peek().named;
      this.#show({ named: unique([...known, ...rows]).filter((row) => here.has(row.id)) });
      this.#mergeRecent();
    } catch {
      // They stand where they are in the table, if they are there.
      this.#lacksNamed = true;
    }
  }

  /** Show these rows in place of those with the same ids, as after a write. */
  change(ids: ReadonlySet<string>, to: (row: Row) => Row | undefined): void {
    for (const id of ids) this.#written.set(id, Date.now());
    const { rows, named, total } = this.state.peek();
    const after = (list: readonly Row[]) => list.flatMap((row) => (ids.has(row.id) ? (to(row) ?? []) : row));
    const changed = after(rows);
    const lost = rows.length - changed.length;
    this.#show({ rows: changed, named: after(named), total: total === null ? null : total - lost });
  }

  close(): void {
    this.#isClosed = true;
    this.#stopFollowing?.();
    this.#reading?.abort();
  }

  /** Read a page, of `most` rows at most. */
  #page(wanted: Wanted, placed: (rows: Row[]) => Row[], most?: number): Promise<void> {
    this.#running = this.#readPage(wanted, placed, most);
    return this.#running;
  }

  async #readPage(wanted: Wanted, placed: (rows: Row[]) => Row[], most?: number): Promise<void> {
    this.#reading?.abort();
    const reading = new AbortController();
    this.#reading = reading;
    this.#show({ isLoading: true });
    try {
      const { table, rows } = await ask(wanted, this.#cursor, reading.signal, most);
      if (reading.signal.aborted) return;
      this.#cursor = table.next_cursor;
      const hasMore = table.next_cursor !== null;
      const state = { total: table.total ?? null, hasMore, isStarting: hasMore && most !== undefined };
      const done = { isKnown: true, isOld: false, isLoading: false, added: [], error: undefined };
      this.#show({ ...state, ...done, rows: unique(placed(rows)) });
      this.#see(this.state.peek().rows);
      this.#mergeRecent();
    } catch (error) {
      const done = { isKnown: true, isOld: false, isLoading: false, isStarting: false };
      if (!reading.signal.aborted) this.#show({ ...done, error });
    }
  }

  /** A list may be a second behind the feed. */
  #mergeRecent(): void {
    const since = Date.now() - RECENT_MS;
    for (const { at, askedAt, changes } of this.#recent) if (at > since) this.#merge(changes, askedAt);
  }

  #follow(): void {
    const experimentId = this.#wanted?.experimentId;
    if (!experimentId || this.#stopFollowing || this.#isClosed) return;
    this.#stopFollowing = follow(
      experimentId,
      () => this.#wanted?.keys ?? {},
      (changes, isFirst, askedAt) => this.#take(changes, isFirst, askedAt),
    );
  }

  #take(changes: Changes, isFirst: boolean, askedAt: number): void {
    const seen = Object.entries(changes.last_seen ?? {});
    if (seen.length || this.state.peek().lastSeen.size) this.#show({ lastSeen: new Map(seen) });
    if (changes.reset) {
      this.reload();
      return;
    }
    if (this.#lacksNamed && this.#wanted) void this.#readNamed(this.#wanted);
    const now = Date.now();
    this.#recent = [...this.#recent.filter((each) => each.at > now - RECENT_MS), { at: now, askedAt, changes }];
    if (!this.#adds && isFirst) this.#see(changes.data);
    this.#merge(changes, askedAt);
  }

  #merge({ data, ...changes }: Changes, askedAt: number): void {
    const { rows, named, total, added } = this.state.peek();
    const known = new Set(rows.map((row) => row.id));
    const fresh = data.filter(({ id }) => (this.#written.get(id) ?? 0) < askedAt);
    const wanted = fresh.filter((each) => known.has(each.id) || each.created_date > this.#newest);
    const found = merged(grown(rows, changes.grown ?? {}), wanted, changes.gone, this.#adds);
    if (this.#adds) this.#see(wanted);
    const count = found.rows.length - rows.length;
    const sorting = this.#wanted?.sorting;
    this.#show({
      rows: sorting ? reordered(found.rows, rows, sorting) : found.rows,
      named: merged(grown(named, changes.grown ?? {}), fresh, changes.gone, false).rows,
      total: total === null ? null : total + count,
      added: this.#adds ? [] : [...new Set([...added, ...found.added])],
    });
  }

  /** In this order a new iteration stands first. */
  get #adds(): boolean {
    return !this.#wanted?.filter && this.#wanted?.order === NEWEST_FIRST;
  }

  #see(rows: readonly { created_date: string }[]): void {
    for (const row of rows) if (row.created_date > this.#newest) this.#newest = row.created_date;
  }

  #show(change: Partial<State>): void {
    this.state.value = { ...this.state.peek(), ...change };
  }
}

/** A page of rows, in as many requests as their keys need. */
async function ask(wanted: Wanted, cursor: string | null = null, signal?: AbortSignal, most?: number) {
  const answers = await Promise.all(
    queriesOf(wanted, most).map((query) => {
      const given = {
        ids: { experiment_id: wanted.experimentId },
        query: cursor === null ? query : { ...query, cursor },
      };
      return api.send("get", PATH, signal ? { ...given, signal } : given) as Promise<Table>;
    }),
  );
  const [first, ...others] = answers.map(rowsOf);
  return { table: answers[0] as Table, rows: withKeys(first ?? [], others) };
}

/** A row that moved while the pages were read may come twice. */
function unique(rows: readonly Row[]): Row[] {
  return [...new Map(rows.map((row) => [row.id, row])).values()];
}
