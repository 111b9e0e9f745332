-- The guards of the first schema, for PostgreSQL, and what its processes need beyond SQLite: roles' rights, the outbox
-- and the sequencer's row. A blank line ends each statement, so no body has one.
-- Texts are compared by their bytes: an upgrade of the server's languages must not turn an index upside down.
-- Every function names its search_path, so that nobody can put a table of their own in front of ours.

CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  RAISE EXCEPTION '%', TG_ARGV[0] USING ERRCODE = 'check_violation';
END $$;

-- asset
CREATE TRIGGER asset_fixed BEFORE UPDATE OR DELETE ON asset
FOR EACH ROW EXECUTE FUNCTION refuse('assets never change');

CREATE TRIGGER asset_truncate BEFORE TRUNCATE ON asset EXECUTE FUNCTION refuse('assets never change');

-- account
CREATE FUNCTION account_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.debits <> 0 OR NEW.credits <> 0 OR NEW.version <> 0 OR NEW.last_posting <> 0 OR NEW.closed <> 0 THEN
      RAISE EXCEPTION 'an account is opened once, at zero' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.id, NEW.code, NEW.asset, NEW.floor, NEW.order_id, NEW.wallet)
    IS DISTINCT FROM (OLD.id, OLD.code, OLD.asset, OLD.floor, OLD.order_id, OLD.wallet) THEN
    RAISE EXCEPTION 'an account stays what it is' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.closed = 1 THEN
    RAISE EXCEPTION 'an account is closed for ever' USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.debits, NEW.credits, NEW.version, NEW.last_posting)
    IS DISTINCT FROM (OLD.debits, OLD.credits, OLD.version, OLD.last_posting)
    AND (NEW.version <> OLD.version + 1 OR NEW.last_posting <= OLD.last_posting OR NOT EXISTS (
      SELECT 1 FROM posting p WHERE p.id = NEW.last_posting AND (
        (p.debit_id = OLD.id AND NEW.debits = OLD.debits + p.amount AND NEW.credits = OLD.credits)
        OR (p.credit_id = OLD.id AND NEW.credits = OLD.credits + p.amount AND NEW.debits = OLD.debits)))) THEN
    RAISE EXCEPTION 'balances move only through postings' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER account_guard BEFORE INSERT OR UPDATE ON account FOR EACH ROW EXECUTE FUNCTION account_guard();

CREATE TRIGGER account_delete BEFORE DELETE ON account
FOR EACH ROW EXECUTE FUNCTION refuse('accounts are never deleted');

CREATE TRIGGER account_truncate BEFORE TRUNCATE ON account EXECUTE FUNCTION refuse('accounts are never deleted');

-- transfer
CREATE TRIGGER transfer_fixed BEFORE UPDATE OR DELETE ON transfer
FOR EACH ROW EXECUTE FUNCTION refuse('transfers are append-only');

CREATE TRIGGER transfer_truncate BEFORE TRUNCATE ON transfer EXECUTE FUNCTION refuse('transfers are append-only');

-- posting: numbered once its accounts are held, so that an account's postings are numbered in the order in which they
-- happen; writing it is what moves the two balances
CREATE FUNCTION posting_number() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  PERFORM 1 FROM account WHERE id IN (NEW.debit_id, NEW.credit_id) ORDER BY id FOR NO KEY UPDATE;
  NEW.id := nextval('posting_id_seq');
  RETURN NEW;
END $$;

CREATE TRIGGER posting_number BEFORE INSERT ON posting FOR EACH ROW EXECUTE FUNCTION posting_number();

CREATE FUNCTION posting_apply() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  moved account;
BEGIN
  UPDATE account SET debits = debits + NEW.amount, version = version + 1, last_posting = NEW.id
    WHERE id = NEW.debit_id RETURNING * INTO moved;
  INSERT INTO entry (account_id, version, posting_id, debits, credits)
    VALUES (moved.id, moved.version, NEW.id, moved.debits, moved.credits);
  UPDATE account SET credits = credits + NEW.amount, version = version + 1, last_posting = NEW.id
    WHERE id = NEW.credit_id RETURNING * INTO moved;
  INSERT INTO entry (account_id, version, posting_id, debits, credits)
    VALUES (moved.id, moved.version, NEW.id, moved.debits, moved.credits);
  RETURN NULL;
