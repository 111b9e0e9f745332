-- The guards of exchanged payouts, for PostgreSQL. A blank line ends each statement, so no body has one.

-- where money goes keeps its currency
CREATE TRIGGER recipient_currency BEFORE UPDATE OF currency ON payout_recipient
FOR EACH ROW EXECUTE FUNCTION refuse('where money goes keeps its currency');

-- what is sent is the payout's own amount, at a rate that is published, and never more than the exact quotient
CREATE FUNCTION payout_exchange_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
      SELECT 1 FROM payout JOIN fx_rate ON fx_rate.currency = NEW.currency AND fx_rate.book_currency = NEW.book_currency
        AND fx_rate.version = NEW.rate_version
      WHERE payout.id = NEW.payout_id AND payout.state = 'REQUESTED' AND payout.currency = NEW.currency
        AND payout.amount_minor = NEW.amount_minor
        AND NEW.amount_minor * fx_rate.numerator <= (NEW.gross_minor - NEW.spread_minor) * 100 * fx_rate.denominator) THEN
    RAISE EXCEPTION 'a payout is exchanged once, for no more than it is worth' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER payout_exchange_new BEFORE INSERT ON payout_exchange
FOR EACH ROW EXECUTE FUNCTION payout_exchange_new();

CREATE TRIGGER payout_exchange_fixed BEFORE UPDATE OR DELETE ON payout_exchange
FOR EACH ROW EXECUTE FUNCTION refuse('what was exchanged never changes');

CREATE TRIGGER payout_exchange_truncate BEFORE TRUNCATE ON payout_exchange
EXECUTE FUNCTION refuse('what was exchanged never changes');

-- rights
GRANT SELECT ON payout_exchange TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON payout_exchange TO shoutgraph_app;
