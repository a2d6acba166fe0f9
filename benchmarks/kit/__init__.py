"""What the commands share: servers as processes, a meter, curves to log and read, prices and reports."""
