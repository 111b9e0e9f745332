-- The search index, for PostgreSQL: beginnings of words, and whole ones. The words come folded and parted by blanks, so
-- no parser and no locale has a say in it. They are stored, since a word that nearly everyone has is met faster without
-- the index. A blank line ends each statement.

ALTER TABLE creator ADD COLUMN words tsvector
  GENERATED ALWAYS AS (array_to_tsvector(string_to_array(facets, ' '))) STORED;

CREATE INDEX creator_words ON creator USING gin (words);

CREATE VIEW creator_fts AS SELECT number AS rowid, words AS creator_fts FROM creator;

GRANT SELECT ON creator_fts TO shoutgraph_app, shoutgraph_report;
