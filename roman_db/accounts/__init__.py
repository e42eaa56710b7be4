"""Who may use how much: accounts, teams, tokens, exceptional resources, the ledger of what was used.

`tokens`, `limits` and `fair_queue` know neither the database nor the web. `account_store`, `token_store`,
`request_store`, `team_store`, `usage` and `scratch` alone issue SQL. `authentication` and `router` are the
web's side; `admission` stands in front of queries.
"""
