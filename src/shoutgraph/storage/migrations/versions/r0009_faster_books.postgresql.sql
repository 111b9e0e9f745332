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

-- accounts are found by their names, one or ten of them: there is nothing to plan anew each time
ALTER FUNCTION hold_lots SET plan_cache_mode = force_generic_plan;

ALTER FUNCTION post SET plan_cache_mode = force_generic_plan;
