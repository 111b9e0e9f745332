"""Money across rooms: what nobody can settle but people, what plugins hear of it, and what providers list."""
