-- The guards of people's own limits, of holds on payouts and of tax profiles, for PostgreSQL. A blank line ends each statement, so no body has one.

-- what somebody set to guard themselves is made longer, never shorter
CREATE FUNCTION spending_guard_lasts() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF OLD.excluded_until > coalesce(NEW.excluded_until, 0) OR OLD.paused_until > coalesce(NEW.paused_until, 0) THEN
    RAISE EXCEPTION 'a pause is made longer, never shorter' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.user_id <> OLD.user_id OR NEW.revision <= OLD.revision THEN
    RAISE EXCEPTION 'a guard goes on by revisions, and stays whose it is' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER spending_guard_lasts BEFORE UPDATE ON spending_guard
FOR EACH ROW EXECUTE FUNCTION spending_guard_lasts();

CREATE TRIGGER spending_guard_delete BEFORE DELETE ON spending_guard
FOR EACH ROW EXECUTE FUNCTION refuse('a guard is never deleted');

CREATE TRIGGER spending_guard_truncate BEFORE TRUNCATE ON spending_guard
EXECUTE FUNCTION refuse('a guard is never deleted');

-- a hold is released once, and never changes otherwise
CREATE FUNCTION payout_hold_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - '{released_at,released_by,release_reason}'::text[]
      <> to_jsonb(OLD) - '{released_at,released_by,release_reason}'::text[] THEN
    RAISE EXCEPTION 'a hold stays what it is' USING ERRCODE = 'check_violation';
  END IF;
  IF OLD.released_at IS NOT NULL THEN
    RAISE EXCEPTION 'a hold is released once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER payout_hold_guard BEFORE UPDATE ON payout_hold FOR EACH ROW EXECUTE FUNCTION payout_hold_guard();

CREATE FUNCTION payout_hold_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.payout_id IS NOT NULL
    AND NOT EXISTS (SELECT 1 FROM payout WHERE id = NEW.payout_id AND creator_id = NEW.creator_id) THEN
    RAISE EXCEPTION 'a hold is on a payout of its creator, once' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER payout_hold_new BEFORE INSERT ON payout_hold FOR EACH ROW EXECUTE FUNCTION payout_hold_new();

CREATE TRIGGER payout_hold_delete BEFORE DELETE ON payout_hold
FOR EACH ROW EXECUTE FUNCTION refuse('holds are never deleted');

CREATE TRIGGER payout_hold_truncate BEFORE TRUNCATE ON payout_hold EXECUTE FUNCTION refuse('holds are never deleted');

-- a version of a tax profile never changes: it can only be blanked
CREATE FUNCTION tax_profile_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.version <> 1 + (SELECT coalesce(max(version), 0) FROM tax_profile WHERE creator_id = NEW.creator_id) THEN
    RAISE EXCEPTION 'versions of a tax profile follow one another' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER tax_profile_new BEFORE INSERT ON tax_profile FOR EACH ROW EXECUTE FUNCTION tax_profile_new();

CREATE FUNCTION tax_profile_kept() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (NEW.creator_id, NEW.version, NEW.kind, NEW.country, NEW.certified_at)
      <> (OLD.creator_id, OLD.version, OLD.kind, OLD.country, OLD.certified_at) OR OLD.erased_at IS NOT NULL
    OR NEW.erased_at IS NULL OR NEW.legal_name <> '' OR NEW.address <> '' OR NEW.tax_id <> ''
    OR NEW.born_on IS NOT NULL OR NEW.registration IS NOT NULL THEN
    RAISE EXCEPTION 'a version of a tax profile is blanked as a whole, or stays' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER tax_profile_kept BEFORE UPDATE ON tax_profile FOR EACH ROW EXECUTE FUNCTION tax_profile_kept();

CREATE TRIGGER tax_profile_delete BEFORE DELETE ON tax_profile
FOR EACH ROW EXECUTE FUNCTION refuse('versions of a tax profile are never deleted');

CREATE TRIGGER tax_profile_truncate BEFORE TRUNCATE ON tax_profile
EXECUTE FUNCTION refuse('versions of a tax profile are never deleted');

-- what is in reserve is neither paid, nor on its way, nor taken back, and only of what has matured
CREATE FUNCTION earning_reserve() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.reserved_coins < 0
    OR NEW.reserved_coins + NEW.in_payout_coins + NEW.paid_coins + NEW.reversed_coins > NEW.coins
    OR (NEW.reserved_coins > 0 AND (NEW.state <> 'AVAILABLE' OR NEW.reserved_until IS NULL))
    OR (NEW.reserved_coins > OLD.reserved_coins AND OLD.state <> 'PENDING') THEN
    RAISE EXCEPTION 'a reserve is of what an earning has left, set aside once as it matures'
      USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER earning_reserve BEFORE UPDATE ON earning FOR EACH ROW EXECUTE FUNCTION earning_reserve();

CREATE TRIGGER earning_reserve_born BEFORE INSERT ON earning
FOR EACH ROW WHEN (NEW.reserved_coins <> 0) EXECUTE FUNCTION refuse('a new earning has no reserve');

-- rights: a date of birth can be erased
GRANT SELECT ON spending_guard, birth TO shoutgraph_app;

GRANT SELECT ON spending_guard TO shoutgraph_report;

GRANT INSERT, UPDATE ON spending_guard, birth TO shoutgraph_app;

GRANT DELETE ON birth TO shoutgraph_app;

GRANT SELECT ON payout_hold, tax_profile TO shoutgraph_app;

GRANT SELECT ON payout_hold TO shoutgraph_report;

GRANT INSERT, UPDATE ON payout_hold, tax_profile TO shoutgraph_app;

GRANT SELECT ON creator_reserve TO shoutgraph_app, shoutgraph_report;

GRANT INSERT, UPDATE, DELETE ON creator_reserve TO shoutgraph_app;
