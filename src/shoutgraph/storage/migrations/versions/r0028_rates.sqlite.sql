-- The guards of rates, for SQLite. A blank line ends each statement.

-- of two versions the newer one holds, so a version takes its turn, and none takes effect before it is published
CREATE TRIGGER fx_rate_next BEFORE INSERT ON fx_rate
WHEN NEW.effective_from < NEW.created_at OR NEW.version <> 1 + coalesce((
  SELECT max(version) FROM fx_rate WHERE currency = NEW.currency AND book_currency = NEW.book_currency), 0)
BEGIN SELECT RAISE(ABORT, 'a rate follows the newest one, and takes effect now or later'); END;

-- what was held is valued once a day, in the books
CREATE TRIGGER fx_revaluation_new BEFORE INSERT ON fx_revaluation
WHEN EXISTS (SELECT 1 FROM fx_revaluation WHERE day = NEW.day AND currency = NEW.currency)
BEGIN SELECT RAISE(ABORT, 'a currency is valued once a day'); END;

CREATE TRIGGER fx_revaluation_update BEFORE UPDATE ON fx_revaluation
BEGIN SELECT RAISE(ABORT, 'what was valued never changes'); END;

CREATE TRIGGER fx_revaluation_delete BEFORE DELETE ON fx_revaluation
BEGIN SELECT RAISE(ABORT, 'what was valued never changes'); END;
