"""Planning: from facts and the ledger's rows to messages, changes and follow-ups."""
