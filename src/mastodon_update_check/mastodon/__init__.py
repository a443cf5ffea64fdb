"""The neighbour: what Mastodon's tree, its running server and its database say; read only, nothing is executed."""
