"""The GraphQL schema, room by room."""
