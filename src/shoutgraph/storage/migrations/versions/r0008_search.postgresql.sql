-- The search index, for PostgreSQL: beginnings of words, and whole ones. The words come folded and parted by blanks, so
-- no parser and no locale has a say in it. A blank line ends each statement.

CREATE INDEX creator_words ON creator USING gin (array_to_tsvector(string_to_array(facets, ' ')));

CREATE VIEW creator_fts AS
  SELECT number AS rowid, array_to_tsvector(string_to_array(facets, ' ')) AS creator_fts FROM creator;

GRANT SELECT ON creator_fts TO shoutgraph_app, shoutgraph_report;