END $$;

CREATE TRIGGER posting_apply AFTER INSERT ON posting FOR EACH ROW EXECUTE FUNCTION posting_apply();

CREATE TRIGGER posting_fixed BEFORE UPDATE OR DELETE ON posting
FOR EACH ROW EXECUTE FUNCTION refuse('postings are append-only');

CREATE TRIGGER posting_truncate BEFORE TRUNCATE ON posting EXECUTE FUNCTION refuse('postings are append-only');

-- entry
CREATE FUNCTION entry_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM account a WHERE a.id = NEW.account_id AND a.version = NEW.version
      AND a.last_posting = NEW.posting_id AND a.debits = NEW.debits AND a.credits = NEW.credits) THEN
    RAISE EXCEPTION 'entries come from postings' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER entry_new BEFORE INSERT ON entry FOR EACH ROW EXECUTE FUNCTION entry_guard();

CREATE TRIGGER entry_fixed BEFORE UPDATE OR DELETE ON entry
FOR EACH ROW EXECUTE FUNCTION refuse('entries are append-only');

CREATE TRIGGER entry_truncate BEFORE TRUNCATE ON entry EXECUTE FUNCTION refuse('entries are append-only');

-- lot
CREATE FUNCTION lot_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF TG_OP = 'INSERT' THEN
    IF NEW.remaining <> 0 OR NEW.last_move <> 0
      OR NOT EXISTS (SELECT 1 FROM account WHERE id = NEW.account_id AND wallet = 1) THEN
      RAISE EXCEPTION 'a lot is opened once, empty, in a wallet' USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
  END IF;
  IF (NEW.id, NEW.account_id, NEW.user_id, NEW.topup_id, NEW.granted, NEW.price_minor, NEW.currency, NEW.country,
      NEW.granted_at)
    IS DISTINCT FROM (OLD.id, OLD.account_id, OLD.user_id, OLD.topup_id, OLD.granted, OLD.price_minor, OLD.currency,
      OLD.country, OLD.granted_at) THEN
    RAISE EXCEPTION 'a lot stays what it is' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.expires_at IS DISTINCT FROM OLD.expires_at
    AND (OLD.expires_at IS NULL OR NEW.expires_at IS NULL OR NEW.expires_at < OLD.expires_at) THEN
    RAISE EXCEPTION 'a lot expires when it was said to, or later' USING ERRCODE = 'check_violation';
  END IF;
  IF (NEW.remaining, NEW.last_move) IS DISTINCT FROM (OLD.remaining, OLD.last_move)
    AND (NEW.last_move <= OLD.last_move OR NOT EXISTS (
      SELECT 1 FROM lot_move m
        WHERE m.id = NEW.last_move AND m.lot_id = OLD.id AND NEW.remaining = OLD.remaining + m.coins)) THEN
    RAISE EXCEPTION 'lots move only through lot moves' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER lot_guard BEFORE INSERT OR UPDATE ON lot FOR EACH ROW EXECUTE FUNCTION lot_guard();

CREATE TRIGGER lot_delete BEFORE DELETE ON lot FOR EACH ROW EXECUTE FUNCTION refuse('lots are never deleted');

CREATE TRIGGER lot_truncate BEFORE TRUNCATE ON lot EXECUTE FUNCTION refuse('lots are never deleted');

-- lot_move: numbered once its lot is held, so that a lot's moves are numbered in the order in which they happen
CREATE FUNCTION lot_move_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  taken bigint;
BEGIN
  PERFORM 1 FROM lot WHERE id = NEW.lot_id FOR NO KEY UPDATE;
  NEW.id := nextval('lot_move_id_seq');
  IF NEW.order_id IS NOT NULL AND NEW.coins > 0 THEN
    SELECT coalesce(sum(coins), 0) INTO taken FROM lot_move WHERE order_id = NEW.order_id AND lot_id = NEW.lot_id;
    IF NEW.coins + taken > 0 THEN
      RAISE EXCEPTION 'an order gives back to a lot at most what it took' USING ERRCODE = 'check_violation';
    END IF;
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER lot_move_guard BEFORE INSERT ON lot_move FOR EACH ROW EXECUTE FUNCTION lot_move_guard();

