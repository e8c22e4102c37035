-- How many customers and accounts the bank knew on a day, closed ones and authorised holders included.
-- grain   one row
-- reads   customers_customer_as_of, customers_account_as_of
-- writes  none
-- params  as_of
select
    (select count(*) from customers_customer_as_of(%(as_of)s) as c where c.opened_on <= %(as_of)s) as customers,
    (select count(*) from customers_account_as_of(%(as_of)s) as a where a.opened_on <= %(as_of)s) as accounts
