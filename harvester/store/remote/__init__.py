"""Harvests in object stores.

A harvest is worked on in a local folder, which is a cache: it can be lost at any time. What is in
the store is the harvest. Each commit uploads the new parts whole, then one record under the next
number, which is made only if no object has that name. A part that the newest record does not name
does not exist. A number can be used only once, so only one of two processes that write one harvest
continues.
"""
