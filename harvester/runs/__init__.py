"""Operations on a folder or stream, one per module."""
