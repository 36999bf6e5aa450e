"""rpm's packages: three formats of the database, one of the headers in it."""
