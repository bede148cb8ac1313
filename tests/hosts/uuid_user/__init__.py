"""A host whose users have UUIDs and sign in by e-mail address."""
