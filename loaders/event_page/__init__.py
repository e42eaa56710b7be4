"""What the page of an event in the browser shows: facts and tables of the report, curves of models, caustics."""
