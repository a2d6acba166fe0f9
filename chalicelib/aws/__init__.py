"""AWS itself: clients, how their answers are read, what they cost, when they are overloaded."""
