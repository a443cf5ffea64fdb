"""HTTP: one bounded request, TLS, proxies, errors."""
