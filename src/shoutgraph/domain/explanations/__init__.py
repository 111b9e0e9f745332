"""Why something is as it is: the rule, what it was asked with, what came of it, and the same in words."""
