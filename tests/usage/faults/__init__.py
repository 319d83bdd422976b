"""Orders of moves, and faults at a moment, that a careless Redis store would get wrong."""
