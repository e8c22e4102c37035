"""Finding a customer by part of a name: grams of one and two characters, because trigrams cannot serve 张伟.

The function is immutable and takes no search path of its own, so that it may stand in an index.
"""

from django.db import migrations

GRAMS = """
create function customers_name_grams(name text) returns text[] language sql immutable strict parallel safe as $$
    select coalesce(array_agg(distinct gram), '{}'::text[]) from (
        select substr(folded, place, width) as gram
        from (select lower(regexp_replace(name, '\\s+', ' ', 'g')) as folded) as f
        cross join generate_series(1, length(folded)) as place
        cross join (values (1), (2)) as widths(width)
        where place + width - 1 <= length(folded)
    ) as grams
$$;
-- Search by part of a name (customers/search.py); every hit is checked again with LIKE.
create index customer_name_grams on customers_customer using gin (customers_name_grams(name));
alter index customer_name_grams alter column 1 set statistics 1000;
"""


class Migration(migrations.Migration):
    dependencies = [("customers", "0002_bookings")]
    operations = [
        migrations.RunSQL(GRAMS, "drop index customer_name_grams; drop function customers_name_grams(text)"),
    ]
