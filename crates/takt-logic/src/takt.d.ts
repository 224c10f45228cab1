// What functions in logic/ are given, for editors. Written by `takt types`; write it anew after changing schema/.

declare namespace Takt {
  /** A text for people: in the project's first language, or one per language. */
  type Words = string | { [language: string]: string };

  /** An exact number; the fields of type decimal. */
  interface Decimal {
    add(other: Exact): Decimal;
    sub(other: Exact): Decimal;
    mul(other: Exact): Decimal;
    div(other: Exact, digits: number): Decimal;
    round(digits?: number): Decimal;
    neg(): Decimal;
    abs(): Decimal;
    cmp(other: Exact): -1 | 0 | 1;
    eq(other: Exact): boolean;
    neq(other: Exact): boolean;
    lt(other: Exact): boolean;
    lte(other: Exact): boolean;
    gt(other: Exact): boolean;
    gte(other: Exact): boolean;
    isZero(): boolean;
    toString(): string;
    toFixed(digits?: number): string;
    toNumber(): number;
  }
  /** What a Decimal can be mixed with: whole numbers, and itself. */
  type Exact = Decimal | bigint | number;
  interface DecimalConstructor {
    new (value: string | Exact): Decimal;
  }

  // What can be given for a value that is read as the one on the left.
  type Given<T> =
    T extends Decimal ? Exact | string :
    T extends bigint ? bigint | number | string :
    T extends number ? number | bigint | string :
    T extends string ? T | (string extends T ? Date : never) :
    T;
  // A list of states that is made in a variable is a `string[]` to TypeScript; what is written out is read by `takt check`.
  type OneOf<T> = T extends string ? Given<T> | (string & {}) : Given<T>;
  type Condition<T> =
    | Given<T>
    | {
        eq?: Given<T> | null; neq?: Given<T> | null;
        gt?: Given<T>; gte?: Given<T>; lt?: Given<T>; lte?: Given<T>;
        in?: readonly OneOf<T>[]; is?: null | boolean; like?: string; ilike?: string; not?: Condition<T>;
      };
  type Where<Row> =
    & { [F in keyof Row]?: Condition<NonNullable<Row[F]>> | null }
    & { or?: Where<Row>[]; and?: Where<Row>[]; not?: Where<Row> };
  type Change<T> = Given<T> | (T extends Decimal | bigint | number ? { add: Given<T> } | { sub: Given<T> } : never);
  type Changes<Row> = { [F in keyof Row]?: Change<NonNullable<Row[F]>> | (null extends Row[F] ? null : never) };

  interface Table<Row, New, Key> {
    get(key: Key | null): Promise<Row | null>;
    find(options?: { where?: Where<Row>; order?: string | string[]; limit?: number; offset?: number }): Promise<Row[]>;
    insert(row: New, options?: { returning?: boolean }): Promise<Row>;
    insert(rows: New[], options?: { returning?: boolean }): Promise<Row[]>;
    update(where: Where<Row>, set: Changes<Row>, options?: { all?: boolean; returning?: boolean }): Promise<Row[]>;
    delete(where: Where<Row>, options?: { all?: boolean; returning?: boolean }): Promise<Row[]>;
    upsert(row: New, options?: { on?: keyof Row | (keyof Row)[]; returning?: boolean }): Promise<Row>;
    upsert(rows: New[], options?: { on?: keyof Row | (keyof Row)[]; returning?: boolean }): Promise<Row[]>;
  }

  interface User {
    id: string;
    email: string | null;
    roles: string[];
  }

  /** The first argument of actions, hooks, consumers and jobs. */
  interface Context {
    db: Db;
    /** Who calls; null for visitors, consumers and jobs. */
    user: User | null;
    /** The moment of the transaction. */
    now: string;
    /** A step of the story. */
    step<T>(label: Words, work: () => T): T;
    /** What was decided, as a line in the step that is open: "7 in stock". No personal values: all readers see it. */
    note(words: Words): void;
    /** An event that leaves if and only if this commits. */
    emit(name: string, event?: { key?: string | number | bigint | null; [more: string]: unknown }): void;
    /** A job after this transaction; gives its id. */
    later(job: Job, input?: object, options?: { after?: string; at?: string | Date; key?: string }): string;
    /** Says no: everything is undone, and the caller is told. */
    reject(status: number, message: Words, details?: unknown): never;
    uuid(): string;
    Decimal: DecimalConstructor;
    log(...values: unknown[]): void;
  }

  /** The second argument of functions of kind "http"; the first is the request. There is no `db`: they change data by calling actions. */
  interface HttpContext {
    /** Who calls; null for visitors. */
    user: User | null;
    /** Calls an action as the same caller and gives its result. A refusal is thrown: name "Refusal", status, words, details. */
    call<Result = any>(action: string, input?: object): Promise<Result>;
    Decimal: DecimalConstructor;
    log(...values: unknown[]): void;
  }
  /** What a function of kind "http" gives: a Response, the parts of one (an object as body is sent as JSON), or nothing (204). */
  type HttpResult =
    | WebResponse
    | { status: number; headers?: Record<string, string>; body?: HttpBody }
    | { status?: number; headers?: Record<string, string>; body: HttpBody }
    | void;
  type HttpBody = string | Uint8Array | object | null;
  /** `Response`, where the compiler knows it (`"DOM"` among its `lib`). */
  type WebResponse = typeof globalThis extends { Response: { prototype: infer Known } } ? Known : never;

  /** The second argument of hooks. */
  type Written<Row> =
    | { verb: "insert"; table: string; before: null; after: Row }
    | { verb: "update"; table: string; before: Row; after: Row }
    | { verb: "delete"; table: string; before: Row; after: null };

  /** The second argument of consumers. */
  interface Event<Payload = any> {
    id: string;
    name: string;
    key: string | null;
    payload: Payload;
    at: string;
  }

  /** What `call` throws: no answer, or one that is no success. Uncaught, it ends the attempt in its class. */
  interface CallError extends Error {
    name: "CallError";
  }

  /** A call over the connection (`protocol = "rest"`). A status that is neither a success nor in `accept` is thrown. */
  type Call = <Body = any>(
    method: string,
    path: string,
    options?: {
      query?: { [name: string]: unknown };
      headers?: { [name: string]: string };
      body?: unknown;
      /** Statuses that are no failure. */
      accept?: readonly number[];
      /** Its name in the contract. */
      as?: string;
    },
  ) => { status: number; body: Body };

  /** A call over the connection (`protocol = "jsonrpc"`): gives the result; an error object is thrown. */
  type RpcCall = <Result = any>(
    method: string,
    params?: object | readonly unknown[],
    options?: { headers?: { [name: string]: string }; as?: string },
  ) => Result;

  /** The second argument of functions of mapping files that only turn one shape into another. */
  interface Pure {
    Decimal: DecimalConstructor;
  }

  /** The second argument of functions of mapping files that talk to a connection (`run`, `lookup`, `theirs`). */
  interface Talk<C = Call> extends Pure {
    call: C;
    /** What it gives is kept with the delivery; a later attempt goes on behind it. */
    step<T>(name: string, work: () => T | Promise<T>): Promise<T>;
    /** Says no: the delivery is a dead letter at once, with these words. */
    refuse(message: string): never;
    CallError: { new (message: string): CallError };
  }
