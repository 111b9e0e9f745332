// Follows orders and misses nothing: the cursor is kept outside of the subscription, since graphql-ws resubscribes with
// the variables that it was given first.
import { print } from "graphql";
import { createClient } from "graphql-ws";

import { FailedError, PASSING, type Failure } from "./client";
import { graphql } from "./gql";
import type { FollowSubscription, FollowSubscriptionVariables } from "./gql/graphql";

const Follow = graphql(`
  subscription Follow($after: String) {
    orderEvents(after: $after) { id cursor occurredAt transition status order { id revision status } }
  }
`);

export interface Bookmark {
  read(): string | null;
  write(cursor: string): void;
}

export async function follow(
  url: string,
  token: () => Promise<string>,
  bookmark: Bookmark,
  told: (event: NonNullable<FollowSubscription["orderEvents"]>) => void,
  until: AbortSignal,
): Promise<void> {
  while (!until.aborted) {
    // One client for each connection, without retries of its own: the next one begins where the bookmark is.
    const client = createClient({
      url,
      retryAttempts: 0,
      connectionParams: async () => ({ authorization: `Bearer ${await token()}` }),
    });
    const stop = () => void client.dispose();
    until.addEventListener("abort", stop, { once: true });
    try {
      const variables: FollowSubscriptionVariables = { after: bookmark.read() };
      const answers = client.iterate<FollowSubscription>({ query: print(Follow), variables: { ...variables } });
      for await (const { data, errors } of answers) {
        if (errors) throw errors;
        const event = data?.orderEvents;
        if (event) {
          told(event);
          bookmark.write(event.cursor);
        }
      }
    } catch (error) {
      // Errors of the server come as a list, and the end of the socket as its close event: then it goes on from the bookmark.
      if (error instanceof Error) throw error;
      const failures = error as Failure[];
      if (Array.isArray(error) && !PASSING.has(failures[0]?.extensions.code ?? "")) {
        // EVENT_CURSOR_EXPIRED: away for longer than events are kept; read the orders that changed, then follow from now.
        throw new FailedError(failures);
      }
    } finally {
      until.removeEventListener("abort", stop);
      await client.dispose();
    }
    await new Promise((resolve) => setTimeout(resolve, 500 + 1000 * Math.random()));
  }
}