CREATE FUNCTION lot_move_apply() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  UPDATE lot SET remaining = remaining + NEW.coins, last_move = NEW.id WHERE id = NEW.lot_id;
  RETURN NULL;
END $$;

CREATE TRIGGER lot_move_apply AFTER INSERT ON lot_move FOR EACH ROW EXECUTE FUNCTION lot_move_apply();

CREATE TRIGGER lot_move_fixed BEFORE UPDATE OR DELETE ON lot_move
FOR EACH ROW EXECUTE FUNCTION refuse('lot moves are append-only');

CREATE TRIGGER lot_move_truncate BEFORE TRUNCATE ON lot_move EXECUTE FUNCTION refuse('lot moves are append-only');

-- The law of orders, checked at COMMIT from both sides, so that neither the state nor the escrow can move alone.
CREATE FUNCTION order_law() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  subject text;
  ordered orders;
  held bigint;
  due bigint;
BEGIN
  IF TG_TABLE_NAME = 'orders' THEN subject := NEW.id; ELSE subject := NEW.order_id; END IF;
  SELECT * INTO ordered FROM orders WHERE id = subject;
  SELECT coalesce(sum(credits - debits), 0) INTO held FROM account WHERE order_id = subject;
  due := CASE
    WHEN ordered.state IN ('SCREENING', 'AWAITING_ACCEPTANCE', 'IN_PRODUCTION', 'IN_REVIEW', 'CHANGES_REQUIRED',
      'DELIVERED', 'REDO_REQUESTED', 'DISPUTED')
    THEN ordered.price_coins ELSE 0 END;
  IF held <> due THEN
    RAISE EXCEPTION 'order % is % and its escrow holds % of %', subject, ordered.state, held, due
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER orders_law AFTER INSERT OR UPDATE ON orders
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION order_law();

CREATE CONSTRAINT TRIGGER escrow_law AFTER UPDATE ON account
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.order_id IS NOT NULL) EXECUTE FUNCTION order_law();

-- The law of wallets, checked at COMMIT in the same way: the balance is the sum of the lots.
CREATE FUNCTION wallet_law() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  subject bigint;
  held bigint;
  lots bigint;
BEGIN
  IF TG_TABLE_NAME = 'account' THEN subject := NEW.id; ELSE subject := NEW.account_id; END IF;
  SELECT credits - debits, (SELECT coalesce(sum(remaining), 0) FROM lot WHERE account_id = subject AND remaining > 0)
    INTO held, lots FROM account WHERE id = subject;
  IF held <> lots THEN
    RAISE EXCEPTION 'wallet % holds % and its lots %', subject, held, lots USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER wallet_law AFTER UPDATE ON account
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW WHEN (NEW.wallet = 1) EXECUTE FUNCTION wallet_law();

CREATE CONSTRAINT TRIGGER lot_law AFTER UPDATE ON lot
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION wallet_law();

-- orders
CREATE FUNCTION orders_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.id, NEW.fan_id, NEW.creator_id) IS DISTINCT FROM (OLD.id, OLD.fan_id, OLD.creator_id) THEN
    RAISE EXCEPTION 'an order stays whose it is' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.state IN ('COMPLETED', 'DECLINED', 'EXPIRED', 'CANCELLED', 'REJECTED', 'REFUNDED', 'SPLIT')
    AND (NEW.state <> OLD.state OR NEW.price_coins <> OLD.price_coins) THEN
    RAISE EXCEPTION 'an order that has ended stays ended' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.revision < OLD.revision OR (NEW.state <> OLD.state AND NEW.revision = OLD.revision) THEN
    RAISE EXCEPTION 'each transition of an order has a revision of its own' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER orders_guard BEFORE UPDATE ON orders FOR EACH ROW EXECUTE FUNCTION orders_guard();

