/** The REST API, by fetch. A browser adds the session's cookie by itself. */
import { ApiError, errorOf, Offline } from "./errors.ts";
import type { Answer, Arguments, ListPath, Method, PathOf, Request, Row } from "./operations.ts";
import { type QueryValues, urlOf } from "./url.ts";

export interface Surroundings {
  /** The URL of the server, without a slash at the end. */
  site: string;
  fetch: typeof fetch;
  /** Resolves when somebody has signed in again. */
  signIn: () => Promise<void>;
  /** Called with every sign of a connection, or of none. */
  connected: (here: boolean) => void;
  /** Resolves when it is time to try again without a connection. */
  reconnect: () => Promise<void>;
  pause: (milliseconds: number) => Promise<void>;
}

interface Given {
  ids?: Record<string, string>;
  query?: QueryValues;
  body?: unknown;
  signal?: AbortSignal;
  headers?: Record<string, string>;
  /** Without a session the request fails, in place of waiting for a sign-in. */
  failsSignedOut?: boolean;
}

// A gateway's 502 and 504 leave open whether a write was done.
const REFUSED = [429, 503];
const BUSY = [...REFUSED, 502, 504];
const PATIENCE = 4;
const PAGE = 200;

export class Api {
  readonly #around: Surroundings;

  constructor(around: Surroundings) {
    this.#around = around;
  }

  get site(): string {
    return this.#around.site;
  }

  get<P extends PathOf<"get">>(path: P, ...[given]: Arguments<Request<"get", P>>): Promise<Answer<"get", P>> {
    return this.send("get", path, given as Given) as Promise<Answer<"get", P>>;
  }

  post<P extends PathOf<"post">>(path: P, ...[given]: Arguments<Request<"post", P>>): Promise<Answer<"post", P>> {
    return this.send("post", path, given as Given) as Promise<Answer<"post", P>>;
  }

  put<P extends PathOf<"put">>(path: P, ...[given]: Arguments<Request<"put", P>>): Promise<Answer<"put", P>> {
    return this.send("put", path, given as Given) as Promise<Answer<"put", P>>;
  }

  patch<P extends PathOf<"patch">>(path: P, ...[given]: Arguments<Request<"patch", P>>): Promise<Answer<"patch", P>> {
    return this.send("patch", path, given as Given) as Promise<Answer<"patch", P>>;
  }

  delete<P extends PathOf<"delete">>(path: P, ...[given]: Arguments<Request<"delete", P>>): Promise<undefined> {
    return this.send("delete", path, given as Given) as Promise<undefined>;
  }

  /**
   * The bytes of an artifact. Its URL, which `/resources/{resource_id}/download` gives, is the permission, here or at the store.
   * API Gateway passes bytes only to who accepts exactly this type, so no `<img>` can load them from the URL itself.
   */
  async bytes(url: string, signal?: AbortSignal): Promise<Blob> {
    const headers = { Accept: "application/octet-stream" };
    const answer = await this.#around.fetch(url, { headers, credentials: "omit", ...(signal ? { signal } : {}) });
    if (!answer.ok) throw new ApiError(answer.status, "NO_BYTES", `The store answered ${answer.status}.`);
    return answer.blob();
  }

  /** The rows of a list, page after page. */
  async *pages<P extends ListPath>(
    path: P,
    given?: Omit<Request<"get", P>, "body">,
    signal?: AbortSignal,
  ): AsyncGenerator<Row<P>[]> {
    let cursor: string | null = null;
    do {
      const query = { limit: PAGE, ...(given?.query as QueryValues), ...(cursor === null ? {} : { cursor }) };
      const asked = { ...given, query, ...(signal ? { signal } : {}) } as Given;
      const page = (await this.send("get", path, asked)) as { data: Row<P>[]; next_cursor: string | null };
      yield page.data;
      cursor = page.next_cursor;
    } while (cursor !== null);
  }

  /**
   * One request, without types. A read waits for a lost connection and for a busy server. A write is sent again only
   * if the server has not accepted it. Where the session has ended, the request waits for the next sign-in.
   */
  async send(method: Method, path: string, given: Given = {}): Promise<unknown> {
    return this.#read(await this.#answer(method, path, given));
  }

  /** A read with its ETag; undefined if the server has nothing else than the answer with this ETag. */
  async fresh<P extends PathOf<"get">>(
    path: P,
    given: Request<"get", P> & { signal?: AbortSignal },
    etag?: string,
  ): Promise<{ body: Answer<"get", P>; etag: string | undefined } | undefined> {
    const headers = etag ? { "If-None-Match": etag } : undefined;
    const answer = await this.#answer("get", path, { ...(given as Given), ...(headers ? { headers } : {}) });
    if (answer.status === 304) return undefined;
    return { body: (await this.#read(answer)) as Answer<"get", P>, etag: answer.headers.get("etag") ?? undefined };
  }

  async #answer(method: Method, path: string, given: Given): Promise<Response> {
    const url = this.site + urlOf(path, given.ids, given.query);
    for (let tries = 1; ; tries++) {
      const answer = await this.#fetch(method, url, given);
      if (answer === undefined) continue;
      if (answer.status === 401 && !path.startsWith("/auth/session") && !given.failsSignedOut) {
        await this.#around.signIn();
      } else if (
        (method === "get" ? BUSY : REFUSED).includes(answer.status) &&
        tries < PATIENCE &&
        !path.startsWith("/auth/session")
      ) {
        await this.#around.pause(1000 * (Number(answer.headers.get("retry-after")) || tries));
      } else {
        return answer;
      }
      given.signal?.throwIfAborted();
    }
  }

  /** The answer; undefined for a read to try again, as the connection may be back. */
  async #fetch(method: Method, url: string, given: Given): Promise<Response | undefined> {
    try {
      const answer = await this.#around.fetch(url, options(method, given));
      this.#around.connected(true);
      return answer;
    } catch (error) {
      given.signal?.throwIfAborted();
      if (!(error instanceof TypeError)) throw error;
      this.#around.connected(false);
      if (method !== "get") throw new Offline();
      await this.#around.reconnect();
      given.signal?.throwIfAborted();
      return undefined;
    }
  }

  async #read(answer: Response): Promise<unknown> {
    const text = await answer.text();
    let body: unknown;
    try {
      body = text ? JSON.parse(text) : undefined;
    } catch {
      throw new ApiError(answer.status, "UNKNOWN", `The server answered ${answer.status} without JSON.`);
    }
    if (!answer.ok) throw errorOf(answer.status, body);
    return body;
  }
}

function options(method: Method, given: Given): RequestInit {
  const headers: Record<string, string> = { Accept: "application/json", ...given.headers };
  const options: RequestInit = { method: method.toUpperCase(), headers, credentials: "same-origin" };
  // Otherwise the browser itself may answer a 304 from its cache.
  if (given.headers) options.cache = "no-store";
  if (given.body !== undefined) {
    headers["Content-Type"] = "application/json";
    options.body = JSON.stringify(given.body);
  }
  if (given.signal) options.signal = given.signal;
  return options;
}
