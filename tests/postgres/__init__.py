"""PostgreSQL as Django has it, but for emptying the database between tests: see base.py."""
