"""Where messages go: mail, webhook, log, and what other packages offer. Each makes one attempt and says how it went."""
