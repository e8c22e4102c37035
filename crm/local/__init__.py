"""The product's own PostgreSQL and Valkey, for a machine that has only Python and make.

``DATABASE_URL`` and ``REDIS_URL`` always win over them and production never uses them. Whoever needs a
service holds it for the life of the process; the last one out stops it.
"""

from crm.local.postgres import postgres
from crm.local.valkey import valkey, valkey_url

__all__ = ["postgres", "valkey", "valkey_url"]
