-- The guards of the rollout, for SQLite. A blank line ends each statement.

CREATE TRIGGER feature_rule_follows BEFORE INSERT ON feature_rule
WHEN NEW.version <> 1 + (SELECT count(*) FROM feature_rule WHERE feature = NEW.feature AND provider = NEW.provider)
  OR EXISTS (SELECT 1 FROM feature_rule WHERE feature = NEW.feature AND provider = NEW.provider AND id <> NEW.id)
  OR EXISTS (SELECT 1 FROM feature_rule
    WHERE id = NEW.id AND (feature <> NEW.feature OR provider <> NEW.provider OR version >= NEW.version))
BEGIN SELECT RAISE(ABORT, 'a version of a rule follows the one before it'); END;

CREATE TRIGGER feature_rule_update BEFORE UPDATE OF id, version, feature, provider, enabled, share_bps, countries_on,
  countries_off, starts_at, ends_at, listed_count, changed_by, reason, changed_at, removed ON feature_rule
BEGIN SELECT RAISE(ABORT, 'a rule never changes: store a new version'); END;

CREATE TRIGGER feature_rule_ends BEFORE UPDATE OF current ON feature_rule WHEN NEW.current > OLD.current
BEGIN SELECT RAISE(ABORT, 'a version that ended stays so: store a new one'); END;

CREATE TRIGGER feature_rule_delete BEFORE DELETE ON feature_rule
BEGIN SELECT RAISE(ABORT, 'a rule never changes: store a new version'); END;

CREATE TRIGGER feature_user_new BEFORE INSERT ON feature_user
WHEN EXISTS (SELECT 1 FROM feature_user
    WHERE rule_id = NEW.rule_id AND version = NEW.version AND user_id = NEW.user_id)
  OR (SELECT count(*) FROM feature_user WHERE rule_id = NEW.rule_id AND version = NEW.version)
    >= (SELECT listed_count FROM feature_rule WHERE id = NEW.rule_id AND version = NEW.version)
BEGIN SELECT RAISE(ABORT, 'a list is as long as its version says'); END;

CREATE TRIGGER feature_user_update BEFORE UPDATE ON feature_user
BEGIN SELECT RAISE(ABORT, 'a list never changes: store a new version'); END;

CREATE TRIGGER feature_user_delete BEFORE DELETE ON feature_user
BEGIN SELECT RAISE(ABORT, 'a list never changes: store a new version'); END;
