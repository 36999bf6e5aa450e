create table place (name text primary key, spot point);
insert into place values ('Kiel', '(10.1,54.3)'), ('Husum', '(9.05,54.5)');
