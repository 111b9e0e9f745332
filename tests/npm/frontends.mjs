// Apollo Client, urql with Graphcache, and Relay against the server of the first argument: pages, a refusal, an order, its events.
import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { ApolloClient, ApolloLink, HttpLink, InMemoryCache, gql } from '@apollo/client';
import { GraphQLWsLink } from '@apollo/client/link/subscriptions';
import { relayStylePagination } from '@apollo/client/utilities';
import { Client, fetchExchange, subscriptionExchange } from '@urql/core';
import { cacheExchange } from '@urql/exchange-graphcache';
import { relayPagination } from '@urql/exchange-graphcache/extras';
import { buildSchema, introspectionFromSchema, isAbstractType } from 'graphql';
import { createClient } from 'graphql-ws';
import relayRuntime from 'relay-runtime';
import WebSocket from 'ws';

const { url, ws, token, offerId, creators } = JSON.parse(process.argv[2]);
const headers = { authorization: `Bearer ${token}` };
const schema = buildSchema(readFileSync('schema.graphql', 'utf8'));
const BRIEF = { occasion: 'BIRTHDAY', recipientName: 'Grace', instructions: 'Sing something brave.', language: 'en' };
const PAGE = `query Page($after: String) {
  creators(first: 2, after: $after, sort: { field: PRICE }) {
    edges { cursor node { id handle priceFrom rating { count } } } pageInfo { hasNextPage endCursor hasPreviousPage startCursor } } }`;
const PLACE = `mutation Place($input: OrderPlaceInput!) {
  orderPlace(input: $input) { order { id status } errors { __typename ... on UserError { code } ... on PriceChangedError { currentPrice } } } }`;
const EVENTS = 'subscription Events($after: String) { orderEvents(after: $after) { cursor transition order { id status } } }';
const input = (expectedPrice) => ({ input: { offerId, expectedPrice, brief: BRIEF, idempotencyKey: randomUUID() } });
const warned = [];
for (const way of ['warn', 'error']) console[way] = (...words) => warned.push(words.join(' '));

function sockets() {
  return createClient({ url: ws, webSocketImpl: WebSocket, retryAttempts: 0, connectionParams: headers });
}

async function until(what) {
  for (let turn = 0; turn < 200; turn += 1) {
    if (what()) return;
    await new Promise((resolve) => { setTimeout(resolve, 25); });
  }
  assert.fail(`it did not come to ${what}`);
}

function told(name) {
  assert.deepEqual(warned.splice(0), [], `${name} has nothing to say`);
  process.stdout.write(`${name}: ${creators} creators by pages, a refusal by its type, an order and its event\n`);
}

async function apollo() {
  const possibleTypes = Object.fromEntries(
    Object.values(schema.getTypeMap()).filter(isAbstractType)
      .map((type) => [type.name, schema.getPossibleTypes(type).map(({ name }) => name)]),
  );
  const socket = sockets();
  const client = new ApolloClient({
    link: ApolloLink.split(
      ({ operationType }) => operationType === 'subscription',
      new GraphQLWsLink(socket),
      new HttpLink({ uri: url, headers: { ...headers, accept: 'application/graphql-response+json' } }),
    ),
    cache: new InMemoryCache({
      possibleTypes,
      typePolicies: { Query: { fields: { creators: relayStylePagination(['filter', 'sort']) } } },
    }),
  });
  await client.query({ query: gql(PAGE) });
  const query = client.watchQuery({ query: gql(PAGE) });
  const watching = query.subscribe({});
  const merged = () => client.readQuery({ query: gql(PAGE) }).creators;
  while (merged().pageInfo.hasNextPage) await query.fetchMore({ variables: { after: merged().pageInfo.endCursor } });
  assert.equal(new Set(merged().edges.map(({ node }) => node.id)).size, creators);
  watching.unsubscribe();
  const heard = [];
  const listening = client.subscribe({ query: gql(EVENTS) }).subscribe((event) => heard.push(event.data.orderEvents));
  await new Promise((resolve) => { socket.on('connected', resolve); });
  const dearer = await client.mutate({ mutation: gql(PLACE), variables: input('1') });
  assert.equal(dearer.data.orderPlace.errors[0].code, 'PRICE_CHANGED');
  const placed = await client.mutate({ mutation: gql(PLACE), variables: input(dearer.data.orderPlace.errors[0].currentPrice) });
  await until(() => heard.length > 0);
  assert.equal(heard[0].order.id, placed.data.orderPlace.order.id);
  listening.unsubscribe();
  client.stop();
  await socket.dispose();
  told('Apollo Client');
}