CREATE TRIGGER orders_delete BEFORE DELETE ON orders FOR EACH ROW EXECUTE FUNCTION refuse('orders are never deleted');

CREATE TRIGGER orders_truncate BEFORE TRUNCATE ON orders EXECUTE FUNCTION refuse('orders are never deleted');

-- The way into the journal: a process writes what happened to the outbox, in the transaction of the effect. Each line is
-- numbered within its subject under the lock of the subject's row, and only then in the outbox, so that two lines of one
-- subject can never be sealed in the wrong order.
CREATE TABLE topic (
  topic text COLLATE "C" PRIMARY KEY,
  lines bigint NOT NULL CONSTRAINT topic_lines CHECK (lines > 0)
);

CREATE FUNCTION topic_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (TG_OP = 'INSERT' AND NEW.lines <> 1)
    OR (TG_OP = 'UPDATE' AND (NEW.topic <> OLD.topic OR NEW.lines <> OLD.lines + 1)) THEN
    RAISE EXCEPTION 'a subject''s lines are counted one by one' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER topic_guard BEFORE INSERT OR UPDATE ON topic FOR EACH ROW EXECUTE FUNCTION topic_guard();

CREATE TRIGGER topic_delete BEFORE DELETE ON topic
FOR EACH ROW EXECUTE FUNCTION refuse('a subject''s lines are counted one by one');

CREATE TRIGGER topic_truncate BEFORE TRUNCATE ON topic
EXECUTE FUNCTION refuse('a subject''s lines are counted one by one');

-- Checked at COMMIT: a number is taken for a line, so that none is ever missing.
CREATE FUNCTION topic_law() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM outbox WHERE topic = NEW.topic AND topic_seq = NEW.lines)
    AND NOT EXISTS (SELECT 1 FROM event WHERE topic = NEW.topic AND topic_seq = NEW.lines)
    AND NOT EXISTS (SELECT 1 FROM outbox_dead WHERE topic = NEW.topic AND topic_seq = NEW.lines) THEN
    RAISE EXCEPTION 'a subject''s count tells of a line' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER topic_law AFTER INSERT OR UPDATE ON topic
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION topic_law();

CREATE TABLE outbox (
  id bigint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY,
  event_id text COLLATE "C" NOT NULL CONSTRAINT outbox_event UNIQUE,
  topic text COLLATE "C" NOT NULL,
  topic_seq bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  transfer_id bigint,
  body text COLLATE "C" NOT NULL,
  at bigint NOT NULL CONSTRAINT outbox_at CHECK (at BETWEEN 0 AND 253402300799999999),
  CONSTRAINT outbox_topic UNIQUE (topic, topic_seq)
) WITH (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 2000);

CREATE FUNCTION outbox_number() RETURNS trigger LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  number bigint;
BEGIN
  IF EXISTS (SELECT 1 FROM event WHERE id = NEW.event_id) THEN
    RAISE EXCEPTION 'no event is told twice' USING ERRCODE = 'check_violation';
  END IF;
  INSERT INTO topic (topic, lines) VALUES (NEW.topic, 1)
    ON CONFLICT (topic) DO UPDATE SET lines = topic.lines + 1 RETURNING lines INTO number;
  IF NEW.topic_seq IS NOT NULL AND NEW.topic_seq <> number THEN
    RAISE EXCEPTION 'line % of % is told as line %', number, NEW.topic, NEW.topic_seq
      USING ERRCODE = 'check_violation';
  END IF;
  NEW.topic_seq := number;
  NEW.id := nextval('outbox_id_seq');
  RETURN NEW;
END $$;

CREATE TRIGGER outbox_number BEFORE INSERT ON outbox FOR EACH ROW EXECUTE FUNCTION outbox_number();

CREATE TRIGGER outbox_update BEFORE UPDATE ON outbox
FOR EACH ROW EXECUTE FUNCTION refuse('what happened is not told otherwise');

CREATE TRIGGER outbox_truncate BEFORE TRUNCATE ON outbox
EXECUTE FUNCTION refuse('what happened is told, or set aside');

