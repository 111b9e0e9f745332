"""The effects that use-cases need, chosen in `app` and handed down as their first argument."""
