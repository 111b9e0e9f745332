-- The guards of the first schema, for SQLite. A blank line ends each statement.
-- Every table of the books has a trigger against INSERT OR REPLACE, which would delete rows without firing
-- their DELETE triggers on a connection that forgot recursive_triggers.

-- asset
CREATE TRIGGER asset_new BEFORE INSERT ON asset
WHEN EXISTS (SELECT 1 FROM asset WHERE code = NEW.code)
BEGIN SELECT RAISE(ABORT, 'an asset is opened once'); END;

CREATE TRIGGER asset_update BEFORE UPDATE ON asset
BEGIN SELECT RAISE(ABORT, 'assets never change'); END;

CREATE TRIGGER asset_delete BEFORE DELETE ON asset
BEGIN SELECT RAISE(ABORT, 'assets never change'); END;

-- account
CREATE TRIGGER account_new BEFORE INSERT ON account
WHEN NEW.debits <> 0 OR NEW.credits <> 0 OR NEW.version <> 0 OR NEW.last_posting <> 0 OR NEW.closed <> 0
  OR EXISTS (SELECT 1 FROM account WHERE id = NEW.id OR code = NEW.code)
BEGIN SELECT RAISE(ABORT, 'an account is opened once, at zero'); END;

CREATE TRIGGER account_opened AFTER INSERT ON account WHEN NEW.wallet = 1
BEGIN INSERT INTO wallet_ok (id) VALUES (NEW.id); END;

-- a balance changes by exactly one posting that names the account and was not applied before
CREATE TRIGGER account_balance BEFORE UPDATE OF debits, credits, version, last_posting ON account
WHEN NEW.version <> OLD.version + 1
  OR NEW.last_posting <= OLD.last_posting
  OR NOT EXISTS (
    SELECT 1 FROM posting p WHERE p.id = NEW.last_posting AND (
      (p.debit_id = OLD.id AND NEW.debits = OLD.debits + p.amount AND NEW.credits = OLD.credits)
      OR (p.credit_id = OLD.id AND NEW.credits = OLD.credits + p.amount AND NEW.debits = OLD.debits)))
BEGIN SELECT RAISE(ABORT, 'balances move only through postings'); END;

CREATE TRIGGER account_identity BEFORE UPDATE OF id, code, asset, floor, order_id, wallet ON account
BEGIN SELECT RAISE(ABORT, 'an account stays what it is'); END;

CREATE TRIGGER account_reopen BEFORE UPDATE OF closed ON account WHEN OLD.closed = 1
BEGIN SELECT RAISE(ABORT, 'an account is closed for ever'); END;

CREATE TRIGGER account_delete BEFORE DELETE ON account
BEGIN SELECT RAISE(ABORT, 'accounts are never deleted'); END;

CREATE TRIGGER account_escrow AFTER UPDATE OF debits, credits ON account WHEN NEW.order_id IS NOT NULL
BEGIN
  DELETE FROM order_ok WHERE id = NEW.order_id;
  INSERT INTO order_ok (id) VALUES (NEW.order_id);
END;

CREATE TRIGGER account_lots AFTER UPDATE OF debits, credits ON account WHEN NEW.wallet = 1
BEGIN
  DELETE FROM wallet_ok WHERE id = NEW.id;
  INSERT INTO wallet_ok (id) VALUES (NEW.id);
END;

-- transfer
CREATE TRIGGER transfer_new BEFORE INSERT ON transfer
WHEN EXISTS (SELECT 1 FROM transfer WHERE id = NEW.id OR (kind = NEW.kind AND ref = NEW.ref))
BEGIN SELECT RAISE(ABORT, 'a transfer happens once'); END;

CREATE TRIGGER transfer_update BEFORE UPDATE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;

CREATE TRIGGER transfer_delete BEFORE DELETE ON transfer
BEGIN SELECT RAISE(ABORT, 'transfers are append-only'); END;

