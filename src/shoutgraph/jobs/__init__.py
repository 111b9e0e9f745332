"""What the clock starts: each job is a module with one function, `tick`, that does what is due."""