-- Checked at COMMIT: what leaves the outbox stands in the journal, or was set aside.
CREATE FUNCTION outbox_law() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM event WHERE id = OLD.event_id)
    AND NOT EXISTS (SELECT 1 FROM outbox_dead WHERE id = OLD.id AND event_id = OLD.event_id) THEN
    RAISE EXCEPTION 'what happened is told, or set aside' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER outbox_law AFTER DELETE ON outbox
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION outbox_law();

-- A line that cannot be sealed is set aside with the reason, and stops nothing.
CREATE TABLE outbox_dead (
  id bigint PRIMARY KEY,
  event_id text COLLATE "C" NOT NULL,
  topic text COLLATE "C" NOT NULL,
  topic_seq bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  transfer_id bigint,
  body text COLLATE "C" NOT NULL,
  at bigint NOT NULL,
  reason text COLLATE "C" NOT NULL
);

CREATE TRIGGER outbox_dead_fixed BEFORE UPDATE OR DELETE ON outbox_dead
FOR EACH ROW EXECUTE FUNCTION refuse('what was set aside is kept');

CREATE TRIGGER outbox_dead_truncate BEFORE TRUNCATE ON outbox_dead
EXECUTE FUNCTION refuse('what was set aside is kept');

-- The fence: whoever seals holds this row until its lines are committed, whatever it believes about who leads.
CREATE TABLE sequencer (
  one boolean PRIMARY KEY DEFAULT true CONSTRAINT sequencer_one CHECK (one),
  seq bigint NOT NULL,
  hash bytea NOT NULL,
  at bigint NOT NULL
);

INSERT INTO sequencer (seq, hash, at) VALUES (0, decode(repeat('00', 32), 'hex'), 0);

CREATE FUNCTION sequencer_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM event WHERE seq = NEW.seq AND hash = NEW.hash AND at = NEW.at) OR NEW.seq < OLD.seq THEN
    RAISE EXCEPTION 'the sequencer stands at the newest line' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER sequencer_guard BEFORE UPDATE ON sequencer FOR EACH ROW EXECUTE FUNCTION sequencer_guard();

CREATE TRIGGER sequencer_kept BEFORE DELETE ON sequencer
FOR EACH ROW EXECUTE FUNCTION refuse('the sequencer stands at the newest line');

CREATE TRIGGER sequencer_truncate BEFORE TRUNCATE ON sequencer
EXECUTE FUNCTION refuse('the sequencer stands at the newest line');

-- event: dense and chained. A line of a subject may be missing only where it was set aside; verify reports it.
CREATE FUNCTION event_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
DECLARE
  newest event;
BEGIN
  SELECT * INTO newest FROM event ORDER BY seq DESC LIMIT 1;
  IF NEW.seq <> coalesce(newest.seq, 0) + 1
    OR NEW.prev <> coalesce(newest.hash, decode(repeat('00', 32), 'hex'))
    OR NEW.at < coalesce(newest.at, NEW.at)
    OR NEW.topic_seq <= coalesce((SELECT max(topic_seq) FROM event WHERE topic = NEW.topic), 0) THEN
    RAISE EXCEPTION 'the journal is dense and chained, and no event is written twice' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER event_new BEFORE INSERT ON event FOR EACH ROW EXECUTE FUNCTION event_guard();

-- Checked at COMMIT: a line that the sequencer does not stand at would be in the way of all that follow.
CREATE FUNCTION event_law() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NOT EXISTS (SELECT 1 FROM sequencer WHERE seq >= NEW.seq) THEN
    RAISE EXCEPTION 'the sequencer stands at the newest line' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NULL;
END $$;

CREATE CONSTRAINT TRIGGER event_law AFTER INSERT ON event
DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION event_law();

CREATE TRIGGER event_fixed BEFORE UPDATE OR DELETE ON event
FOR EACH ROW EXECUTE FUNCTION refuse('events are append-only');

CREATE TRIGGER event_truncate BEFORE TRUNCATE ON event EXECUTE FUNCTION refuse('events are append-only');

