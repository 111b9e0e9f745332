-- The guards of exchanged payouts, for SQLite. A blank line ends each statement.

-- where money goes keeps its currency
CREATE TRIGGER recipient_currency BEFORE UPDATE OF currency ON payout_recipient
BEGIN SELECT RAISE(ABORT, 'where money goes keeps its currency'); END;

-- what is sent is the payout's own amount, at a rate that is published, and never more than the exact quotient
CREATE TRIGGER payout_exchange_new BEFORE INSERT ON payout_exchange
WHEN EXISTS (SELECT 1 FROM payout_exchange WHERE payout_id = NEW.payout_id) OR NOT EXISTS (
  SELECT 1 FROM payout JOIN fx_rate ON fx_rate.currency = NEW.currency AND fx_rate.book_currency = NEW.book_currency
    AND fx_rate.version = NEW.rate_version
  WHERE payout.id = NEW.payout_id AND payout.state = 'REQUESTED' AND payout.currency = NEW.currency
    AND payout.amount_minor = NEW.amount_minor
    AND NEW.amount_minor * fx_rate.numerator <= (NEW.gross_minor - NEW.spread_minor) * 100 * fx_rate.denominator)
BEGIN SELECT RAISE(ABORT, 'a payout is exchanged once, for no more than it is worth'); END;

CREATE TRIGGER payout_exchange_update BEFORE UPDATE ON payout_exchange
BEGIN SELECT RAISE(ABORT, 'what was exchanged never changes'); END;

CREATE TRIGGER payout_exchange_delete BEFORE DELETE ON payout_exchange
BEGIN SELECT RAISE(ABORT, 'what was exchanged never changes'); END;
