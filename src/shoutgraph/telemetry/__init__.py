"""What runs, seen from outside: logs, metrics and traces. Nothing in here changes what is done."""
