-- What the views of the schema archive use; the views themselves are made from RAD (generated/archive_views.sql).

-- The text if it has no more characters than the column of the archive; a longer one is an error, and not cut off.
CREATE OR REPLACE FUNCTION archive.fitted(value text, most integer) RETURNS text
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS
$$
BEGIN
    IF char_length(value) > most THEN
        RAISE EXCEPTION USING
            ERRCODE = 'string_data_right_truncation',
            MESSAGE = format('%L has %s characters; its column of the archive holds %s', value, char_length(value), most),
            HINT = 'Correct the stored value, or have the column of the archive widened in RAD.';
    END IF;
    RETURN value;
END
$$;
COMMENT ON FUNCTION archive.fitted(text, integer) IS
'The text, if it has no more characters than its column of the archive; an error if it has';
