-- The guards of people's own limits, of holds on payouts and of tax profiles, for SQLite. A blank line ends each statement.

-- what somebody set to guard themselves is made longer, never shorter
CREATE TRIGGER spending_guard_lasts BEFORE UPDATE ON spending_guard
WHEN OLD.excluded_until > coalesce(NEW.excluded_until, 0) OR OLD.paused_until > coalesce(NEW.paused_until, 0)
BEGIN SELECT RAISE(ABORT, 'a pause is made longer, never shorter'); END;

CREATE TRIGGER spending_guard_goes_on BEFORE UPDATE ON spending_guard
WHEN NEW.user_id <> OLD.user_id OR NEW.revision <= OLD.revision
BEGIN SELECT RAISE(ABORT, 'a guard goes on by revisions, and stays whose it is'); END;

CREATE TRIGGER spending_guard_delete BEFORE DELETE ON spending_guard
BEGIN SELECT RAISE(ABORT, 'a guard is never deleted'); END;

-- a hold is released once, and never changes otherwise
CREATE TRIGGER payout_hold_identity BEFORE UPDATE OF id, creator_id, payout_id, reason, until, placed_at, placed_by
ON payout_hold
BEGIN SELECT RAISE(ABORT, 'a hold stays what it is'); END;

CREATE TRIGGER payout_hold_once BEFORE UPDATE OF released_at, released_by, release_reason ON payout_hold
WHEN OLD.released_at IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a hold is released once'); END;

CREATE TRIGGER payout_hold_new BEFORE INSERT ON payout_hold
WHEN EXISTS (SELECT 1 FROM payout_hold WHERE id = NEW.id)
  OR NOT EXISTS (SELECT 1 FROM creator WHERE id = NEW.creator_id)
  OR (NEW.payout_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM payout WHERE id = NEW.payout_id AND creator_id = NEW.creator_id))
BEGIN SELECT RAISE(ABORT, 'a hold is on a payout of its creator, once'); END;

CREATE TRIGGER payout_hold_delete BEFORE DELETE ON payout_hold
BEGIN SELECT RAISE(ABORT, 'holds are never deleted'); END;

-- a version of a tax profile never changes: it can only be blanked
CREATE TRIGGER tax_profile_new BEFORE INSERT ON tax_profile
WHEN NEW.version <> 1 + (SELECT coalesce(max(version), 0) FROM tax_profile WHERE creator_id = NEW.creator_id)
BEGIN SELECT RAISE(ABORT, 'versions of a tax profile follow one another'); END;

CREATE TRIGGER tax_profile_kept BEFORE UPDATE ON tax_profile
WHEN NEW.creator_id <> OLD.creator_id OR NEW.version <> OLD.version OR NEW.kind <> OLD.kind
  OR NEW.country <> OLD.country OR NEW.certified_at <> OLD.certified_at OR OLD.erased_at IS NOT NULL
  OR NEW.erased_at IS NULL OR NEW.legal_name <> '' OR NEW.address <> '' OR NEW.tax_id <> ''
  OR NEW.born_on IS NOT NULL OR NEW.registration IS NOT NULL
BEGIN SELECT RAISE(ABORT, 'a version of a tax profile is blanked as a whole, or stays'); END;

CREATE TRIGGER tax_profile_delete BEFORE DELETE ON tax_profile
BEGIN SELECT RAISE(ABORT, 'versions of a tax profile are never deleted'); END;

-- what is in reserve is neither paid, nor on its way, nor taken back, and only of what has matured
CREATE TRIGGER earning_reserve_born BEFORE INSERT ON earning WHEN NEW.reserved_coins <> 0
BEGIN SELECT RAISE(ABORT, 'a new earning has no reserve'); END;

CREATE TRIGGER earning_reserve BEFORE UPDATE ON earning
WHEN NEW.reserved_coins < 0
  OR NEW.reserved_coins + NEW.in_payout_coins + NEW.paid_coins + NEW.reversed_coins > NEW.coins
  OR (NEW.reserved_coins > 0 AND (NEW.state <> 'AVAILABLE' OR NEW.reserved_until IS NULL))
  OR (NEW.reserved_coins > OLD.reserved_coins AND OLD.state <> 'PENDING')
BEGIN SELECT RAISE(ABORT, 'a reserve is of what an earning has left, set aside once as it matures'); END;
