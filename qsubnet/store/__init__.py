"""The store: SQLAlchemy over SQLite or PostgreSQL, with Alembic migrations."""
