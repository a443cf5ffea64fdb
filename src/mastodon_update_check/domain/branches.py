"""The minor series of Mastodon that are known to exist; those that the update server lists are known too.

`make series SERIES=4.8` adds one.
"""

KNOWN_SERIES = (
    (3, 4),
    (3, 5),
    (4, 0),
    (4, 1),
    (4, 2),
    (4, 3),
    (4, 4),
    (4, 5),
    (4, 6),
    (4, 7),
)