-- posting
CREATE TRIGGER posting_new BEFORE INSERT ON posting
WHEN EXISTS (SELECT 1 FROM posting WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a posting is written once'); END;

CREATE TRIGGER posting_apply AFTER INSERT ON posting
BEGIN
  UPDATE account SET debits = debits + NEW.amount, version = version + 1, last_posting = NEW.id
    WHERE id = NEW.debit_id;
  INSERT INTO entry SELECT id, version, NEW.id, debits, credits FROM account WHERE id = NEW.debit_id;
  UPDATE account SET credits = credits + NEW.amount, version = version + 1, last_posting = NEW.id
    WHERE id = NEW.credit_id;
  INSERT INTO entry SELECT id, version, NEW.id, debits, credits FROM account WHERE id = NEW.credit_id;
END;

CREATE TRIGGER posting_update BEFORE UPDATE ON posting
BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;

CREATE TRIGGER posting_delete BEFORE DELETE ON posting
BEGIN SELECT RAISE(ABORT, 'postings are append-only'); END;

-- entry
CREATE TRIGGER entry_new BEFORE INSERT ON entry
WHEN EXISTS (SELECT 1 FROM entry WHERE account_id = NEW.account_id AND version = NEW.version)
  OR NOT EXISTS (
    SELECT 1 FROM account a WHERE a.id = NEW.account_id AND a.version = NEW.version
      AND a.last_posting = NEW.posting_id AND a.debits = NEW.debits AND a.credits = NEW.credits)
BEGIN SELECT RAISE(ABORT, 'entries come from postings'); END;

CREATE TRIGGER entry_update BEFORE UPDATE ON entry
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

CREATE TRIGGER entry_delete BEFORE DELETE ON entry
BEGIN SELECT RAISE(ABORT, 'entries are append-only'); END;

-- lot
CREATE TRIGGER lot_new BEFORE INSERT ON lot
WHEN NEW.remaining <> 0 OR NEW.last_move <> 0
  OR EXISTS (SELECT 1 FROM lot WHERE id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM account WHERE id = NEW.account_id AND wallet = 1)
BEGIN SELECT RAISE(ABORT, 'a lot is opened once, empty, in a wallet'); END;

-- a lot changes by exactly one move that names it and was not applied before
CREATE TRIGGER lot_balance BEFORE UPDATE OF remaining, last_move ON lot
WHEN NEW.last_move <= OLD.last_move
  OR NOT EXISTS (
    SELECT 1 FROM lot_move m
      WHERE m.id = NEW.last_move AND m.lot_id = OLD.id AND NEW.remaining = OLD.remaining + m.coins)
BEGIN SELECT RAISE(ABORT, 'lots move only through lot moves'); END;

CREATE TRIGGER lot_identity BEFORE UPDATE OF
  id, account_id, user_id, topup_id, granted, price_minor, currency, country, granted_at ON lot
BEGIN SELECT RAISE(ABORT, 'a lot stays what it is'); END;

CREATE TRIGGER lot_expiry BEFORE UPDATE OF expires_at ON lot
WHEN OLD.expires_at IS NULL OR NEW.expires_at IS NULL OR NEW.expires_at < OLD.expires_at
BEGIN SELECT RAISE(ABORT, 'a lot expires when it was said to, or later'); END;

CREATE TRIGGER lot_delete BEFORE DELETE ON lot
BEGIN SELECT RAISE(ABORT, 'lots are never deleted'); END;

CREATE TRIGGER lot_wallet AFTER UPDATE OF remaining ON lot
BEGIN
  DELETE FROM wallet_ok WHERE id = NEW.account_id;
  INSERT INTO wallet_ok (id) VALUES (NEW.account_id);
END;

-- lot_move
CREATE TRIGGER lot_move_new BEFORE INSERT ON lot_move
WHEN EXISTS (SELECT 1 FROM lot_move WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'a lot move is written once'); END;

CREATE TRIGGER lot_move_return BEFORE INSERT ON lot_move
WHEN NEW.order_id IS NOT NULL AND NEW.coins > 0 AND NEW.coins + (
  SELECT coalesce(sum(coins), 0) FROM lot_move WHERE order_id = NEW.order_id AND lot_id = NEW.lot_id) > 0
BEGIN SELECT RAISE(ABORT, 'an order gives back to a lot at most what it took'); END;

CREATE TRIGGER lot_move_apply AFTER INSERT ON lot_move
BEGIN
  UPDATE lot SET remaining = remaining + NEW.coins, last_move = NEW.id WHERE id = NEW.lot_id;
END;

CREATE TRIGGER lot_move_update BEFORE UPDATE ON lot_move
BEGIN SELECT RAISE(ABORT, 'lot moves are append-only'); END;

CREATE TRIGGER lot_move_delete BEFORE DELETE ON lot_move
BEGIN SELECT RAISE(ABORT, 'lot moves are append-only'); END;

-- The law of orders, checked at COMMIT: a line in order_ok is the target of the order's deferred foreign key, and it
-- can be written only while the state and the escrow agree. Every change of either takes the line away and tries again.
CREATE TRIGGER order_ok_law BEFORE INSERT ON order_ok
WHEN NOT EXISTS (
  SELECT 1 FROM orders o WHERE o.id = NEW.id
    AND (SELECT coalesce(sum(credits - debits), 0) FROM account WHERE order_id = o.id) = CASE
      WHEN o.state IN ('SCREENING', 'AWAITING_ACCEPTANCE', 'IN_PRODUCTION', 'IN_REVIEW', 'CHANGES_REQUIRED',
        'DELIVERED', 'REDO_REQUESTED', 'DISPUTED')
      THEN o.price_coins ELSE 0 END)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER order_ok_update BEFORE UPDATE ON order_ok
BEGIN SELECT RAISE(ABORT, 'the law is not moved'); END;

-- The law of wallets, checked at COMMIT in the same way: the balance is the sum of the lots.
CREATE TRIGGER wallet_ok_law BEFORE INSERT ON wallet_ok
WHEN NOT EXISTS (
  SELECT 1 FROM account a WHERE a.id = NEW.id
    AND (SELECT coalesce(sum(remaining), 0) FROM lot WHERE account_id = a.id AND remaining > 0)
      = a.credits - a.debits)
BEGIN SELECT RAISE(IGNORE); END;

CREATE TRIGGER wallet_ok_update BEFORE UPDATE ON wallet_ok
BEGIN SELECT RAISE(ABORT, 'the law is not moved'); END;

-- orders
CREATE TRIGGER orders_new BEFORE INSERT ON orders
WHEN EXISTS (SELECT 1 FROM orders WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'an order is placed once'); END;

CREATE TRIGGER orders_placed AFTER INSERT ON orders
BEGIN INSERT INTO order_ok (id) VALUES (NEW.id); END;

CREATE TRIGGER orders_moved AFTER UPDATE OF state, price_coins ON orders
BEGIN
  DELETE FROM order_ok WHERE id = NEW.id;
  INSERT INTO order_ok (id) VALUES (NEW.id);
END;

CREATE TRIGGER orders_identity BEFORE UPDATE OF id, fan_id, creator_id ON orders
BEGIN SELECT RAISE(ABORT, 'an order stays whose it is'); END;

CREATE TRIGGER orders_final BEFORE UPDATE OF state, price_coins ON orders
WHEN OLD.state IN ('COMPLETED', 'DECLINED', 'EXPIRED', 'CANCELLED', 'REJECTED', 'REFUNDED', 'SPLIT')
  AND (NEW.state <> OLD.state OR NEW.price_coins <> OLD.price_coins)
BEGIN SELECT RAISE(ABORT, 'an order that has ended stays ended'); END;

CREATE TRIGGER orders_revision BEFORE UPDATE OF state, revision ON orders
WHEN NEW.revision < OLD.revision OR (NEW.state <> OLD.state AND NEW.revision = OLD.revision)
BEGIN SELECT RAISE(ABORT, 'each transition of an order has a revision of its own'); END;

CREATE TRIGGER orders_delete BEFORE DELETE ON orders
BEGIN SELECT RAISE(ABORT, 'orders are never deleted'); END;

-- event
CREATE TRIGGER event_new BEFORE INSERT ON event
WHEN NEW.seq <> coalesce((SELECT max(seq) FROM event), 0) + 1
  OR NEW.prev <> coalesce((SELECT hash FROM event WHERE seq = NEW.seq - 1), zeroblob(32))
  OR NEW.at < coalesce((SELECT at FROM event WHERE seq = NEW.seq - 1), NEW.at)
  OR NEW.topic_seq <> coalesce((SELECT max(topic_seq) FROM event WHERE topic = NEW.topic), 0) + 1
  OR EXISTS (SELECT 1 FROM event WHERE id = NEW.id)
BEGIN SELECT RAISE(ABORT, 'the journal is dense and chained, and no event is written twice'); END;

CREATE TRIGGER event_update BEFORE UPDATE ON event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

CREATE TRIGGER event_delete BEFORE DELETE ON event
BEGIN SELECT RAISE(ABORT, 'events are append-only'); END;

-- request
CREATE TRIGGER request_new BEFORE INSERT ON request
WHEN EXISTS (SELECT 1 FROM request WHERE principal = NEW.principal AND mutation = NEW.mutation AND key = NEW.key)
BEGIN SELECT RAISE(ABORT, 'a key is used once'); END;

CREATE TRIGGER request_update BEFORE UPDATE ON request
BEGIN SELECT RAISE(ABORT, 'an answer never changes'); END;

-- policies: a version never changes
CREATE TRIGGER policy_update BEFORE UPDATE ON policy
BEGIN SELECT RAISE(ABORT, 'append-only'); END;

CREATE TRIGGER policy_delete BEFORE DELETE ON policy
BEGIN SELECT RAISE(ABORT, 'append-only'); END;

CREATE TRIGGER policy_new BEFORE INSERT ON policy
WHEN EXISTS (SELECT 1 FROM policy WHERE version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'policy exists'); END;
