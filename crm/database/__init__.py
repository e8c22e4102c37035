"""Django's PostgreSQL backend with the bank's roles and time limits; see ``base``."""
