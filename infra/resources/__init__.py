"""One module for each kind of AWS resource of a stage."""
