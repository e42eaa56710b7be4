"""What the page of an event in the browser shows: tables of the report, curves of models, caustics."""
