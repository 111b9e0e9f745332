// The smallest client that treats errors as this API means them: three layers, each with its own way out.
import type { TypedDocumentNode } from "@graphql-typed-document-node/core";
import { print } from "graphql";

export interface Failure {
  message: string;
  path?: (string | number)[];
  extensions: { code: string; requestId: string; retryAfter?: number };
}

/** Something no screen can handle: `code` is from a closed list, `requestId` is for the support. */
export class FailedError extends Error {
  constructor(readonly failures: Failure[]) {
    super(failures[0]?.message ?? "no answer");
  }

  get code(): string {
    return this.failures[0]?.extensions.code ?? "UNREACHABLE";
  }

  get retryAfterSeconds(): number | undefined {
    return this.failures[0]?.extensions.retryAfter;
  }
}

export class Shoutgraph {
  constructor(
    readonly url: string,
    private readonly token: () => string | undefined,
  ) {}

  async send<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables): Promise<Data> {
    const token = this.token();
    const response = await fetch(this.url, {
      method: "POST",
      headers: {
        "content-type": "application/json",
        accept: "application/graphql-response+json",
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      body: JSON.stringify({ query: print(document), variables }),
    });
    const body = (await response.json()) as { data?: Data | null; errors?: Failure[] };
    if (body.errors !== undefined || body.data === undefined || body.data === null) {
      throw new FailedError(body.errors ?? []);
    }
    return body.data;
  }

  /**
   * Sends a mutation until it is known what became of it. The same input with the same idempotency key is done once,
   * however often it is sent, so a lost answer is no reason to be afraid.
   */
  async sure<Data, Variables>(document: TypedDocumentNode<Data, Variables>, variables: Variables, tries = 5): Promise<Data> {
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.send(document, variables);
      } catch (error) {
        const passing = !(error instanceof FailedError) || PASSING.has(error.code);
        if (!passing || attempt >= tries) throw error;
        const seconds = (error instanceof FailedError && error.retryAfterSeconds) || 2 ** attempt / 4;
        await new Promise((resolve) => setTimeout(resolve, 1000 * seconds * (0.75 + Math.random() / 2)));
      }
    }
  }
}

/** What passes by itself: the same request may be sent again. */
export const PASSING = new Set(["UNAVAILABLE", "OVERLOADED", "RATE_LIMITED", "IDEMPOTENCY_IN_PROGRESS", "DEADLINE_EXCEEDED"]);