-- request
CREATE TRIGGER request_fixed BEFORE UPDATE ON request
FOR EACH ROW EXECUTE FUNCTION refuse('an answer never changes');

-- policies: a version never changes
CREATE TRIGGER policy_fixed BEFORE UPDATE OR DELETE ON policy FOR EACH ROW EXECUTE FUNCTION refuse('append-only');

CREATE TRIGGER policy_truncate BEFORE TRUNCATE ON policy EXECUTE FUNCTION refuse('append-only');

-- What each writer committed last, so that one that loses the answer to a COMMIT finds out what became of it.
CREATE TABLE writer (
  name text COLLATE "C" PRIMARY KEY,
  batch bigint NOT NULL,
  at timestamptz NOT NULL
) WITH (fillfactor = 50);

-- The only way into the books: transfers with their accounts, postings, lots and lot moves, as arrays.
-- A transfer that exists already ends in unique_violation: its unit of work is run again and finds it.
-- Accounts are locked once, in the order of their ids; a caller that has locks already does not wait for more.
-- A number that nobody was given yet is refused: whoever is given it would find it taken.
CREATE FUNCTION post(
  waiting boolean,
  transfers bigint[], kinds text[], refs text[], digests bytea[], ats bigint[],
  codes text[], assets text[], scales bigint[], floors bigint[], escrows text[], wallets bigint[],
  leg_transfers bigint[], debit_codes text[], credit_codes text[], leg_assets text[], amounts bigint[], reasons text[],
  lot_ids text[], lot_accounts text[], lot_users text[], lot_topups text[], lot_granted bigint[], lot_prices bigint[],
  lot_currencies text[], lot_countries text[], lot_granted_at bigint[], lot_expires_at bigint[],
  move_lots text[], move_transfers bigint[], move_orders text[], move_coins bigint[]
) RETURNS void LANGUAGE plpgsql SECURITY DEFINER SET search_path = public, pg_temp AS $$
DECLARE
  stored account;
  held bigint[] := '{}';
  debit bigint;
  credit bigint;
  newest bigint;
BEGIN
  FOR i IN 1 .. cardinality(codes) LOOP
    SELECT * INTO stored FROM account WHERE code = codes[i];
    IF NOT FOUND THEN
      IF scales[i] IS NOT NULL THEN
        INSERT INTO asset (code, class, scale) VALUES (assets[i], 'fiat', scales[i]) ON CONFLICT DO NOTHING;
      END IF;
      INSERT INTO account (code, asset, floor, order_id, wallet)
        VALUES (codes[i], assets[i], floors[i], escrows[i], wallets[i]) ON CONFLICT DO NOTHING;
      SELECT * INTO stored FROM account WHERE code = codes[i];
    END IF;
    IF (stored.asset, stored.floor, stored.order_id, stored.wallet)
      IS DISTINCT FROM (assets[i], floors[i], escrows[i], wallets[i]) THEN
      RAISE EXCEPTION '% is stored with another asset, floor or tie', codes[i] USING ERRCODE = 'check_violation';
    END IF;
    held := held || stored.id;
  END LOOP;
  IF waiting THEN
    PERFORM 1 FROM account WHERE id = ANY (held) ORDER BY id FOR NO KEY UPDATE;
  ELSE
    PERFORM 1 FROM account WHERE id = ANY (held) ORDER BY id FOR NO KEY UPDATE NOWAIT;
  END IF;
  SELECT last_value INTO newest FROM transfer_id_seq;
  FOR i IN 1 .. cardinality(transfers) LOOP
    IF NOT coalesce(transfers[i] BETWEEN 1 AND newest, false) THEN
      RAISE EXCEPTION 'the number of a transfer is handed out first' USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO transfer (id, kind, ref, digest, at) VALUES (transfers[i], kinds[i], refs[i], digests[i], ats[i]);
  END LOOP;
  FOR i IN 1 .. cardinality(amounts) LOOP
    debit := held[array_position(codes, debit_codes[i])];
    credit := held[array_position(codes, credit_codes[i])];
    INSERT INTO posting (transfer_id, asset, debit_id, credit_id, amount, reason)
      VALUES (leg_transfers[i], leg_assets[i], debit, credit, amounts[i], reasons[i]);
  END LOOP;
  FOR i IN 1 .. cardinality(lot_ids) LOOP
    SELECT * INTO stored FROM account WHERE code = lot_accounts[i];
    IF NOT FOUND THEN
      RAISE EXCEPTION 'the lot % is granted to an account that does not exist', lot_ids[i]
        USING ERRCODE = 'check_violation';
    END IF;
    INSERT INTO lot (id, account_id, user_id, topup_id, granted, price_minor, currency, country, granted_at, expires_at)
      VALUES (lot_ids[i], stored.id, lot_users[i], lot_topups[i], lot_granted[i], lot_prices[i], lot_currencies[i],
        lot_countries[i], lot_granted_at[i], lot_expires_at[i]);
  END LOOP;
  FOR i IN 1 .. cardinality(move_coins) LOOP
    INSERT INTO lot_move (lot_id, transfer_id, order_id, coins)
      VALUES (move_lots[i], move_transfers[i], move_orders[i], move_coins[i]);
  END LOOP;
