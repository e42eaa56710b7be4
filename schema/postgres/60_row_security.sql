-- Who sees which products of the community; after the roles, which it names.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_policy WHERE polrelid = 'roman.community_product'::regclass) THEN
        RETURN;
    END IF;
    -- What is not published is nobody's business but the loaders'.
    CREATE POLICY published ON roman.community_product FOR SELECT USING (state <> 'ingested');
    CREATE POLICY published ON roman.community_file FOR SELECT
        USING (community_product_id IN (SELECT community_product_id FROM roman.community_product));
    CREATE POLICY published ON roman.community_match FOR SELECT
        USING (community_file_id IN (SELECT community_file_id FROM roman.community_file));
    ALTER TABLE roman.community_product ENABLE ROW LEVEL SECURITY;
    ALTER TABLE roman.community_file ENABLE ROW LEVEL SECURITY;
    ALTER TABLE roman.community_match ENABLE ROW LEVEL SECURITY;
END
$$;

DO $$
DECLARE
    item text;
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'roman_loader')
       OR EXISTS (SELECT FROM pg_policy WHERE polname = 'loader' AND polrelid = 'roman.community_product'::regclass) THEN
        RETURN;
    END IF;
    FOREACH item IN ARRAY ARRAY['community_product', 'community_file', 'community_match'] LOOP
        EXECUTE format('CREATE POLICY loader ON roman.%I TO roman_loader USING (true)', item);
    END LOOP;
END
$$;