async function urql() {
  const introspection = introspectionFromSchema(schema);
  const parts = introspection.__schema.types.filter(({ kind, fields }) => kind === 'OBJECT' && !fields.some(({ name }) => name === 'id'));
  const keys = Object.fromEntries(parts.map(({ name }) => [name, () => null]));
  const socket = sockets();
  const client = new Client({
    url,
    preferGetMethod: false,
    fetchOptions: { headers },
    exchanges: [
      cacheExchange({ schema: introspection, keys, resolvers: { Query: { creators: relayPagination() } } }),
      fetchExchange,
      subscriptionExchange({
        forwardSubscription: (request) => ({
          subscribe: (sink) => ({ unsubscribe: socket.subscribe({ ...request, query: request.query ?? '' }, sink) }),
        }),
      }),
    ],
  });
  let after = null;
  let page = null;
  do {
    ({ data: { creators: page } } = await client.query(PAGE, { after }).toPromise());
    after = page.pageInfo.endCursor;
  } while (page.pageInfo.hasNextPage);
  assert.equal(new Set(page.edges.map(({ node }) => node.id)).size, creators);
  const heard = [];
  const listening = client.subscription(EVENTS, {}).subscribe((event) => heard.push(event.data.orderEvents));
  await new Promise((resolve) => { socket.on('connected', resolve); });
  const dearer = await client.mutation(PLACE, input('1')).toPromise();
  assert.equal(dearer.data.orderPlace.errors[0].code, 'PRICE_CHANGED');
  const placed = await client.mutation(PLACE, input(dearer.data.orderPlace.errors[0].currentPrice)).toPromise();
  await until(() => heard.length > 0);
  assert.equal(heard[0].order.id, placed.data.orderPlace.order.id);
  listening.unsubscribe();
  await socket.dispose();
  told('urql');
}

async function relay() {
  const { ConnectionHandler, Environment, Network, Observable, RecordSource, Store } = relayRuntime;
  const { commitLocalUpdate, commitMutation, fetchQuery, requestSubscription } = relayRuntime;
  const document = async (name) => (await import(`./relay/__generated__/documents${name}.graphql.js`)).default;
  const socket = sockets();
  const send = async ({ text }, variables) => {
    const body = JSON.stringify({ query: text, variables });
    return (await fetch(url, { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body })).json();
  };
  const listen = ({ text }, variables) => Observable.create((sink) => socket.subscribe({ query: text, variables }, sink));
  const environment = new Environment({ network: Network.create(send, listen), store: new Store(new RecordSource()) });
  let found;
  const look = (store) => {
    const page = ConnectionHandler.getConnection(store.getRoot(), 'documents_creators', { sort: { field: 'PRICE' } });
    const info = page.getLinkedRecord('pageInfo');
    found = { edges: page.getLinkedRecords('edges'), more: info.getValue('hasNextPage'), after: info.getValue('endCursor') };
  };
  await fetchQuery(environment, await document('PageQuery'), {}).toPromise();
  commitLocalUpdate(environment, look);
  while (found.more) {
    await fetchQuery(environment, await document('MoreQuery'), { after: found.after, first: 2 }).toPromise();
    commitLocalUpdate(environment, look);
  }
  assert.equal(found.edges.length, creators);
  const heard = [];
  const subscription = await document('EventsSubscription');
  const listening = requestSubscription(environment, { subscription, variables: {}, onNext: (event) => heard.push(event.orderEvents) });
  await new Promise((resolve) => { socket.on('connected', resolve); });
  const mutation = await document('PlaceMutation');
  const place = (price) => new Promise((resolve, reject) => {
    commitMutation(environment, { mutation, variables: input(price), onCompleted: (done) => resolve(done.orderPlace), onError: reject });
  });
  const dearer = await place('1');
  assert.equal(dearer.errors[0].code, 'PRICE_CHANGED');
  const placed = await place(dearer.errors[0].currentPrice);
  await until(() => heard.length > 0);
  assert.equal(heard[0].order.id, placed.order.id);
  listening.dispose();
  await socket.dispose();
  told('Relay');
}

await apollo();
await urql();
await relay();
