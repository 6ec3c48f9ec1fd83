-- insert --
-- A new memory.
INSERT INTO memories (service, category, observation, confidence, active, created_at, updated_at, session_id, tier)
VALUES (:service, :category, :observation, :confidence, :active, :at, :at, :session_id, :tier)
RETURNING id;

-- by_id --
-- One memory.
SELECT * FROM memories WHERE id = :id;

-- page --
-- The most certain memories first, of one service and category (NULL: any); inactive ones too where `inactive` is 1.
SELECT * FROM memories
WHERE confidence >= 0 AND (active = 1 OR :inactive)
  AND (:service IS NULL OR service = :service) AND (:category IS NULL OR category = :category)
ORDER BY confidence DESC, active DESC, id DESC LIMIT :limit;

-- page_above --
-- Memories above an id in the order of their ids, of one service and category (NULL: any): to read all, page by page.
SELECT * FROM memories
WHERE id > :above AND (active = 1 OR :inactive)
  AND (:service IS NULL OR service = :service) AND (:category IS NULL OR category = :category)
ORDER BY id LIMIT :limit;

-- alike --
-- Active memories of one service (NULL: of none) and category: what a new one may repeat or contradict.
SELECT * FROM memories WHERE service IS :service AND active = 1 AND category = :category;

-- set --
-- Everything of a memory that can change. What is set anew begins to age anew.
UPDATE memories SET service = :service, category = :category, observation = :observation, confidence = :confidence,
       active = :active, updated_at = :updated_at, decayed_at = NULL
WHERE id = :id;

-- weaken --
-- Less confidence in a memory that was contradicted; its age stays.
UPDATE memories SET confidence = :confidence, active = :active WHERE id = :id;

-- ageing --
-- Active memories that nobody has confirmed since a time.
SELECT * FROM memories WHERE active = 1 AND updated_at < :before;

-- decay --
-- Less confidence in a memory for its age, and when that was due.
UPDATE memories SET confidence = :confidence, active = :active, decayed_at = :decayed_at WHERE id = :id;

-- delete --
-- One memory, for good.
DELETE FROM memories WHERE id = :id;
