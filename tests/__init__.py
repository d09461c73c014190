"""The tests; `helpers` is what they share."""