END $$;

-- Closes an account for ever; a balance that is not zero breaks its CHECK. Says whether it was open.
CREATE FUNCTION close_account(named text) RETURNS boolean LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH shut AS (UPDATE account SET closed = 1 WHERE code = named AND closed = 0 RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM shut)
$$;

-- Lets a lot expire later. Says whether it was one that expires.
CREATE FUNCTION extend_lot(named text, until bigint) RETURNS boolean LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
  WITH kept AS (
    UPDATE lot SET expires_at = until WHERE id = named AND expires_at IS NOT NULL RETURNING 1)
  SELECT EXISTS (SELECT 1 FROM kept)
$$;

-- Holds the lots of wallets while an order takes from them. Money tables are not the application's to lock.
CREATE FUNCTION hold_lots(accounts text[], waiting boolean) RETURNS void LANGUAGE plpgsql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
BEGIN
  IF waiting THEN
    PERFORM 1 FROM account WHERE code = ANY (accounts) ORDER BY id FOR NO KEY UPDATE;
  ELSE
    PERFORM 1 FROM account WHERE code = ANY (accounts) ORDER BY id FOR NO KEY UPDATE NOWAIT;
  END IF;
END $$;

-- A number for a transfer that is posted before its command ends, so that events can name it at once.
CREATE FUNCTION transfer_numbers(many integer) RETURNS SETOF bigint LANGUAGE sql
SECURITY DEFINER SET search_path = public, pg_temp AS $$
  SELECT nextval('transfer_id_seq') FROM generate_series(1, many)
$$;

-- rights: the application reads everything, writes the books only through the functions above and the journal only
-- through the outbox
REVOKE ALL ON FUNCTION post, close_account, extend_lot, hold_lots, transfer_numbers FROM PUBLIC;

GRANT EXECUTE ON FUNCTION post, close_account, extend_lot, hold_lots, transfer_numbers TO shoutgraph_app;

GRANT SELECT ON asset, account, transfer, posting, entry, lot, lot_move, orders, brief, dispute_statement, policy, event,
  request, deadline, topic, outbox, outbox_dead, sequencer, alembic_version
TO shoutgraph_app, shoutgraph_sequencer, shoutgraph_report;

GRANT INSERT, UPDATE ON orders, brief TO shoutgraph_app;

GRANT DELETE ON brief TO shoutgraph_app;

GRANT INSERT ON dispute_statement, policy, outbox TO shoutgraph_app;

GRANT INSERT, DELETE ON request TO shoutgraph_app;

GRANT INSERT, UPDATE, DELETE ON deadline TO shoutgraph_app;

GRANT SELECT, INSERT, UPDATE, DELETE ON writer TO shoutgraph_app;

GRANT INSERT ON event, outbox_dead TO shoutgraph_sequencer;

GRANT UPDATE ON sequencer TO shoutgraph_sequencer;

GRANT DELETE ON outbox TO shoutgraph_sequencer;
