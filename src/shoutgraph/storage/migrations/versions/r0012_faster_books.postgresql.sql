-- What each posting does, in one statement in place of four. A blank line ends each statement, so no body has one.

-- writing a posting is what moves the two balances, and what they are then is written down
CREATE OR REPLACE FUNCTION posting_apply() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  WITH moved AS (UPDATE account SET debits = debits + CASE id WHEN NEW.debit_id THEN NEW.amount ELSE 0 END,
      credits = credits + CASE id WHEN NEW.credit_id THEN NEW.amount ELSE 0 END,
      version = version + 1, last_posting = NEW.id
    WHERE id IN (NEW.debit_id, NEW.credit_id)
    RETURNING id, version, last_posting, debits, credits
  ) INSERT INTO entry (account_id, version, posting_id, debits, credits)
    SELECT id, version, last_posting, debits, credits FROM moved;
  RETURN NULL;
END $$;

-- The lots of wallets with coins that have not expired, once the wallets are held: the nearest expiry first.
CREATE FUNCTION spendable_lots(accounts text[], now bigint, most bigint, waiting boolean)
RETURNS TABLE (id text, code text, user_id text, topup_id text, granted bigint, remaining bigint, price_minor bigint,
  currency text, country text, granted_at bigint, expires_at bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp SET plan_cache_mode = force_generic_plan AS $$
BEGIN
  IF waiting THEN
    PERFORM 1 FROM account a WHERE a.code = ANY (accounts) ORDER BY a.id FOR NO KEY UPDATE;
  ELSE
    PERFORM 1 FROM account a WHERE a.code = ANY (accounts) ORDER BY a.id FOR NO KEY UPDATE NOWAIT;
  END IF;
  RETURN QUERY SELECT l.id, a.code, l.user_id, l.topup_id, l.granted, l.remaining, l.price_minor, l.currency, l.country,
      l.granted_at, l.expires_at
    FROM lot l JOIN account a ON a.id = l.account_id
    WHERE a.code = ANY (accounts) AND l.remaining > 0 AND (l.expires_at IS NULL OR l.expires_at > now)
    ORDER BY l.expires_at NULLS LAST, l.granted_at, l.id LIMIT most;
END $$;

REVOKE ALL ON FUNCTION spendable_lots FROM PUBLIC;

GRANT EXECUTE ON FUNCTION spendable_lots TO shoutgraph_app;

-- accounts are found by their names, one or ten of them: there is nothing to plan anew each time
ALTER FUNCTION hold_lots SET plan_cache_mode = force_generic_plan;

ALTER FUNCTION post SET plan_cache_mode = force_generic_plan;
