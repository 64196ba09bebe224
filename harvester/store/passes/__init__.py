"""Passes merged: links that were read again become part of the whole."""
