-- The search index, for SQLite: beginnings of words, and whole ones, in the order of creators' numbers. The words come
-- folded and parted by blanks, so its own reading of text is the plainest. A blank line ends each statement.

DROP TRIGGER creator_found;

DROP TRIGGER creator_renamed;

DROP TABLE creator_fts;

CREATE VIRTUAL TABLE creator_fts USING fts5(
  facets, content = 'creator', content_rowid = 'number', tokenize = 'ascii', detail = 'none', prefix = '4 5');

INSERT INTO creator_fts (creator_fts) VALUES ('rebuild');

CREATE TRIGGER creator_found AFTER INSERT ON creator
BEGIN
  INSERT INTO creator_fts (rowid, facets) VALUES (NEW.number, NEW.facets);
END;

CREATE TRIGGER creator_renamed AFTER UPDATE OF facets ON creator WHEN NEW.facets <> OLD.facets
BEGIN
  INSERT INTO creator_fts (creator_fts, rowid, facets) VALUES ('delete', OLD.number, OLD.facets);
  INSERT INTO creator_fts (rowid, facets) VALUES (NEW.number, NEW.facets);
END;
