// Browse, ask what it costs, order safely, and handle every way in which it may be refused.
import { graphql, useFragment as fieldsOf } from "./gql";
import type { BrowseQuery, OrderFieldsFragment, OrderPlaceInput } from "./gql/graphql";
import type { Shoutgraph } from "./client";

const Browse = graphql(`
  query Browse($after: String) {
    creators(first: 20, after: $after, filter: { category: MUSICIAN }, sort: { field: RATING }) {
      nodes { id handle name priceFrom takesOrders rating { count averageHundredths } }
      pageInfo { hasNextPage endCursor }
    }
  }
`);

const Price = graphql(`
  query Price($offerId: ID!, $country: String!, $currency: CurrencyCode!) {
    quote(offerId: $offerId, country: $country, currency: $currency) { total missingCoins topUpCoins }
  }
`);

const OrderFields = graphql(`
  fragment OrderFields on Order { id revision status price deadlines { transition dueAt } }
`);

const Place = graphql(`
  mutation Place($input: OrderPlaceInput!) {
    orderPlace(input: $input) {
      replayed
      order { ...OrderFields }
      errors {
        __typename
        ... on UserError { code message path }
        ... on PriceChangedError { currentPrice }
        ... on InsufficientCoinsError { required available }
      }
    }
  }
`);

export async function* creators(shop: Shoutgraph) {
  let after: string | null = null;
  do {
    const page: BrowseQuery = await shop.send(Browse, { after });
    if (!page.creators) return;
    yield* page.creators.nodes;
    after = page.creators.pageInfo.hasNextPage ? (page.creators.pageInfo.endCursor ?? null) : null;
  } while (after !== null);
}

export type Placed =
  | { kind: "placed"; order: OrderFieldsFragment }
  | { kind: "dearer"; price: string }
  | { kind: "tooFewCoins"; missing: bigint }
  | { kind: "refused"; code: string; message: string; field: readonly string[] };

/** One key for one intention: keep it with the form, so that a second click or a reload orders nothing twice. */
export async function place(shop: Shoutgraph, brief: OrderPlaceInput["brief"], offerId: string, key: string): Promise<Placed> {
  const { quote } = await shop.send(Price, { offerId, country: "DE", currency: "EUR" });
  if (!quote) throw new Error("the offer is gone");
  const { orderPlace } = await shop.sure(Place, { input: { offerId, brief, expectedPrice: quote.total, idempotencyKey: key } });
  if (!orderPlace) throw new Error("no payload without an error");
  const refusal = orderPlace.errors[0];
  if (refusal === undefined) {
    if (!orderPlace.order) throw new Error("no order without a refusal");
    return { kind: "placed", order: fieldsOf(OrderFields, orderPlace.order) };
  }
  switch (refusal.__typename) {
    case "PriceChangedError":
      return { kind: "dearer", price: refusal.currentPrice };
    case "InsufficientCoinsError":
      return { kind: "tooFewCoins", missing: BigInt(refusal.required) - BigInt(refusal.available) };
    default: // unions of errors grow: whatever comes later says these three things too
      return { kind: "refused", code: refusal.code, message: refusal.message, field: refusal.path ?? [] };
  }
}
