"""What Chalice does not make: the table, the bucket, the JWT secret and the first admin of a stage."""
