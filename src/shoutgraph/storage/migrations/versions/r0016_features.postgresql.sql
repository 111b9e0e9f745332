-- The guards of the rollout, for PostgreSQL. A blank line ends each statement, so no body has one.

CREATE FUNCTION feature_rule_follows() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF NEW.version <> 1 + (SELECT count(*) FROM feature_rule WHERE feature = NEW.feature AND provider = NEW.provider)
    OR EXISTS (SELECT 1 FROM feature_rule WHERE feature = NEW.feature AND provider = NEW.provider AND id <> NEW.id)
    OR EXISTS (SELECT 1 FROM feature_rule
      WHERE id = NEW.id AND (feature <> NEW.feature OR provider <> NEW.provider OR version >= NEW.version)) THEN
    RAISE EXCEPTION 'a version of a rule follows the one before it' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER feature_rule_follows BEFORE INSERT ON feature_rule
FOR EACH ROW EXECUTE FUNCTION feature_rule_follows();

CREATE FUNCTION feature_rule_guard() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF to_jsonb(NEW) - 'current' <> to_jsonb(OLD) - 'current' THEN
    RAISE EXCEPTION 'a rule never changes: store a new version' USING ERRCODE = 'check_violation';
  END IF;
  IF NEW.current > OLD.current THEN
    RAISE EXCEPTION 'a version that ended stays so: store a new one' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER feature_rule_guard BEFORE UPDATE ON feature_rule FOR EACH ROW EXECUTE FUNCTION feature_rule_guard();

CREATE TRIGGER feature_rule_delete BEFORE DELETE ON feature_rule
FOR EACH ROW EXECUTE FUNCTION refuse('a rule never changes: store a new version');

CREATE TRIGGER feature_rule_truncate BEFORE TRUNCATE ON feature_rule
EXECUTE FUNCTION refuse('a rule never changes: store a new version');

CREATE FUNCTION feature_user_new() RETURNS trigger LANGUAGE plpgsql SET search_path = public, pg_temp AS $$
BEGIN
  IF (SELECT count(*) FROM feature_user WHERE rule_id = NEW.rule_id AND version = NEW.version)
    >= (SELECT listed_count FROM feature_rule WHERE id = NEW.rule_id AND version = NEW.version) THEN
    RAISE EXCEPTION 'a list is as long as its version says' USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;

CREATE TRIGGER feature_user_new BEFORE INSERT ON feature_user FOR EACH ROW EXECUTE FUNCTION feature_user_new();

CREATE TRIGGER feature_user_update BEFORE UPDATE ON feature_user
FOR EACH ROW EXECUTE FUNCTION refuse('a list never changes: store a new version');

CREATE TRIGGER feature_user_delete BEFORE DELETE ON feature_user
FOR EACH ROW EXECUTE FUNCTION refuse('a list never changes: store a new version');

CREATE TRIGGER feature_user_truncate BEFORE TRUNCATE ON feature_user
EXECUTE FUNCTION refuse('a list never changes: store a new version');

-- rights
GRANT SELECT ON feature_rule, feature_user TO shoutgraph_app, shoutgraph_report;

GRANT INSERT ON feature_rule, feature_user TO shoutgraph_app;

GRANT UPDATE (current) ON feature_rule TO shoutgraph_app;
