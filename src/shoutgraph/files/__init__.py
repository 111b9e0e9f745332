"""Files and what is inside them: storing, inspecting, signing links."""
