-- count --
-- How many users there are; none means that setup has not happened.
SELECT count(*) FROM users;

-- insert --
-- A new user.
INSERT INTO users (name, password_hash, role, created_at) VALUES (:name, :password_hash, :role, :created_at) RETURNING id;

-- by_name --
-- The user that signs in.
SELECT id, name, password_hash, role, disabled_at FROM users WHERE name = :name;

-- set_password --
-- A new hash: of another password, or of the same with stronger parameters.
UPDATE users SET password_hash = :password_hash WHERE id = :id;

-- sign_in --
-- A browser that is signed in from now on.
INSERT INTO sign_ins (token_hash, user_id, csrf, created_at, seen_at, expires_at)
VALUES (:token_hash, :user_id, :csrf, :created_at, :created_at, :expires_at);

-- by_sign_in --
-- Who a cookie belongs to, while it has not expired and they are not disabled.
SELECT users.id, users.name, users.role, sign_ins.csrf, sign_ins.created_at, sign_ins.seen_at, sign_ins.expires_at
FROM sign_ins JOIN users ON users.id = sign_ins.user_id
WHERE sign_ins.token_hash = :token_hash AND sign_ins.expires_at > :now AND users.disabled_at IS NULL;

-- seen --
-- Moves a sign-in's expiry forward because it was used; one that has expired stays so.
UPDATE sign_ins SET seen_at = :now, expires_at = :expires_at WHERE token_hash = :token_hash AND expires_at > :now;

-- sign_out --
-- Ends one sign-in.
DELETE FROM sign_ins WHERE token_hash = :token_hash;

-- delete_expired_sign_ins --
-- Housekeeping.
DELETE FROM sign_ins WHERE expires_at <= :now;

-- fail --
-- A sign-in that failed; `name` is the mark of a name, see schema/access.py.
INSERT INTO sign_in_failures (name, address, failed_at) VALUES (:name, :address, :failed_at);

-- failures_of_name --
-- Failed sign-ins with a name since a time: how many and the last.
SELECT count(*), max(failed_at) FROM sign_in_failures WHERE name = :name AND failed_at > :since;

-- failures_of_address --
-- Failed sign-ins from an address since a time: how many and the last.
SELECT count(*), max(failed_at) FROM sign_in_failures WHERE address = :address AND failed_at > :since;

-- failures_of_pair --
-- Failed sign-ins with a name from an address since a time: how many and the last.
SELECT count(*), max(failed_at) FROM sign_in_failures WHERE name = :name AND address = :address AND failed_at > :since;

-- forgive --
-- Forgets the failures of a name after it signed in.
DELETE FROM sign_in_failures WHERE name = :name AND address = :address;

-- delete_old_failures --
-- Housekeeping.
DELETE FROM sign_in_failures WHERE failed_at <= :before;

-- offer_setup --
-- A one-time setup link.
INSERT INTO setup_links (token_hash, created_at, expires_at, boot) VALUES (:token_hash, :created_at, :expires_at, :boot);

-- setup_links_of --
-- How many links were made in one start of the daemon.
SELECT count(*) FROM setup_links WHERE boot = :boot;

-- setup_link --
-- A setup link that still counts.
SELECT token_hash FROM setup_links WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > :now;

-- use_setup --
-- Uses a setup link up; the row count says whether it still counted.
UPDATE setup_links SET used_at = :now WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > :now;

-- revoke_setup --
-- Ends every setup link that was not used.
UPDATE setup_links SET expires_at = :now WHERE used_at IS NULL AND expires_at > :now;

-- sign_out_everywhere --
-- Ends every sign-in of a user, whose password was set anew.
DELETE FROM sign_ins WHERE user_id = :user_id;

-- page --
-- People by id, above an id.
SELECT id, name, role, created_at, seen_at, disabled_at, password_hash <> '' AS password FROM users
WHERE id > :after ORDER BY id LIMIT :limit;

-- shown --
-- One person by name.
SELECT id, name, role, created_at, seen_at, disabled_at, password_hash <> '' AS password FROM users WHERE name = :name;

-- shown_by_id --
-- One person.
SELECT id, name, role, created_at, seen_at, disabled_at, password_hash <> '' AS password FROM users WHERE id = :id;

-- other_admins --
-- How many admins there are beside one who can sign in.
SELECT count(*) FROM users WHERE role = 'admin' AND id <> :id AND disabled_at IS NULL AND password_hash <> '';

-- set_role --
-- Another role.
UPDATE users SET role = :role WHERE id = :id;

-- set_disabled --
-- Keeps a person out from now on, or (NULL) lets them in again.
UPDATE users SET disabled_at = :disabled_at WHERE id = :id;

-- note_seen --
-- That a person was here.
UPDATE users SET seen_at = :now WHERE id = :id;

-- note_seen_by_sign_in --
-- That the person of a sign-in was here.
UPDATE users SET seen_at = :now WHERE id = (SELECT user_id FROM sign_ins WHERE token_hash = :token_hash);

-- offer_password --
-- A one-time link with which a person sets a password.
INSERT INTO password_links (token_hash, user_id, created_at, expires_at)
VALUES (:token_hash, :user_id, :created_at, :expires_at);

-- password_link --
-- Whose password a link sets that still counts.
SELECT users.id, users.name FROM password_links JOIN users ON users.id = password_links.user_id
WHERE password_links.token_hash = :token_hash AND password_links.used_at IS NULL AND password_links.expires_at > :now
AND users.disabled_at IS NULL;

-- use_password_link --
-- Uses a password link up; the row count says whether it still counted.
UPDATE password_links SET used_at = :now WHERE token_hash = :token_hash AND used_at IS NULL AND expires_at > :now;

-- revoke_password_links --
-- Ends a person's password links that were not used.
UPDATE password_links SET expires_at = :now WHERE user_id = :user_id AND used_at IS NULL AND expires_at > :now;

-- delete_old_password_links --
-- Housekeeping.
DELETE FROM password_links WHERE expires_at <= :before;
