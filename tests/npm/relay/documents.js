import { graphql } from 'relay-runtime';

graphql`query documentsPageQuery { ...documents_creators }`;
graphql`
  fragment documents_creators on Query
  @refetchable(queryName: "documentsMoreQuery")
  @argumentDefinitions(first: { type: "Int", defaultValue: 2 }, after: { type: "String" }) {
    creators(first: $first, after: $after, sort: { field: PRICE }) @connection(key: "documents_creators") {
      edges { node { id handle priceFrom rating { count } } }
    }
  }
`;
graphql`
  mutation documentsPlaceMutation($input: OrderPlaceInput!) {
    orderPlace(input: $input) {
      order { id status } errors { __typename ... on UserError { code } ... on PriceChangedError { currentPrice } }
    }
  }
`;
graphql`
  subscription documentsEventsSubscription($after: String) {
    orderEvents(after: $after) { cursor transition order { id status } }
  }
`;
