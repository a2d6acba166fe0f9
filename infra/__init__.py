"""The resources of a stage that Chalice does not create: the table, the bucket, the JWT secret, the first admin."""
