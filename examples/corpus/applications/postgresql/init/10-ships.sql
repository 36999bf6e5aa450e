create table ship (id integer primary key, name text not null, tons integer, left_at timestamptz);
insert into ship values (1, 'Ärmel', 900, '2026-01-01 12:00Z'), (2, 'Zander', 1200, '2026-07-01 12:00Z'), (3, 'Orca', 450, null);
create role harbour login password 'harbour';
grant select on ship to harbour;
