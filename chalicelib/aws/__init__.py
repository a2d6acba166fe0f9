"""Access to AWS: clients, parsing of answers, consumed capacity, overload."""
