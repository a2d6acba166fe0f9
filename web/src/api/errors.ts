/** An error answer of the server, or the lack of one. */
export class ApiError extends Error {
  readonly status: number;
  readonly code: string;
  readonly details: Record<string, unknown>;

  constructor(status: number, code: string, message: string, details: Record<string, unknown> = {}) {
    super(message);
    this.status = status;
    this.code = code;
    this.details = details;
  }

  /** The field of the request that was wrong. */
  get field(): string | undefined {
    return typeof this.details.field === "string" ? this.details.field : undefined;
  }

  get isNotFound(): boolean {
    return this.status === 404;
  }
}

/** No server answered. */
export class Offline extends ApiError {
  constructor() {
    super(0, "OFFLINE", "The server does not answer. Nothing was saved; try again when the connection is back.");
  }
}

/** The error of an answer; other bodies than ours are of a gateway in between. */
export function errorOf(status: number, body: unknown): ApiError {
  if (body && typeof body === "object" && "code" in body && "message" in body) {
    const { code, message, details } = body as { code: string; message: string; details?: Record<string, unknown> };
    return new ApiError(status, code, message, details);
  }
  return new ApiError(status, "UNKNOWN", `The server answered ${status} without a reason.`);
}

/** The text for people of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
