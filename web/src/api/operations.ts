/** Types of requests and answers, drawn from the server's OpenAPI document: a change there is a type error here. */
import type { paths } from "../../generated/schema.ts";

export type * from "../../generated/schema.ts";

export type Method = "get" | "post" | "put" | "patch" | "delete";

type Described = { responses: unknown };
export type PathOf<M extends Method> = {
  [P in keyof paths]: paths[P] extends Record<M, Described> ? P : never;
}[keyof paths];
type Operation<M extends Method, P extends PathOf<M>> = paths[P] extends Record<M, infer O> ? O : never;

type Ids<O> = O extends { parameters: { path: infer I } } ? { ids: I } : { ids?: never };
type Asked<O> = O extends { parameters: { query?: infer Q } }
  ? [Q] extends [never]
    ? { query?: never }
    : undefined extends Q
      ? { query?: Q }
      : { query?: Partial<Q> }
  : { query?: never };
type Sent<O> = O extends { requestBody: { content: { "application/json": infer B } } }
  ? { body: B }
  : O extends { requestBody?: { content: { "application/json": infer B } } }
    ? { body?: B }
    : { body?: never };

/** What a request takes besides its method and path: the ids of the path, the query, the body. */
export type Request<M extends Method, P extends PathOf<M>> = Ids<Operation<M, P>> &
  Asked<Operation<M, P>> &
  Sent<Operation<M, P>>;

type Json<R, S> = S extends keyof R ? (R[S] extends { content: { "application/json": infer A } } ? A : never) : never;

/** What a request is answered with; undefined for an answer without a body. */
export type Answer<M extends Method, P extends PathOf<M>> =
  Operation<M, P> extends { responses: infer R }
    ? [Json<R, 200 | 201>] extends [never]
      ? undefined
      : Json<R, 200 | 201>
    : never;

/** The answer of a list as rows; some lists have another form too. */
type PageOf<P extends PathOf<"get">> = Extract<Answer<"get", P>, { data: unknown[]; next_cursor: string | null }>;
/** The paths of lists, and their rows. */
export type ListPath = {
  [P in PathOf<"get">]: [PageOf<P>] extends [never] ? never : P;
}[PathOf<"get">];
export type Row<P extends ListPath> = PageOf<P> extends { data: (infer T)[] } ? T : never;

/** Arguments that can be left out where nothing in them is required. */
export type Arguments<T> = Record<string, never> extends T ? [given?: T] : [given: T];
